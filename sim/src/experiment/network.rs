//! `experiment = "network"`: a DHT living on an underlay, asked to look up keys.

use super::cells::{add_binned, add_counts, cell, mean, mean_of, quantile, quantile_of_sorted};
use crate::engine::{Instant, Seed, Span};
use crate::network::{End, Network, Setup, Tally, oracle, place};
use crate::overlay::{Node, Omniscient, chord::Chord, vhash, vhash::VHash};
use crate::parameter::{Problem, Section, Table};
use crate::scenario::{
    Cost, Experiment, NetworkScenario, Outcome, ProtocolParameters, Rows, Run, Start, TableSpec,
};
use crate::space::Key;
use crate::underlay::{Distances, Host};
use crate::workload::LookupPlan;
use std::path::Path;
use std::sync::Arc;

/// Pairs of members whose distance is measured, for comparison with a hop of the overlay.
const MEMBER_PAIRS: usize = 10_000;

/// The kind of experiment.
pub struct NetworkExperiment;

impl Experiment for NetworkExperiment {
    fn name(&self) -> &'static str {
        "network"
    }

    fn doc(&self) -> &'static str {
        "a DHT on an underlay, simulated message by message, asked to look up keys"
    }

    fn sections(&self) -> Vec<Section> {
        NetworkScenario::sections()
    }

    fn metrics(&self) -> &'static [&'static str] {
        &[
            "lookups",
            "lookups_ok",
            "lookups_wrong",
            "lookups_failed",
            "overlay_hops_mean",
            "overlay_hops_p50",
            "overlay_hops_p99",
            "underlay_hops_mean",
            "latency_ms_mean",
            "latency_ms_p50",
            "latency_ms_p99",
            "stretch_mean",
            "degree_mean",
            "degree_max",
            "messages",
            "events",
            "overlay_hops_mean_if_any",
            "underlay_hops_per_hop",
            "member_underlay_hops_mean",
        ]
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[TableSpec {
            name: "histogram",
            columns: &["quantity", "value", "count"],
            quantities: &[
                "overlay_hops",
                "underlay_hops",
                "latency_ms",
                "stretch",
                "degree",
                "member_underlay_hops",
            ],
        }]
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, Problem> {
        Ok(Box::new(NetworkRun(NetworkScenario::read(values, folder)?)))
    }
}

struct NetworkRun(NetworkScenario);

impl Run for NetworkRun {
    fn resolved(&self) -> toml::Table {
        let mut table = self.0.resolved();
        table.insert("experiment".to_owned(), NetworkExperiment.name().into());
        table
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn run(&self, seed: Seed) -> Result<Outcome, Problem> {
        match &self.0.protocol {
            ProtocolParameters::Chord(parameters) => {
                run::<Chord>(&self.0, seed, parameters.clone(), parameters.timeout)
            }
            ProtocolParameters::VHash(parameters) => {
                let shared = vhash::Shared::from(parameters);
                run::<VHash>(&self.0, seed, shared, parameters.timeout)
            }
        }
    }
}

fn run<P: Omniscient>(
    scenario: &NetworkScenario,
    seed: Seed,
    shared: P::Shared,
    timeout: Span,
) -> Result<Outcome, Problem> {
    let (mut network, mut notes) = build::<P>(scenario, seed, shared, timeout)?;
    let max_events = scenario.time.max_events;
    let mut end = network.run(scenario.measure_from(), false, max_events);
    if end == End::Done {
        network.plan_lookups(plan(scenario, seed));
        end = network.run(scenario.end(), true, max_events);
    }
    match end {
        End::Done => {}
        End::Time => notes.push(format!(
            "stopped at time.max, {} of virtual time, with lookups under way",
            network.now().since(Instant::START)
        )),
        End::Events => notes.push(format!(
            "stopped after time.max-events, {max_events} events"
        )),
    }
    Ok(outcome(&mut network, seed, notes))
}

/// Builds the underlay and puts the overlay on it.
fn build<P: Omniscient>(
    scenario: &NetworkScenario,
    seed: Seed,
    shared: P::Shared,
    timeout: Span,
) -> Result<(Network<P>, Vec<String>), Problem> {
    let overlay = &scenario.overlay;
    let underlay = scenario
        .underlay
        .build(seed)
        .map_err(|error| Problem::new("underlay", error))?;
    let notes = underlay.notes().to_vec();
    if overlay.placement == crate::network::Placement::Distinct && overlay.nodes > underlay.hosts()
    {
        return Err(Problem::new(
            "overlay.nodes",
            format_args!(
                "{} nodes do not fit on the {} connected hosts of this underlay",
                overlay.nodes,
                underlay.hosts()
            ),
        ));
    }
    let mut hosts = seed.stream("hosts", 0);
    let hosts: Vec<Host> = place(
        overlay.placement,
        underlay.hosts(),
        overlay.nodes,
        &mut hosts,
    );
    let mut id_stream = seed.stream("ids", 0);
    let ids: Vec<Key> = (0..overlay.nodes)
        .map(|_| Key::random(&mut id_stream))
        .collect();
    let sites: Vec<u32> = (0..overlay.nodes as u32).collect();
    let distances = Distances::new(Arc::new(underlay), hosts);
    let setup = Setup {
        seed,
        travel: overlay.lookup,
        timeout,
    };
    let mut network = Network::<P>::new(setup, shared, distances);
    match overlay.start {
        Start::Converged => oracle::settle_converged(&mut network, &ids, &sites),
        Start::Random => {
            let stream = seed.stream("contacts", 0);
            if !oracle::settle_random(&mut network, &ids, &sites, overlay.contacts, stream) {
                return Err(Problem::new(
                    "overlay.start",
                    "this protocol does not find its peers from random contacts",
                ));
            }
        }
        Start::Join => {
            let half = scenario.time.transition.as_nanos() / 2;
            for (i, (id, site)) in ids.iter().zip(&sites).enumerate() {
                let at = u128::from(half) * i as u128 / ids.len() as u128;
                network.join_at(Instant::from_nanos(at as u64), *id, *site);
            }
        }
    }
    Ok((network, notes))
}

/// The lookups that the scenario asks for.
fn plan(scenario: &NetworkScenario, seed: Seed) -> LookupPlan {
    let stream = seed.stream("lookups", 0);
    let (start, measure) = (scenario.measure_from(), scenario.measure());
    match scenario.workload.interval {
        Some(interval) => match interval.span() {
            Some(interval) => {
                let gap = interval.as_secs_f64() / scenario.overlay.nodes as f64;
                LookupPlan::poisson(stream, start, start + measure, Span::from_secs_f64(gap))
            }
            None => LookupPlan::evenly(stream, start, Span::ZERO, 0),
        },
        None => {
            let count = scenario.lookups();
            let gap = Span::from_nanos(measure.as_nanos() / count.max(1));
            LookupPlan::evenly(stream, start, gap, count)
        }
    }
}

/// Turns what was counted into rows.
fn outcome<P: Omniscient>(network: &mut Network<P>, seed: Seed, notes: Vec<String>) -> Outcome {
    let degrees = degrees(network);
    let members = member_distances(network, seed);
    let tally = network.tally();
    let counts = tally.counts;
    let mut latencies: Vec<f64> = tally.latencies.iter().map(|l| l.as_millis_f64()).collect();
    latencies.sort_unstable_by(f64::total_cmp);
    let mut stretches = tally.stretches.clone();
    stretches.sort_unstable_by(f64::total_cmp);
    let metrics = vec![
        counts.lookups.to_string(),
        counts.ok.to_string(),
        counts.wrong.to_string(),
        (counts.failed + tally.under_way()).to_string(),
        cell(mean(&tally.hops)),
        cell(quantile(&tally.hops, 0.5)),
        cell(quantile(&tally.hops, 0.99)),
        cell(mean(&tally.underlay_hops)),
        cell(mean_of(&latencies)),
        cell(quantile_of_sorted(&latencies, 0.5)),
        cell(quantile_of_sorted(&latencies, 0.99)),
        cell(mean_of(&stretches)),
        cell(mean(&degrees)),
        cell(degrees.len().saturating_sub(1) as f64),
        counts.messages.to_string(),
        counts.events.to_string(),
        cell(mean_if_any(tally)),
        cell(mean(&tally.underlay_hops) / mean(&tally.hops)),
        cell(mean(&members)),
    ];
    let mut histogram = Rows::default();
    add_counts(&mut histogram, "overlay_hops", &tally.hops);
    add_counts(&mut histogram, "underlay_hops", &tally.underlay_hops);
    add_binned(&mut histogram, "latency_ms", &latencies);
    add_binned(&mut histogram, "stretch", &stretches);
    add_counts(&mut histogram, "degree", &degrees);
    add_counts(&mut histogram, "member_underlay_hops", &members);
    Outcome {
        metrics,
        tables: vec![histogram],
        notes,
    }
}

/// Mean hops over the lookups that made at least one: those whose initiator is not the root.
fn mean_if_any(tally: &Tally) -> f64 {
    let mut moved = tally.hops.clone();
    if let Some(none) = moved.first_mut() {
        *none = 0;
    }
    mean(&moved)
}

/// How many members know how many different nodes.
fn degrees<P: Omniscient>(network: &Network<P>) -> Vec<u64> {
    let mut counts = Vec::new();
    let mut peers: Vec<Node> = Vec::new();
    for node in network.members() {
        peers.clear();
        network.node(*node).each_peer(&mut |peer| peers.push(peer));
        peers.sort_unstable();
        peers.dedup();
        if counts.len() <= peers.len() {
            counts.resize(peers.len() + 1, 0);
        }
        counts[peers.len()] += 1;
    }
    counts
}

/// Underlay hops between random pairs of different members.
fn member_distances<P: Omniscient>(network: &mut Network<P>, seed: Seed) -> Vec<u64> {
    let mut stream = seed.stream("member-pairs", 0);
    let members = network.members().to_vec();
    let mut counts = Vec::new();
    if members.len() < 2 {
        return counts;
    }
    for _ in 0..MEMBER_PAIRS {
        let a = stream.index(members.len());
        let b = (a + 1 + stream.index(members.len() - 1)) % members.len();
        let hops = network.path(members[a], members[b]).hops as usize;
        if counts.len() <= hops {
            counts.resize(hops + 1, 0);
        }
        counts[hops] += 1;
    }
    counts
}
