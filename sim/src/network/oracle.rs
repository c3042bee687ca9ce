//! The one place that may look at every node at once: it builds converged networks and judges
//! answers. No protocol may call it.

use super::Network;
use crate::engine::Stream;
use crate::overlay::{Application, Census, Index, Node, Omniscient};
use crate::space::Key;

/// The node that is truly the root of `key` at this moment.
pub fn root<P: Omniscient, A: Application>(network: &Network<P, A>, key: &Key) -> Option<Node> {
    P::root(
        &network.shared,
        &network.census,
        &network.nodes,
        &network.index,
        key,
    )
}

/// Whether the structure that the protocol rests on is whole, if it has one: on a ring, every
/// member's first successor is the next member.
pub fn is_intact<P: Omniscient, A: Application>(network: &Network<P, A>) -> Option<bool> {
    P::is_intact(&network.shared, &network.census, &network.nodes)
}

/// Puts nodes with `ids` on `sites` into `network` as if its protocol had run for long enough,
/// and starts their maintenance. The network must be empty.
pub fn settle_converged<P: Omniscient, A: Application>(
    network: &mut Network<P, A>,
    ids: &[Key],
    sites: &[u32],
) {
    let members = newcomers(network, ids, sites);
    // The states of newcomers go before the others come: a million of them take room.
    network.nodes = Vec::new();
    network.nodes = P::converged(&network.shared, &network.ids, &members, &mut network.random);
    start(network, &members);
}

/// Puts nodes with `ids` on `sites` into `network`, each of which knows `contacts` others,
/// drawn from `stream`, and starts their maintenance; false if the protocol does not find its
/// peers from such a start. The network must be empty.
pub fn settle_random<P: Omniscient, A: Application>(
    network: &mut Network<P, A>,
    ids: &[Key],
    sites: &[u32],
    contacts: usize,
    mut stream: Stream,
) -> bool {
    let members = newcomers(network, ids, sites);
    for node in &members {
        // Any draw but the node itself; a double draw only makes one contact fewer.
        let mut known: Vec<Node> = (0..contacts.min(members.len() - 1))
            .map(|_| (node.index() + 1 + stream.index(members.len() - 1)) % members.len())
            .map(|place| members[place])
            .collect();
        known.sort_unstable();
        known.dedup();
        let random = &mut network.random[node.index()];
        let state = P::acquainted(&network.shared, &network.ids, *node, &known, random);
        match state {
            Some(state) => network.nodes[node.index()] = state,
            None => return false,
        }
    }
    start(network, &members);
    true
}

fn newcomers<P: Omniscient, A: Application>(
    network: &mut Network<P, A>,
    ids: &[Key],
    sites: &[u32],
) -> Vec<Node> {
    let newcomer = |(id, site): (&Key, &u32)| {
        let state = P::newcomer(&network.shared, id);
        network.enrol(*id, *site, state)
    };
    let members: Vec<Node> = ids.iter().zip(sites).map(newcomer).collect();
    network.census = Census::new(&network.ids, &members);
    for node in &members {
        network.seats[node.index()].member = true;
    }
    network.tally.members(network.now, members.len());
    members
}

fn start<P: Omniscient, A: Application>(network: &mut Network<P, A>, members: &[Node]) {
    for node in members {
        let state = &network.nodes[node.index()];
        network.index.enter(&network.shared, *node, state);
    }
    for node in members {
        network.turn(*node, |state, context| state.maintain(context));
    }
    for node in members {
        network.upcall(*node, |application, turn| application.start(turn));
    }
}
