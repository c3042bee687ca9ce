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
        let mut before = 0;
        let mut journeys = 0;
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
            if subjects.journey.is_some_and(|journey| journey >= journeys) {
                return fault("this journey has not begun");
            }
            if subjects.arrival.is_some_and(|arrival| arrival < event.at) {
                return fault("it arrives before it is sent");
            }
            match &event.what {
                What::Begin { .. } => journeys += 1,
                What::Appear { place: at, .. } | What::Move { place: at, .. } if !place(at) => {
                    return fault("this is no place in this space");
                }
                What::Account { values } if values.len() != self.accounts.len() => {
                    return fault("it has not one value an account");
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
    journey: Option<u32>,
    arrival: Option<u64>,
}

impl<'a> Subjects<'a> {
    fn of(what: &'a What) -> Self {
        match what {
            What::Measure | What::Account { .. } => Self::default(),
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
                journey,
                from,
                to,
                arrival,
            }
            | What::Answer {
                journey,
                from,
                to,
                arrival,
            } => Self {
                nodes: [Some(*from), Some(*to)],
                journey: Some(*journey),
                arrival: Some(*arrival),
                ..Self::default()
            },
            What::Timeout { journey, from, to } => Self {
                nodes: [Some(*from), Some(*to)],
                journey: Some(*journey),
                ..Self::default()
            },
            What::Betray { journey, node, .. } => Self {
                nodes: [Some(*node), None],
                journey: Some(*journey),
                ..Self::default()
            },
            What::End {
                journey,
                node,
                root,
                ..
            } => Self {
                nodes: [*node, *root],
                journey: Some(*journey),
                ..Self::default()
            },
            What::Letter {
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
