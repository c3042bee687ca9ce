//! Results of runs, compared with theory or a small independent model.

use crate::lab::{Lab, run};
use dhtlab_core::engine::{Seed, Stream};
use std::collections::VecDeque;

/// Half of 490 participants are there on average, and each of them makes a lookup each five
/// minutes: 12 in the hour that is measured.
#[test]
fn members_make_the_lookups_that_the_interval_says() {
    let (_lab, runs) = run("experiment = 'network'\nrepetitions = 4\n\
         underlay.model = 'constant'\nunderlay.nodes = 490\n\
         overlay.nodes = 490\noverlay.lookup = 'iterative'\n\
         overlay.chord.successors = 16\noverlay.chord.join = 'announced'\n\
         workload.interval = '5 min'\ntime.transition = '30 min'\ntime.measure = '1 h'\n\
         churn.model = 'sessions'\nchurn.sessions.presence = 'equilibrium'\n\
         churn.sessions.median = '20 min'\n");
    let lookups: f64 = runs.numbers("lookups").iter().sum();
    let expected = 12.0 * runs.numbers("members_mean").iter().sum::<f64>();
    // Four standard deviations of a Poisson count of some 11,800.
    let error = (lookups - expected).abs();
    assert!(
        error < 4.0 * expected.sqrt(),
        "{lookups} lookups, {expected}"
    );
}

/// A network grows from 10 to 100 nodes: the lookups of each interval follow the members that are
/// there.
#[test]
fn a_growing_network_makes_more_lookups() {
    let joins: String = (1..=90)
        .map(|i| format!("{},join,n{i}\n", 10 * i))
        .collect();
    let lab = Lab::new();
    lab.write("grow.csv", joins);
    lab.write(
        "s.toml",
        "experiment = 'network'\nunderlay.model = 'constant'\nunderlay.nodes = 200\n\
         overlay.protocol = 'kademlia'\noverlay.nodes = 10\nworkload.interval = '10 s'\n\
         time.measure = '20 min'\ntime.interval = '5 min'\n\
         churn.model = 'trace'\nchurn.trace.file = 'grow.csv'\n",
    );
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let timeline = lab.table("out/s/timeline.csv");
    // Members grow by one each 10 s for 900 s: 300 s have 25, 55, 85 and 100 of them on average.
    for (counted, members) in timeline
        .numbers("lookups")
        .iter()
        .zip([25.0, 55.0, 85.0, 100.0])
    {
        let expected: f64 = 30.0 * members;
        // Five standard deviations, and half a member for when the steps fall.
        let tolerance = 5.0 * expected.sqrt() + 15.0;
        assert!(
            (counted - expected).abs() < tolerance,
            "{counted} lookups, expected {expected}"
        );
    }
}

/// Nodes crash and are back a millisecond later with the same ID on the same host: all pointers of others
/// are valid again at once, and almost no message goes to an offline node.
#[test]
fn who_is_back_at_once_with_its_id_is_missed_by_nobody() {
    for travel in ["iterative", "recursive"] {
        let (_lab, runs) = run(&format!(
            "experiment = 'network'\nrepetitions = 3\nunderlay.model = 'constant'\n\
             underlay.nodes = 300\noverlay.nodes = 150\noverlay.lookup = '{travel}'\n\
             overlay.chord.successors = 8\noverlay.chord.join = 'announced'\n\
             workload.lookups = 5000\ntime.transition = '20 min'\ntime.measure = '1 h'\n\
             churn.model = 'sessions'\nchurn.rejoin = 'same-id'\nchurn.sessions.down = '1 ms'\n\
             churn.sessions.up = {{ distribution = 'exponential', mean = '10 min' }}\n\
             [sweep]\n\"overlay.protocol\" = ['chord', 'kademlia', 'pastry', 'vhash']\n"
        ));
        for (success, protocol) in runs
            .numbers("success_rate")
            .iter()
            .zip(runs.column("overlay.protocol"))
        {
            // A node is back for a quarter of a second before it has its place: 900 times an hour.
            assert!(*success > 0.99, "{protocol}, {travel}: {success}");
        }
        // Were it a new node, others would wait for the old one: .18 time-outs a lookup in Chord.
        for timeouts in runs.numbers("timeouts_mean") {
            assert!(timeouts < 0.05, "{travel}: {timeouts}");
        }
    }
}

/// On a ring that does not change, a stabilisation is a question of 20 bytes, the answer with a
/// predecessor and r successors of 4 bytes, and a notification; a check of the predecessor is a ping and
/// its answer.
#[test]
fn maintenance_of_chord_takes_the_bytes_of_its_messages() {
    for (successors, stabilise, check) in [(1, 30, 30), (8, 10, 60), (20, 25, 5)] {
        let (_lab, runs) = run(&format!(
            "experiment = 'network'\nunderlay.model = 'constant'\nunderlay.nodes = 50\n\
             overlay.nodes = 50\noverlay.chord.successors = {successors}\noverlay.chord.jitter = 0\n\
             overlay.chord.stabilise = '{stabilise} s'\n\
             overlay.chord.check-predecessor = '{check} s'\n\
             overlay.chord.fix-fingers = 'never'\nworkload.lookups = 100\n\
             time.transition = '300 s'\ntime.measure = '3000 s'\n"
        ));
        let each = |bytes: f64, seconds: u32| bytes / f64::from(seconds);
        let stabilisation = 20.0 + (20.0 + 4.0 * (1.0 + f64::from(successors))) + 20.0;
        let expected = each(stabilisation, stabilise) + each(40.0, check);
        let counted = runs.numbers("maintenance_bytes_per_node_s")[0];
        // The exchanges that the beginning or the end of measuring cuts: at most one a node and timer.
        let cut = (stabilisation + 40.0) / 3000.0;
        assert!(
            (counted - expected).abs() <= cut,
            "{successors} successors: {counted} bytes, expected {expected}"
        );
        let messages = 50.0 * 3000.0 * (each(3.0, stabilise) + each(2.0, check));
        let counted = runs.numbers("maintenance_messages")[0];
        assert!(
            (counted - messages).abs() <= 50.0 * 5.0,
            "{successors} successors: {counted} messages, expected {messages}"
        );
    }
}

/// Nodes that a lookup of Kademlia asks, by the simulator and by a model of sorted
/// numbers, for k contacts a bucket, alpha requests at a time, and b bits a digit.
#[test]
fn kademlia_asks_as_many_nodes_as_a_model_of_it() {
    for (k, alpha, b) in [(1, 1, 1), (8, 1, 1), (20, 3, 1), (2, 3, 2), (4, 1, 4)] {
        let (_lab, runs) = run(&format!(
            "experiment = 'network'\nrepetitions = 8\nunderlay.model = 'constant'\n\
             underlay.nodes = 1000\noverlay.nodes = 1000\noverlay.protocol = 'kademlia'\n\
             overlay.lookup = 'iterative'\noverlay.kademlia.k = {k}\n\
             overlay.kademlia.alpha = {alpha}\noverlay.kademlia.b = {b}\n\
             overlay.kademlia.refresh = 'never'\noverlay.kademlia.eviction = 'stale'\n\
             workload.lookups = 1000\n"
        ));
        let hops = runs.numbers("overlay_hops_mean");
        let simulated = hops.iter().sum::<f64>() / hops.len() as f64;
        let model = Model { k, alpha, b };
        let asked: f64 = (0..8).map(|seed| model.mean_asked(seed, 1000, 1000)).sum();
        let expected = asked / 8.0;
        // Over 20 seeds the two differ by .4 % (standard deviation), at most by 1.3 %.
        let error = simulated / expected - 1.0;
        assert!(
            error.abs() < 0.02,
            "k = {k}, alpha = {alpha}, b = {b}: {simulated} nodes asked, the model says {expected}"
        );
    }
}

/// Lookups of Kademlia on sorted numbers: each request takes as long, so that answers come in the order
/// of the requests.
struct Model {
    k: usize,
    alpha: usize,
    b: u32,
}

impl Model {
    /// The mean number of nodes asked in `lookups` lookups among `nodes` nodes.
    fn mean_asked(&self, seed: u64, nodes: usize, lookups: usize) -> f64 {
        let mut stream = Seed::new(seed).stream("model", 0);
        let mut ids: Vec<u64> = (0..nodes).map(|_| random(&mut stream)).collect();
        ids.sort_unstable();
        let asked: usize = (0..lookups).map(|_| self.asked(&ids, &mut stream)).sum();
        asked as f64 / lookups as f64
    }

    fn asked(&self, ids: &[u64], stream: &mut Stream) -> usize {
        let (key, me) = (random(stream), stream.index(ids.len()));
        let mut least = ids[me] ^ key;
        // Distances to the key of the nodes that the initiator knows, with whether they were asked.
        let mut known: Vec<(u64, bool)> = Vec::new();
        // Requests under way by the round trip in which they are, as all take as long.
        let mut waiting: VecDeque<(u64, usize)> = VecDeque::new();
        let (mut asked, mut round) = (0, 0);
        let mut told = self.closest(ids, me, key, stream);
        loop {
            for distance in told.drain(..).filter(|distance| *distance < least) {
                if let Err(place) = known.binary_search_by_key(&distance, |(known, _)| *known) {
                    known.insert(place, (distance, false));
                }
            }
            let nearer = known.iter_mut().filter(|(distance, _)| *distance < least);
            for (distance, was_asked) in nearer {
                if waiting.len() < self.alpha && !std::mem::replace(was_asked, true) {
                    waiting.push_back((*distance, round + 1));
                    asked += 1;
                }
            }
            // It is over when no node nearer than the nearest that has answered is known.
            let is_over = known.first().is_none_or(|(nearest, _)| *nearest >= least);
            let Some((distance, its_round)) = waiting.pop_front().filter(|_| !is_over) else {
                // Requests that have just been sent arrive after the end.
                let sent_now = |request: &&(u64, usize)| request.1 > round;
                return asked - waiting.iter().filter(sent_now).count();
            };
            round = its_round;
            least = least.min(distance);
            let place = ids.binary_search(&(distance ^ key)).expect("a node");
            told = self.closest(ids, place, key, stream);
        }
    }

    /// The distances to `key` of the k nearest contacts in the buckets of the node at `place`.
    fn closest(&self, ids: &[u64], place: usize, key: u64, stream: &mut Stream) -> Vec<u64> {
        let (me, mut contacts) = (ids[place], Vec::new());
        let mut around = ids;
        for level in 0..64 / self.b {
            let digit = |id: u64| (id << (level * self.b)) >> (64 - self.b);
            let mut mine = around;
            for subtree in around.chunk_by(|a, b| digit(*a) == digit(*b)) {
                if digit(subtree[0]) == digit(me) {
                    mine = subtree;
                    continue;
                }
                let mut bucket = subtree.to_vec();
                stream.shuffle(&mut bucket);
                bucket.truncate(self.k);
                contacts.extend(bucket.iter().map(|id| id ^ key));
            }
            around = mine;
            if around.len() == 1 {
                break;
            }
        }
        contacts.sort_unstable();
        contacts.truncate(self.k);
        contacts
    }
}

fn random(stream: &mut Stream) -> u64 {
    let (high, low) = (stream.index(1 << 32), stream.index(1 << 32));
    ((high as u64) << 32) | low as u64
}
