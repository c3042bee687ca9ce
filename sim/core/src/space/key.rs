//! Keys and node IDs: 160 bits, the length of SHA-1.

use crate::parameter::Value;
use crate::parameter::{ParameterValue, ValueError, ValueKind};
use rand::Rng;
use sha1::{Digest, Sha1};
use std::cmp::Ordering;
use std::fmt;

/// A key, or the ID of a node: an integer modulo 2^160.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Key([u32; 5]);

/// As an integer. Most keys differ in their first bits: these are compared at once.
impl Ord for Key {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let rest = || self.0[2..].cmp(&other.0[2..]);
        self.prefix().cmp(&other.prefix()).then_with(rest)
    }
}

impl PartialOrd for Key {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Key {
    /// The number of bits.
    pub const BITS: u32 = 160;

    /// The key with the given 20 bytes, the most significant first.
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        let word = |i: usize| {
            u32::from_be_bytes([
                bytes[4 * i],
                bytes[4 * i + 1],
                bytes[4 * i + 2],
                bytes[4 * i + 3],
            ])
        };
        Self(std::array::from_fn(word))
    }

    /// Its 20 bytes, the most significant first.
    pub fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(self.0) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// The SHA-1 of `data`.
    pub fn sha1(data: &[u8]) -> Self {
        Self::from_bytes(Sha1::digest(data).into())
    }

    /// A key drawn uniformly.
    pub fn random(stream: &mut impl Rng) -> Self {
        Self(std::array::from_fn(|_| stream.next_u32()))
    }

    /// The key 2^`bit`.
    pub fn power_of_two(bit: u32) -> Self {
        Self::shifted(1, bit)
    }

    /// The key `value` 2^`bit`, modulo 2^160.
    pub fn shifted(value: u32, bit: u32) -> Self {
        let mut words = [0; 5];
        let word = 4 - (bit / 32) as usize;
        let two = u64::from(value) << (bit % 32);
        words[word] = two as u32;
        if word > 0 {
            words[word - 1] = (two >> 32) as u32;
        }
        Self(words)
    }

    /// The key 2^160 `numerator` / `denominator`, rounded down; the fraction must be below 1.
    pub fn fraction(numerator: u32, denominator: u32) -> Self {
        debug_assert!(numerator < denominator);
        let mut rest = u64::from(numerator);
        Self(std::array::from_fn(|_| {
            let value = rest << 32;
            rest = value % u64::from(denominator);
            (value / u64::from(denominator)) as u32
        }))
    }

    /// Its 32-bit words, the most significant first.
    pub const fn words(self) -> [u32; 5] {
        self.0
    }

    /// Its 64 most significant bits.
    pub fn prefix(self) -> u64 {
        u64::from(self.0[0]) << 32 | u64::from(self.0[1])
    }

    /// The index of its highest set bit, `None` for zero.
    pub fn log2(self) -> Option<u32> {
        let word = self.0.iter().position(|w| *w != 0)?;
        Some(32 * (4 - word as u32) + self.0[word].ilog2())
    }

    /// The `count` <= 32 bits after its `skip` most significant ones; bits below the last bit of
    /// the key count as 0.
    pub fn bits(self, skip: u32, count: u32) -> u32 {
        let word = |i: u32| u64::from(self.0.get(i as usize).copied().unwrap_or(0));
        let first = skip / 32;
        let two = word(first) << 32 | word(first + 1);
        (two >> (64 - count - skip % 32)) as u32 & ((1u64 << count) - 1) as u32
    }

    /// Its `count` least significant bits; the others are 0.
    pub fn low_bits(self, count: u32) -> Self {
        Self(std::array::from_fn(|i| {
            let kept = count.saturating_sub(32 * (4 - i as u32)).min(32);
            self.0[i] & ((1u64 << kept) - 1) as u32
        }))
    }

    /// Half of the key, rounded down.
    pub fn half(self) -> Self {
        let (high, low) = self.split();
        Self::join(high >> 1, low >> 1 | (high as u32 & 1) << 31)
    }

    /// The sum modulo 2^160.
    pub fn wrapping_add(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.split(), other.split());
        let (low, carry) = b.overflowing_add(d);
        Self::join(a.wrapping_add(c).wrapping_add(carry.into()), low)
    }

    /// The difference modulo 2^160: the clockwise distance from `other` to this key.
    pub fn wrapping_sub(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.split(), other.split());
        let (low, borrow) = b.overflowing_sub(d);
        Self::join(a.wrapping_sub(c).wrapping_sub(borrow.into()), low)
    }

    /// Whether it is on the arc clockwise from `after` to `before`, both ends excluded; the arc
    /// from a key to itself is the whole ring without that key.
    pub fn is_between(self, after: Self, before: Self) -> bool {
        if after < before {
            after < self && self < before
        } else {
            after < self || self < before
        }
    }

    /// A key drawn uniformly from the arc clockwise from `after` to `before`, both ends excluded;
    /// `None` if the arc is empty.
    pub fn random_between(after: Self, before: Self, stream: &mut impl Rng) -> Option<Self> {
        let width = before.wrapping_sub(after);
        // From a key to itself the arc is the whole ring, of length 2^160.
        let bits = width.log2().map_or(Self::BITS, |bit| bit + 1);
        if width == Self::power_of_two(0) {
            return None;
        }
        loop {
            let step = Self::random(stream).low_bits(bits);
            let key = after.wrapping_add(step);
            if key != after && key.is_between(after, before) && (step < width || after == before) {
                return Some(key);
            }
        }
    }

    /// The bits in which the two differ.
    pub fn xor(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] ^ other.0[i]))
    }

    /// The number of leading bits that the two have in common; [`Self::BITS`] if they are equal.
    pub fn common_prefix(self, other: Self) -> u32 {
        let differ = self.xor(other).log2();
        differ.map_or(Self::BITS, |bit| Self::BITS - 1 - bit)
    }

    /// A key drawn uniformly from those that share the first `bits` bits with this one, or more.
    pub fn random_with_prefix(self, bits: u32, stream: &mut impl Rng) -> Self {
        self.xor(Self::random(stream).low_bits(Self::BITS - bits))
    }

    /// A key drawn uniformly from those that share exactly the first `bits` < 160 bits with this one.
    pub fn random_with_exact_prefix(self, bits: u32, stream: &mut impl Rng) -> Self {
        let other = self.xor(Self::power_of_two(Self::BITS - 1 - bits));
        other.random_with_prefix(bits + 1, stream)
    }

    /// The key over 2^160, in [0, 1]: a distance as a fraction of the space. The relative error is
    /// below 2^-51.
    pub fn to_fraction(self) -> f64 {
        let words = self.0.iter().rev();
        words.fold(0.0, |below, word| {
            (f64::from(*word) + below) / 4_294_967_296.0
        })
    }

    fn split(self) -> (u128, u32) {
        let [a, b, c, d, low] = self.0;
        let high = u128::from(a) << 96 | u128::from(b) << 64 | u128::from(c) << 32 | u128::from(d);
        (high, low)
    }

    fn join(high: u128, low: u32) -> Self {
        Self([
            (high >> 96) as u32,
            (high >> 64) as u32,
            (high >> 32) as u32,
            high as u32,
            low,
        ])
    }
}

impl fmt::Display for Key {
    /// 40 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:08x}"))
    }
}

impl ParameterValue for Key {
    fn kind() -> ValueKind {
        ValueKind::Hex(40)
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        let text = value.as_str().ok_or(None)?;
        if text.len() != 40 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(None);
        }
        let mut words = [0; 5];
        for (word, digits) in words.iter_mut().zip(text.as_bytes().chunks_exact(8)) {
            let digits = str::from_utf8(digits).map_err(|_| None)?;
            *word = u32::from_str_radix(digits, 16).map_err(|_| None)?;
        }
        Ok(Self(words))
    }

    fn to_value(&self) -> Option<Value> {
        Some(Value::String(self.to_string()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn keys() -> impl Strategy<Value = Key> {
        any::<[u8; 20]>().prop_map(Key::from_bytes)
    }

    #[test]
    fn sha1_is_the_standards_one() {
        // FIPS 180, example "abc".
        let digest = Key::sha1(b"abc").to_string();
        assert_eq!(digest, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(size_of::<Key>(), 20);
    }

    #[test]
    fn a_key_in_a_file_is_forty_hex_digits() {
        let key = Key::sha1(b"abc");
        let value = key.to_value().expect("a value");
        assert_eq!(
            value.as_str(),
            Some("a9993e364706816aba3e25717850c26c9cd0d89d")
        );
        assert_eq!(Key::from_value(&value), Ok(key));
        for wrong in ["", "a9993e", "+9993e364706816aba3e25717850c26c9cd0d89d"] {
            assert_eq!(Key::from_value(&Value::from(wrong)), Err(None));
        }
    }

    proptest! {
        /// Also of arcs of few keys, and across zero.
        #[test]
        fn keys_are_drawn_from_an_arc(
            after in keys(), before in keys(), few in 0u8..5, seed: u64,
        ) {
            let mut stream = crate::engine::Seed::new(seed).stream("keys", 0);
            let mut near = [0; 20];
            near[19] = few;
            let near = after.wrapping_add(Key::from_bytes(near));
            for before in [before, near] {
                match Key::random_between(after, before, &mut stream) {
                    Some(key) => prop_assert!(key.is_between(after, before)),
                    None => prop_assert_eq!(before.wrapping_sub(after), Key::power_of_two(0)),
                }
            }
        }

        #[test]
        fn arithmetic_is_modular(a in keys(), b in keys(), bit in 0u32..160) {
            prop_assert_eq!(Key::from_bytes(a.to_bytes()), a);
            prop_assert_eq!(a.wrapping_add(b).wrapping_sub(b), a);
            prop_assert_eq!(a.wrapping_add(b), b.wrapping_add(a));
            let power = Key::power_of_two(bit);
            prop_assert_eq!(power.log2(), Some(bit));
            if bit > 0 {
                prop_assert_eq!(power.half().wrapping_add(power.half()), power);
            }
            prop_assert!(a.half().wrapping_add(a.half()) <= a);
            prop_assert_eq!(a.bits(bit, 1) == 1, a.xor(Key::power_of_two(159 - bit)) < a);
            prop_assert_eq!(a.bits(bit, 2), 2 * a.bits(bit, 1) + a.bits(bit + 1, 1));
            prop_assert_eq!(a.bits(0, 32), a.words()[0]);
            prop_assert!(a.low_bits(bit) < power);
            prop_assert_eq!(a.low_bits(bit + 1), match a.bits(159 - bit, 1) {
                1 => a.low_bits(bit).xor(power),
                _ => a.low_bits(bit),
            });
            prop_assert_eq!(a.low_bits(160), a);
            prop_assert_eq!(a.log2().map_or(a == Key::default(), |bit| a >= Key::power_of_two(bit)), true);
        }

        #[test]
        fn prefixes_are_what_keys_share(a in keys(), b in keys(), bits in 0u32..160, seed: u64) {
            let mut stream = crate::engine::Seed::new(seed).stream("keys", 0);
            prop_assert_eq!(a.common_prefix(a), Key::BITS);
            let shared = a.common_prefix(b);
            prop_assert_eq!(a.xor(b).low_bits(Key::BITS - shared), a.xor(b));
            prop_assert!(a == b || a.bits(shared, 1) != b.bits(shared, 1));
            prop_assert!(a.random_with_prefix(bits, &mut stream).common_prefix(a) >= bits);
            prop_assert_eq!(a.random_with_exact_prefix(bits, &mut stream).common_prefix(a), bits);
            prop_assert_eq!(a.random_with_prefix(Key::BITS, &mut stream), a);
        }

        #[test]
        fn a_fraction_is_the_quotient(a in keys(), b in keys(), bit in 0u32..160) {
            let power = Key::power_of_two(bit).to_fraction();
            prop_assert_eq!(power, libm::ldexp(1.0, bit as i32 - 160));
            prop_assert!((0.0..=1.0).contains(&a.to_fraction()));
            prop_assert!(a >= b || a.to_fraction() <= b.to_fraction());
            let sum = a.half().to_fraction() + b.half().to_fraction();
            let same = a.half().wrapping_add(b.half()).to_fraction();
            prop_assert!((sum - same).abs() <= 1e-15 * sum);
        }

        #[test]
        fn an_arc_goes_clockwise(a in keys(), b in keys(), c in keys()) {
            let ahead = |key: Key| key.wrapping_sub(a);
            prop_assert_eq!(c.is_between(a, b), c != a && (a == b || ahead(c) < ahead(b)));
            prop_assert_eq!(c.is_between(a, a), c != a);
            prop_assert!(!a.is_between(a, b) && !b.is_between(a, b) && !a.is_between(a, a));
        }

        /// Keys are in the order of their bytes, also those that begin alike.
        #[test]
        fn keys_are_in_the_order_of_their_bytes(one in any::<[u8; 20]>(), other in any::<[u8; 20]>(), alike in 0usize..=20) {
            let mut near = one;
            near[alike..].copy_from_slice(&other[alike..]);
            let [a, b] = [one, near].map(Key::from_bytes);
            prop_assert_eq!(a.cmp(&b), one.cmp(&near));
            prop_assert_eq!(a < b, one < near);
        }
    }
}
