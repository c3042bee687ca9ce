//! Turns the course of a job into rows.

use super::JobRun;
use crate::format::cell;
use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::Network;
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::service::job::{Collector, SpeedDistribution, Worker};
use dhtlab_scenario::{RunOutput, TableRows};

/// Intervals of the timeline, unless the scenario gives their length.
const INTERVALS: u64 = 40;

/// Turns the course of a job into rows.
pub(super) fn output<P: GroundTruth>(run: &JobRun, network: &Network<P, Worker>) -> RunOutput {
    let (service_metrics, shared) = (network.metrics(), network.service());
    let staged = service_metrics.staged.unwrap_or(network.now());
    let atoms = run.job.parameters.atoms;
    let collector = active_collector(network);
    let counted: u64 = collector.map_or(0, |collector| collector.count().into());
    let partials = collector.map_or(&[][..], Collector::partials);
    let counted_atoms = partials.iter().flat_map(|partial| &partial.atoms);
    let samples: u64 = counted_atoms.map(|atom| shared.samples_of(*atom)).sum();
    let lost = lost(network, collector, atoms) as u64;
    let after = |at: Option<Instant>| at.map_or(f64::NAN, |at| at.since(staged).as_secs_f64());
    let mapped = after(service_metrics.first_maps.last().copied());
    let last = after(service_metrics.counted_at);
    let complete = counted == u64::from(atoms);
    // A job without possible progress has ended, whether it has lost atoms or not. Only a job that
    // was stopped before that has no duration.
    let has_ended = complete || service_metrics.is_over() || network.members().is_empty();
    let runtime = if has_ended { last } else { f64::NAN };
    // Over the counted samples; without any there is no speed.
    let alone = if samples > 0 {
        alone(run, samples)
    } else {
        f64::NAN
    };
    let value = collector.map(|collector| collector.value(shared.task()));
    let (result, error) = match &value {
        Some(value) if !value.is_empty() => shared.task().result(value, samples),
        _ => (f64::NAN, None),
    };
    let work = work(network);
    let (counts, before) = (network.tally().counts, network.tally().before);
    let seconds = network.tally().measured(network.now()).as_secs_f64();
    let sybils = network.is_attacked().then(|| network.sybils().len());
    RunOutput {
        metrics: vec![
            cell(runtime),
            u8::from(complete).to_string(),
            cell(alone / runtime),
            cell(runtime * run.network.overlay.nodes as f64 / alone),
            cell(mapped),
            cell(last),
            cell(result),
            error.map_or(String::new(), cell),
            samples.to_string(),
            atoms.to_string(),
            counted.to_string(),
            service_metrics.redone().to_string(),
            lost.to_string(),
            service_metrics.orphaned().to_string(),
            service_metrics.duplicates.to_string(),
            (counts.messages - before.messages).to_string(),
            (counts.bytes - before.bytes).to_string(),
            cell(deviation(&work)),
            cell(work.iter().copied().fold(0.0, f64::max) / work.iter().sum::<f64>()),
            (counts.joins + counts.leaves - before.joins - before.leaves).to_string(),
            cell(network.tally().member_seconds(network.now()) / seconds),
            sybils.map_or(String::new(), |sybils| sybils.to_string()),
            service_metrics.sybils.to_string(),
            service_metrics.moved().to_string(),
        ],
        tables: vec![histogram(&work), timeline(run, network, staged)],
        notes: Vec::new(),
    }
}

/// The collector at the root of the job's address; if several nodes act as root, the one that has
/// counted most.
fn active_collector<P: GroundTruth>(network: &Network<P, Worker>) -> Option<&Collector> {
    let members = network.members().iter();
    let collectors = members.filter_map(|node| network.application(*node).collector());
    collectors.max_by_key(|collector| collector.count())
}

/// Number of atoms that were not counted and that no node holds any more.
fn lost<P: GroundTruth>(
    network: &Network<P, Worker>,
    collector: Option<&Collector>,
    atoms: u32,
) -> usize {
    let mut gone = vec![network.metrics().staged.is_some(); atoms as usize];
    for node in network.members() {
        for atom in network.application(*node).held() {
            gone[atom as usize] = false;
        }
    }
    let counted = |atom: u32| collector.is_some_and(|collector| collector.has(atom));
    (0..atoms)
        .filter(|atom| gone[*atom as usize] && !counted(*atom))
        .count()
}

/// Seconds that one node of mean speed takes for this number of samples.
fn alone(run: &JobRun, samples: u64) -> f64 {
    let factor = match run.nodes.speed_distribution {
        SpeedDistribution::Homogeneous => 1.0,
        SpeedDistribution::Uniform => (1.0 + run.nodes.fastest as f64) / 2.0,
    };
    samples as f64 / (run.nodes.speed * factor)
}

/// Samples on which each node has worked, for all members and all nodes that have worked.
fn work<P: GroundTruth>(network: &Network<P, Worker>) -> Vec<f64> {
    let mut work: Vec<f64> = network
        .metrics()
        .work
        .iter()
        .map(|samples| *samples as f64)
        .collect();
    let last = network.members().iter().map(|node| node.index() + 1).max();
    work.resize(work.len().max(last.unwrap_or(0)), 0.0);
    let worked = |(node, samples): (usize, f64)| {
        let node = Node(node as u32);
        // A host is counted by its first identity, which works for all of its identities.
        let is_host = network.is_member(node) && !network.application(node).is_friendly_sybil();
        (samples > 0.0 || is_host).then_some(samples)
    };
    work.into_iter().enumerate().filter_map(worked).collect()
}

fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    libm::sqrt(squares / (n - 1.0))
}

/// Number of nodes by their work relative to the mean, in tenths.
fn histogram(work: &[f64]) -> TableRows {
    let mean = work.iter().sum::<f64>() / work.len() as f64;
    let mut counts = std::collections::BTreeMap::<u64, u64>::new();
    if mean > 0.0 {
        for samples in work {
            *counts.entry((samples / mean * 10.0) as u64).or_default() += 1;
        }
    }
    let row = |(tenths, count): (u64, u64)| {
        vec![
            "work_over_mean".to_owned(),
            cell(tenths as f64 / 10.0),
            count.to_string(),
        ]
    };
    TableRows(counts.into_iter().map(row).collect())
}

/// Mapped atoms and mapping nodes at the ends of intervals; `time_s` is the time since the job was
/// staged.
fn timeline<P: GroundTruth>(
    run: &JobRun,
    network: &Network<P, Worker>,
    staged: Instant,
) -> TableRows {
    let service_metrics = network.metrics();
    let end = service_metrics.counted_at.unwrap_or(network.now());
    let lasted = end.since(staged);
    let length = match run.network.time.interval {
        Some(length) => length,
        None => Duration::from_nanos(lasted.as_nanos().div_ceil(INTERVALS).max(1)),
    };
    let count = lasted
        .as_nanos()
        .div_ceil(length.as_nanos().max(1))
        .min(100_000);
    let (mut done, mut maps) = (
        service_metrics.first_maps.iter().peekable(),
        service_metrics.maps.iter().peekable(),
    );
    let (mut atoms, mut busy) = (0_u64, 0_i64);
    let mut rows = TableRows::default();
    for i in 0..=count {
        let at = staged + length * i;
        while done.next_if(|time| **time <= at).is_some() {
            atoms += 1;
        }
        while let Some((_, begins)) = maps.next_if(|(time, _)| *time <= at) {
            busy += if *begins { 1 } else { -1 };
        }
        rows.0.push(vec![
            cell((length * i).as_secs_f64()),
            atoms.to_string(),
            busy.to_string(),
        ]);
    }
    rows
}
