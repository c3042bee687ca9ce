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
