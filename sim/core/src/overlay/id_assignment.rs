//! Assignment of IDs: random, or bound to the IP address of a node.
//!
//! A bound ID can be verified by every node, and the owner of few addresses has few positions in
//! the space to choose from. The strictest scheme is a hash of the address, or of its /24, and a
//! small number: only a fixed number of IDs per address.
//!
//! BEP 42, "DHT Security extension" (Norberg, bittorrent.org): the first 21 bits of an ID are those
//! of a checksum of the masked address and three random bits. The last byte of the ID reveals the
//! random bits; all others are free. BEP 42 exempts addresses that are not public; here every
//! participant has a public one.

use crate::engine::{Seed, Stream};
use crate::space::Key;
use crc::{CRC_32_ISCSI, Crc};
use rand::Rng;
use std::net::Ipv4Addr;

crate::choices! {
    /// How the IDs of nodes are assigned.
    pub enum IdScheme {
        /// Each ID is drawn uniformly.
        Random = "random",
        /// Each ID is bound to the IPv4 address of its participant as in BEP 42; addresses are random public ones.
        Bep42 = "bep42",
        /// Each ID is the SHA-1 of the address and a number below `overlay.ids-per-address`.
        Address = "address",
        /// The same with the first 24 bits of the address.
        Subnet = "subnet",
    }
}

/// The rule by which IDs are assigned.
#[derive(Clone, Copy, Debug)]
pub struct IdRule {
    /// The scheme.
    pub scheme: IdScheme,
    /// IDs per address or /24, where IDs are hashes of it; at least 1.
    pub per_address: u32,
    /// Number of /16 over which addresses are spread evenly; 0 for addresses that are uniform among all
    /// public ones.
    pub address_groups: u32,
}

impl Default for IdRule {
    /// Each ID is drawn uniformly.
    fn default() -> Self {
        Self {
            scheme: IdScheme::Random,
            per_address: 1,
            address_groups: 0,
        }
    }
}

/// CRC-32C (Castagnoli).
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// The bits of an address that are used: more in each further byte.
const MASK: u32 = 0x030f_3fff;

/// The bits of an ID that the address decides.
const BOUND_BITS: u32 = 21;

/// How many beginnings of IDs BEP 42 grants to an address.
const BEP42_PREFIXES: u8 = 8;

impl IdRule {
    /// An ID for participant number `participant`, drawn from `stream`.
    ///
    /// Its address depends only on the seed and the number: a node that returns keeps it.
    pub fn id(self, seed: Seed, participant: u32, stream: &mut Stream) -> Key {
        match self.scheme {
            IdScheme::Random => Key::random(stream),
            _ => {
                let number = match self.scheme {
                    IdScheme::Bep42 => stream.below(256),
                    _ => stream.below(self.per_address.into()),
                };
                self.granted(self.address(seed, participant), number as u32, stream)
            }
        }
    }

    /// The public IPv4 address of a participant.
    pub fn address(self, seed: Seed, participant: u32) -> Ipv4Addr {
        let own = draw_address(&mut seed.stream("addresses", participant.into()));
        if self.address_groups == 0 {
            return own;
        }
        let group = own.to_bits() % self.address_groups;
        let group = draw_address(&mut seed.stream("address-groups", group.into())).to_bits();
        let mut low = seed.stream("addresses-in-group", participant.into());
        loop {
            let address = Ipv4Addr::from_bits(group & 0xffff_0000 | low.next_u32() & 0xffff);
            if is_public(address) {
                return address;
            }
        }
    }

    /// ID number `number` of those that the owner of `ip` may have; free bits are drawn from
    /// `stream`. Where IDs are hashes of the address, numbers are taken modulo `per_address`.
    pub fn granted(self, ip: Ipv4Addr, number: u32, stream: &mut Stream) -> Key {
        let [a, b, c, d] = ip.octets();
        let [.., high, low] = (number % self.per_address).to_be_bytes();
        match self.scheme {
            IdScheme::Random => Key::random(stream),
            IdScheme::Bep42 => bep42_id(ip, number as u8, stream),
            IdScheme::Address => Key::sha1(&[a, b, c, d, high, low]),
            IdScheme::Subnet => Key::sha1(&[a, b, c, high, low]),
        }
    }

    /// IDs near `key` that the owner of `ip` may have, the nearest first: `count`, or all if it may not
    /// have so many. Free bits are those of `key`, but for the last 64, which are drawn from `stream`.
    pub fn nearest(self, ip: Ipv4Addr, key: Key, count: usize, stream: &mut Stream) -> Vec<Key> {
        let mut free = || key.random_with_prefix(96, stream);
        let mut ids: Vec<Key> = match self.scheme {
            IdScheme::Random => (0..count).map(|_| free()).collect(),
            IdScheme::Bep42 => {
                let numbers = 0..BEP42_PREFIXES;
                let nearest = numbers.min_by_key(|rand| bind(ip, *rand, key).xor(key));
                let rand = nearest.unwrap_or_default();
                (0..count).map(|_| bind(ip, rand, free())).collect()
            }
            IdScheme::Address | IdScheme::Subnet => {
                let numbers = 0..self.per_address;
                numbers.map(|n| self.granted(ip, n, stream)).collect()
            }
        };
        ids.sort_unstable_by_key(|id| id.xor(key));
        ids.truncate(count);
        ids
    }

    /// Among how many IDs, or beginnings of IDs, an address can choose; 1 if IDs are free.
    pub fn choices_of_address(self) -> u32 {
        match self.scheme {
            IdScheme::Random => 1,
            IdScheme::Bep42 => BEP42_PREFIXES.into(),
            IdScheme::Address | IdScheme::Subnet => self.per_address,
        }
    }

    /// How many IDs one address may have; `None` if there is no limit.
    pub fn ids_of_address(self) -> Option<u32> {
        match self.scheme {
            IdScheme::Random | IdScheme::Bep42 => None,
            IdScheme::Address | IdScheme::Subnet => Some(self.per_address),
        }
    }
}

/// A public IPv4 address, uniform among all.
fn draw_address(stream: &mut Stream) -> Ipv4Addr {
    loop {
        let address = Ipv4Addr::from_bits(stream.next_u32());
        if is_public(address) {
            return address;
        }
    }
}

/// Whether `address` is a public one (RFC 6890, the larger blocks).
pub fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmarks = a == 198 && (b == 18 || b == 19);
    let special = a == 0 || a >= 224 || shared || benchmarks;
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

/// An ID that BEP 42 grants to the owner of `ip`; the three lowest bits of `rand` choose one of
/// eight prefixes, and free bits are drawn from `stream`.
pub fn bep42_id(ip: Ipv4Addr, rand: u8, stream: &mut Stream) -> Key {
    bind(ip, rand, Key::random(stream))
}

/// `free` with the bits that BEP 42 binds to `ip` and `rand`.
fn bind(ip: Ipv4Addr, rand: u8, free: Key) -> Key {
    let mut bytes = free.to_bytes();
    let checksum = checksum(ip, rand).to_be_bytes();
    bytes[0] = checksum[0];
    bytes[1] = checksum[1];
    bytes[2] = checksum[2] & 0xf8 | bytes[2] & 0x07;
    bytes[19] = rand;
    Key::from_bytes(bytes)
}

/// Whether BEP 42 grants `id` to the owner of `ip`.
pub fn is_bep42_valid(ip: Ipv4Addr, id: &Key) -> bool {
    let rand = id.to_bytes()[19];
    id.bits(0, BOUND_BITS) == checksum(ip, rand) >> (32 - BOUND_BITS)
}

fn checksum(ip: Ipv4Addr, rand: u8) -> u32 {
    let bound = ip.to_bits() & MASK | u32::from(rand & 7) << 29;
    CRC.checksum(&bound.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nearest IDs that an address may have are granted to it, and no other of its IDs is nearer.
    #[test]
    fn the_nearest_ids_of_an_address() {
        let seed = Seed::new(3);
        let mut stream = seed.stream("test", 0);
        for number in 0..50 {
            let (ip, key) = (
                IdRule::default().address(seed, number),
                Key::random(&mut stream),
            );
            let bound = rule(IdScheme::Bep42).nearest(ip, key, 3, &mut stream);
            assert_eq!(bound.len(), 3);
            for id in &bound {
                assert!(is_bep42_valid(ip, id));
            }
            let reached = bound[0].common_prefix(key);
            for rand in 0..=255 {
                let other = bep42_id(ip, rand, &mut stream);
                let prefix = other.common_prefix(key).min(BOUND_BITS);
                assert!(prefix <= reached, "{prefix} and {reached} bits");
            }
            let few = IdRule {
                scheme: IdScheme::Address,
                per_address: 4,
                address_groups: 0,
            };
            let ids = few.nearest(ip, key, 9, &mut stream);
            assert_eq!(ids.len(), 4);
            assert!(ids.is_sorted_by_key(|id| id.xor(key)));
            let free = IdRule::default().nearest(ip, key, 2, &mut stream);
            assert!(free.iter().all(|id| id.common_prefix(key) >= 96));
        }
    }

    /// The five examples of BEP 42: address, random number, ID. The first 21 bits and the last byte
    /// of an ID follow from the rest.
    const EXAMPLES: [([u8; 4], u8, &str); 5] = [
        (
            [124, 31, 75, 21],
            1,
            "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401",
        ),
        (
            [21, 75, 31, 124],
            86,
            "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256",
        ),
        (
            [65, 23, 51, 170],
            22,
            "a5d43220bc8f112a3d426c84764f8c2a1150e616",
        ),
        (
            [84, 124, 73, 14],
            65,
            "1b0321dd1bb1fe518101ceef99462b947a01ff41",
        ),
        (
            [43, 213, 53, 83],
            90,
            "e56f6cbf5b7c4be0237986d5243b87aa6d51305a",
        ),
    ];

    fn rule(scheme: IdScheme) -> IdRule {
        IdRule {
            scheme,
            ..IdRule::default()
        }
    }

    /// Addresses in few groups are public and lie in as many /16, about equally many in each.
    #[test]
    fn addresses_are_spread_over_groups() {
        let rule = IdRule {
            address_groups: 20,
            ..IdRule::default()
        };
        let mut groups = std::collections::BTreeMap::new();
        for participant in 0..2000 {
            let ip = rule.address(Seed::new(8), participant);
            assert!(is_public(ip));
            let [a, b, ..] = ip.octets();
            *groups.entry((a, b)).or_insert(0) += 1;
        }
        assert_eq!(groups.len(), 20);
        // 100 each with a standard deviation of 10.
        assert!(groups.values().all(|count| (60..140).contains(count)));
    }

    fn key(hex: &str) -> Key {
        let byte = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex");
        Key::from_bytes(std::array::from_fn(byte))
    }

    #[test]
    fn ids_are_those_of_the_standard() {
        let mut stream = Seed::new(1).stream("ids", 0);
        for (ip, rand, hex) in EXAMPLES {
            let (ip, example) = (Ipv4Addr::from(ip), key(hex));
            let ours = bep42_id(ip, rand, &mut stream);
            assert!(is_bep42_valid(ip, &example) && is_bep42_valid(ip, &ours));
            assert_eq!(ours.bits(0, 21), example.bits(0, 21));
            assert_eq!(ours.to_bytes()[19], example.to_bytes()[19]);
            // One of the bound bits, or of the byte that gives the prefix, flipped.
            for bit in [159, 139, 0] {
                assert!(!is_bep42_valid(ip, &example.xor(Key::power_of_two(bit))));
            }
            // A free bit flipped.
            assert!(is_bep42_valid(ip, &example.xor(Key::power_of_two(138))));
        }
        for (i, (ip, ..)) in EXAMPLES.iter().enumerate() {
            let next = key(EXAMPLES[(i + 1) % 5].2);
            assert!(!is_bep42_valid(Ipv4Addr::from(*ip), &next));
        }
    }

    #[test]
    fn rejoining_node_keeps_its_address() {
        let seed = Seed::new(3);
        let mut stream = seed.stream("ids", 0);
        let mut prefixes = Vec::new();
        for participant in 0..200 {
            let ip = IdRule::default().address(seed, participant);
            assert!(is_public(ip));
            for _ in 0..20 {
                let id = rule(IdScheme::Bep42).id(seed, participant, &mut stream);
                assert!(is_bep42_valid(ip, &id));
                prefixes.push(id.bits(0, 21));
            }
            prefixes.sort_unstable();
            prefixes.dedup();
            // At most eight prefixes per address.
            assert!(prefixes.len() <= 8 * (participant as usize + 1));
        }
        assert!(prefixes.len() > 1000);
    }

    #[test]
    fn an_address_or_a_subnet_has_so_many_ids_and_no_more() {
        let seed = Seed::new(3);
        let mut stream = seed.stream("ids", 0);
        let neighbours = [
            Ipv4Addr::new(9, 8, 7, 1),
            Ipv4Addr::new(9, 8, 7, 2),
            Ipv4Addr::new(9, 8, 6, 2),
        ];
        for (scheme, expected) in [(IdScheme::Address, 12), (IdScheme::Subnet, 8)] {
            let rule = IdRule {
                scheme,
                per_address: 4,
                address_groups: 0,
            };
            assert_eq!(rule.ids_of_address(), Some(4));
            let mut ids: Vec<Key> = neighbours
                .iter()
                .flat_map(|ip| (0..40).map(|number| (*ip, number)))
                .map(|(ip, number)| rule.granted(ip, number, &mut stream))
                .collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), expected, "{scheme:?}");
            // A participant draws among the IDs of its own address.
            let own = IdRule::default().address(seed, 5);
            let granted: Vec<Key> = (0..4).map(|i| rule.granted(own, i, &mut stream)).collect();
            assert!((0..20).all(|_| granted.contains(&rule.id(seed, 5, &mut stream))));
        }
    }

    #[test]
    fn random_ids_are_drawn_as_ever() {
        let seed = Seed::new(3);
        let drawn = rule(IdScheme::Random).id(seed, 7, &mut seed.stream("ids", 0));
        assert_eq!(drawn, Key::random(&mut seed.stream("ids", 0)));
    }
}
