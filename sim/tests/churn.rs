//! Networks that nodes join, leave and crash in: by the command, and event by event.

mod support;

use dhtlab::engine::{Period, Seed, Span};
use dhtlab::network::{End, Network, Setup, Travel, oracle};
use dhtlab::overlay::Node;
use dhtlab::overlay::chord::{Chord, ChordParameters, Variant};
use dhtlab::space::Key;
use dhtlab::workload::LookupPlan;
use support::Lab;
use support::network::{at, plane};

const CHURN: &str = r#"
experiment = "network"
seed = 2
[underlay]
model = "euclidean"
nodes = 200
[overlay]
nodes = 80
[overlay.chord]
successors = 8
stabilise = "5 s"
fix-fingers = "5 s"
check-predecessor = "5 s"
[overlay.vhash]
gossip = "5 s"
[workload]
interval = "20 s"
[time]
transition = "200 s"
measure = "300 s"
interval = "30 s"
"#;

/// Every model of churn with both ways to go: lookups are counted once, the timeline adds up to
/// them, members come and go, and most lookups end well.
#[test]
fn every_model_of_churn_runs() {
    let models = [
        "model = 'sessions'\nsessions.up = { distribution = 'exponential', mean = '400 s' }\n\
         sessions.down = '60 s'",
        "model = 'rates'\nrates.joins = 0.2",
        "model = 'per-second'\nper-second.probability = 0.002",
        "model = 'failures'\nfailures.fraction = 0.2\nfailures.at = '300 s'",
        "model = 'trace'\ntrace.file = 'trace.csv'",
    ];
    for (place, model) in models.iter().enumerate() {
        for departure in ["crash", "leave"] {
            let lab = Lab::new();
            lab.write(
                "trace.csv",
                "210,leave,3\n220,crash,4\n230,join,4\n240,join,new\n",
            );
            let text = format!("{CHURN}[churn]\ndeparture = '{departure}'\n{model}\n");
            lab.write("churn.toml", &text);
            lab.succeed(&["run", "churn.toml", "--out", "out"]);
            let runs = lab.table("out/churn/runs.csv");
            let number = |column: &str| runs.numbers(column)[0];
            let what = format!("{model}, {departure}");
            let over = number("lookups_ok") + number("lookups_wrong") + number("lookups_failed");
            assert_eq!(number("lookups"), over, "{what}");
            assert!(
                number("success_rate") > 0.95,
                "{what}: {}",
                number("success_rate")
            );
            assert!(number("leaves") > 0.0, "{what}");
            assert_eq!(number("joins") > 0.0, place != 3, "{what}");
            assert!(number("maintenance_bytes_per_node_s") > 0.0, "{what}");
            let timeline = lab.table("out/churn/timeline.csv");
            assert_eq!(timeline.rows.len(), 10, "{what}");
            assert_eq!(
                timeline.numbers("lookups").iter().sum::<f64>(),
                number("lookups")
            );
            let end = timeline.numbers("members")[9];
            match place {
                3 => assert_eq!(end, 64.0, "{what}"),
                4 => assert_eq!(end, 80.0, "{what}"),
                _ => assert!((50.0..=110.0).contains(&end), "{what}: {end} members"),
            }
        }
    }
}

/// A network that dies out ends its run with the metrics so far, and says so.
#[test]
fn a_network_that_dies_out_says_so() {
    let lab = Lab::new();
    let text = format!(
        "{CHURN}[churn]\nmodel = 'per-second'\nbegin = '250 s'\n\
         per-second = {{ probability = 0.9, away = '1 h', immune = '0 s' }}\n"
    );
    lab.write("gone.toml", &text);
    lab.succeed(&["run", "gone.toml", "--out", "out"]);
    let manifest = lab.read("out/gone/manifest.json");
    assert!(
        manifest.contains("the network died out at 25"),
        "{manifest}"
    );
    let runs = lab.table("out/gone/runs.csv");
    let number = |column: &str| runs.numbers(column)[0];
    assert!(number("lookups") > 100.0 && number("leaves") == 80.0);
    let over = number("lookups_ok") + number("lookups_wrong") + number("lookups_failed");
    assert_eq!(number("lookups"), over);
}

/// What would empty the network for certain, and a trace that cannot be, is refused before
/// anything runs: with file, line and key, and exit code 2.
#[test]
fn churn_that_cannot_be_is_refused() {
    let line = CHURN.lines().count() + 3;
    for (model, told) in [
        (
            "failures'\nfailures.fraction = 1.0",
            "churn.failures.fraction: this empties the network of 80 nodes at once",
        ),
        (
            "sessions'\nsessions.up = '400 s'",
            "churn.sessions.up: this empties the network of 80 nodes after 400 s",
        ),
        (
            "trace'\ntrace.file = 'back.csv'",
            "churn.trace.file: back.csv:2: time runs backwards to 10 s",
        ),
        (
            "trace'\ntrace.file = 'unknown.csv'",
            "churn.trace.file: unknown.csv:1: node \"ghost\" is unknown",
        ),
        (
            "trace'\ntrace.file = 'none.csv'",
            "churn.trace.file: cannot read none.csv",
        ),
    ] {
        let lab = Lab::new();
        lab.write("back.csv", "20,crash,1\n10,join,1\n");
        lab.write("unknown.csv", "20,crash,ghost\n");
        lab.write("bad.toml", format!("{CHURN}[churn]\nmodel = '{model}\n"));
        let ended = lab.dhtlab(&["run", "bad.toml", "--out", "out"]);
        let expected = format!("error: bad.toml:{line}: {told}");
        assert_eq!(ended.code, Some(2), "{model}");
        assert!(
            ended.stderr.starts_with(&expected),
            "{model}: {}",
            ended.stderr
        );
        assert!(!lab.path("out").exists());
    }
}

/// A changed trace is another run; the same trace is not run again.
#[test]
fn the_content_of_a_trace_names_its_run() {
    let lab = Lab::new();
    lab.write(
        "trace.toml",
        format!("{CHURN}[churn]\nmodel = 'trace'\ntrace.file = 'trace.csv'\n"),
    );
    let run = |text: &str| {
        lab.write("trace.csv", text);
        lab.succeed(&["run", "trace.toml", "--out", "out"]);
        lab.table("out/trace/runs.csv").column("run")[0].to_owned()
    };
    let first = run("210,crash,3\n");
    assert_eq!(run("210,crash,3\n"), first);
    assert_ne!(run("210,crash,4\n"), first);
    let text = lab.read("trace.toml");
    lab.write("trace.toml", format!("{text}trace.content = 'abc'\n"));
    let ended = lab.dhtlab(&["run", "trace.toml", "--out", "out"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("churn.trace.content: expected the SHA-1 abc, found ")
    );
}

/// The bounds on events and on time end a run under churn, and are reported.
#[test]
fn bounds_end_a_run_under_churn() {
    for (bound, told) in [
        (
            "max-events = 5000",
            "stopped after time.max-events, 5000 events",
        ),
        ("max = '201 s'", "stopped at time.max, 201 s"),
    ] {
        let lab = Lab::new();
        let text = CHURN.replace("[time]\n", &format!("[time]\n{bound}\n"));
        lab.write("bound.toml", format!("{text}[churn]\nmodel = 'rates'\n"));
        lab.succeed(&["run", "bound.toml", "--out", "out"]);
        let manifest = lab.read("out/bound/manifest.json");
        // A run that is cut short between two lookups has none under way.
        let cut = manifest.contains(told) || bound.starts_with("max =");
        assert!(cut, "{bound}: {manifest}");
        let runs = lab.table("out/bound/runs.csv");
        assert!(runs.numbers("events")[0] <= 60_000.0);
    }
}

fn chord(nodes: u32, variant: Variant) -> Network<Chord> {
    let every = |secs| Period::every(Span::from_secs(secs));
    let parameters = ChordParameters {
        variant,
        successors: 4,
        stabilise: every(10),
        fix_fingers: every(5),
        check_predecessor: every(10),
        ..ChordParameters::default()
    };
    let setup = Setup {
        seed: Seed::new(4),
        travel: Travel::Recursive,
        timeout: Span::from_secs(1),
    };
    let mut network = Network::new(setup, parameters, plane(nodes as usize + 20));
    let mut stream = Seed::new(4).stream("ids", 0);
    let ids: Vec<Key> = (0..nodes).map(|_| Key::random(&mut stream)).collect();
    let sites: Vec<u32> = (0..nodes).collect();
    oracle::settle_converged(&mut network, &ids, &sites);
    network
}

/// The part of 1000 lookups that go wrong from now on.
fn wrong(network: &mut Network<Chord>) -> f64 {
    let before = network.tally().counts;
    let stream = Seed::new(5).stream("lookups", 0);
    let plan = LookupPlan::evenly(stream, network.now(), Span::from_millis(1), 1000);
    network.plan_lookups(plan);
    let end = network.now() + Span::from_secs(60);
    assert_eq!(network.run(end, true, u64::MAX), End::Done);
    let counts = network.tally().counts;
    (counts.wrong - before.wrong + counts.failed - before.failed) as f64 / 1000.0
}

/// Who says goodbye leaves no hole: a moment later the ring is whole, where a crash has torn it.
#[test]
fn a_graceful_leave_is_better_than_a_crash() {
    for graceful in [true, false] {
        let mut network = chord(60, Variant::Correct);
        for node in (0..60).step_by(6).map(Node) {
            if graceful {
                network.leave(node);
            } else {
                network.crash(node);
            }
            // Two neighbours that go at once cannot tell each other.
            let later = network.now() + Span::from_millis(200);
            network.run(later, false, u64::MAX);
        }
        assert_eq!(oracle::is_intact(&network), Some(graceful));
        let wrong = wrong(&mut network);
        assert!(wrong < 0.02, "{wrong}");
    }
}

/// A joiner whose bootstrap crashes before it answers begins again, and gets its place.
#[test]
fn a_join_through_a_dead_node_begins_again() {
    for variant in Variant::ALL {
        let mut network = chord(12, *variant);
        let mut stream = Seed::new(9).stream("joiner", 0);
        network.join_at(at(5), Key::random(&mut stream), 20);
        network.run(at(5), false, u64::MAX);
        let joiner = Node(12);
        assert!(network.is_alive(joiner) && !network.is_member(joiner));
        // Its first message is on its way; all but three are gone when it arrives.
        for node in (0..12).map(Node).filter(|node| node.0 % 4 != 1) {
            network.crash(node);
        }
        network.run(at(120), false, u64::MAX);
        assert!(network.is_member(joiner), "{variant:?}");
        assert!(network.tally().counts.rejoins > 0, "{variant:?}");
        assert_eq!(oracle::is_intact(&network), Some(true), "{variant:?}");
    }
}

/// A joiner whose place nobody can tell it tries again and again, one attempt at a time: the
/// node that it has to ask is dead, and without maintenance nobody finds out.
#[test]
fn a_joiner_without_a_place_makes_one_attempt_at_a_time() {
    let setup = Setup {
        seed: Seed::new(4),
        travel: Travel::Recursive,
        timeout: Span::from_secs(1),
    };
    let parameters = ChordParameters {
        stabilise: Period::NEVER,
        fix_fingers: Period::NEVER,
        check_predecessor: Period::NEVER,
        ..ChordParameters::default()
    };
    let mut network: Network<Chord> = Network::new(setup, parameters, plane(10));
    let [before, joiner, root] = [1, 2, 3].map(Key::power_of_two);
    oracle::settle_converged(&mut network, &[before, root], &[0, 1]);
    network.crash(Node(0));
    network.join_at(at(0), joiner, 2);
    network.run(at(200), false, u64::MAX);
    assert!(!network.is_member(Node(2)));
    // An attempt takes a time-out of a second and two messages.
    let rejoins = network.tally().counts.rejoins;
    assert!((100..=200).contains(&rejoins), "{rejoins}");
}

/// Whoever runs alone and is joined, and whoever is left alone and joined again, is a ring.
#[test]
fn a_ring_shrinks_to_one_and_grows_again() {
    let mut network = chord(3, Variant::Correct);
    network.crash(Node(0));
    network.crash(Node(1));
    network.run(at(60), false, u64::MAX);
    assert_eq!(wrong(&mut network), 0.0);
    let mut stream = Seed::new(9).stream("joiner", 0);
    for site in 3..10 {
        network.join_at(at(100 + u64::from(site)), Key::random(&mut stream), site);
    }
    network.run(at(400), false, u64::MAX);
    assert_eq!(network.members().len(), 8);
    assert_eq!(oracle::is_intact(&network), Some(true));
    assert_eq!(wrong(&mut network), 0.0);
    network
        .members()
        .to_vec()
        .into_iter()
        .for_each(|node| network.crash(node));
    assert_eq!(network.run(at(1000), false, u64::MAX), End::Extinct);
}
