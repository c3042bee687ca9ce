//! The requests of a phase, in the order of their times.

use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::workload::{Lookup, LookupPlan};

/// A request to be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    PutBlock,
    PutFile,
    Delete,
    Get,
}

/// Requests of one kind, and the next of them.
struct Requests {
    act: Act,
    plan: LookupPlan,
    next: Option<Lookup>,
}

/// Requests of several kinds, each evenly spaced with initiators from a stream of its own.
pub(super) struct Agenda {
    seed: Seed,
    from: Instant,
    lasts: Duration,
    kinds: Vec<Requests>,
}

impl Agenda {
    /// An agenda without requests.
    pub fn new(seed: Seed, from: Instant, lasts: Duration) -> Self {
        Self {
            seed,
            from,
            lasts,
            kinds: Vec::new(),
        }
    }

    /// With `count` requests, whose initiators the stream with this name draws.
    pub fn with(mut self, act: Act, stream: &'static str, count: u64) -> Self {
        let gap = Duration::from_nanos(self.lasts.as_nanos() / count.max(1));
        let stream = self.seed.stream(stream, 0);
        let mut plan = LookupPlan::evenly(stream, self.from, gap, count);
        let next = plan.next();
        self.kinds.push(Requests { act, plan, next });
        self
    }

    /// The next request, unless it is due at `end` or later. Of two at one time the one that was
    /// added first is first.
    pub fn next_before(&mut self, end: Option<Instant>) -> Option<(Act, Lookup)> {
        let due = |kind: &Requests| kind.next.map_or(Instant::NEVER, |next| next.time);
        let kind = self.kinds.iter_mut().min_by_key(|kind| due(kind))?;
        let next = kind
            .next
            .filter(|next| end.is_none_or(|end| next.time < end))?;
        kind.next = kind.plan.next();
        Some((kind.act, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_by_their_times() {
        let from = Instant::START + Duration::from_secs(10);
        let agenda = Agenda::new(Seed::new(1), from, Duration::from_secs(12));
        let mut agenda = agenda
            .with(Act::PutBlock, "a", 2)
            .with(Act::Get, "b", 3)
            .with(Act::Delete, "c", 0);
        let mut order = Vec::new();
        while let Some((act, lookup)) = agenda.next_before(None) {
            order.push((act, lookup.time.since(from).as_secs_f64()));
        }
        let expected = [
            (Act::PutBlock, 0.0),
            (Act::Get, 0.0),
            (Act::Get, 4.0),
            (Act::PutBlock, 6.0),
            (Act::Get, 8.0),
        ];
        assert_eq!(order, expected);
    }
}
