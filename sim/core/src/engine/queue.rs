//! The event queue.
//!
//! # Order
//! Events come out by time, and events of the same time in the order of scheduling.
//!
//! # Structure
//! A hierarchy of 256-slot wheels over the 64 bits of the time: hierarchical timing wheels
//! (Varghese and Lauck 1987) with the lazy sorting of the ladder queue (Tang, Goh and Thng 2005).
//! An event waits, unsorted, in the wheel of the highest byte in which its time differs from the
//! *horizon*. When the near future is used up, the first occupied slot is opened: a crowded slot is
//! distributed over finer wheels; a slot of at most [`OPEN`] events is sorted and becomes the near
//! future, and the horizon moves to its end. An event scheduled before the horizon goes to a small
//! heap. So the bucket width follows the density of events; nothing is set by hand.
//!
//! Payloads stay in a slab; only 16-byte keys move.
//!
//! # Cost
//! Nanoseconds per hold (pop the earliest event, schedule a later one) with 300, 10^3, 10^5 and
//! 10^6 pending events, on one core of a shared server, measured by `cargo bench --bench
//! event_queue`:
//!
//! | structure | exponential | messages and timers |
//! |---|---|---|
//! | this queue | 27 / 27 / 63 / 94 | 22 / 25 / 41 / 69 |
//! | binary heap, 16-byte keys | 34 / 35 / 92 / 391 | 32 / 39 / 94 / 264 |
//! | 4-ary heap, 16-byte keys | 26 / 31 / 68 / 250 | 32 / 45 / 81 / 167 |
//! | radix heap | 65 / 67 / 78 / 91 | 59 / 59 / 65 / 70 |
//! | bucket ring, width set by hand | 18 / 18 / 90 / 158 | 19 / 19 / 84 / 149 |
//!
//! The heaps hold bare keys; this queue and the ring carry payloads.

use super::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A slot with at most this many events is sorted whole. Measured: values from 24 to 512 differ
/// little.
const OPEN: usize = 96;
/// Bits of a digit; a wheel has one slot per value. With eight bits most events wait in only one or
/// two slots; six bits need more moves.
const DIGIT: u32 = 8;
const SLOTS: usize = 1 << DIGIT;
const LEVELS: usize = 64 / DIGIT as usize;
/// Words of the bitmap of one wheel, which has one bit per slot.
const WORDS: usize = SLOTS / 64;

/// Bits of a key that hold the index of the payload: 2^28 pending events.
const PLACE_BITS: u32 = 28;
/// Bits of a key that hold the order of scheduling: 2^36 events per run.
const SEQUENCE_BITS: u32 = 64 - PLACE_BITS;

/// Time, order of scheduling, index of the payload: compared as one number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u128);

impl Key {
    fn new(time: u64, sequence: u64, place: u32) -> Self {
        Self(u128::from(time) << 64 | u128::from(sequence << PLACE_BITS | u64::from(place)))
    }
    fn time(self) -> u64 {
        (self.0 >> 64) as u64
    }
    fn place(self) -> usize {
        (self.0 as u64 & ((1 << PLACE_BITS) - 1)) as usize
    }
}

/// Which slots of which wheels hold keys.
#[derive(Default)]
struct Occupied {
    /// One bit per slot.
    words: [[u64; WORDS]; LEVELS],
    /// One bit per nonzero word, the finest wheel lowest.
    summary: u32,
}

impl Occupied {
    fn set(&mut self, level: usize, slot: usize) {
        self.words[level][slot / 64] |= 1 << (slot % 64);
        self.summary |= 1 << (level * WORDS + slot / 64);
    }

    fn clear(&mut self, level: usize, slot: usize) {
        let word = &mut self.words[level][slot / 64];
        *word &= !(1 << (slot % 64));
        if *word == 0 {
            self.summary &= !(1 << (level * WORDS + slot / 64));
        }
    }

    fn has(&self, level: usize, slot: usize) -> bool {
        self.words[level][slot / 64] & (1 << (slot % 64)) != 0
    }

    /// The first occupied slot of the finest wheel that has one.
    fn first(&self) -> Option<(usize, usize)> {
        if self.summary == 0 {
            return None;
        }
        let place = self.summary.trailing_zeros() as usize;
        let (level, word) = (place / WORDS, place % WORDS);
        let bit = self.words[level][word].trailing_zeros() as usize;
        Some((level, 64 * word + bit))
    }
}

/// A priority queue of events of type `E` with a total order.
///
/// ```
/// use dhtlab_core::engine::{EventQueue, Instant, Duration};
///
/// let mut queue = EventQueue::new();
/// let later = Instant::START + Duration::from_secs(2);
/// queue.schedule(later, "second");
/// queue.schedule(later, "third");
/// queue.schedule(Instant::START + Duration::from_secs(1), "first");
/// let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, e)| e).collect();
/// assert_eq!(order, ["first", "second", "third"]);
/// ```
pub struct EventQueue<E> {
    /// Sorted with the next event last.
    near: Vec<Key>,
    /// Events scheduled before the horizon after `near` was sorted.
    late: BinaryHeap<Reverse<Key>>,
    /// No event in a wheel is earlier.
    horizon: u64,
    occupied: Occupied,
    /// The slots of all wheels, the finest first.
    slots: Vec<Vec<Key>>,
    /// The payloads by the index in their keys; `None` at the indices in `free`.
    cells: Vec<Option<E>>,
    free: Vec<u32>,
    sequence: u64,
    /// Reused for its capacity.
    spare: Vec<Key>,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> EventQueue<E> {
    /// An empty queue.
    pub fn new() -> Self {
        Self {
            near: Vec::new(),
            late: BinaryHeap::new(),
            horizon: 0,
            occupied: Occupied::default(),
            slots: (0..LEVELS * SLOTS).map(|_| Vec::new()).collect(),
            cells: Vec::new(),
            free: Vec::new(),
            sequence: 0,
            spare: Vec::new(),
        }
    }

    /// The number of pending events.
    pub fn len(&self) -> usize {
        self.cells.len() - self.free.len()
    }

    /// Whether no event is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Schedules `event` for `time`. Constant time, amortised.
    ///
    /// # Panics
    /// After 2^36 events, or with 2^28 of them pending.
    pub fn schedule(&mut self, time: Instant, event: E) {
        let sequence = self.sequence;
        assert!(
            sequence < 1 << SEQUENCE_BITS,
            "a run has at most 2^36 events"
        );
        self.sequence += 1;
        let place = match self.free.pop() {
            Some(place) => {
                self.cells[place as usize] = Some(event);
                place
            }
            None => {
                assert!(
                    self.cells.len() < 1 << PLACE_BITS,
                    "at most 2^28 events are pending"
                );
                self.cells.push(Some(event));
                (self.cells.len() - 1) as u32
            }
        };
        let key = Key::new(time.as_nanos(), sequence, place);
        if key.time() < self.horizon {
            self.late.push(Reverse(key));
        } else {
            self.put(key);
        }
    }

    /// Removes the next event and returns it with its time; logarithmic in the events of one
    /// bucket, amortised.
    pub fn pop(&mut self) -> Option<(Instant, E)> {
        self.pop_before(Instant::NEVER)
    }

    /// Like [`pop`](Self::pop), but only if the event happens no later than `limit`.
    pub fn pop_before(&mut self, limit: Instant) -> Option<(Instant, E)> {
        let (key, is_late) = loop {
            let near = self.near.last().copied();
            let late = self.late.peek().map(|late| late.0);
            match (near, late) {
                (Some(near), None) => break (near, false),
                (Some(near), Some(late)) if near < late => break (near, false),
                (_, Some(late)) => break (late, true),
                (None, None) => {
                    if !self.advance() {
                        return None;
                    }
                }
            }
        };
        if key.time() > limit.as_nanos() {
            return None;
        }
        if is_late {
            self.late.pop();
        } else {
            self.near.pop();
        }
        self.free.push(key.place() as u32);
        let event = self.cells[key.place()].take()?;
        Some((Instant::from_nanos(key.time()), event))
    }

    /// The event `ahead` positions after the next one, if it is in the near future: a prefetch
    /// hint; a new event may still precede it.
    pub fn upcoming(&self, ahead: usize) -> Option<&E> {
        let place = self.near.len().checked_sub(ahead + 1)?;
        self.cells[self.near[place].place()].as_ref()
    }

    /// Puts a key that is not before the horizon into its wheel.
    fn put(&mut self, key: Key) {
        let (time, digit) = (key.time(), DIGIT as usize);
        let differs = time ^ self.horizon;
        let level = (differs | 1).ilog2() as usize / digit;
        let slot = (time >> (level * digit)) as usize % SLOTS;
        self.occupied.set(level, slot);
        self.slots[level * SLOTS + slot].push(key);
    }

    /// Opens the next occupied slot; false if there is none.
    fn advance(&mut self) -> bool {
        loop {
            let Some((level, slot)) = self.occupied.first() else {
                return false;
            };
            let shift = level as u32 * DIGIT;
            // The slot's digit followed by zeros; the digits above are those of the horizon.
            let above = u64::MAX.checked_shl(shift + DIGIT).unwrap_or(0);
            let start = self.horizon & above | (slot as u64) << shift;
            let crowded = self.slots[level * SLOTS + slot].len() > OPEN;
            if crowded && level > 0 {
                self.horizon = start;
                self.deal_out(level, slot);
                continue;
            }
            self.occupied.clear(level, slot);
            std::mem::swap(&mut self.near, &mut self.slots[level * SLOTS + slot]);
            self.near.sort_unstable_by(|a, b| b.cmp(a));
            match start.checked_add(1 << shift) {
                Some(end) => self.move_horizon(end),
                // The very last slot of time: everything else goes to `late`.
                None => self.horizon = u64::MAX,
            }
            return true;
        }
    }

    /// Moves the horizon to `end`, the end of a slot, and distributes the slots of higher wheels
    /// that begin there.
    fn move_horizon(&mut self, end: u64) {
        self.horizon = end;
        for level in 1..LEVELS {
            let shift = level as u32 * DIGIT;
            if end & ((1 << shift) - 1) != 0 {
                break;
            }
            let slot = (end >> shift) as usize % SLOTS;
            if self.occupied.has(level, slot) {
                self.deal_out(level, slot);
            }
        }
    }

    /// Puts the keys of a slot that begins at the horizon into finer wheels.
    fn deal_out(&mut self, level: usize, slot: usize) {
        self.occupied.clear(level, slot);
        let spare = std::mem::take(&mut self.spare);
        let mut keys = std::mem::replace(&mut self.slots[level * SLOTS + slot], spare);
        for key in keys.drain(..) {
            self.put(key);
        }
        self.spare = keys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Schedule(u64),
        Pop,
        PopBefore(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        // Spans of every magnitude, so that all wheels, ties and carries occur.
        let span = (0u32..60, any::<u64>()).prop_map(|(bits, x)| x & ((1u64 << bits) - 1));
        let step = prop_oneof![
            5 => span.clone().prop_map(Step::Schedule),
            4 => Just(Step::Pop),
            1 => span.prop_map(Step::PopBefore),
        ];
        prop::collection::vec(step, 0..2000)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Every step gives the same result as a sorted list.
        #[test]
        fn agrees_with_a_sorted_list(steps in steps()) {
            let mut queue = EventQueue::new();
            let mut model = std::collections::BTreeMap::new();
            let mut now = 0u64;
            for (n, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Schedule(span) => {
                        let time = now.saturating_add(span);
                        queue.schedule(Instant::from_nanos(time), n);
                        model.insert((time, n), n);
                    }
                    Step::Pop | Step::PopBefore(_) => {
                        let limit = match step {
                            Step::PopBefore(span) => now.saturating_add(span),
                            _ => u64::MAX,
                        };
                        let expected = model.first_key_value().map(|(k, _)| *k);
                        let expected = expected.filter(|(time, _)| *time <= limit);
                        let popped = queue.pop_before(Instant::from_nanos(limit));
                        let popped = popped.map(|(time, n)| (time.as_nanos(), n));
                        prop_assert_eq!(popped, expected);
                        if let Some(key) = expected {
                            model.remove(&key);
                            now = key.0;
                        }
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }

    #[test]
    fn many_events_of_one_moment_keep_their_order() {
        let mut queue = EventQueue::new();
        let moment = Instant::from_nanos(123_456_789);
        for n in 0..50_000 {
            queue.schedule(moment, n);
        }
        for n in 0..50_000 {
            assert_eq!(queue.pop(), Some((moment, n)));
            queue.schedule(moment, 50_000 + n);
        }
        assert_eq!(queue.len(), 50_000);
    }
}
