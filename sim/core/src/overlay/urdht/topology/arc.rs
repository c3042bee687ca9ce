//! The common part of the topologies on a ring.

use crate::space::{Key, Ring, Space};

/// Candidates in the order in which they follow a node on the ring: their distance ahead and their
/// index.
pub(super) fn clockwise(me: &Key, candidates: &[Key]) -> Vec<(Key, u32)> {
    let mut order: Vec<(Key, u32)> = candidates
        .iter()
        .enumerate()
        .map(|(place, id)| (Ring.distance(me, id), place as u32))
        .collect();
    order.sort_unstable();
    order
}

/// The `ahead` candidates that follow a node and the `behind` before it, nearest first; all if
/// there are not more.
pub(super) fn neighbours(order: &[(Key, u32)], ahead: usize, behind: usize) -> Vec<u32> {
    let ahead = ahead.min(order.len());
    let (next, rest) = order.split_at(ahead);
    let before = rest.iter().rev().take(behind);
    next.iter().chain(before).map(|(_, place)| *place).collect()
}

/// The indices of the `ahead` members that follow the one at index `me`, and of the `behind` before
/// it, nearest first.
pub(super) fn places_around(n: usize, me: usize, ahead: usize, behind: usize) -> Vec<u32> {
    let others = n.saturating_sub(1);
    let ahead = ahead.min(others);
    let behind = behind.min(others - ahead);
    let next = (1..=ahead).map(|step| (me + step) % n);
    let before = (1..=behind).map(|step| (me + n - step) % n);
    next.chain(before).map(|place| place as u32).collect()
}

/// The index of the first of the sorted `ids` at or after `point`, once around the ring.
pub(super) fn first_after(ids: &[Key], point: &Key) -> usize {
    match ids.partition_point(|id| id < point) {
        place if place == ids.len() => 0,
        place => place,
    }
}
