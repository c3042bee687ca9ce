//! Messages to send, as few as possible: entries to one node for one purpose share a message.

use super::{Item, Names, ReplicationMessage};
use crate::overlay::{NextHop, Node};
use crate::space::Key;

/// Messages to send, with their receivers.
pub type Outbox<I> = Vec<(Node, ReplicationMessage<I>)>;

/// Adds to the first message for `to` that `place` accepts, or to a new one.
fn add<I, T>(
    outbox: &mut Outbox<I>,
    to: Node,
    one: T,
    place: impl Fn(&mut ReplicationMessage<I>) -> Option<&mut Vec<T>>,
    new: impl FnOnce(Vec<T>) -> ReplicationMessage<I>,
) {
    let mut theirs = outbox.iter_mut().filter(|(node, _)| *node == to);
    match theirs.find_map(|(_, replication)| place(replication)) {
        Some(list) => list.push(one),
        None => outbox.push((to, new(vec![one]))),
    }
}

/// The node to which an item is forwarded, and whether it is considered the root; `None` if the
/// item stays here.
pub(super) fn forward_to(next: NextHop) -> Option<(Node, bool)> {
    match next {
        NextHop::Root => None,
        NextHop::Last(next) => Some((next, true)),
        NextHop::Next(next) => Some((next, false)),
    }
}

/// Adds an item that goes to its root by way of `to`, with a `holder` of copies, if there is one;
/// `last` if `to` is considered the root.
pub(super) fn take<I: Item>(
    outbox: &mut Outbox<I>,
    (to, last): (Node, bool),
    holder: Option<Node>,
    key: Key,
    item: I,
) {
    add(
        outbox,
        to,
        (key, item),
        |replication| match replication {
            ReplicationMessage::Take {
                items,
                holder: theirs,
                last: theirs_last,
            } if *theirs == holder && *theirs_last == last => Some(items),
            _ => None,
        },
        |items| ReplicationMessage::Take {
            items,
            holder,
            last,
        },
    );
}

/// Adds the name of an item that its root may request from `holder`; `to` and `last` as in
/// [`take`].
pub(super) fn offer<I: Item>(
    outbox: &mut Outbox<I>,
    (to, last): (Node, bool),
    holder: Node,
    name: (Key, u64),
) {
    add(
        outbox,
        to,
        name,
        |replication| match replication {
            ReplicationMessage::Offer {
                names,
                holder: theirs,
                last: theirs_last,
            } if *theirs == holder && *theirs_last == last => Some(names),
            _ => None,
        },
        |names: Names| ReplicationMessage::Offer {
            names,
            holder,
            last,
        },
    );
}

/// Adds an item that this node owns and of which `to` is to hold a replica.
pub(super) fn copy<I: Item>(outbox: &mut Outbox<I>, to: Node, key: Key, item: &I) {
    add(
        outbox,
        to,
        (key, item.clone()),
        |replication| match replication {
            ReplicationMessage::Copy(items) => Some(items),
            _ => None,
        },
        ReplicationMessage::Copy,
    );
}

/// Adds the name of such an item: `to` requests it if it lacks it.
pub(super) fn hold<I: Item>(outbox: &mut Outbox<I>, to: Node, name: (Key, u64)) {
    add(
        outbox,
        to,
        name,
        |replication| match replication {
            ReplicationMessage::Hold(names) => Some(names),
            _ => None,
        },
        ReplicationMessage::Hold,
    );
}

/// Whether the last replica named to `to` is that of `key`.
pub(super) fn is_last_named<I: Item>(outbox: &Outbox<I>, to: Node, key: &Key) -> bool {
    let theirs = outbox.iter().filter(|(node, _)| *node == to);
    let mut lasts = theirs.filter_map(|(_, replication)| match replication {
        ReplicationMessage::Copy(items) => items.last().map(|(key, _)| key),
        ReplicationMessage::Hold(names) => names.last().map(|(key, _)| key),
        _ => None,
    });
    lasts.any(|last| last == key)
}

/// Requests the item with `key`, which `to` has named.
pub(super) fn want<I: Item>(outbox: &mut Outbox<I>, to: Node, key: Key) {
    add(
        outbox,
        to,
        key,
        |replication| match replication {
            ReplicationMessage::Want(keys) => Some(keys),
            _ => None,
        },
        ReplicationMessage::Want,
    );
}

/// Allows `to` to delete its replica of `key`, since other nodes hold the replicas.
pub(super) fn release<I: Item>(outbox: &mut Outbox<I>, to: Node, key: Key) {
    add(
        outbox,
        to,
        key,
        |replication| match replication {
            ReplicationMessage::Release(keys) => Some(keys),
            _ => None,
        },
        ReplicationMessage::Release,
    );
}

/// Confirms to the owner `to` that this node has a replica of `key`.
pub(super) fn have<I: Item>(outbox: &mut Outbox<I>, to: Node, key: Key) {
    add(
        outbox,
        to,
        key,
        |replication| match replication {
            ReplicationMessage::Have(keys) => Some(keys),
            _ => None,
        },
        ReplicationMessage::Have,
    );
}

/// Informs the replica holder `to` that this node no longer owns `key`.
pub(super) fn renounce<I: Item>(outbox: &mut Outbox<I>, to: Node, key: Key) {
    add(
        outbox,
        to,
        key,
        |replication| match replication {
            ReplicationMessage::Renounce(keys) => Some(keys),
            _ => None,
        },
        ReplicationMessage::Renounce,
    );
}
