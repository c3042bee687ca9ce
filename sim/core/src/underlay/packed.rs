//! Numbers in the narrowest type that holds them.

/// Numbers in the narrowest type that holds them all.
#[derive(Debug)]
pub(super) enum Packed {
    Bytes(Box<[u8]>),
    Shorts(Box<[u16]>),
    Words(Box<[u32]>),
    Longs(Box<[u64]>),
}

impl Packed {
    pub(super) fn new(numbers: impl Iterator<Item = u64> + Clone) -> Self {
        let largest = numbers.clone().max().unwrap_or(0);
        if u8::try_from(largest).is_ok() {
            Self::Bytes(numbers.map(|x| x as u8).collect())
        } else if u16::try_from(largest).is_ok() {
            Self::Shorts(numbers.map(|x| x as u16).collect())
        } else if u32::try_from(largest).is_ok() {
            Self::Words(numbers.map(|x| x as u32).collect())
        } else {
            Self::Longs(numbers.collect())
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(numbers) => numbers.len(),
            Self::Shorts(numbers) => numbers.len(),
            Self::Words(numbers) => numbers.len(),
            Self::Longs(numbers) => numbers.len(),
        }
    }

    pub(super) fn get(&self, i: usize) -> u64 {
        match self {
            Self::Bytes(numbers) => u64::from(numbers[i]),
            Self::Shorts(numbers) => u64::from(numbers[i]),
            Self::Words(numbers) => u64::from(numbers[i]),
            Self::Longs(numbers) => numbers[i],
        }
    }
}
