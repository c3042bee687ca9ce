//! Checks of the network state for warnings: whether the tables are complete when measuring begins
//! and ends, and whether answers can arrive in time.

use dhtlab_core::engine::Seed;
use dhtlab_core::network::{Network, Placement, oracle};
use dhtlab_core::overlay::{Application, GroundTruth, Start};
use dhtlab_core::space::Key;
use dhtlab_scenario::NetworkScenario;

/// Number of lookups that are tried on the tables.
const WALKS: usize = 200;

/// Number of members from which round trips are checked, and of members to which from each.
const SAMPLE: usize = 32;

/// The warning for incomplete tables when measuring has just `begun` or ended: a network that
/// builds its own tables has not done so yet, or churn has split it.
///
/// Under churn, contacts that have left are normal, and so is a ring with gaps. Lookups that would
/// end at another live node than the root are not.
pub(super) fn not_whole<P: GroundTruth, A: Application>(
    network: &Network<P, A>,
    scenario: &NetworkScenario,
    seed: Seed,
    begun: bool,
) -> Option<String> {
    let members = network.members();
    let has_churn = scenario.churn.is_some();
    let may_be_incomplete = begun && scenario.overlay.start != Start::Converged;
    if !(has_churn || may_be_incomplete) || members.is_empty() {
        return None;
    }
    let mut stream = seed.stream("tables-tried", u64::from(!begun));
    let astray = (0..WALKS).filter(|_| {
        let (from, key) = (
            members[stream.index(members.len())],
            Key::random(&mut stream),
        );
        let root = network.root(&key);
        let reached = network.walk(from, &key).last().copied();
        (reached.is_some() || !has_churn) && (root.is_none() || reached != root)
    });
    let astray = astray.count();
    let is_broken = oracle::is_intact(network) == Some(false);
    (astray > WALKS / 20 || is_broken && !has_churn).then(|| {
        let when = if begun { "began" } else { "ended" };
        let ring = if is_broken { "the ring was not whole" } else { "tables were not whole" };
        let key = if begun || !has_churn { "time.transition" } else { "churn" };
        format!(
            "{key}: when measuring {when}, {ring}: by the tables as they stood, {astray} of {WALKS} \
             random lookups would not have come to the root"
        )
    })
}

/// The note for hosts that got several nodes because a network grew beyond the hosts.
pub(super) fn shared_hosts<P: GroundTruth, A: Application>(
    network: &Network<P, A>,
    scenario: &NetworkScenario,
) -> Option<String> {
    let more = network.participants_beyond_hosts();
    (more > 0 && scenario.overlay.placement == Placement::Distinct).then(|| {
        format!(
            "overlay.placement: distinct hosts ran out: {more} participants that joined later share \
             the host of another one"
        )
    })
}

/// The warning for answers that arrive too late between some members.
pub(super) fn slow_pairs<P: GroundTruth, A: Application>(
    network: &mut Network<P, A>,
    scenario: &NetworkScenario,
    seed: Seed,
) -> Option<String> {
    let members = network.members();
    let timeout = scenario.transport.timeout;
    let mut stream = seed.stream("pairs-looked-at", 0);
    let mut draw = |_| members.get(stream.index(members.len().max(1))).copied();
    let from: Vec<_> = (0..SAMPLE).filter_map(&mut draw).collect();
    let to: Vec<_> = (0..SAMPLE).filter_map(&mut draw).collect();
    let (mut slow, mut pairs) = (0_u32, 0_u32);
    for (from, to) in from
        .iter()
        .flat_map(|from| to.iter().map(move |to| (*from, *to)))
    {
        if from != to {
            let latency = network.path(from, to).latency;
            pairs += 1;
            slow += u32::from(latency + latency > timeout);
        }
    }
    (slow > 0).then(|| {
        format!(
            "transport.timeout: of {pairs} pairs of members that were looked at, {:.1} % have a round trip \
             above the time-out of {timeout}",
            100.0 * f64::from(slow) / f64::from(pairs)
        )
    })
}
