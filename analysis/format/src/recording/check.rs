//! Validates a recording for the player.

use super::{FORMAT, Recording, What};

impl Recording {
    /// Checks that indices are valid, positions have their coordinates and time does not decrease.
    ///
    /// # Errors
    /// The first fault, in words, with the number of its event, if any.
    pub fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            let found = self.format;
            return Err(format!("expected format {FORMAT}, found {found}"));
        }
        if self.others.width == 0 && !self.others.counts.is_empty() {
            return Err("`others` has intervals of no length".to_owned());
        }
        let place = |place: &[f64]| {
            place.len() == self.space.coordinates() && place.iter().all(|x| x.is_finite())
        };
        if let Some(number) = self.keys.iter().position(|key| !place(&key.place)) {
            return Err(format!("key {number} has no place in this space"));
        }
        for (number, entry) in self.peers.iter().enumerate() {
            let mut nodes = entry.peers.iter().chain([&entry.node]);
            if nodes.any(|node| *node as usize >= self.nodes.len()) {
                return Err(format!("peers {number}: there is no such node"));
            }
            if entry.events as usize > self.events.len() {
                return Err(format!("peers {number}: there are not so many events"));
            }
        }
        let mut before = 0;
        let mut routes = 0;
        for (number, event) in self.events.iter().enumerate() {
            let fault = |what: &str| Err(format!("event {number}: {what}"));
            if event.at < before || event.at > self.end {
                return fault("it is out of the order of time");
            }
            before = event.at;
            let subjects = Subjects::of(&event.what);
            let mut nodes = subjects.nodes.iter().flatten();
            if nodes.any(|node| *node as usize >= self.nodes.len()) {
                return fault("there is no such node");
            }
            if subjects
                .keys
                .iter()
                .any(|key| *key as usize >= self.keys.len())
            {
                return fault("there is no such key");
            }
            if subjects.route.is_some_and(|route| route >= routes) {
                return fault("this route has not begun");
            }
            if subjects.arrival.is_some_and(|arrival| arrival < event.at) {
                return fault("it arrives before it is sent");
            }
            match &event.what {
                What::Begin { .. } => routes += 1,
                What::Appear { place: at, .. } | What::Move { place: at, .. } if !place(at) => {
                    return fault("this is no place in this space");
                }
                What::Counters { values } if values.len() != self.counters.len() => {
                    return fault("it has not one value a counter");
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The references of an event.
#[derive(Default)]
struct Subjects<'a> {
    nodes: [Option<u32>; 2],
    keys: &'a [u32],
    route: Option<u32>,
    arrival: Option<u64>,
}

impl<'a> Subjects<'a> {
    fn of(what: &'a What) -> Self {
        match what {
            What::Measure | What::Counters { .. } => Self::default(),
            What::Appear { node, .. }
            | What::Join { node }
            | What::Leave { node }
            | What::Crash { node }
            | What::Move { node, .. } => Self {
                nodes: [Some(*node), None],
                ..Self::default()
            },
            What::Items { node, items, .. } => Self {
                nodes: [Some(*node), None],
                keys: items,
                ..Self::default()
            },
            What::Begin { key, from, .. } => Self {
                nodes: [*from, None],
                keys: std::slice::from_ref(key),
                ..Self::default()
            },
            What::Hop {
                route,
                from,
                to,
                arrival,
            }
            | What::Answer {
                route,
                from,
                to,
                arrival,
            } => Self {
                nodes: [Some(*from), Some(*to)],
                route: Some(*route),
                arrival: Some(*arrival),
                ..Self::default()
            },
            What::Timeout { route, from, to } => Self {
                nodes: [Some(*from), Some(*to)],
                route: Some(*route),
                ..Self::default()
            },
            What::Misbehave { route, node, .. } => Self {
                nodes: [Some(*node), None],
                route: Some(*route),
                ..Self::default()
            },
            What::End {
                route, node, root, ..
            } => Self {
                nodes: [*node, *root],
                route: Some(*route),
                ..Self::default()
            },
            What::Message {
                from, to, arrival, ..
            } => Self {
                nodes: [Some(*from), Some(*to)],
                arrival: Some(*arrival),
                ..Self::default()
            },
            What::Returned { from, to, .. } => Self {
                nodes: [Some(*from), Some(*to)],
                ..Self::default()
            },
        }
    }
}
