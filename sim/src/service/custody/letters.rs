//! What others are to be told, in as few messages as possible: what goes to one node for one
//! purpose goes together.

use super::{Custody, Item, Names};
use crate::overlay::{NextHop, Node};
use crate::space::Key;

/// What others are to be told.
pub type Letters<I> = Vec<(Node, Custody<I>)>;

/// Adds to the first message for `to` in which `place` finds room, or else to a new one.
fn add<I, T>(
    letters: &mut Letters<I>,
    to: Node,
    one: T,
    place: impl Fn(&mut Custody<I>) -> Option<&mut Vec<T>>,
    new: impl FnOnce(Vec<T>) -> Custody<I>,
) {
    let mut theirs = letters.iter_mut().filter(|(node, _)| *node == to);
    match theirs.find_map(|(_, custody)| place(custody)) {
        Some(list) => list.push(one),
        None => letters.push((to, new(vec![one]))),
    }
}

/// Where an item goes from here: to which node, and whether that is held to be the root; `None`
/// if it stays.
pub(super) fn onward(next: NextHop) -> Option<(Node, bool)> {
    match next {
        NextHop::Root => None,
        NextHop::Last(next) => Some((next, true)),
        NextHop::Next(next) => Some((next, false)),
    }
}

pub(super) fn take<I: Item>(
    letters: &mut Letters<I>,
    (to, last): (Node, bool),
    holder: Option<Node>,
    key: Key,
    item: I,
) {
    add(
        letters,
        to,
        (key, item),
        |custody| match custody {
            Custody::Take {
                items,
                holder: theirs,
                last: theirs_last,
            } if *theirs == holder && *theirs_last == last => Some(items),
            _ => None,
        },
        |items| Custody::Take {
            items,
            holder,
            last,
        },
    );
}

pub(super) fn offer<I: Item>(
    letters: &mut Letters<I>,
    (to, last): (Node, bool),
    holder: Node,
    name: (Key, u64),
) {
    add(
        letters,
        to,
        name,
        |custody| match custody {
            Custody::Offer {
                names,
                holder: theirs,
                last: theirs_last,
            } if *theirs == holder && *theirs_last == last => Some(names),
            _ => None,
        },
        |names: Names| Custody::Offer {
            names,
            holder,
            last,
        },
    );
}

pub(super) fn copy<I: Item>(letters: &mut Letters<I>, to: Node, key: Key, item: &I) {
    add(
        letters,
        to,
        (key, item.clone()),
        |custody| match custody {
            Custody::Copy(items) => Some(items),
            _ => None,
        },
        Custody::Copy,
    );
}

pub(super) fn hold<I: Item>(letters: &mut Letters<I>, to: Node, name: (Key, u64)) {
    add(
        letters,
        to,
        name,
        |custody| match custody {
            Custody::Hold(names) => Some(names),
            _ => None,
        },
        Custody::Hold,
    );
}

/// Whether the last that `to` is told of copies that it holds or is to hold is of `key`.
pub(super) fn is_told<I: Item>(letters: &Letters<I>, to: Node, key: &Key) -> bool {
    let theirs = letters.iter().filter(|(node, _)| *node == to);
    let mut lasts = theirs.filter_map(|(_, custody)| match custody {
        Custody::Copy(items) => items.last().map(|(key, _)| key),
        Custody::Hold(names) => names.last().map(|(key, _)| key),
        _ => None,
    });
    lasts.any(|last| last == key)
}

pub(super) fn want<I: Item>(letters: &mut Letters<I>, to: Node, key: Key) {
    add(
        letters,
        to,
        key,
        |custody| match custody {
            Custody::Want(keys) => Some(keys),
            _ => None,
        },
        Custody::Want,
    );
}

pub(super) fn release<I: Item>(letters: &mut Letters<I>, to: Node, key: Key) {
    add(
        letters,
        to,
        key,
        |custody| match custody {
            Custody::Release(keys) => Some(keys),
            _ => None,
        },
        Custody::Release,
    );
}

pub(super) fn have<I: Item>(letters: &mut Letters<I>, to: Node, key: Key) {
    add(
        letters,
        to,
        key,
        |custody| match custody {
            Custody::Have(keys) => Some(keys),
            _ => None,
        },
        Custody::Have,
    );
}

pub(super) fn disown<I: Item>(letters: &mut Letters<I>, to: Node, key: Key) {
    add(
        letters,
        to,
        key,
        |custody| match custody {
            Custody::Disown(keys) => Some(keys),
            _ => None,
        },
        Custody::Disown,
    );
}
