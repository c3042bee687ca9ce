//! The experiment `providers`, and what a scenario of a deployed Kademlia network needs: profiles,
//! dials, tables and their health, an attack that censors, a crawler.

use crate::lab::{Lab, run};
use crate::refusal::compare;

const HEAD: &str = "experiment = 'providers'\nseed = 4\nunderlay.model = 'euclidean'\n\
                    underlay.nodes = 300\noverlay.protocol = 'kademlia'\noverlay.nodes = 300\n\
                    overlay.kademlia.profile = 'libp2p'\ntransport.timeout = '5 s'\n\
                    time.transition = '10 min'\ntime.measure = '10 min'\n\
                    providers.provides = 100\nproviders.finds = 100\nproviders.vantage-points = 2\n";

/// Sessions of 20 min on average.
const CHURN: &str = "churn.model = 'sessions'\nchurn.begin = '1 min'\n\
                     churn.sessions.up = { distribution = 'exponential', mean = '20 min' }\n\
                     churn.sessions.down = { distribution = 'exponential', mean = '5 min' }\n";

/// Without churn all records are stored at 20 nodes, found, and the tables are complete.
#[test]
fn in_a_still_network_all_is_stored_and_found() {
    let (lab, runs) = run(&format!("{HEAD}tables = ['buckets', 'histogram']\n"));
    let one = |column: &str| runs.numbers(column)[0];
    assert_eq!(one("provides"), 100.0);
    assert_eq!((one("holders_p5"), one("holders_p90")), (20.0, 20.0));
    assert_eq!((one("found_rate"), one("stale_rate")), (1.0, 0.0));
    // The first search may come before any content is stored.
    assert!(one("finds") >= 98.0);
    assert_eq!(
        (one("operations_failed"), one("reachable_members")),
        (0.0, 302.0)
    );
    assert!(one("provide_walk_s_p50") < one("provide_s_p50"));
    assert!(one("provide_approach_s_p50") <= one("provide_walk_s_p50"));
    assert!(one("hops_one_mean") <= one("hops_all_mean"));
    let buckets = lab.table("out/s/buckets.csv");
    assert_eq!(buckets.numbers("contacts")[0], 20.0);
    assert_eq!(buckets.numbers("full_rate")[0], 1.0);
    // The first buckets are full, and farther ones hold all there are.
    assert!(
        buckets
            .numbers("missing")
            .iter()
            .all(|missing| *missing < 0.1)
    );
    let (candidates, contacts) = (buckets.numbers("candidates"), buckets.numbers("contacts"));
    assert!((candidates[0] - 151.0).abs() < 15.0);
    assert!(
        candidates
            .iter()
            .zip(&contacts)
            .all(|(all, held)| held <= all)
    );
}

/// With every profile a network of nodes that join one after the other is whole: others come to know a
/// node that joins.
#[test]
fn nodes_that_join_are_known_with_every_profile() {
    let (_lab, runs) = run(
        "experiment = 'network'\nseed = 3\nunderlay.model = 'euclidean'\nunderlay.nodes = 200\n\
         overlay.protocol = 'kademlia'\noverlay.nodes = 200\noverlay.start = 'join'\n\
         overlay.lookup = 'iterative'\ntime.transition = '1 h'\nworkload.lookups = 2000\n\
         sweep.'overlay.kademlia.profile' = ['paper', 'libp2p', 'mainline']\n",
    );
    let success = runs.numbers("success_rate");
    assert_eq!(success.len(), 3);
    // All lookups succeed with each of eight seeds.
    assert!(success.iter().all(|rate| *rate > 0.99), "{success:?}");
}

/// A dial takes a round trip more than a message on a connection, and one to a node that has gone costs
/// the time-out of dials.
#[test]
fn dials_cost_round_trips_and_time_outs() {
    let still = format!(
        "{HEAD}underlay.model = 'constant'\nunderlay.constant.latency = '50 ms'\n\
         overlay.kademlia.refresh = 'never'\n"
    )
    .replace("underlay.model = 'euclidean'\n", "");
    let walks = |more: &str| {
        run(&format!("{still}{more}"))
            .1
            .numbers("provide_walk_s_p50")
    };
    // Three rounds of 100 ms; with few connections no pair is connected, and a dial takes 100 or
    // 300 ms.
    assert_eq!(walks(""), [0.3]);
    let dialled = walks("transport.connections = 20\nsweep.'transport.dial' = [1, 3]\n");
    assert_eq!(dialled, [0.6, 1.2]);
    let (_lab, runs) = run(&format!(
        "{HEAD}{CHURN}transport.dial = 1\ntransport.dial-timeout = '7 s'\n"
    ));
    assert!(runs.numbers("provide_s_p90")[0] >= 7.0);
    assert!(runs.numbers("stale_rate")[0] > 0.0);
    assert!(runs.numbers("holders_mean")[0] < 20.0);
}

/// What an attacker hides, what a searcher notices, and what a search of the region finds.
#[test]
fn sybils_censor_and_a_region_mends_it() {
    let (_lab, runs) = run(&format!(
        "{HEAD}time.measure = '1 h'\nproviders.size-walks = 10\ncensorship.contents = 20\n\
         overlay.kademlia.group-per-node = 0\noverlay.kademlia.group-per-bucket = 0\n\
         sweep.'censorship.sybils' = [0, 30]\nsweep.'providers.regions' = [false, true]\n"
    )
    .replace("time.measure = '10 min'\n", ""));
    let censored = runs.numbers("censored_rate");
    assert_eq!(runs.numbers("attacked"), [20.0; 4]);
    // Without limits of addresses 30 Sybils take all 20 places.
    assert_eq!(censored, [0.0, 0.0, 1.0, 0.0]);
    let eclipsed = runs.numbers("eclipsed_rate");
    assert!(eclipsed[0] == 0.0 && eclipsed[2] > 0.95, "{eclipsed:?}");
    let detected = runs.numbers("detected_rate");
    assert!(detected[0] <= 0.2 && detected[2] >= 0.8, "{detected:?}");
    let lookups = runs.numbers("attacked_lookups_mean");
    assert!(lookups[0] == 1.0 && lookups[3] > 3.0, "{lookups:?}");
    // About as many draws as nodes: the nearest of 300 is 1 / 301 of the space away on average, and the
    // mean of its inverse is larger.
    let tried = runs.column("ids_tried_mean")[2].parse::<f64>();
    assert!(tried.is_ok_and(|tried| tried > 150.0));
}

/// Where BEP 42 binds IDs to addresses, an attacker needs addresses and not IDs.
#[test]
fn bound_ids_cost_the_attacker_addresses() {
    let (_lab, runs) = run(&format!(
        "{HEAD}time.measure = '1 h'\ncensorship.contents = 20\nunderlay.nodes = 50_000\n\
         overlay.ids = 'bep42'\ncensorship.sybils = 30\nsweep.'censorship.addresses' = [1, 1000]\n\
         sweep.'overlay.kademlia.group-per-node' = [0, 1]\noverlay.kademlia.group-per-bucket = 0\n"
    )
    .replace("time.measure = '10 min'\n", "")
    .replace("underlay.nodes = 300\n", ""));
    let censored = runs.numbers("censored_rate");
    let addresses = runs.numbers("censorship.addresses");
    let limits = runs.numbers("overlay.kademlia.group-per-node");
    assert_eq!(addresses.len(), 4);
    for ((censored, addresses), limit) in censored.iter().zip(&addresses).zip(&limits) {
        match (*addresses as u64, *limit as u64) {
            // One of eight IDs is the nearest of all in 8 of 310 cases: five of 20 in one run of 5000.
            (1, _) => assert!(*censored < 0.25, "{censored}"),
            // The nearest of 8000 IDs is the nearest of all in 96 of 100 cases, and all Sybils have it.
            (_, 0) => assert!(*censored > 0.7, "{censored}"),
            // One Sybil of an address: 0.96^20 = 0.49 of the contents have no honest node near.
            _ => assert!((0.15..0.85).contains(censored), "{censored}"),
        }
    }
    let tried = runs.numbers("ids_tried_mean");
    assert!(tried.contains(&(8.0 / 30.0)) && tried.contains(&(8000.0 / 30.0)));
}

/// Sybils that do not answer are soon forgotten, and those that name each other are no worse than those
/// that name others.
#[test]
fn sybils_answer_in_different_ways() {
    let attack = |more: &str| {
        let text = format!(
            "{HEAD}time.measure = '1 h'\ncensorship.contents = 20\ncensorship.sybils = 30\n\
             overlay.kademlia.group-per-node = 0\noverlay.kademlia.group-per-bucket = 0\n{more}"
        );
        let (_lab, runs) = run(&text.replace("time.measure = '10 min'\n", ""));
        let one = |column: &str| runs.numbers(column)[0];
        (
            one("censored_rate"),
            one("attacked_holders_sybil_mean"),
            one("attacked_holders_honest_mean"),
        )
    };
    let (censored, sybils, honest) = attack("censorship.add-provider = 'silent'\n");
    assert_eq!((censored, sybils), (1.0, 0.0));
    assert!(honest < 1.0, "{honest}");
    let (censored, sybils, _) =
        attack("censorship.find-node = 'sybils'\ncensorship.get-providers = 'sybils'\n");
    assert!(censored == 1.0 && sybils > 19.0, "{censored} {sybils}");
    let (censored, _, honest) =
        attack("censorship.find-node = 'silent'\ncensorship.get-providers = 'silent'\n");
    assert!(censored < 0.2 && honest > 15.0, "{censored} {honest}");
}

/// A crawl reaches nearly all, and the sessions that a monitor sees to end are too short.
#[test]
fn a_monitor_sees_short_sessions() {
    let (lab, runs) = run(&format!(
        "{HEAD}{CHURN}time.measure = '40 min'\nproviders.crawl = '10 min'\n\
         providers.monitor = true\ntables = ['sessions']\nrepetitions = 3\n"
    )
    .replace("time.measure = '10 min'\n", ""));
    for ratio in runs.numbers("crawl_reached_ratio") {
        assert!((0.8..1.25).contains(&ratio), "{ratio}");
    }
    let (truth, seen) = (
        runs.numbers("sessions_true_s_p50"),
        runs.numbers("sessions_ended_s_p50"),
    );
    // Exponential with a mean of 20 min: the median is 832 s. Of those that end within 40 min fewer are
    // long.
    for (truth, seen) in truth.iter().zip(&seen) {
        assert!((600.0..1100.0).contains(truth), "{truth}");
        assert!(seen < truth, "{seen} {truth}");
    }
    let table = lab.table("out/s/sessions.csv");
    for column in [
        "true_longer",
        "monitor_longer",
        "ended_longer",
        "residual_longer",
    ] {
        let shares = table.numbers(column);
        assert!(
            shares[..51].is_sorted_by(|a, b| a >= b),
            "{column}: {shares:?}"
        );
    }
}

/// The holders of records go with their sessions.
#[test]
fn records_survive_as_long_as_their_holders() {
    let (lab, _) = run(&format!(
        "{HEAD}{CHURN}time.measure = '30 min'\nproviders.survival = '10 min'\n\
         tables = ['survival']\nproviders.republish = 'never'\n"
    )
    .replace("time.measure = '10 min'\n", ""));
    let survival = lab.table("out/s/survival.csv");
    let (times, rates) = (survival.numbers("time_s"), survival.numbers("holders_rate"));
    for (time, rate) in times.iter().zip(&rates).take(3) {
        // Ages within 5 min, and at most 100 records of 20 holders.
        let (low, high) = (
            libm::exp(-(time + 300.0) / 1200.0),
            libm::exp(-(time - 300.0) / 1200.0),
        );
        assert!(
            (low - 0.06..high.min(1.0) + 0.06).contains(rate),
            "{time} s: {rate}"
        );
    }
    let found = survival.numbers("found_rate");
    assert!(found.iter().all(|rate| *rate > 0.9), "{found:?}");
}

#[test]
fn the_same_bytes_for_any_number_of_jobs() {
    let text = format!(
        "{HEAD}{CHURN}providers.crawl = '5 min'\nproviders.monitor = true\n\
         providers.size-walks = 10\nproviders.method = 'optimistic'\ntransport.unreachable = 0.1\n\
         transport.dial = 1\nrepetitions = 2\ncensorship.contents = 3\n"
    )
    .replace("time.measure = '10 min'", "time.measure = '20 min'");
    let tables = |jobs: &str| {
        let lab = Lab::new();
        lab.write("s.toml", &text);
        lab.succeed(&["run", "s.toml", "--out", "out", "--jobs", jobs]);
        lab.tables("out")
    };
    assert_eq!(tables("1"), tables("2"));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let head = "experiment = \"providers\"\n[underlay]\nnodes = 100\n[overlay]\nnodes = 100\n";
    let kademlia = "experiment = \"providers\"\n[underlay]\nnodes = 100\n[overlay]\nnodes = 100\n\
                    protocol = \"kademlia\"\n";
    compare(
        head,
        &[(
            "[time]\nmeasure = \"10 min\"\n",
            &[],
            "bad.toml:4: overlay.protocol: records are stored at the nodes nearest by the XOR metric; \
             expected \"kademlia\"",
        )],
    );
    let measured =
        |rest: &str| format!("[time]\ntransition = \"10 min\"\nmeasure = \"10 min\"\n{rest}");
    let cases = [
        (
            "[time]\ntransition = \"10 min\"\n".to_owned(),
            "bad.toml:7: time.measure: expected the duration of the phase in which contents are provided \
             and searched",
        ),
        (
            measured("[providers]\nmethod = \"optimistic\"\n"),
            "bad.toml:10: providers.size-walks: this method needs an estimate of the size of the network; \
             expected at least 5 walks",
        ),
        (
            measured("[providers]\nmethod = \"full-table\"\n"),
            "bad.toml:10: providers.vantage-points: vantage points crawl for their full tables; expected \
             at least one",
        ),
        (
            measured("[providers]\nsize-walks = 10\n"),
            "bad.toml:10: providers.vantage-points: `size-walks` are those of vantage points; expected at \
             least one",
        ),
        (
            measured("[providers]\ncrawl = \"1 min\"\n"),
            "bad.toml:10: providers.vantage-points: the first vantage point crawls; expected at least one",
        ),
        (
            measured("[providers]\nvantage-points = 1\nmonitor = true\n"),
            "bad.toml:10: providers.crawl: the monitor contacts the nodes that crawls have reached; \
             expected a duration",
        ),
        (
            measured("[providers]\nvantage-points = 1\n[censorship]\ncontents = 3\n"),
            "bad.toml:11: providers.vantage-points: one vantage point provides an attacked content and \
             another one searches it; expected at least 2",
        ),
        (
            "[time]\nmeasure = \"10 min\"\n[providers]\nvantage-points = 1\n".to_owned(),
            "bad.toml:7: time.transition: vantage points join and know the network after 10 min; found 0 s",
        ),
        (
            measured(
                "[providers]\nvantage-points = 2\n[censorship]\ncontents = 3\nwait = \"1 h\"\n",
            ),
            "bad.toml:9: time.measure: `censorship.wait` and twice `censorship.patience` take 70 min, the \
             measurement 10 min",
        ),
        (
            measured("[overlay.kademlia]\nbeta = 21\n"),
            "bad.toml:11: overlay.kademlia.beta: expected at most `k` = 20, found 21",
        ),
        (
            measured("[overlay.kademlia]\nb = 2\nwide-buckets = 4\n"),
            "bad.toml:12: overlay.kademlia.wide-buckets: expected `b` = 1, found 2",
        ),
        (
            measured("[transport]\ndial-timeout = \"5 s\"\n"),
            "bad.toml:11: transport.dial-timeout: expected `transport.dial` above 0, the round trips of a \
             connection",
        ),
        (
            measured("[transport]\nconnections = 5\n"),
            "bad.toml:11: transport.connections: expected `transport.dial` above 0, the round trips of a \
             connection",
        ),
        (
            measured(
                "[transport]\nunreachable = 0.99\nunreachable-as = \"members\"\n[overlay.kademlia]\n\
                      profile = \"ipfs\"\n",
            ),
            "bad.toml:14: overlay.kademlia.profile: expected one of \"paper\", \"libp2p\", \"mainline\", \
             found \"ipfs\"",
        ),
    ];
    for (text, error) in &cases {
        compare(kademlia, &[(text, &[], error)]);
    }
    let attack =
        "[providers]\nvantage-points = 2\n[censorship]\ncontents = 3\npatience = \"4 min\"\n";
    compare(
        &format!("{kademlia}ids = \"address\"\nids-per-address = 4\n"),
        &[
            (
                &measured(&format!("{attack}addresses = 2\nsybils = 9\n")),
                &[],
                "bad.toml:18: censorship.sybils: an address has 4 IDs (`overlay.ids-per-address`), and an \
                 attacker 2 addresses: expected at most 8 Sybils",
            ),
            (
                &measured(&format!("{attack}addresses = 100_001\n")),
                &[],
                "bad.toml:17: censorship.addresses: expected an integer between 1 and 100000, found 100001",
            ),
        ],
    );
    compare(
        &format!("{kademlia}ids = \"subnet\"\naddress-groups = 4\n"),
        &[(
            &measured(""),
            &[],
            "bad.toml:8: overlay.address-groups: with `ids = \"subnet\"` nodes of one /24 would have the \
             same IDs; expected 0",
        )],
    );
}
