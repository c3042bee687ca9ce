//! Counts of a run.

use super::observer::{
    LookupEnd, LookupResult, Observer, PayloadKind, RouteEnd, SentMessage, Signal,
};
use super::sample::Sample;
use super::state::NetworkState;
use super::timeline::Timeline;
use crate::engine::{Duration, Instant};
use crate::overlay::{Application, GroundTruth};
use crate::transport::Obstacle;

/// Plain counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handled events.
    pub events: u64,
    /// Sent messages, answers and maintenance included.
    pub messages: u64,
    /// Of these, the steps and answers of lookups of the workload.
    pub lookup_messages: u64,
    /// Bytes of the messages, as [`HEADER_BYTES`](crate::overlay::HEADER_BYTES) counts them.
    pub bytes: u64,
    /// Of these, the bytes of lookups of the workload.
    pub lookup_bytes: u64,
    /// Issued lookups.
    pub lookups: u64,
    /// Lookups that ended at the true root.
    pub ok: u64,
    /// Lookups that ended elsewhere.
    pub wrong: u64,
    /// Lookups that did not end; those in flight are counted after the run.
    pub failed: u64,
    /// Of these, lookups whose initiator stopped before it knew the root.
    pub abandoned: u64,
    /// Time-outs of the finished lookups.
    pub timeouts: u64,
    /// Nodes that became members, the initial ones excluded.
    pub joins: u64,
    /// Members that left or crashed.
    pub leaves: u64,
    /// Joins that were not answered and began again through another member.
    pub rejoins: u64,
    /// Finished lookups that a Sybil has handled.
    pub intercepted: u64,
    /// Lookups that ended at a Sybil.
    pub captured: u64,
    /// Of these, lookups whose true root is another node.
    pub hijacked: u64,
    /// Messages that were lost by chance.
    pub lost: u64,
    /// Messages whose sender could not reach the receiver.
    pub unreachable: u64,
    /// Messages that found the queue of an uplink full.
    pub dropped: u64,
    /// Messages that arrived twice.
    pub duplicated: u64,
    /// Messages that were sent again.
    pub sent_again: u64,
    /// Nodes that were considered silent while they were alive.
    pub false_timeouts: u64,
}

/// The counts, and the values of the lookups that ended at the true root.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Plain counts.
    pub counts: Counts,
    /// The counts when measuring began.
    pub before: Counts,
    /// Number of lookups by hops.
    pub hops: Vec<u64>,
    /// Number of lookups by underlay links.
    pub underlay_hops: Vec<u64>,
    /// The latency of each lookup in milliseconds.
    pub latencies: Sample,
    /// The stretch of each lookup whose root is at a distance above 0.
    pub stretches: Sample,
    /// Sums of the latencies of these lookups and of their direct paths, in nanoseconds.
    pub path_and_direct: (u128, u128),
    /// Of the lookups whose initiator has the answer, the time until then, in milliseconds.
    pub answers: Sample,
    /// The counts by intervals, if they are wanted.
    pub timeline: Timeline,
    presence: MemberTime,
}

/// Member-seconds.
#[derive(Clone, Copy, Debug, Default)]
struct MemberTime {
    begun: Instant,
    nanos: u128,
    since: Instant,
    members: u64,
}

impl Tally {
    /// Lookups in flight.
    pub fn under_way(&self) -> u64 {
        self.counts.lookups - self.counts.ok - self.counts.wrong - self.counts.failed
    }

    /// The time since measuring began.
    pub fn measured(&self, now: Instant) -> Duration {
        now.since(self.presence.begun)
    }

    /// Member-seconds since measuring began, up to `now`.
    pub fn member_seconds(&self, now: Instant) -> f64 {
        (self.presence.nanos + self.presence.so_far(now)) as f64 / 1e9
    }

    #[inline]
    fn count_sent(&mut self, sent: &SentMessage) {
        let counts = &mut self.counts;
        counts.messages += 1;
        counts.bytes += u64::from(sent.bytes);
        if sent.is_of_lookup {
            counts.lookup_messages += 1;
            counts.lookup_bytes += u64::from(sent.bytes);
        }
    }

    #[inline]
    fn count_issued(&mut self, now: Instant) {
        self.counts.lookups += 1;
        if let Some(interval) = self.timeline.at(now) {
            interval.lookups += 1;
        }
    }

    fn count_ended(&mut self, end: &LookupEnd) {
        let counts = &mut self.counts;
        let is_hijacked = end.captured && !matches!(end.result, LookupResult::Correct { .. });
        counts.timeouts += u64::from(end.timeouts);
        counts.intercepted += u64::from(end.intercepted);
        counts.captured += u64::from(end.captured);
        counts.hijacked += u64::from(is_hijacked);
        if let Some(interval) = self.timeline.at(end.issued) {
            interval.timeouts += u64::from(end.timeouts);
            interval.intercepted += u64::from(end.intercepted);
            interval.hijacked += u64::from(is_hijacked);
            match end.result {
                LookupResult::Correct { hops, latency, .. } => {
                    interval.ok += 1;
                    interval.hops += u64::from(hops);
                    interval.latency += latency.as_millis_f64();
                }
                LookupResult::Wrong => interval.wrong += 1,
                LookupResult::Failed { .. } => {}
            }
        }
        match end.result {
            LookupResult::Correct {
                hops,
                underlay_hops,
                latency,
                direct,
            } => {
                counts.ok += 1;
                count(&mut self.hops, hops);
                count(&mut self.underlay_hops, underlay_hops);
                self.latencies.push(latency.as_millis_f64());
                if !direct.is_zero() {
                    let (path, direct) = (latency.as_nanos(), direct.as_nanos());
                    self.stretches.push(path as f64 / direct as f64);
                    self.path_and_direct.0 += u128::from(path);
                    self.path_and_direct.1 += u128::from(direct);
                }
            }
            LookupResult::Wrong => counts.wrong += 1,
            LookupResult::Failed { abandoned } => {
                counts.failed += 1;
                counts.abandoned += u64::from(abandoned);
            }
        }
    }

    /// From now on there are so many members.
    fn members_changed(&mut self, now: Instant, members: usize) {
        self.presence.nanos += self.presence.so_far(now);
        self.presence.since = now;
        self.presence.members = members as u64;
    }
}

impl<P: GroundTruth, A: Application> Observer<P, A> for Tally {
    #[inline(always)]
    fn on(&mut self, signal: &Signal, state: &NetworkState<P, A>) {
        match signal {
            Signal::Event => self.counts.events += 1,
            Signal::MessageSent(sent) => self.count_sent(sent),
            Signal::RouteBegins {
                payload: PayloadKind::Lookup,
                ..
            } => self.count_issued(state.now()),
            Signal::RouteEnded {
                end: RouteEnd::Lookup(end),
                ..
            } => self.count_ended(end),
            Signal::MessageLost { obstacle, .. } => match obstacle {
                Obstacle::Loss => self.counts.lost += 1,
                Obstacle::Unreachable => self.counts.unreachable += 1,
                Obstacle::FullQueue => self.counts.dropped += 1,
            },
            Signal::MessageDuplicated { .. } => self.counts.duplicated += 1,
            Signal::SentAgain { .. } => self.counts.sent_again += 1,
            Signal::RequestTimedOut { to, .. }
            | Signal::RouteTimedOut { to, .. }
            | Signal::MessageReturned { to, .. } => {
                self.counts.false_timeouts += u64::from(state.is_alive(*to));
            }
            Signal::Answered { issued } => {
                let time = state.now().since(*issued);
                self.answers.push(time.as_millis_f64());
            }
            Signal::LookupWithoutMember(_) => {
                self.count_issued(state.now());
                self.counts.failed += 1;
            }
            Signal::Joined(_) => self.counts.joins += 1,
            Signal::Rejoins(_) => self.counts.rejoins += 1,
            Signal::Stopped { was_member, .. } => self.counts.leaves += u64::from(*was_member),
            Signal::MembersChanged => self.members_changed(state.now(), state.members().len()),
            Signal::MeasuringBegins => {
                self.before = self.counts;
                self.presence = MemberTime {
                    begun: state.now(),
                    since: state.now(),
                    nanos: 0,
                    ..self.presence
                };
            }
            Signal::IntervalEnds => self.timeline.close(state),
            _ => {}
        }
    }
}

impl MemberTime {
    fn so_far(self, now: Instant) -> u128 {
        u128::from(now.since(self.since).as_nanos()) * u128::from(self.members)
    }
}

fn count(histogram: &mut Vec<u64>, value: u32) {
    let place = value as usize;
    if histogram.len() <= place {
        histogram.resize(place + 1, 0);
    }
    histogram[place] += 1;
}
