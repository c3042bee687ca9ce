//! Sybils by strength. A strategy of this project, after the dissertation's future work (strategies
//! that know the strength of nodes).

use super::super::arc::Arc;
use super::super::tasks::Tasks;
use super::super::tick_network::TickNetwork;
use super::Balancing;

/// A node that would run idle before the next round looks up random points and queries their owners
/// for the time that they will be busy (tasks over tasks per tick). It puts a Sybil into the arc of
/// the one that will be busy longest, such that it takes the part of the arc that corresponds to
/// its share of the two strengths.
///
/// The ID is drawn from a window of a sixteenth of the arc around that point, so a search needs 16
/// times as many digests as there are arcs on the ring.
#[derive(Clone, Copy, Debug)]
pub struct StrengthAware {
    /// Tasks at or below which a node acts whatever its strength.
    pub threshold: u32,
    /// Ticks between two rounds of the strategy.
    pub interval: u32,
    /// Number of points looked up.
    pub probes: usize,
}

/// The width of the window, as a power of two of the part of an arc.
const WINDOW: u32 = 4;

impl<T: Tasks> Balancing<T> for StrengthAware {
    fn act(&mut self, network: &mut TickNetwork<T>, host: u32) {
        let me = network.host(host);
        let (main, rate) = (me.main, me.rate);
        let soon = (rate * self.interval - 1).max(self.threshold);
        if network.load(host) > soon || !network.can_inject(main) {
            return;
        }
        let mut best: Option<(u32, f64)> = None;
        for _ in 0..self.probes {
            let point = network.identities.random_id();
            network.look_up();
            let place = network.ring.owner(point);
            let other = network.ring.place(place).host;
            let time = f64::from(network.load(other)) / f64::from(network.host(other).rate);
            if best.is_none_or(|(_, most)| time > most) {
                best = Some((place, time));
            }
        }
        let Some((place, time)) = best else {
            return;
        };
        let other = network.ring.place(place).host;
        // Less than what is done before the next round is not worth a Sybil.
        if other == host || time <= f64::from(self.interval) {
            return;
        }
        let other_rate = network.host(other).rate;
        let arc = network.arc(place);
        if let Some(window) = window(arc, rate, other_rate)
            && let Some(id) = network.identities.within(window)
        {
            network.inject(main, id);
        }
    }
}

/// The range of `arc` in which a new node of strength `mine` divides it with its owner of strength
/// `theirs`.
fn window(arc: Arc, mine: u32, theirs: u32) -> Option<Arc> {
    let (mine, theirs) = (u128::from(mine), u128::from(theirs));
    let inner = arc.width() - 1;
    let centre = inner * mine / (mine + theirs);
    let half = inner >> (WINDOW + 1);
    let low = centre.saturating_sub(half);
    let high = (centre + half).min(inner);
    (low + 1 < high).then(|| Arc {
        after: arc.after.wrapping_add(low as u64),
        to: arc.after.wrapping_add(high as u64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arc_is_divided_by_strength() {
        let arc = Arc {
            after: u64::MAX - 99_999,
            to: 60_000,
        };
        for (mine, theirs, part) in [(1, 1, 0.5), (4, 1, 0.8), (1, 4, 0.2)] {
            let window = window(arc, mine, theirs).expect("wide enough");
            let at = |point: u64| point.wrapping_sub(arc.after) as f64 / arc.width() as f64;
            let (low, high) = (at(window.after), at(window.to));
            assert!((0.5 * (low + high) - part).abs() < 1e-3, "{low} {high}");
            assert!((high - low - 1.0 / 16.0).abs() < 1e-3, "{low} {high}");
        }
        let narrow = Arc { after: 5, to: 6 };
        assert_eq!(window(narrow, 1, 1), None);
    }
}
