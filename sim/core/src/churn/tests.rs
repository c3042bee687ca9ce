//! Properties of churn plans.

use super::*;
use crate::engine::{Duration, DurationDistribution, Seed};
use crate::parameter::Table;
use proptest::prelude::*;

/// The plan of `text`, the table `churn`, for `nodes` nodes.
pub(super) fn population(text: &str, nodes: usize, seed: u64) -> InitialPopulation {
    let churn = churn(text, nodes).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    churn.plan(Instant::START, at(100), Seed::new(seed))
}

pub(super) fn churn(text: &str, nodes: usize) -> Result<Churn, crate::parameter::ConfigError> {
    let values = crate::parameter::text::parse(text);
    let root = Table::root(&values);
    let table = root.sub("churn").expect("a table");
    Churn::read(&table, "".as_ref(), nodes, Duration::from_secs(1000))
}

pub(super) fn at(secs: u64) -> Instant {
    Instant::START + Duration::from_secs(secs)
}

const MODELS: [&str; 5] = [
    "churn.model = 'sessions'\nchurn.sessions.up = '50 s'\nchurn.sessions.presence = 'equilibrium'\nchurn.sessions.down = { distribution = 'exponential', mean = '20 s' }",
    "churn.model = 'sessions'\nchurn.sessions.up = { distribution = 'weibull', scale = '1 min', shape = 0.5 }\nchurn.sessions.presence = 'equilibrium'",
    "churn.model = 'rates'\nchurn.rates.joins = 0.5",
    "churn.model = 'per-second'\nchurn.per-second.probability = 0.05",
    "churn.model = 'failures'\nchurn.failures.fraction = 0.3",
];

proptest! {
    /// Steps are ascending in time; a participant that joins was offline, and one that departs was
    /// online.
    #[test]
    fn steps_make_sense(model in 0usize..5, nodes in 1usize..60, seed: u64) {
        let InitialPopulation { here, plan } = population(MODELS[model], nodes, seed);
        prop_assert!(here.is_sorted());
        let mut present = vec![false; 10_000];
        here.iter().for_each(|participant| present[*participant as usize] = true);
        let mut last = Instant::START;
        for step in plan.take(500) {
            prop_assert!(step.time >= last);
            last = step.time;
            let is_here = &mut present[step.participant as usize];
            prop_assert_eq!(*is_here, step.change != Change::Join);
            *is_here = step.change == Change::Join;
        }
    }
}

#[test]
fn rates_are_kept() {
    let text = "churn.model = 'rates'\nchurn.rates.joins = 0.4\nchurn.rates.leaves = 0.2";
    let steps: Vec<Step> = population(text, 1000, 3)
        .plan
        .take_while(|step| step.time < at(100_000))
        .collect();
    let joins = steps
        .iter()
        .filter(|step| step.change == Change::Join)
        .count();
    let departures = steps.len() - joins;
    // Four standard deviations of Poisson counts of 40,000 and 20,000.
    assert!(joins.abs_diff(40_000) < 800, "{joins}");
    assert!(departures.abs_diff(20_000) < 570, "{departures}");
}

#[test]
fn sessions_have_their_means() {
    let text = "churn.model = 'sessions'\n\
                churn.sessions.up = { distribution = 'exponential', mean = '30 s' }\n\
                churn.sessions.down = { distribution = 'exponential', mean = '10 s' }\n\
                churn.sessions.presence = 'equilibrium'";
    let nodes = 4000;
    let InitialPopulation { here, plan } = population(text, nodes, 5);
    // Three of four are online; four standard deviations of a binomial count.
    assert!(here.len().abs_diff(3000) < 110, "{}", here.len());
    let steps: Vec<Step> = plan.take_while(|step| step.time < at(400)).collect();
    // Each participant departs once in 40 s.
    let gone = steps
        .iter()
        .filter(|step| step.change != Change::Join)
        .count();
    assert!(gone.abs_diff(40_000) < 800, "{gone}");
    // An equilibrium is stationary: as many join as depart.
    assert!((steps.len() - gone).abs_diff(gone) < 400);
}

#[test]
fn rejoined_node_is_immune() {
    let text = "churn.model = 'per-second'\nchurn.per-second.probability = 0.5\n\
                churn.per-second.wait = '3 s'\nchurn.per-second.immunity = '7 s'";
    let mut since = [Instant::START; 20];
    for step in population(text, 20, 1).plan.take(1000) {
        let since = &mut since[step.participant as usize];
        let lasted = step.time.since(*since);
        match step.change {
            Change::Join => assert_eq!(lasted, Duration::from_secs(3)),
            _ if *since > Instant::START => assert!(lasted >= Duration::from_secs(7), "{lasted}"),
            _ => {}
        }
        *since = step.time;
    }
}

/// With a probability of joining, absences are geometric and a node is online for the fraction
/// join / (join + probability) of the time: 0.8 here, to within 0.02, four standard errors of 500
/// nodes over 800 s of which each has about 40 changes.
#[test]
fn nodes_join_with_a_probability_of_their_own() {
    let text = "churn.model = 'per-second'\nchurn.per-second.probability = 0.025\n\
                churn.per-second.join = 0.1\nchurn.per-second.immunity = '0 s'";
    let (nodes, from, end) = (500, at(200), at(1000));
    let mut online = vec![true; nodes];
    let (mut members, mut last, mut seconds) = (nodes, from, 0.0);
    let plan = population(text, nodes, 3).plan;
    for step in plan.take_while(|step| step.time < end) {
        let is_join = step.change == Change::Join;
        let was_online = std::mem::replace(&mut online[step.participant as usize], is_join);
        assert_ne!(was_online, is_join, "{step:?}");
        if step.time > last {
            seconds += members as f64 * step.time.since(last).as_secs_f64();
            last = step.time;
        }
        members = if is_join { members + 1 } else { members - 1 };
    }
    let fraction = seconds / last.since(from).as_secs_f64() / nodes as f64;
    assert!((fraction - 0.8).abs() < 0.02, "{fraction}");
}

#[test]
fn a_fraction_fails_at_once() {
    let steps: Vec<Step> = population(MODELS[4], 1000, 2).plan.collect();
    assert_eq!(steps.len(), 300);
    assert!(
        steps
            .iter()
            .all(|s| s.time == at(100) && s.change == Change::Crash)
    );
    let leave = format!(
        "{}\nchurn.departure = 'leave'\nchurn.failures.at = '5 s'",
        MODELS[4]
    );
    let steps: Vec<Step> = population(&leave, 1000, 2).plan.collect();
    assert!(
        steps
            .iter()
            .all(|s| s.time == at(5) && s.change == Change::Leave)
    );
}

#[test]
fn a_trace_is_carried_out_as_it_stands() {
    let text =
        "time_s,event,node\n# a comment\n\n0.5, crash, 1\n2,join,late\n2,join,1\n3,leave,late\n";
    let trace = Trace::parse(text, 3).expect("a trace");
    assert_eq!(trace.participants(), 4);
    let steps: Vec<(f64, u32, Change)> = trace
        .plan(at(7))
        .map(|step| (step.time.as_secs_f64(), step.participant, step.change))
        .collect();
    assert_eq!(
        steps,
        [
            (0.5, 1, Change::Crash),
            (2.0, 3, Change::Join),
            (2.0, 1, Change::Join),
            (3.0, 3, Change::Leave),
        ]
    );
}

/// Times from an epoch count from the first step, which is when churn begins. A byte order mark and
/// a head line are no steps. Steps without effect are reported.
#[test]
fn traces_of_the_field_are_read_as_they_are_meant() {
    let steps = |text: &str| -> Vec<(f64, u32)> {
        let trace = Trace::parse(text, 3).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        let plan = trace.plan(at(100));
        plan.map(|step| (step.time.as_secs_f64(), step.participant))
            .collect()
    };
    let unix = "1041379200,crash,1\n1041379260.5,join,1\n";
    assert_eq!(steps(unix), [(100.0, 1), (160.5, 1)]);
    assert_eq!(steps("\u{feff}60,crash,1\n"), [(60.0, 1)]);
    assert_eq!(
        steps("\u{feff}time_s,event,node\r\n60,crash,1\r\n"),
        [(60.0, 1)]
    );
    let named = "# measured\nNode,Site,Timestamp,Event\n2,oslo,60,leave\n2,oslo,61,join\n";
    assert_eq!(steps(named), [(60.0, 2), (61.0, 2)]);
    assert_eq!(steps(""), []);

    let notes = |text: &str| {
        let trace = Trace::parse(text, 3).expect("a trace");
        trace.notes("a.csv", at(100), at(150))
    };
    assert_eq!(
        notes(unix),
        [
            "a.csv: times count from an epoch; the first one, 1041379200 s, is 100 s of the run",
            "a.csv: 1 of 2 steps lie after the end at 150 s and are skipped",
        ]
    );
    assert_eq!(
        notes("99999,crash,1"),
        ["a.csv: 1 of 1 steps lie after the end at 150 s and are skipped"]
    );
    assert_eq!(
        notes("60,crash,0\n61,crash,1\n62,leave,2\n70,join,0\n"),
        ["a.csv: the last node departs at 62 s, and the run ends there"]
    );
    assert!(notes("60,crash,1\n60,join,1\n").is_empty());
    // Ten at most at a time, whatever the names.
    let grow: String = (0..7).map(|n| format!("5,join,n{n}\n")).collect();
    assert_eq!(Trace::parse(&grow, 3).expect("a trace").peak(), 10);
}

#[test]
fn faults_of_a_trace_are_told_with_their_line() {
    for (text, line, told) in [
        ("1,crash", 1, "expected `time_s,join|leave|crash,node`"),
        ("x,crash,1", 1, "expected a time in seconds"),
        ("-1,crash,1", 1, "expected a time in seconds"),
        ("1,die,1", 1, "expected join, leave or crash, found \"die\""),
        ("2,crash,1\n1,crash,0", 2, "time decreases"),
        ("2,crash,7", 1, "node \"7\" is unknown"),
        ("2,join,1", 1, "joins, but it is online"),
        ("2,crash,1\n3,leave,1", 2, "departs, but it is not online"),
        ("1041379200000,crash,1", 1, "which may be in milliseconds"),
        ("1041379200,crash,1\n60,crash,0", 2, "time decreases"),
        ("time,node\n1,crash,1", 1, "expected `time_s"),
    ] {
        let (number, message) = Trace::parse(text, 3).expect_err(text);
        assert_eq!(number, line, "{text}");
        assert!(message.contains(told), "{text}: {message}");
    }
}

#[test]
fn what_empties_the_network_is_refused() {
    for (text, key) in [
        (
            "churn.model = 'failures'\nchurn.failures.fraction = 1.0",
            "churn.failures.fraction",
        ),
        (
            "churn.model = 'failures'\nchurn.failures.fraction = 0.96",
            "churn.failures.fraction",
        ),
        (
            "churn.model = 'per-second'\nchurn.per-second.probability = 1.0",
            "churn.per-second.probability",
        ),
        (
            "churn.model = 'rates'\nchurn.rates.joins = 0.0\nchurn.rates.leaves = 0.1",
            "churn.rates.leaves",
        ),
        (
            "churn.model = 'sessions'\nchurn.sessions.up = '999 s'",
            "churn.sessions.up",
        ),
        (
            "churn.model = 'sessions'\nchurn.sessions.up = '0 s'",
            "churn.sessions.up",
        ),
        ("churn.model = 'trace'", "churn.trace.file"),
        (
            "churn.model = 'trace'\nchurn.trace.file = 'nowhere.csv'",
            "churn.trace.file",
        ),
    ] {
        let problem = churn(text, 10).expect_err(text);
        assert_eq!(problem.key, key, "{text}: {problem}");
    }
    // Time advances, whatever is drawn.
    let still = SessionParameters {
        up: DurationDistribution::Constant(Duration::ZERO),
        down: DurationDistribution::Constant(Duration::ZERO),
        ..SessionParameters::default()
    };
    let (_, plan) = sessions::plan(&still, 3, Change::Crash, Instant::START, Seed::new(1));
    let times: Vec<Instant> = plan.take(100).map(|step| step.time).collect();
    assert!(times[99] > times[0]);
}
