//! A protocol, a service and a metric of one's own on the network of dhtlab.
//!
//! The protocol is a one-hop DHT: each node knows all others, so that a message takes one hop. The
//! service counts how often each word is reported to the root of its key. The metric is the most
//! bytes that a node has sent. All of them use `dhtlab-core` alone.

mod bytes_sent;
mod full_table;
mod word_counter;

use bytes_sent::BytesSent;
use dhtlab_core::churn::{Change, Rejoin, RejoinState, Step};
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{Network, Setup, Travel, oracle};
use dhtlab_core::space::Key;
use dhtlab_core::underlay::{Distances, Host, Underlay};
use full_table::FullTable;
use std::sync::Arc;
use word_counter::WordCounter;

const NODES: u32 = 100;
const WORDS: [&str; 4] = ["chord", "kademlia", "pastry", "vhash"];

/// What a run gives.
struct Outcome {
    /// Reports of each word that its root has counted.
    counted: Vec<u64>,
    /// The most bytes that a node has sent.
    busiest: u64,
    /// Members at the end.
    members: usize,
}

fn at(seconds: u64) -> Instant {
    Instant::START + Duration::from_secs(seconds)
}

/// 100 nodes, of which 10 crash after a minute and are replaced by new ones; each of 1000 reports
/// names a random word.
fn run(seed: Seed) -> Result<Outcome, Box<dyn std::error::Error>> {
    let hosts = Underlay::from_latencies(NODES, |_, _| Duration::from_millis(20))?;
    let hosts = Distances::new(Arc::new(hosts), (0..NODES).map(Host).collect());
    let setup = Setup {
        seed,
        travel: Travel::SemiRecursive,
        timeout: Duration::from_millis(500),
        ask_root: true,
    };
    let mut network = Network::<FullTable, WordCounter>::serving(setup, (), (), hosts);
    let traffic = network.observe(BytesSent::default());
    let mut ids = seed.stream("ids", 0);
    let ids: Vec<Key> = (0..NODES).map(|_| Key::random(&mut ids)).collect();
    oracle::populate_converged(&mut network, &ids, &(0..NODES).collect::<Vec<_>>());
    let steps = (0..10).flat_map(|participant| {
        let step = |seconds, change| Step {
            time: at(seconds + u64::from(participant)),
            participant,
            change,
        };
        [step(60, Change::Crash), step(80, Change::Join)]
    });
    let mut steps: Vec<Step> = steps.collect();
    steps.sort();
    network.plan_churn(Box::new(steps.into_iter()), Rejoin::NewId, RejoinState::Lost);
    let mut draws = seed.stream("words", 0);
    for report in 0..1000 {
        network.run(at(report / 5), false, u64::MAX);
        let members = network.members();
        let from = members[draws.index(members.len())];
        let word = WORDS[draws.index(WORDS.len())];
        network.send(from, Key::sha1(word.as_bytes()), word);
    }
    network.run(at(300), false, u64::MAX);
    let counted = WORDS.map(|word| network.metrics().get(word).copied().unwrap_or(0));
    Ok(Outcome {
        counted: counted.to_vec(),
        busiest: traffic.borrow().most(),
        members: network.members().len(),
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let outcome = run(Seed::new(1))?;
    for (word, count) in WORDS.iter().zip(&outcome.counted) {
        println!("{word}: {count} reports");
    }
    println!("the busiest node sent {} bytes", outcome.busiest);
    println!("{} members", outcome.members);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report whose receiver has crashed goes to the next root. It is lost only if its sender
    /// crashes, too, while it waits: one of the 300,000 reports of 300 seeds. The same seed gives the
    /// same outcome.
    #[test]
    fn every_report_is_counted_under_churn() {
        for seed in 1..=5 {
            let outcome = run(Seed::new(seed)).expect("a run");
            assert_eq!(outcome.members, NODES as usize, "seed {seed}");
            assert_eq!(outcome.counted.iter().sum::<u64>(), 1000, "seed {seed}");
            let again = run(Seed::new(seed)).expect("a run");
            assert_eq!(outcome.counted, again.counted);
            assert_eq!(outcome.busiest, again.busiest);
        }
    }
}
