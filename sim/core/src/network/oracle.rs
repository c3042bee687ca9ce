//! Global knowledge: the only module that sees every node. It builds converged networks and checks
//! answers. Protocols must not call it.

use super::observer::Signal;
use super::{Network, NetworkState};
use crate::engine::Stream;
use crate::overlay::{Application, GroundTruth, MemberIndex, Node, RootIndex};
use crate::space::Key;

/// Whether the structure of the protocol is intact, if it has one: on a ring, every member's first
/// successor is the next member. `None` also without members.
pub fn is_intact<P: GroundTruth, A: Application>(network: &NetworkState<P, A>) -> Option<bool> {
    let intact = P::is_intact(&network.shared, &network.member_index, &network.nodes);
    intact.filter(|_| !network.members().is_empty())
}

/// Fills `network` with nodes with `ids` on `sites` in the converged state of the protocol, and
/// starts their maintenance. The network must be empty.
pub fn populate_converged<P: GroundTruth, A: Application>(
    network: &mut Network<P, A>,
    ids: &[Key],
    sites: &[u32],
) {
    let members = add_members(network, ids, sites);
    // Frees the new nodes' states before building the converged ones: a million need much memory.
    network.state.nodes = Vec::new();
    network.state.nodes = P::converged(
        &network.state.shared,
        &network.state.ids,
        &members,
        &mut network.handlers.random,
    );
    if P::chooses_near(&network.state.shared) {
        let mut nodes = std::mem::take(&mut network.state.nodes);
        let (state, distances) = (&network.state, &mut network.wire.distances);
        let slot = |node: Node| state.node_meta[node.index()].slot;
        P::choose_near(
            &mut nodes,
            &state.shared,
            &state.ids,
            &state.member_index,
            &mut |from, to| distances.between(slot(from), slot(to)).latency,
        );
        network.state.nodes = nodes;
    }
    start(network, &members);
}

/// Fills `network` with nodes with `ids` on `sites`, each of which knows `contacts` others, drawn
/// from `stream`, and starts their maintenance. Returns false if the protocol does not find its
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
        // Any node but itself; a repeated draw only means one contact fewer.
        let mut known: Vec<Node> = (0..contacts.min(members.len() - 1))
            .map(|_| (node.index() + 1 + stream.index(members.len() - 1)) % members.len())
            .map(|place| members[place])
            .collect();
        known.sort_unstable();
        known.dedup();
        let random = &mut network.handlers.random[node.index()];
        let state = P::with_contacts(
            &network.state.shared,
            &network.state.ids,
            *node,
            &known,
            random,
        );
        match state {
            Some(state) => network.state.nodes[node.index()] = state,
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
        let state = P::new(&network.state.shared, id);
        network.register(*id, *site, state)
    };
    let members: Vec<Node> = ids.iter().zip(sites).map(newcomer).collect();
    network.state.member_index = MemberIndex::new(&network.state.ids, &members);
    for node in &members {
        network.state.node_meta[node.index()].member = true;
    }
    network.signal(Signal::MembersChanged);
    members
}

fn start<P: GroundTruth, A: Application>(network: &mut Network<P, A>, members: &[Node]) {
    for node in members {
        let state = &network.state.nodes[node.index()];
        network
            .state
            .index
            .enter(&network.state.shared, *node, state);
    }
    for node in members {
        network.with_node(*node, |state, context| state.maintain(context));
    }
    for node in members {
        network.upcall(*node, |application, context| application.start(context));
    }
}
