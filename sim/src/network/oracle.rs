//! The one place that may look at every node at once: it builds converged networks and judges
//! answers. No protocol may call it.

use super::Network;
use crate::engine::Stream;
use crate::overlay::{Application, GroundTruth, MemberIndex, Node, RootIndex};
use crate::space::Key;

/// The node that is truly the root of `key` at this moment.
pub fn root<P: GroundTruth, A: Application>(network: &Network<P, A>, key: &Key) -> Option<Node> {
    P::root(
        &network.shared,
        &network.member_index,
        &network.nodes,
        &network.index,
        key,
    )
}

/// Whether the structure that the protocol rests on is whole, if it has one: on a ring, every
/// member's first successor is the next member.
pub fn is_intact<P: GroundTruth, A: Application>(network: &Network<P, A>) -> Option<bool> {
    P::is_intact(&network.shared, &network.member_index, &network.nodes)
}

/// Puts nodes with `ids` on `sites` into `network` as if its protocol had run for long enough,
/// and starts their maintenance. The network must be empty.
pub fn populate_converged<P: GroundTruth, A: Application>(
    network: &mut Network<P, A>,
    ids: &[Key],
    sites: &[u32],
) {
    let members = add_members(network, ids, sites);
    // The states of newcomers go before the others come: a million of them take room.
    network.nodes = Vec::new();
    network.nodes = P::converged(&network.shared, &network.ids, &members, &mut network.random);
    start(network, &members);
}

/// Puts nodes with `ids` on `sites` into `network`, each of which knows `contacts` others,
/// drawn from `stream`, and starts their maintenance; false if the protocol does not find its
/// peers from such a start. The network must be empty.
pub fn populate_random<P: GroundTruth, A: Application>(
    network: &mut Network<P, A>,
    ids: &[Key],
    sites: &[u32],
    contacts: usize,
    mut stream: Stream,
) -> bool {
    let members = add_members(network, ids, sites);
    for node in &members {
        // Any draw but the node itself; a double draw only makes one contact fewer.
        let mut known: Vec<Node> = (0..contacts.min(members.len() - 1))
            .map(|_| (node.index() + 1 + stream.index(members.len() - 1)) % members.len())
            .map(|place| members[place])
            .collect();
        known.sort_unstable();
        known.dedup();
        let random = &mut network.random[node.index()];
        let state = P::with_contacts(&network.shared, &network.ids, *node, &known, random);
        match state {
            Some(state) => network.nodes[node.index()] = state,
            None => return false,
        }
    }
    start(network, &members);
    true
}

fn add_members<P: GroundTruth, A: Application>(
    network: &mut Network<P, A>,
    ids: &[Key],
    sites: &[u32],
) -> Vec<Node> {
    let newcomer = |(id, site): (&Key, &u32)| {
        let state = P::new(&network.shared, id);
        network.register(*id, *site, state)
    };
    let members: Vec<Node> = ids.iter().zip(sites).map(newcomer).collect();
    network.member_index = MemberIndex::new(&network.ids, &members);
    for node in &members {
        network.node_meta[node.index()].member = true;
    }
    network.tally.members(network.now, members.len());
    members
}

fn start<P: GroundTruth, A: Application>(network: &mut Network<P, A>, members: &[Node]) {
    for node in members {
        let state = &network.nodes[node.index()];
        network.index.enter(&network.shared, *node, state);
    }
    for node in members {
        network.with_node(*node, |state, context| state.maintain(context));
    }
    for node in members {
        network.upcall(*node, |application, context| application.start(context));
    }
}
