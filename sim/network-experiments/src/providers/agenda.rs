//! When the operations of a run begin.

use super::{CensorshipParameters, ProviderWorkload};
use dhtlab_core::engine::{Duration, Instant};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// The holders of all records are looked at.
    Look,
    /// A crawl begins.
    Crawl,
    /// The Sybils of the content with this number join.
    Attack(u64),
    /// The attacked content with this number is provided.
    ProvideAttacked(u64),
    /// Its providers are searched.
    FindAttacked(u64),
    /// Its Sybils stop.
    EndAttack(u64),
    /// A content is provided.
    Provide(u64),
    /// The providers of a content are searched.
    Find(u64),
}

/// All acts between `from` and `from + measure`, in order of time.
pub(super) fn agenda(
    workload: &ProviderWorkload,
    censorship: &CensorshipParameters,
    (from, measure): (Instant, Duration),
) -> Vec<(Instant, Act)> {
    let mut acts = Vec::new();
    let nanos = measure.as_nanos();
    let at = |number: u64, count: u64, half: u64, phase: Duration| {
        let part = (2 * u128::from(number) + u128::from(half)) * u128::from(phase.as_nanos());
        from + Duration::from_nanos((part / (2 * u128::from(count))) as u64)
    };
    let phase = workload.provide_phase.unwrap_or(measure).min(measure);
    for number in 0..workload.provides {
        let time = at(number, workload.provides, 0, phase);
        acts.push((time, Act::Provide(number)));
    }
    for number in 0..workload.finds {
        let time = at(number, workload.finds, 1, measure);
        acts.push((time, Act::Find(number)));
    }
    let lasts = censorship.lasts();
    let room = Duration::from_nanos(nanos.saturating_sub(lasts.as_nanos()));
    for number in 0..censorship.contents {
        let start = from + Duration::from_nanos(room.as_nanos() / censorship.contents * number);
        acts.push((start, Act::Attack(number)));
        let provided = start + censorship.wait;
        acts.push((provided, Act::ProvideAttacked(number)));
        acts.push((provided + censorship.patience, Act::FindAttacked(number)));
        acts.push((start + lasts, Act::EndAttack(number)));
    }
    for (period, first, act) in [
        (workload.survival, workload.survival.span(), Act::Look),
        (workload.crawl, Some(Duration::ZERO), Act::Crawl),
    ] {
        let (Some(period), Some(first)) = (period.span(), first) else {
            continue;
        };
        let mut time = from + first;
        while time <= from + measure {
            acts.push((time, act));
            time = time + period;
        }
    }
    acts.sort_unstable();
    acts
}
