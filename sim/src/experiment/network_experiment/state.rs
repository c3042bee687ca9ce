//! What the state of a network says of what is measured in it: whether its tables were whole when
//! measuring began and ended, and whether answers can come in time.

use crate::engine::Seed;
use crate::network::{Network, oracle};
use crate::overlay::{Application, GroundTruth, Start};
use crate::scenario::NetworkScenario;
use crate::space::Key;

/// Lookups that are tried on the tables.
const WALKS: usize = 200;

/// Members from which round trips are looked at, and members to which from each of them.
const SAMPLE: usize = 32;

/// What is told where the tables are not whole when measuring has just `begun` or ended: a network that has to
/// find itself has not done so yet, or churn has split it.
///
/// Under churn, contacts that have left are normal, and so is a ring with gaps. Lookups that would end at
/// another living node than the root are not.
pub(in crate::experiment) fn not_whole<P: GroundTruth, A: Application>(
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
        let root = oracle::root(network, &key);
        let reached = network.walk(from, &key);
        (reached.is_some() || !has_churn) && (root.is_none() || reached != root)
    });
    let astray = astray.count();
    let is_broken = oracle::is_intact(network) == Some(false);
    (astray > WALKS / 20 || is_broken && !has_churn).then(|| {
        let when = if begun { "began" } else { "ended" };
        let ring = if is_broken { "the ring was not whole" } else { "tables were not whole" };
        format!(
            "time.transition: when measuring {when}, {ring}: by the tables as they stood, {astray} of {WALKS} \
             random lookups would not have come to the root"
        )
    })
}

/// What is told where answers come too late between some members.
pub(in crate::experiment) fn slow_pairs<P: GroundTruth, A: Application>(
    network: &mut Network<P, A>,
    scenario: &NetworkScenario,
    seed: Seed,
) -> Option<String> {
    let members = network.members();
    let timeout = scenario.protocol.timeout();
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
            "overlay.{}.timeout: of {pairs} pairs of members that were looked at, {:.1} % have a round trip \
             above the time-out of {timeout}",
            scenario.overlay.protocol.as_str(),
            100.0 * f64::from(slow) / f64::from(pairs)
        )
    })
}
