//! Scenarios too large for any machine: refused with the key at fault, or reported before the run.

use crate::lab::Lab;
use crate::refusal::{NETWORK, compare};

#[test]
fn what_no_run_can_hold_is_refused_with_its_key() {
    compare(
        NETWORK,
        &[
            (
                "overlay.chord.stabilise = '1 ns'\n",
                &[],
                "bad.toml:2: overlay.chord.stabilise: about 4.0e12 messages a second, of which 2.0e10 are \
                 under way at any time, more than 2^28; expected a longer time",
            ),
            (
                "[overlay]\nprotocol = 'vhash'\n[overlay.vhash]\ngossip = '1 ns'\n",
                &[],
                "bad.toml:5: overlay.vhash.gossip: about 4.0e12 messages a second, of which 2.0e10 are \
                 under way at any time, more than 2^28; expected a longer time",
            ),
            (
                "time.measure = '1000 d'\n[churn]\nmodel = 'rates'\n[churn.rates]\njoins = 1e6\n",
                &[],
                "bad.toml:5: churn.rates: about 8.6e13 nodes come in 1000 d, more than 2^32",
            ),
        ],
    );
}

#[test]
fn more_events_than_may_be_are_told_with_their_key() {
    for (text, expected) in [
        (
            "overlay.chord.stabilise = '10 us'\ntime.measure = '1000 h'\noverlay.nodes = 10\n",
            "warning: long.toml:2: overlay.chord.stabilise: about 1.4e13 events are expected, 4.0e6 of \
             them a virtual second for this key; the run ends after `time.max-events` = 10000000000\n",
        ),
        (
            "workload.interval = '1 us'\ntime.measure = '1 h'\noverlay.nodes = 10\n",
            "warning: long.toml:2: workload.interval: about ",
        ),
    ] {
        let lab = Lab::new();
        let text = format!("{NETWORK}{text}underlay.model = 'constant'\n");
        lab.write("long.toml", text);
        let ended = lab.succeed(&["check", "long.toml", "--no-trial"]);
        assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
    }
}

/// A gap a trial is kept: ten times as many take ten times the memory.
#[test]
fn the_memory_of_mashing_grows_with_its_trials() {
    let lab = Lab::new();
    lab.write("mash.toml", "experiment = \"mashing\"\n");
    let memory = |trials: &str| {
        let trials = format!("mashing.trials={trials}");
        let ended = lab.dhtlab(&["check", "mash.toml", "--no-trial", "--set", &trials]);
        let text = ended.stdout + &ended.stderr;
        let words: Vec<&str> = text.split_whitespace().collect();
        let place = words
            .iter()
            .position(|word| *word == "GB")
            .unwrap_or_else(|| panic!("{text}"));
        words[place - 1].parse::<f64>().expect("a number")
    };
    // 40 bytes each.
    let taken = memory("100000000");
    assert!((4.0..4.5).contains(&taken), "{taken} GB");
}
