//! What a run of a job has measured, and its rows.

use super::JobRun;
use crate::histogram::histogram_row;
use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::Network;
use dhtlab_core::overlay::{Application, GroundTruth, Node};
use dhtlab_core::service::job::{Collector, Dispatch, Worker};
use dhtlab_scenario::{RunOutput, TableRows};

/// Intervals of the timeline, unless the scenario gives their length.
const INTERVALS: u64 = 40;

dhtlab_scenario::columns! {
    /// What a run has measured. What there is only with messages is empty in ticks.
    #[derive(Clone, Copy, Debug, Default)]
    pub(super) struct JobOutcome {
        /// Time from the staging of the job to the last counted result; empty if the job was
        /// stopped before its end.
        runtime_s ["s"]: f64,
        /// 1 if every atom is counted, otherwise 0.
        complete ["0 or 1"]: bool,
        /// Time that one node of mean speed needs for the counted atoms, divided by `runtime_s`.
        /// This and `runtime_factor` are empty if `runtime_s` is, or if no atom is counted.
        speedup [""]: f64,
        /// `runtime_s` times the number of nodes, divided by the time of one node: 1 is ideal.
        runtime_factor [""]: f64,
        /// Time from the staging to the first map of the last atom that was mapped; empty if none
        /// was.
        last_mapped_s ["s"]: f64,
        /// Time from the staging to the last counted result; empty if there is none, and in ticks
        /// (`job.model`).
        last_counted_s ["s"]: Option<f64>,
        /// Result of the task as a number: an estimate of pi, the number of distinct words, the
        /// number found, the largest fitness or a mean. Empty without results, and in ticks.
        result ["signed"]: Option<f64>,
        /// `result` minus the known right result; for words the number of words by which the counts
        /// are wrong. Empty if none is known, without results, and in ticks.
        result_error ["signed"]: Option<f64>,
        /// Samples of the counted atoms; empty in ticks.
        samples_counted [""]: Option<u64>,
        /// Atoms of the job.
        atoms [""]: u32,
        /// Atoms whose result is counted at the root of the job's address at the end.
        atoms_counted ["≤ job.atoms"]: u32,
        /// Repeated maps of atoms, summed over all atoms; empty in ticks.
        atoms_redone [""]: Option<u64>,
        /// Atoms that are not counted and that no member holds at the end; empty in ticks.
        atoms_lost ["≤ job.atoms"]: Option<usize>,
        /// Atoms that were never counted and that no node and no message holds at the end; empty in
        /// ticks.
        atoms_orphaned ["≤ job.atoms"]: Option<u64>,
        /// Results that came again and were not counted, in atoms; empty in ticks.
        duplicates_dropped [""]: Option<u64>,
        /// Messages sent from the start of the job on, maintenance included; empty in ticks.
        messages [""]: Option<u64>,
        /// Bytes of these messages; empty in ticks.
        bytes ["bytes"]: Option<u64>,
        /// Standard deviation of the samples that a node has worked on, over the members at the end
        /// and all nodes that have worked; empty for a single node, and in ticks.
        work_sd [""]: Option<f64>,
        /// Largest number of samples that a node has worked on, divided by the sum over all nodes;
        /// empty if none has worked, and in ticks.
        work_largest_share ["fraction"]: Option<f64>,
        /// Joins and leaves of members from the start of the job on; empty in ticks.
        churn_events [""]: Option<u64>,
        /// Mean number of members from the start of the job on; empty in ticks.
        members_mean [""]: Option<f64>,
        /// Sybils of an attack that are members at the end; empty without an attack, and in ticks.
        sybils [""]: Option<usize>,
        /// Sybils that nodes have created to take over work.
        sybils_made [""]: u64,
        /// Number of times that an atom was taken over by another node to be mapped there.
        atoms_moved [""]: u64,
        /// Random nodes that the walk of the atoms has visited; empty unless `job.bundle` is
        /// "walk", and in ticks.
        walk_steps [""]: Option<u64>,
    }
}

impl JobOutcome {
    /// What does not depend on the kind of job: messages, members, and `work` by node.
    pub(super) fn of_network<P: GroundTruth, A: Application>(
        network: &Network<P, A>,
        work: &[f64],
    ) -> Self {
        let (counts, before) = (network.tally().counts, network.tally().before);
        let seconds = network.tally().measured(network.now()).as_secs_f64();
        Self {
            messages: Some(counts.messages - before.messages),
            bytes: Some(counts.bytes - before.bytes),
            work_sd: Some(deviation(work)),
            work_largest_share: Some(
                work.iter().copied().fold(0.0, f64::max) / work.iter().sum::<f64>(),
            ),
            churn_events: Some(counts.joins + counts.leaves - before.joins - before.leaves),
            members_mean: Some(network.tally().member_seconds(network.now()) / seconds),
            sybils: network.is_attacked().then(|| network.sybils().len()),
            ..Self::default()
        }
    }
}

/// Turns the course of a job into rows.
pub(super) fn output<P: GroundTruth>(run: &JobRun, network: &Network<P, Worker>) -> RunOutput {
    let (service_metrics, shared) = (network.metrics(), network.service());
    let staged = service_metrics.staged.unwrap_or(network.now());
    let atoms = run.job.parameters.atoms;
    let collector = active_collector(network);
    let atoms_counted = collector.map_or(0, Collector::count);
    let partials = collector.map_or(&[][..], Collector::partials);
    let counted = || partials.iter().flat_map(|partial| &partial.atoms);
    let samples: u64 = counted().map(|atom| shared.samples_of(*atom)).sum();
    let effort: u64 = counted().map(|atom| shared.effort_of(*atom)).sum();
    let after = |at: Option<Instant>| at.map_or(f64::NAN, |at| at.since(staged).as_secs_f64());
    let last = after(service_metrics.counted_at);
    let complete = atoms_counted == atoms;
    // A job without possible progress has ended, whether it has lost atoms or not. Only a job that
    // was stopped before that has no duration.
    let has_ended = complete || service_metrics.is_over() || network.members().is_empty();
    let runtime_s = if has_ended { last } else { f64::NAN };
    // Over the counted atoms; without any there is no speed.
    let alone = if samples > 0 {
        effort as f64 / run.nodes.mean_speed()
    } else {
        f64::NAN
    };
    let value = collector.map(|collector| collector.value(shared.task()));
    let result = value.filter(|value| !value.is_empty());
    let result = result.map(|value| shared.task().result(&value, samples));
    let work = work(network, &service_metrics.work, Worker::is_friendly_sybil);
    let outcome = JobOutcome {
        runtime_s,
        complete,
        speedup: alone / runtime_s,
        runtime_factor: runtime_s * run.network.overlay.nodes as f64 / alone,
        last_mapped_s: after(service_metrics.first_maps.last().copied()),
        last_counted_s: Some(last),
        result: result.map(|(result, _)| result),
        result_error: result.and_then(|(_, error)| error),
        samples_counted: Some(samples),
        atoms,
        atoms_counted,
        atoms_redone: Some(service_metrics.redone()),
        atoms_lost: Some(lost(network, collector, atoms)),
        atoms_orphaned: Some(service_metrics.orphaned()),
        duplicates_dropped: Some(service_metrics.duplicates),
        sybils_made: service_metrics.sybils,
        atoms_moved: service_metrics.moved(),
        walk_steps: (run.job.parameters.bundle == Dispatch::Walk)
            .then_some(service_metrics.walk_steps),
        ..JobOutcome::of_network(network, &work)
    };
    RunOutput {
        metrics: outcome.row(),
        tables: vec![
            histogram(&work),
            activity(
                run.network.time.interval,
                (staged, service_metrics.counted_at.unwrap_or(network.now())),
                (&service_metrics.first_maps, &service_metrics.maps),
            ),
        ],
        notes: Vec::new(),
    }
}

/// The collector at the root of the job's address; if several nodes act as root, the one that has
/// counted most. It may be a node that others know before its join has ended.
fn active_collector<P: GroundTruth>(network: &Network<P, Worker>) -> Option<&Collector> {
    let alive = network.nodes().filter(|node| network.is_alive(*node));
    let collectors = alive.filter_map(|node| network.application(node).collector());
    collectors.max_by_key(|collector| collector.count())
}

/// Number of atoms that were not counted and that no node holds any more.
fn lost<P: GroundTruth>(
    network: &Network<P, Worker>,
    collector: Option<&Collector>,
    atoms: u32,
) -> usize {
    let mut gone = vec![network.metrics().staged.is_some(); atoms as usize];
    for node in network.nodes().filter(|node| network.is_alive(*node)) {
        for atom in network.application(node).held() {
            gone[atom as usize] = false;
        }
    }
    let counted = |atom: u32| collector.is_some_and(|collector| collector.has(atom));
    (0..atoms)
        .filter(|atom| gone[*atom as usize] && !counted(*atom))
        .count()
}

/// The work of each host, for all members and all nodes that have worked; `by_node` has it by node. A host
/// is counted by its first identity, which works for all of its identities; `is_sybil` names the others.
pub(super) fn work<P: GroundTruth, A: Application>(
    network: &Network<P, A>,
    by_node: &[u64],
    is_sybil: impl Fn(&A) -> bool,
) -> Vec<f64> {
    let last = network.members().iter().map(|node| node.index() + 1).max();
    let nodes = 0..by_node.len().max(last.unwrap_or(0));
    let worked = nodes.filter_map(|place| {
        let work = by_node.get(place).copied().unwrap_or(0);
        let node = Node(place as u32);
        let is_host = network.is_member(node) && !is_sybil(network.application(node));
        (work > 0 || is_host).then_some(work as f64)
    });
    worked.collect()
}

fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    libm::sqrt(squares / (n - 1.0))
}

/// Number of nodes by their work relative to the mean, in tenths.
pub(super) fn histogram(work: &[f64]) -> TableRows {
    let mean = work.iter().sum::<f64>() / work.len() as f64;
    let mut counts = std::collections::BTreeMap::<u64, u64>::new();
    if mean > 0.0 {
        for samples in work {
            *counts.entry((samples / mean * 10.0) as u64).or_default() += 1;
        }
    }
    let row = |(tenths, count): (u64, u64)| {
        histogram_row("work_over_mean", (tenths as f64 / 10.0).into(), count)
    };
    TableRows(counts.into_iter().map(row).collect())
}

dhtlab_scenario::columns! {
    pub(super) TIMELINE, fn moment(since: Duration, done: u64, busy: u64) {
        /// End of the interval, since the staging of the job.
        time_s ["s"] = since.as_secs_f64(),
        /// Atoms that were mapped until then.
        atoms_done ["≤ job.atoms"] = done,
        /// Nodes that map an atom at that time.
        nodes_busy [""] = busy,
    }
}

/// Mapped atoms and mapping nodes at the ends of intervals of this length, or of a fraction of the job,
/// from its staging to its end. `first_maps` has the times of the first maps, `maps` the begins (true)
/// and ends of all, both in order.
pub(super) fn activity(
    interval: Option<Duration>,
    (staged, end): (Instant, Instant),
    (first_maps, maps): (&[Instant], &[(Instant, bool)]),
) -> TableRows {
    let lasted = end.since(staged);
    let length = match interval {
        Some(length) => length,
        None => Duration::from_nanos(lasted.as_nanos().div_ceil(INTERVALS).max(1)),
    };
    let count = lasted
        .as_nanos()
        .div_ceil(length.as_nanos().max(1))
        .min(100_000);
    let (mut done, mut maps) = (first_maps.iter().peekable(), maps.iter().peekable());
    let (mut atoms, mut busy) = (0, 0);
    let mut rows = TableRows::default();
    for i in 0..=count {
        let at = staged + length * i;
        while done.next_if(|time| **time <= at).is_some() {
            atoms += 1;
        }
        while let Some((_, begins)) = maps.next_if(|(time, _)| *time <= at) {
            busy = if *begins { busy + 1 } else { busy - 1 };
        }
        rows.0.push(moment(length * i, atoms, busy));
    }
    rows
}
