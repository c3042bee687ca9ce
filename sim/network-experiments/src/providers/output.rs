//! What a run of provider records has measured, and its rows.

use super::censorship::{Outcome, divergence};
use super::sessions::{SESSIONS, Sessions};
use super::survival::SURVIVAL;
use super::table_health::{BucketRow, TableHealth};
use super::{CensorshipParameters, Course, ProviderWorkload};
use crate::histogram::{
    HISTOGRAM, add_binned, add_counts, histogram_of, mean, mean_of_counted, quantile,
    quantile_of_counted,
};
use dhtlab_core::engine::Duration;
use dhtlab_core::network::{Network, Sample, Tally};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::service::providers::{
    CompletedCrawl, CompletedOperation, ProviderMetrics, Providers, Purpose, WalkHops,
};
use dhtlab_scenario::{RunOutput, TableRows, TableSpec};

dhtlab_scenario::columns! {
    pub(super) METRICS, fn metrics(m: &ProviderResults<'_>) {
        /// Contents whose providing has ended, without attacked ones.
        provides [""] = m.provides.count,
        /// Operations whose initiator has stopped, and those under way when the run stops.
        operations_failed [""] = m.service.abandoned + m.service.under_way(),
        /// Median time from the start of providing until it returns to its caller.
        provide_s_p50 ["s"] = quantile_of_counted(&m.provides.returned, 0.5),
        /// 90th percentile of these times.
        provide_s_p90 ["s"] = quantile_of_counted(&m.provides.returned, 0.9),
        /// Mean of these times.
        provide_s_mean ["s"] = mean_of_counted(&m.provides.returned),
        /// Median time of the lookup before the records are sent, with its last requests.
        provide_walk_s_p50 ["s"] = quantile_of_counted(&m.provides.walked, 0.5),
        /// 90th percentile of these times.
        provide_walk_s_p90 ["s"] = quantile_of_counted(&m.provides.walked, 0.9),
        /// Median time until only the last requests of the lookup are left; empty if `beta` is 0, or if all
        /// lookups end before.
        provide_approach_s_p50 ["s"] = quantile_of_counted(&m.provides.approached, 0.5),
        /// 90th percentile of these times.
        provide_approach_s_p90 ["s"] = quantile_of_counted(&m.provides.approached, 0.9),
        /// Median time from the end of the lookup until all records are stored or given up.
        provide_put_s_p50 ["s"] = quantile_of_counted(&m.provides.put, 0.5),
        /// 90th percentile of these times.
        provide_put_s_p90 ["s"] = quantile_of_counted(&m.provides.put, 0.9),
        /// Sum of the times of the lookups over that of the times until all records are stored or given
        /// up.
        provide_walk_share ["fraction"] =
            mean_of_counted(&m.provides.walked) / mean_of_counted(&m.provides.ended),
        /// Median time until 15 nodes have stored the record, over the operations with so many.
        stored_15_s_p50 ["s"] = quantile_of_counted(&m.provides.stored_after[0], 0.5),
        /// Median time until 20 nodes have stored it, over the operations with so many.
        stored_20_s_p50 ["s"] = quantile_of_counted(&m.provides.stored_after[1], 0.5),
        /// Mean number of nodes that have stored the record.
        holders_mean [""] = mean(&m.provides.holders),
        /// 5th percentile of these numbers.
        holders_p5 [""] = quantile(&m.provides.holders, 0.05),
        /// Median of these numbers.
        holders_p50 [""] = quantile(&m.provides.holders, 0.5),
        /// 90th percentile of these numbers.
        holders_p90 [""] = quantile(&m.provides.holders, 0.9),
        /// Mean number of nodes to which the record was to be sent.
        receivers_mean [""] = m.provides.receivers as f64 / m.provides.count as f64,
        /// Mean number of requests of the lookups of an operation.
        provide_asked_mean [""] = m.provides.asked as f64 / m.provides.count as f64,
        /// Fraction of these requests without a reply.
        provide_silent_rate ["fraction"] = m.provides.silent as f64 / m.provides.asked as f64,
        /// Median depth of the tree of referrals of a lookup: the most steps to a node that was asked,
        /// each node named by the one that named it first. The initiator's own contacts are one step
        /// away.
        hops_tree_p50 [""] = quantile(&m.provides.hops(|hops| hops.tree), 0.5),
        /// 90th percentile of these depths.
        hops_tree_p90 [""] = quantile(&m.provides.hops(|hops| hops.tree), 0.9),
        /// Mean of these depths.
        hops_tree_mean [""] = mean(&m.provides.hops(|hops| hops.tree)),
        /// Median number of steps until all k nearest nodes are known, each by its shortest chain.
        hops_all_p50 [""] = quantile(&m.provides.hops(|hops| hops.all), 0.5),
        /// 90th percentile of these numbers.
        hops_all_p90 [""] = quantile(&m.provides.hops(|hops| hops.all), 0.9),
        /// Mean of these numbers.
        hops_all_mean [""] = mean(&m.provides.hops(|hops| hops.all)),
        /// Mean number of steps until one of the k nearest nodes is known.
        hops_one_mean [""] = mean(&m.provides.hops(|hops| hops.one)),
        /// Contents whose records were sent again, each time counted.
        republished [""] = m.republishing.contents,
        /// Lookups per content whose records are sent again.
        republish_lookups_mean [""] = m.republishing.per_content(m.republishing.lookups),
        /// Requests per content whose records are sent again: those of lookups, and those with records.
        republish_requests_mean [""] = m.republishing.per_content(m.republishing.requests),
        /// Nodes that have stored the record of a content that is sent again, on average.
        republish_holders_mean [""] = m.republishing.per_content(m.republishing.records),
        /// Searches that have ended, without those for attacked contents.
        finds [""] = m.finds.count,
        /// Fraction of them that have found a provider.
        found_rate ["fraction"] = m.finds.found as f64 / m.finds.count as f64,
        /// Median time until the first record, over the searches that have found one.
        find_first_s_p50 ["s"] = quantile_of_counted(&m.finds.first, 0.5),
        /// 90th percentile of these times.
        find_first_s_p90 ["s"] = quantile_of_counted(&m.finds.first, 0.9),
        /// Mean of these times.
        find_first_s_mean ["s"] = mean_of_counted(&m.finds.first),
        /// Median time until a search returns.
        find_s_p50 ["s"] = quantile_of_counted(&m.finds.returned, 0.5),
        /// 90th percentile of these times.
        find_s_p90 ["s"] = quantile_of_counted(&m.finds.returned, 0.9),
        /// Mean number of steps of the shortest chain of referrals to the node that gave the first
        /// record.
        find_hops_mean [""] = mean(&m.finds.hops),
        /// Fraction of the searches with a record whose chain has at most 2 steps.
        find_hops_2_rate ["fraction"] = m.finds.within(2),
        /// Fraction of the searches with a record whose chain has at most 3 steps.
        find_hops_3_rate ["fraction"] = m.finds.within(3),
        /// Mean estimate of the size of the network by the initiators, over all operations with one.
        size_estimate_mean [""] = mean_of_counted(&m.estimates),
        /// The same over the number of reachable members at the end.
        size_estimate_ratio [""] = mean_of_counted(&m.estimates) / m.reachable as f64,
        /// Fraction of the searches for contents that are not attacked whose initiator has an estimate and
        /// reports an attack.
        false_alarm_rate ["fraction"] = m.false_alarms,
        /// Mean number of contacts of a member at the end.
        contacts_mean [""] = m.health.contacts as f64 / m.health.nodes as f64,
        /// Fraction of them that cannot be reached: nodes that are offline, or behind a NAT.
        stale_rate ["fraction"] = m.health.stale as f64 / m.health.contacts as f64,
        /// The same of the contacts in the bucket of the largest subtree.
        first_bucket_stale_rate ["fraction"] = m.health.first_stale,
        /// Fraction of the buckets that are full, of those with at least k reachable members in their
        /// subtree.
        full_bucket_rate ["fraction"] = m.health.large_full as f64 / m.health.large as f64,
        /// Reachable contacts over reachable members in the subtrees of the other buckets.
        near_contacts_rate ["fraction"] =
            m.health.small_reached as f64 / m.health.small_candidates as f64,
        /// Fraction of the members that know all of the k reachable members nearest to themselves.
        knows_all_nearest_rate ["fraction"] = m.health.knows_at_least(m.health.known_nearest.len() - 1),
        /// Fraction of the members that know fewer than 0.9 k of them.
        knows_under_18_rate ["fraction"] = m.knows_under(18),
        /// Fraction of the members that know fewer than 0.25 k of them.
        knows_under_5_rate ["fraction"] = m.knows_under(5),
        /// Reachable members at the end.
        reachable_members [""] = m.reachable,
        /// Attacked contents that were searched.
        attacked [""] = m.attacks.finds,
        /// Fraction of these searches that have found no provider.
        censored_rate ["fraction"] = m.attacks.censored as f64 / m.attacks.finds as f64,
        /// Fraction of the nodes nearest to an attacked key, as the searches have found them, that are
        /// Sybils.
        eclipsed_rate ["fraction"] = m.attacks.eclipsed as f64 / m.attacks.closest as f64,
        /// Fraction of these searches that have found only Sybils nearest to the key.
        all_eclipsed_rate ["fraction"] = m.attacks.all_eclipsed as f64 / m.attacks.finds as f64,
        /// Fraction of these searches that report an attack, over those whose initiator has an estimate.
        detected_rate ["fraction"] =
            m.attacks.detected as f64 / m.attacks.divergences.len() as f64,
        /// 10th percentile of the divergence of the common prefix lengths from those expected, over these
        /// searches.
        divergence_p10 ["nats"] = m.divergence(0.1),
        /// Median of these divergences.
        divergence_p50 ["nats"] = m.divergence(0.5),
        /// 90th percentile of these divergences.
        divergence_p90 ["nats"] = m.divergence(0.9),
        /// Mean number of honest nodes that hold the record of an attacked content.
        attacked_holders_honest_mean [""] =
            m.attacks.honest_holders as f64 / m.attacks.provides as f64,
        /// Mean number of Sybils that hold it.
        attacked_holders_sybil_mean [""] =
            m.attacks.sybil_holders as f64 / m.attacks.provides as f64,
        /// Mean number of lookups of a search for an attacked content: more than one with regions.
        attacked_lookups_mean [""] = m.attacks.walks as f64 / m.attacks.finds as f64,
        /// Mean number of honest nodes in the region that a search has found.
        region_honest_mean [""] = m.attacks.region_honest as f64 / m.attacks.finds as f64,
        /// Mean number of Sybils in it.
        region_sybils_mean [""] = m.attacks.region_sybils as f64 / m.attacks.finds as f64,
        /// IDs that the attacker has drawn per Sybil, or, where IDs are bound to addresses, compared.
        ids_tried_mean [""] = m.ids_tried,
        /// Crawls that have ended.
        crawls [""] = m.service.crawls.len(),
        /// Mean duration of a crawl.
        crawl_s_mean ["s"] = m.crawls(|crawl| crawl.ended.since(crawl.begun).as_secs_f64()),
        /// Mean number of nodes that a crawl was named.
        crawl_met_mean [""] = m.crawls(|crawl| crawl.met as f64),
        /// Mean number of nodes that have replied to a crawl.
        crawl_reached_mean [""] = m.crawls(|crawl| crawl.reached.len() as f64),
        /// Number of nodes that have replied to the last crawl over the number of reachable members at
        /// the end.
        crawl_reached_ratio [""] = m.last_crawl() / m.reachable as f64,
        /// Median length of the sessions that begin in the measurement; censored ones count while they
        /// are known. Empty if fewer than half of them end, and without a monitor.
        sessions_true_s_p50 ["s"] = m.sessions.as_ref().map_or(f64::NAN, Sessions::true_median),
        /// The same by the times that the monitor sees.
        sessions_monitor_s_p50 ["s"] =
            m.sessions.as_ref().map_or(f64::NAN, Sessions::monitor_median),
        /// Median length of the sessions whose end the monitor sees.
        sessions_ended_s_p50 ["s"] = m.sessions.as_ref().map_or(f64::NAN, Sessions::ended_median),
        /// Messages of the service during the whole run.
        service_messages [""] = m.service.messages,
        /// Mean number of messages of the service per operation.
        messages_per_operation [""] = m.service.messages as f64 / m.service.begun as f64,
        /// Mean number of members during the measurement.
        members_mean [""] = m.member_seconds / m.seconds,
        /// Nodes that became members during the measurement.
        joins [""] = m.tally.counts.joins - m.tally.before.joins,
        /// Members that left or crashed during the measurement.
        leaves [""] = m.tally.counts.leaves - m.tally.before.leaves,
        /// Lookups of the workload that were issued, in addition to those of the operations.
        lookups [""] = m.tally.counts.lookups,
        /// Of these, lookups that end at the node that is the root of the key at that time.
        lookups_ok [""] = m.tally.counts.ok,
        /// Bytes of all messages during the measurement per member and second.
        bytes_per_node_s ["bytes/s"] =
            (m.tally.counts.bytes - m.tally.before.bytes) as f64 / m.member_seconds,
        /// Messages sent during the measurement, answers and maintenance included.
        messages [""] = m.tally.counts.messages - m.tally.before.messages,
        /// Events of the whole run.
        events [""] = m.tally.counts.events,
    }
}

/// The tables in long format.
pub(super) const TABLES: &[TableSpec] = &[
    TableSpec {
        name: "histogram",
        columns: HISTOGRAM,
        quantities: &[
            "provide_s",
            "provide_walk_s",
            "find_first_s",
            "holders",
            "hops_tree",
            "hops_all",
            "find_hops",
            "known_nearest",
        ],
    },
    TableSpec {
        name: "buckets",
        columns: BucketRow::COLUMNS,
        quantities: &[],
    },
    TableSpec {
        name: "sessions",
        columns: SESSIONS,
        quantities: &[],
    },
    TableSpec {
        name: "survival",
        columns: SURVIVAL,
        quantities: &[],
    },
];

/// What a run has measured.
struct ProviderResults<'a> {
    tally: &'a Tally,
    service: &'a ProviderMetrics,
    provides: Provides,
    republishing: Republishing,
    finds: Finds,
    estimates: Vec<(f64, u64)>,
    false_alarms: f64,
    health: &'a TableHealth,
    reachable: usize,
    sessions: Option<Sessions>,
    attacks: Outcome,
    ids_tried: f64,
    seconds: f64,
    member_seconds: f64,
}

impl ProviderResults<'_> {
    /// The mean of a number over the crawls; NaN without any.
    fn crawls(&self, of: impl Fn(&CompletedCrawl) -> f64) -> f64 {
        let crawls = &self.service.crawls;
        crawls.iter().map(of).sum::<f64>() / crawls.len() as f64
    }

    fn last_crawl(&self) -> f64 {
        let last = self.service.crawls.last();
        last.map_or(f64::NAN, |crawl| crawl.reached.len() as f64)
    }

    fn divergence(&self, q: f64) -> f64 {
        let mut sample = Sample::default();
        for value in &self.attacks.divergences {
            sample.push(*value);
        }
        quantile_of_counted(&sample.counted(), q)
    }

    /// Fraction of the members that know fewer than `of_20` of 20 nearest nodes, or as large a part of
    /// another number.
    fn knows_under(&self, of_20: usize) -> f64 {
        let k = self.health.known_nearest.len().saturating_sub(1);
        1.0 - self.health.knows_at_least((of_20 * k).div_ceil(20))
    }
}

/// The operations that provide contents.
#[derive(Default)]
struct Provides {
    count: u64,
    returned: Vec<(f64, u64)>,
    ended: Vec<(f64, u64)>,
    walked: Vec<(f64, u64)>,
    approached: Vec<(f64, u64)>,
    put: Vec<(f64, u64)>,
    stored_after: [Vec<(f64, u64)>; 2],
    holders: Vec<u64>,
    hops: Vec<WalkHops>,
    receivers: u64,
    asked: u64,
    silent: u64,
}

/// The values in seconds, with counts.
fn seconds(times: impl Iterator<Item = Duration>) -> Vec<(f64, u64)> {
    let mut sample = Sample::default();
    times.for_each(|time| sample.push(time.as_secs_f64()));
    sample.counted()
}

impl Provides {
    fn of(all: &[&CompletedOperation]) -> Self {
        let each = || all.iter();
        let sum = |of: &dyn Fn(&CompletedOperation) -> u32| -> u64 {
            each().map(|operation| u64::from(of(operation))).sum()
        };
        let after = |index: usize| seconds(each().filter_map(|o| o.stored_after[index]));
        let put = |o: &&CompletedOperation| {
            Duration::from_nanos(o.ended.as_nanos().saturating_sub(o.walked.as_nanos()))
        };
        Self {
            count: all.len() as u64,
            returned: seconds(each().map(|o| o.returned)),
            ended: seconds(each().map(|o| o.ended)),
            walked: seconds(each().map(|o| o.walked)),
            approached: seconds(each().filter_map(|o| o.approached)),
            put: seconds(each().map(put)),
            stored_after: [after(0), after(1)],
            holders: histogram_of(each().map(|o| o.holders.len())),
            hops: each().map(|o| o.hops).collect(),
            receivers: sum(&|o| o.receivers),
            asked: sum(&|o| o.asked),
            silent: sum(&|o| o.silent),
        }
    }

    fn hops(&self, of: impl Fn(&WalkHops) -> u16) -> Vec<u64> {
        histogram_of(self.hops.iter().map(|hops| usize::from(of(hops))))
    }
}

/// The operations that send records again.
#[derive(Default)]
struct Republishing {
    contents: u64,
    lookups: u64,
    requests: u64,
    records: u64,
}

impl Republishing {
    fn of<'a>(all: impl Iterator<Item = &'a CompletedOperation>) -> Self {
        let mut sums = Self::default();
        for operation in all {
            sums.contents += u64::from(operation.contents);
            sums.lookups += u64::from(operation.walks);
            sums.requests += u64::from(operation.asked + operation.receivers);
            sums.records += u64::from(operation.records);
        }
        sums
    }

    fn per_content(&self, sum: u64) -> f64 {
        sum as f64 / self.contents as f64
    }
}

/// The searches.
#[derive(Default)]
struct Finds {
    count: u64,
    found: u64,
    first: Vec<(f64, u64)>,
    returned: Vec<(f64, u64)>,
    hops: Vec<u64>,
}

impl Finds {
    fn of(all: &[&CompletedOperation]) -> Self {
        let first = || all.iter().filter_map(|operation| operation.first_record);
        Self {
            count: all.len() as u64,
            found: first().count() as u64,
            first: seconds(first().map(|(time, _)| time)),
            returned: seconds(all.iter().map(|operation| operation.returned)),
            hops: histogram_of(first().map(|(_, steps)| usize::from(steps))),
        }
    }

    /// Fraction of the searches with a record whose chain has at most so many steps.
    fn within(&self, steps: usize) -> f64 {
        self.hops.iter().take(steps + 1).sum::<u64>() as f64 / self.found as f64
    }
}

/// Turns the results of a run into rows.
pub(super) fn output<P: GroundTruth>(
    network: &Network<P, Providers>,
    course: &Course,
    (workload, censorship): (&ProviderWorkload, &CensorshipParameters),
) -> RunOutput {
    let (service, tally, now) = (network.metrics(), network.tally(), network.now());
    let ended = &service.ended[course.ended_before.min(service.ended.len())..];
    let of = |purpose: Purpose| -> Vec<&CompletedOperation> {
        let plain = ended
            .iter()
            .filter(|o| !course.censorship.has_attacked(&o.key));
        plain.filter(|o| o.purpose == purpose).collect()
    };
    let searches = of(Purpose::Find);
    let mut estimates = Sample::default();
    for estimate in ended.iter().filter_map(|operation| operation.estimate) {
        estimates.push(estimate);
    }
    let judged = || searches.iter().filter_map(|o| Some((*o, o.estimate?)));
    let alarms = judged().filter(|(o, size)| divergence(network, o, *size) > censorship.threshold);
    let members = network.members();
    let measured = ProviderResults {
        tally,
        service,
        provides: Provides::of(&of(Purpose::Provide)),
        republishing: Republishing::of(
            ended
                .iter()
                .filter(|o| matches!(o.purpose, Purpose::Republish | Purpose::Sweep)),
        ),
        finds: Finds::of(&searches),
        estimates: estimates.counted(),
        false_alarms: alarms.count() as f64 / judged().count() as f64,
        health: &course.health,
        reachable: members
            .iter()
            .filter(|node| network.is_reachable(**node))
            .count(),
        sessions: course.sessions.as_ref().map(|log| {
            let open = course.vantage_points.first();
            let open = open.map(|node| network.application(*node).open_sessions());
            let open = open.unwrap_or_default();
            Sessions::of(&log.borrow(), (&service.sessions, &open), now)
        }),
        attacks: course.censorship.outcome(network, ended, censorship),
        ids_tried: course.censorship.ids_per_sybil(),
        seconds: tally.measured(now).as_secs_f64(),
        member_seconds: tally.member_seconds(now),
    };
    let mut histogram = TableRows::default();
    let (provides, finds) = (&measured.provides, &measured.finds);
    add_binned(&mut histogram, "provide_s", &provides.returned);
    add_binned(&mut histogram, "provide_walk_s", &provides.walked);
    add_binned(&mut histogram, "find_first_s", &finds.first);
    add_counts(&mut histogram, "holders", &provides.holders);
    add_counts(
        &mut histogram,
        "hops_tree",
        &provides.hops(|hops| hops.tree),
    );
    add_counts(&mut histogram, "hops_all", &provides.hops(|hops| hops.all));
    add_counts(&mut histogram, "find_hops", &finds.hops);
    add_counts(
        &mut histogram,
        "known_nearest",
        &course.health.known_nearest,
    );
    let period = workload.survival.span();
    let survival = period.map_or_else(TableRows::default, |period| course.survival.rows(period));
    RunOutput {
        metrics: metrics(&measured),
        tables: vec![
            histogram,
            course.health.rows.clone(),
            measured
                .sessions
                .as_ref()
                .map_or_else(TableRows::default, Sessions::rows),
            survival,
        ],
        notes: Vec::new(),
    }
}
