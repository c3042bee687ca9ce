//! The numbers of the fingers and where they begin.

use crate::parameter::{ParameterValue, Range, Value, ValueError, ValueKind};
use crate::space::Key;

/// The base b of the fingers: they begin at the distances j b^i, for each i and each j from 1 to
/// b - 1, and are numbered in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// log2 b.
    bits: u32,
}

/// The largest base, as in Li et al. (INFOCOM 2005).
const LARGEST: u32 = 128;

impl Base {
    /// Base 2: 160 fingers, at the distances 2^i.
    pub const TWO: Self = Self { bits: 1 };

    /// Base `b`; `None` unless it is a power of 2 from 2 to 128.
    pub fn new(b: u32) -> Option<Self> {
        let valid = (2..=LARGEST).contains(&b) && b.is_power_of_two();
        valid.then(|| Self { bits: b.ilog2() })
    }

    /// Fingers with the same i.
    fn digits(self) -> u32 {
        (1 << self.bits) - 1
    }

    /// The number of fingers.
    pub(super) fn fingers(self) -> u16 {
        self.first_from(Key::BITS)
    }

    /// The first finger that begins at a distance of 2^`bit` or more.
    pub(super) fn first_from(self, bit: u32) -> u16 {
        let (i, rest) = (bit / self.bits, bit % self.bits);
        (i * self.digits() + (1 << rest) - 1) as u16
    }

    /// The distance at which `finger` begins.
    pub(super) fn start(self, finger: u16) -> Key {
        let (i, digit) = (
            u32::from(finger) / self.digits(),
            u32::from(finger) % self.digits() + 1,
        );
        Key::shifted(digit, self.bits * i)
    }

    /// The last finger that begins at `ahead` or before; `None` if that is 0.
    pub(super) fn finger_of(self, ahead: &Key) -> Option<u16> {
        let i = ahead.log2()? / self.bits;
        let high = Key::BITS - self.bits * i;
        let skip = high.saturating_sub(self.bits);
        Some((i * self.digits() + ahead.bits(skip, high - skip) - 1) as u16)
    }

    /// The first finger that begins beyond `reach`.
    pub(super) fn first_beyond(self, reach: &Key) -> u16 {
        self.finger_of(reach).map_or(0, |finger| finger + 1)
    }

    /// Fingers per doubling of the distance.
    pub(super) fn per_doubling(self) -> f64 {
        f64::from(self.digits()) / f64::from(self.bits)
    }

    /// Mean hops of a lookup per doubling of the number of nodes: a digit takes no hop if it is 0.
    pub(super) fn hops_per_doubling(self) -> f64 {
        let digits = f64::from(self.digits());
        digits / (digits + 1.0) / f64::from(self.bits)
    }
}

impl ParameterValue for Base {
    fn kind() -> ValueKind {
        ValueKind::Integer
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        let b = u32::from_value(value)?;
        if !(2..=LARGEST).contains(&b) {
            return Err(None);
        }
        let expected = || format!("expected a power of 2 from 2 to {LARGEST}, found {b}");
        Self::new(b).ok_or_else(|| Some(expected()))
    }

    fn to_value(&self) -> Option<Value> {
        Some(Value::Integer(1 << self.bits))
    }

    fn bounds() -> Option<Range> {
        Some((2..=LARGEST).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fingers_are_numbered_by_their_distance() {
        for bits in 1..=7 {
            let base = Base { bits };
            let b = 1 << bits;
            assert_eq!(Base::new(b), Some(base));
            assert_eq!(base.start(0), Key::power_of_two(0));
            assert_eq!(base.start((b - 1) as u16), Key::power_of_two(bits));
            for finger in 1..base.fingers() {
                assert!(base.start(finger - 1) < base.start(finger));
            }
            let last = base.start(base.fingers() - 1);
            assert_eq!(last.log2(), Some(159));
        }
        assert_eq!(Base::TWO.fingers(), 160);
        assert_eq!([0, 1, 3, 24, 256].map(Base::new), [None; 5]);
    }

    proptest! {
        #[test]
        fn a_distance_is_between_two_starts(
            bits in 1u32..=7,
            bytes in any::<[u8; 20]>(),
            zeros in 0usize..20,
        ) {
            let base = Base { bits };
            let mut bytes = bytes;
            bytes[..zeros].fill(0);
            let ahead = Key::from_bytes(bytes);
            let next = base.first_beyond(&ahead);
            if let Some(finger) = base.finger_of(&ahead) {
                prop_assert!(base.start(finger) <= ahead);
                prop_assert_eq!(finger + 1, next);
            }
            prop_assert!(next == base.fingers() || ahead < base.start(next));
        }

        #[test]
        fn fingers_from_a_bit_begin_there(bits in 1u32..=7, bit in 0u32..160) {
            let base = Base { bits };
            prop_assert_eq!(base.start(base.first_from(bit)), Key::power_of_two(bit));
        }
    }
}
