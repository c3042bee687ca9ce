//! Messages of load balancing.

use crate::overlay::Node;
use crate::space::Key;

/// Messages about loads.
#[derive(Clone, Copy, Debug)]
pub enum LoadMessage {
    /// Request: number of open tasks on the receiver's host.
    Load,
    /// Reply: that many on the host of that node; without a ring the key of an open task.
    IsLoad(Node, u32, Option<Key>),
    /// The sender is underloaded, with this many open tasks.
    Underloaded(u32),
    /// Request: create a Sybil on this arc, both ends excluded.
    Invitation(Key, Key),
    /// Request of a node with this speed: how long the receiver will be busy.
    BusyTime(Node, f64),
    /// Reply: that many seconds, and the key where a Sybil takes its share.
    Busy(f64, Option<Key>),
    /// Request to the root of this key: number of its open tasks.
    Probe(Node, Key),
    /// Reply.
    Probed {
        /// The key of the request.
        point: Key,
        /// Number of open tasks of this identity.
        open: u32,
        /// The key of the middle one.
        middle: Option<Key>,
        /// On a ring, its arc if no task is open: from the first key, excluded, to the second, included.
        barren: Option<(Key, Key)>,
    },
}

impl LoadMessage {
    /// Bytes beside the header.
    pub fn bytes(self) -> u32 {
        match self {
            Self::Load => 0,
            Self::Underloaded(_) => 4,
            Self::IsLoad(.., None) => 10,
            Self::IsLoad(.., Some(_)) => 30,
            Self::Invitation(..) => 40,
            Self::BusyTime(..) => 14,
            Self::Busy(..) => 28,
            // The key of a routed message is counted with it.
            Self::Probe(..) => 6,
            Self::Probed { middle, barren, .. } => {
                24 + middle.map_or(0, |_| 20) + barren.map_or(0, |_| 40)
            }
        }
    }
}

/// Messages between identities of one host.
#[derive(Clone, Copy, Debug)]
pub enum LocalMessage<T> {
    /// To the first identity: the sender has joined.
    Joined,
    /// To the first identity: the sender has work.
    HasWork,
    /// To another identity: request for a task to execute.
    RequestWork,
    /// To the first identity: the task; `None` if there is none left.
    Assigned(Option<T>),
    /// To another identity: the task that it has lent is executed.
    Done(T),
    /// To another identity: request for its number of open tasks.
    Count,
    /// To the first identity: that number.
    Counted(u32),
    /// To the first identity: that node asks for the load of the host.
    LoadAsked(Node),
    /// To the first identity: that node, with this speed, asks how long the host will be busy.
    BusyTimeAsked(Node, f64),
    /// To another identity: it is dismissed.
    Dismissed,
    /// To the first identity: the dismissed one has got work and stays.
    StillBusy,
}
