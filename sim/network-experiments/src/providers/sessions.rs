//! The sessions of nodes: the true ones, and those that a monitor sees.

use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::observer::Signal;
use dhtlab_core::network::{Network, NetworkState, Observer};
use dhtlab_core::overlay::{Application, GroundTruth, Node};
use dhtlab_core::service::providers::ObservedSession;
use dhtlab_scenario::TableRows;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

dhtlab_scenario::columns! {
    pub(super) SESSIONS, fn session_row(length: f64, shares: [f64; 4]) {
        /// Length of a session.
        length_s ["s"] = length,
        /// Fraction of the sessions that begin in the measurement and last longer, estimated from the true
        /// times with those that have not ended counted as censored (Kaplan and Meier 1958).
        true_longer ["fraction"] = shares[0],
        /// The same from the times that the monitor sees: from the first contact that a node answers to
        /// the last one.
        monitor_longer ["fraction"] = shares[1],
        /// Fraction of the sessions whose end the monitor sees that last longer by its times: sessions
        /// that have not ended do not count.
        ended_longer ["fraction"] = shares[2],
        /// Fraction of the true sessions of the nodes online when the measurement begins that last longer
        /// from then on, estimated as the first one.
        residual_longer ["fraction"] = shares[3],
    }
}

/// Lengths of sessions, each with whether it has ended.
type Lengths = Vec<(Duration, bool)>;

/// The times at which nodes start and stop.
#[derive(Debug, Default)]
pub(super) struct SessionLog {
    begun: Instant,
    /// Members when measuring began, until they stop.
    early: BTreeMap<Node, Option<Instant>>,
    /// Sessions that began later, by node: a node may have several.
    running: BTreeMap<Node, Instant>,
    ended: Vec<Duration>,
}

impl SessionLog {
    /// Logs the sessions from now on.
    pub fn attach<P: GroundTruth, A: Application>(
        network: &mut Network<P, A>,
    ) -> Rc<RefCell<Self>> {
        let members = network.members().iter();
        let log = Self {
            begun: network.now(),
            early: members.map(|node| (*node, None)).collect(),
            ..Self::default()
        };
        network.observe(log)
    }

    /// The lengths of the sessions that began in the measurement, and the times that those of members
    /// at its beginning went on, up to `now`; each with whether it has ended.
    fn lengths(&self, now: Instant) -> (Lengths, Lengths) {
        let ended = self.ended.iter().map(|length| (*length, true));
        let running = self
            .running
            .values()
            .map(|start| (now.since(*start), false));
        let early = self.early.values();
        let residual = early.map(|end| (end.unwrap_or(now).since(self.begun), end.is_some()));
        (ended.chain(running).collect(), residual.collect())
    }
}

impl<P: GroundTruth, A: Application> Observer<P, A> for SessionLog {
    fn on(&mut self, signal: &Signal, state: &NetworkState<P, A>) {
        match signal {
            Signal::Started(node) => {
                self.running.insert(*node, state.now());
            }
            Signal::Stopped { node, .. } => {
                if let Some(start) = self.running.remove(node) {
                    self.ended.push(state.now().since(start));
                } else if let Some(end) = self.early.get_mut(node) {
                    end.get_or_insert(state.now());
                }
            }
            _ => {}
        }
    }
}

/// The fraction of lengths above each of some values, by Kaplan and Meier: a length that has not ended
/// counts as long as it is known.
struct Survivors {
    /// The lengths that have ended, ascending, and the fraction that lasts longer.
    steps: Vec<(f64, f64)>,
}

impl Survivors {
    fn of(mut lengths: Lengths) -> Self {
        // Of equal lengths, those that have ended come first.
        lengths.sort_unstable_by_key(|(length, has_ended)| (*length, !has_ended));
        let (mut left, mut share) = (lengths.len(), 1.0);
        let mut steps = Vec::new();
        for (length, has_ended) in lengths {
            if has_ended {
                share *= (left - 1) as f64 / left as f64;
                steps.push((length.as_secs_f64(), share));
            }
            left -= 1;
        }
        Self { steps }
    }

    fn longer_than(&self, length: f64) -> f64 {
        let place = self.steps.partition_point(|(step, _)| *step <= length);
        place.checked_sub(1).map_or(1.0, |at| self.steps[at].1)
    }

    /// The least length that at most half of the sessions exceed; NaN if there is none.
    fn median(&self) -> f64 {
        let half = self.steps.iter().find(|(_, share)| *share <= 0.5);
        half.map_or(f64::NAN, |(length, _)| *length)
    }
}

/// The sessions by four ways of seeing them.
pub(super) struct Sessions {
    seen: [Survivors; 4],
    longest: f64,
}

/// Rows of the table.
const ROWS: usize = 50;

impl Sessions {
    /// Those of `log` and of a monitor, with sessions that have `ended` and that are `open`, at `now`.
    pub fn of(
        log: &SessionLog,
        (ended, open): (&[ObservedSession], &[ObservedSession]),
        now: Instant,
    ) -> Self {
        // Those that were online at the first contact do not count: their beginning is not known.
        let first = ended.iter().chain(open).map(|session| session.first).min();
        let seen = |session: &&ObservedSession| Some(session.first) != first;
        let length = |session: &ObservedSession| session.last.since(session.first);
        let ended: Vec<Duration> = ended.iter().filter(seen).map(length).collect();
        let open = open
            .iter()
            .filter(seen)
            .map(|session| (length(session), false));
        let closed = || ended.iter().map(|length| (*length, true));
        let (all, residual) = log.lengths(now);
        Self {
            seen: [
                Survivors::of(all),
                Survivors::of(closed().chain(open).collect()),
                Survivors::of(closed().collect()),
                Survivors::of(residual),
            ],
            longest: now.since(log.begun).as_secs_f64(),
        }
    }

    /// The rows of the table.
    pub fn rows(&self) -> TableRows {
        let row = |at: usize| {
            let length = self.longest * at as f64 / ROWS as f64;
            session_row(
                length,
                self.seen.each_ref().map(|seen| seen.longer_than(length)),
            )
        };
        TableRows((0..=ROWS).map(row).collect())
    }

    /// The median of the true sessions.
    pub fn true_median(&self) -> f64 {
        self.seen[0].median()
    }

    /// The median of the sessions that the monitor sees.
    pub fn monitor_median(&self) -> f64 {
        self.seen[1].median()
    }

    /// The median of the sessions whose end it sees.
    pub fn ended_median(&self) -> f64 {
        self.seen[2].median()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(of: &[(u64, bool)]) -> Lengths {
        let each = of.iter();
        each.map(|(seconds, ended)| (Duration::from_secs(*seconds), *ended))
            .collect()
    }

    /// The example by hand: of 5 sessions, one censored at 3 s.
    #[test]
    fn censored_lengths_count_while_they_are_known() {
        let survivors = Survivors::of(lengths(&[
            (2, true),
            (1, true),
            (3, false),
            (4, true),
            (9, true),
        ]));
        assert_eq!(survivors.longer_than(0.5), 1.0);
        assert!((survivors.longer_than(1.0) - 0.8).abs() < 1e-12);
        assert!((survivors.longer_than(2.0) - 0.6).abs() < 1e-12);
        // Two are left at 4 s.
        assert!((survivors.longer_than(4.0) - 0.3).abs() < 1e-12);
        assert_eq!(survivors.longer_than(9.0), 0.0);
        assert_eq!(survivors.median(), 4.0);
        assert!(Survivors::of(lengths(&[(5, false)])).median().is_nan());
    }
}
