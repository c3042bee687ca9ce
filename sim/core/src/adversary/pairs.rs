//! Address and port pairs, their keys, and the search among them.

use crate::space::Key;
use std::net::{Ipv4Addr, SocketAddrV4};

crate::choices! {
    /// Encoding of an address and a port that is hashed to a key.
    pub enum KeyForm {
        /// The four octets and the port in decimal digits, without separators.
        Source = "source",
        /// Six bytes: the address and the port, the most significant byte first.
        Plain = "plain",
    }
}

/// An address and a port.
pub type Pair = SocketAddrV4;

/// The pairs of an adversary in search order: address by address, the ports of each ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    addresses: Vec<Ipv4Addr>,
    first_port: u16,
    ports: u32,
    form: KeyForm,
}

/// Result of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchResult {
    /// The index of the first pair whose key is in the region.
    pub found: Option<u32>,
    /// Number of pairs tried.
    pub tries: u32,
}

impl Pairs {
    /// The pairs of each of `addresses` with `ports` ports from `first_port` on.
    ///
    /// # Panics
    /// If the last port exceeds 65535, or there are more than 2^32 - 1 pairs.
    pub fn new(addresses: Vec<Ipv4Addr>, first_port: u16, ports: u32, form: KeyForm) -> Self {
        assert!(
            u32::from(first_port) + ports <= 1 << 16,
            "ports end at 65535"
        );
        assert!(
            addresses.len() as u64 * u64::from(ports) <= u64::from(u32::MAX),
            "the places of pairs have 32 bits"
        );
        Self {
            addresses,
            first_port,
            ports,
            form,
        }
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.addresses.len() * self.ports as usize
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The addresses.
    pub fn addresses(&self) -> &[Ipv4Addr] {
        &self.addresses
    }

    /// The pair at index `place`, which must be below [`len`](Self::len).
    pub fn pair(&self, place: u32) -> Pair {
        let port = self.first_port + (place % self.ports) as u16;
        Pair::new(self.addresses[self.address_of(place)], port)
    }

    /// The index in [`addresses`](Self::addresses) of the address of the pair at index `place`.
    pub fn address_of(&self, place: u32) -> usize {
        (place / self.ports) as usize
    }

    /// The keys of all pairs, in their order: one SHA-1 each.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        let end = u32::from(self.first_port) + self.ports;
        self.addresses.iter().flat_map(move |address| {
            let mut text = Text::of(*address, self.form);
            (u32::from(self.first_port)..end).map(move |port| text.key(port as u16))
        })
    }

    /// Tries the pairs in turn until a key is on the arc from `after` to `before`
    /// ([`Key::is_between`]), as the published program does: it hashes each pair when it tries it.
    pub fn search(&self, after: Key, before: Key) -> SearchResult {
        let found = self.keys().position(|key| key.is_between(after, before));
        self.ended(found.map(|place| place as u32))
    }

    /// The result of a search that finds the pair at this index, or none.
    pub(super) fn ended(&self, found: Option<u32>) -> SearchResult {
        SearchResult {
            found,
            tries: found.map_or(self.len() as u32, |place| place + 1),
        }
    }
}

/// The text that is hashed: the address, written once, followed by the port.
struct Text {
    bytes: [u8; Self::LONGEST],
    /// The length of the address.
    address: usize,
    form: KeyForm,
}

impl Text {
    /// Four octets of three digits and a port of five.
    const LONGEST: usize = 17;

    fn of(address: Ipv4Addr, form: KeyForm) -> Self {
        let mut text = Self {
            bytes: [0; Self::LONGEST],
            address: 0,
            form,
        };
        text.address = address.octets().iter().fold(0, |end, octet| match form {
            KeyForm::Source => text.push_decimal(end, u16::from(*octet)),
            KeyForm::Plain => text.push(end, *octet),
        });
        text
    }

    /// The key of the address with this port.
    fn key(&mut self, port: u16) -> Key {
        let end = match self.form {
            KeyForm::Source => self.push_decimal(self.address, port),
            KeyForm::Plain => {
                let [high, low] = port.to_be_bytes();
                let end = self.push(self.address, high);
                self.push(end, low)
            }
        };
        Key::sha1(&self.bytes[..end])
    }

    /// Writes a byte at `end`; returns the new end.
    fn push(&mut self, end: usize, byte: u8) -> usize {
        self.bytes[end] = byte;
        end + 1
    }

    /// Writes a number in decimal at `end`; returns the new end.
    fn push_decimal(&mut self, end: usize, number: u16) -> usize {
        let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
        let mut rest = number;
        for place in (end..end + digits).rev() {
            self.bytes[place] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        end + digits
    }
}

impl KeyForm {
    /// The key of a pair in this form.
    pub fn key(self, pair: Pair) -> Key {
        Text::of(*pair.ip(), self).key(pair.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair(text: &str) -> Pair {
        text.parse().expect("an address and a port")
    }

    /// Both digests come from another program (`printf ... | sha1sum`).
    #[test]
    fn keys_are_sha1_of_the_two_forms() {
        let pair = pair("192.168.0.7:49152");
        for (form, digest) in [
            (KeyForm::Source, "d38aeaf3b1a6685f5a071d766693530b7cfda337"),
            (KeyForm::Plain, "58a7ce4ac70c3108b84a648f58167c7dbb3da3ee"),
        ] {
            assert_eq!(form.key(pair).to_string(), digest);
        }
        // Without dots, different octets with the same digits give the same key.
        let alike = ["1.11.1.1:50000", "11.1.1.1:50000"].map(self::pair);
        assert_eq!(KeyForm::Source.key(alike[0]), KeyForm::Source.key(alike[1]));
        assert_ne!(KeyForm::Plain.key(alike[0]), KeyForm::Plain.key(alike[1]));
    }

    proptest! {
        #[test]
        fn text_is_the_digits(address: u32, port: u16) {
            let pair = Pair::new(address.into(), port);
            let [a, b, c, d] = pair.ip().octets();
            let text = format!("{a}{b}{c}{d}{port}");
            prop_assert_eq!(KeyForm::Source.key(pair), Key::sha1(text.as_bytes()));
            let bytes = [&pair.ip().octets()[..], &port.to_be_bytes()].concat();
            prop_assert_eq!(KeyForm::Plain.key(pair), Key::sha1(&bytes));
        }
    }

    #[test]
    fn pairs_are_tried_address_by_address() {
        let addresses = vec![Ipv4Addr::new(9, 8, 7, 6), Ipv4Addr::new(1, 2, 3, 4)];
        let pairs = Pairs::new(addresses, 65530, 6, KeyForm::Plain);
        assert_eq!(pairs.len(), 12);
        let keys: Vec<Key> = pairs.keys().collect();
        assert_eq!(keys.len(), 12);
        for (place, key) in keys.iter().enumerate() {
            let pair = pairs.pair(place as u32);
            assert_eq!(KeyForm::Plain.key(pair), *key);
            assert_eq!(pairs.address_of(place as u32), place / 6);
            // A region that holds this key only.
            let one = Key::power_of_two(0);
            let search = pairs.search(key.wrapping_sub(one), key.wrapping_add(one));
            assert_eq!(search.found, Some(place as u32));
            assert_eq!(search.tries, place as u32 + 1);
        }
        assert_eq!(pairs.pair(11), pair("1.2.3.4:65535"));
        let none = pairs.search(keys[0], keys[0].wrapping_add(Key::power_of_two(0)));
        assert_eq!((none.found, none.tries), (None, 12));
    }
}
