//! The exact meaning of the columns of a network: the time interval, and the end of a lookup.

use crate::lab::{Lab, Table};

const CHORD: &str = "experiment = 'network'\nunderlay.model = 'constant'\nunderlay.nodes = 300\n\
                     overlay.nodes = 100\noverlay.chord.successors = 4\n";

fn run(text: &str) -> (Lab, Table) {
    let lab = Lab::new();
    lab.write("s.toml", format!("{CHORD}{text}"));
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    (lab, runs)
}

/// What is sent before measuring begins is not counted.
#[test]
fn messages_are_those_of_the_time_that_is_measured() {
    let (_lab, runs) = run(
        "workload.lookups = 100\ntime.measure = '2 h'\n[sweep]\n\"time.transition\" = ['0 s', '2 h']\n",
    );
    for column in ["messages", "maintenance_messages"] {
        let counted = runs.numbers(column);
        // Jitter of the timers alone.
        let ratio = counted[1] / counted[0];
        assert!((ratio - 1.0).abs() < 0.02, "{column}: {counted:?}");
    }
    // Events are what the run costs: all of them.
    let events = runs.numbers("events");
    assert!(events[1] > 1.9 * events[0], "{events:?}");
}

const CHURN: &str = "churn.model = 'sessions'\n\
     churn.sessions.up = { distribution = 'exponential', mean = '10 min' }\n\
     churn.sessions.down = { distribution = 'exponential', mean = '10 min' }\n\
     churn.sessions.presence = 'equilibrium'\n";

/// The last interval ends when measuring ends, and has the members that are there.
#[test]
fn the_timeline_ends_with_the_time_that_is_measured() {
    for (time, ends) in [
        ("time.interval = '30 s'\n", &[30.0, 60.0, 90.0, 100.0][..]),
        ("time.interval = '10 min'\n", &[100.0]),
        (
            "time.interval = '30 s'\ntime.max = '70 s'\n",
            &[30.0, 60.0, 70.0],
        ),
    ] {
        let measure = "workload.lookups = 1000\ntime.measure = '100 s'\n";
        let (lab, runs) = run(&format!("{measure}{time}{CHURN}"));
        let timeline = lab.table("out/s/timeline.csv");
        assert_eq!(timeline.numbers("time_s"), ends, "{time}");
        let members = timeline.numbers("members");
        assert!(
            members.iter().all(|count| *count > 30.0),
            "{time}: {members:?}"
        );
        let lookups: f64 = timeline.numbers("lookups").iter().sum();
        assert_eq!(lookups, runs.numbers("lookups")[0], "{time}");
    }
}

/// A run that its bound on events stops within an interval has a row for that one, and none for
/// those that it has not begun.
#[test]
fn a_timeline_that_is_cut_ends_where_the_run_does() {
    let (lab, _) = run(&format!(
        "workload.lookups = 1000\ntime.measure = '100 s'\ntime.interval = '10 s'\n\
         time.max-events = 3000\n{CHURN}"
    ));
    let timeline = lab.table("out/s/timeline.csv");
    let ends = timeline.numbers("time_s");
    let last = ends.len() - 1;
    assert!((1..9).contains(&last), "{ends:?}");
    assert!(
        ends[last - 1] < ends[last] && ends[last] <= 10.0 * ends.len() as f64,
        "{ends:?}"
    );
    assert!(timeline.numbers("members")[last] > 30.0);
}

/// An iterative lookup asks the root, unless the key says to trust the node that names it: then
/// Chord's own successor is found in no time.
#[test]
fn an_iterative_lookup_ends_with_the_answer_of_the_root() {
    let (lab, runs) = run(
        "overlay.lookup = 'iterative'\nworkload.lookups = 5000\n[sweep]\n\
         \"overlay.ask-root\" = [true, false]\n",
    );
    let histogram = lab.table("out/s/histogram.csv");
    let least_stretch = |run: &str| {
        let rows = histogram.rows.iter().filter(|row| {
            row[histogram.at("run")] == run && row[histogram.at("quantity")] == "stretch"
        });
        let values = rows.map(|row| row[histogram.at("value")].parse::<f64>().expect("a number"));
        values.fold(f64::INFINITY, f64::min)
    };
    let names = runs.column("run");
    assert_eq!(least_stretch(names[0]), 1.0);
    assert_eq!(least_stretch(names[1]), 0.0);
    // All latencies are alike here: a hop is a round trip, and so is the direct way.
    let hops = runs.numbers("overlay_hops_mean");
    for (column, place) in [
        ("stretch_mean", 0),
        ("stretch_of_means", 0),
        ("stretch_mean", 1),
    ] {
        let stretch = runs.numbers(column)[place];
        // Lookups of a node's own keys have hops, 0, and no stretch: about one of a hundred.
        let ratio = stretch / hops[place];
        assert!(
            (1.0..1.02).contains(&ratio),
            "{column}: {stretch}, {hops:?}"
        );
    }
    // The root itself is one hop more, but where the initiator is the root.
    let more = hops[0] - hops[1];
    assert!((0.98..1.0).contains(&more), "{hops:?}");
}

/// On links of very different length the two ways to take the mean differ, and the ratio of the means
/// is what the totals say.
#[test]
fn stretch_is_given_as_mean_of_ratios_and_as_ratio_of_means() {
    let lab = Lab::new();
    lab.write(
        "s.toml",
        "experiment = 'network'\nunderlay.model = 'euclidean'\nunderlay.nodes = 100\n\
         overlay.nodes = 100\nworkload.lookups = 5000\n",
    );
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    let number = |column: &str| runs.numbers(column)[0];
    assert!(number("stretch_mean") > 1.2 * number("stretch_of_means"));
    // Both are longer than the direct way.
    assert!(number("stretch_of_means") > 1.0);
}

/// An initiator that crashes before it knows the root has no answer: its lookup has failed, and is
/// counted separately.
#[test]
fn lookups_whose_initiator_is_gone_have_failed() {
    for protocol in ["chord", "kademlia", "pastry", "vhash"] {
        let (_lab, runs) = run(&format!(
            "overlay.protocol = '{protocol}'\noverlay.lookup = 'iterative'\n\
             underlay.constant.latency = '400 ms'\ntransport.timeout = '1 s'\n\
             workload.lookups = 3000\ntime.measure = '300 s'\nchurn.model = 'per-second'\n\
             churn.per-second.probability = 0.01\n"
        ));
        let number = |column: &str| runs.numbers(column)[0];
        let (abandoned, failed) = (number("lookups_abandoned"), number("lookups_failed"));
        assert!(abandoned > 0.0 && abandoned <= failed, "{protocol}");
        let over = number("lookups_ok") + number("lookups_wrong") + failed;
        assert_eq!(number("lookups"), over, "{protocol}");
    }
}
