//! The time and memory forecasts of `check`, compared with measurements.

use crate::lab::Lab;
use assert_cmd::cargo::cargo_bin;
use std::process::Command;

/// A mixed sweep, VHash with gossip, storage, a job, lookups under churn: each some seconds of work.
const SCENARIOS: &[(&str, &str)] = &[
    (
        "mixed",
        "experiment = 'network'\nrepetitions = 3\nunderlay.nodes = 500\noverlay.nodes = 300\n\
         workload.lookups = 4000\ntime.measure = '5 min'\n\
         sweep.'overlay.protocol' = ['chord', 'kademlia', 'pastry', 'vhash']\n",
    ),
    (
        "gossip",
        "experiment = 'network'\nunderlay.nodes = 400\noverlay.protocol = 'vhash'\n\
         overlay.nodes = 200\nworkload.lookups = 2000\ntime.transition = '5 min'\n\
         overlay.vhash.embedding = 'springs'\n",
    ),
    (
        "storage",
        "experiment = 'storage'\nrepetitions = 4\noverlay.nodes = 100\nunderlay.nodes = 100\n\
         underlay.model = 'constant'\noverlay.chord.successors = 8\ntime.transition = '30 min'\n\
         time.measure = '1 h'\nstorage.blocks = 1000\nstorage.gets = 5000\n",
    ),
    (
        "churn",
        "experiment = 'network'\nrepetitions = 6\nunderlay.model = 'constant'\n\
         overlay.nodes = 200\noverlay.protocol = 'kademlia'\nworkload.interval = '10 s'\n\
         time.measure = '40 min'\nchurn.model = 'sessions'\n",
    ),
];

/// How far a forecast may be off here: other tests run beside this one, and runs are few.
const FACTOR: f64 = 3.0;

/// The seconds and the megabytes that `check` forecasts.
fn told(lab: &Lab, file: &str) -> (f64, f64) {
    let text = lab.succeed(&["check", file]).stdout;
    let line = text.lines().find(|line| line.contains(" of CPU time"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    let words: Vec<&str> = line.split_whitespace().collect();
    let seconds = match words[1..3] {
        ["less", "than"] => 0.7,
        [number, unit] => {
            let factor = if unit == "min" { 60.0 } else { 1.0 };
            number.parse::<f64>().expect("a number") * factor
        }
        _ => panic!("{line}"),
    };
    let place = words
        .iter()
        .position(|word| *word == "memory")
        .expect("memory");
    let factor = if words[place - 2] == "GB" {
        1000.0
    } else {
        1.0
    };
    let memory: f64 = words[place - 3].parse().expect("a number");
    (seconds, memory * factor)
}

/// The seconds of processor time that all runs take, by the shell's own account.
#[cfg(unix)]
fn taken(lab: &Lab, file: &str) -> f64 {
    let script = format!(
        "'{}' run {file} --out out --jobs 1 2>stderr || exit 1; times",
        cargo_bin("dhtlab").display()
    );
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", &script]).current_dir(lab.path("."));
    let output = output.output().expect("a shell");
    assert!(output.status.success(), "{}", lab.read("stderr"));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // The second line is that of the children: "0m1.23s 0m0.04s".
    let line = text.lines().last().expect("two lines");
    let seconds = line.split_whitespace().map(|word| {
        let (minutes, seconds) = word.trim_end_matches('s').split_once('m').expect("a time");
        60.0 * minutes.parse::<f64>().expect("minutes") + seconds.parse::<f64>().expect("seconds")
    });
    seconds.sum()
}

#[test]
#[cfg(unix)]
fn a_forecast_is_near_what_runs_take() {
    let lab = Lab::new();
    let mut faults = Vec::new();
    for (name, text) in SCENARIOS {
        let file = format!("{name}.toml");
        lab.write(&file, text);
        let ((forecast, memory), taken) = (told(&lab, &file), taken(&lab, &file));
        println!("{name}: {forecast} s forecast, {taken:.1} s taken, {memory} MB forecast");
        // "less than 1 s" has no exact value.
        let is_near = forecast / taken < FACTOR && taken / forecast < FACTOR;
        if !(is_near || (forecast < 1.0 && taken < 1.0)) {
            faults.push(format!("{name}: {forecast} s forecast, {taken:.1} s taken"));
        }
        assert!((5.0..500.0).contains(&memory), "{name}: {memory} MB");
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Trials come to an end: those of a network that takes hours take seconds.
#[test]
fn check_is_quick_where_runs_are_long() {
    let lab = Lab::new();
    lab.write(
        "long.toml",
        "experiment = 'network'\nrepetitions = 100\noverlay.protocol = 'vhash'\n\
         underlay.model = 'constant'\noverlay.nodes = 2000\ntime.measure = '100 d'\n",
    );
    let started = std::time::Instant::now();
    let hours = told_of_hours(&lab);
    assert!(hours > 100.0, "{hours} h");
    let took = started.elapsed();
    assert!(took.as_secs() < 30, "{took:?}, with other tests beside it");
    // Without trials it is what the scenario says by itself.
    let text = lab.succeed(&["check", "long.toml", "--no-trial"]).stdout;
    assert!(text.contains(" h of CPU time"), "{text}");
}

/// The hours that `check` forecasts.
fn told_of_hours(lab: &Lab) -> f64 {
    let text = lab.succeed(&["check", "long.toml"]).stdout;
    let line = text.lines().find(|line| line.contains(" h of CPU time"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    let hours = line.split_whitespace().nth(1).expect("a number");
    hours.parse().expect("a number")
}
