//! The adversary of a simulated network: its resources and its attack.

use super::{
    AdversaryParameters, AttackParameters, IdSupply, Identity, Pairs, Strategy, Supply,
    SybilPlacement,
};
use crate::engine::{Seed, Stream};
use crate::overlay::{IdRule, IdScheme};
use crate::parameter::{ConfigError, Parameters, Section, Table};
use crate::space::Key;
use rustc_hash::FxHashSet;
use std::cmp::Ordering;
use std::net::Ipv4Addr;

/// Upper bound on the number of Sybils.
const MOST_SYBILS: u64 = 10_000_000;

/// The adversary of a scenario, validated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdversaryConfig {
    /// Its address and port pairs.
    pub parameters: AdversaryParameters,
    /// Its attack.
    pub attack: AttackParameters,
}

impl AdversaryConfig {
    /// The tables of the adversary in a scenario file.
    pub fn sections() -> Vec<Section> {
        vec![
            Section::of::<AdversaryParameters>("adversary"),
            Section::of::<AttackParameters>("adversary"),
        ]
    }

    /// Reads and validates the table `adversary` for a network that grants IDs by `rule`; `is_ring`
    /// is whether its IDs form a ring.
    ///
    /// # Errors
    /// The first key that is wrong or has no meaning in this network.
    pub fn read(table: &Table<'_>, rule: IdRule, is_ring: bool) -> Result<Self, ConfigError> {
        let adversary = Self {
            parameters: AdversaryParameters::read_checked(table)?,
            attack: AttackParameters::read(table)?,
        };
        let attack = &adversary.attack;
        let on_ring = matches!(attack.strategy, Strategy::Neighbours | Strategy::Fingers);
        if on_ring && !is_ring {
            let message = format_args!(
                "\"{}\" needs an overlay on a ring, such as chord; expected \"around-key\" or \"random\"",
                attack.strategy.as_str()
            );
            return Err(ConfigError::new(table.path_of("strategy"), message));
        }
        if attack.ids == Supply::Chosen && rule.scheme != IdScheme::Random {
            let message = format_args!(
                "nodes cannot choose their IDs with `overlay.ids` = \"{}\"",
                rule.scheme.as_str()
            );
            return Err(ConfigError::new(table.path_of("ids"), message));
        }
        let available = adversary.available(rule);
        if available > MOST_SYBILS {
            let message = format_args!("{available} Sybils are more than {MOST_SYBILS}");
            return Err(ConfigError::new(table.path_of("ips"), message));
        }
        if let Some(sybils) = attack.sybils
            && sybils as u64 > available
        {
            let message = format_args!(
                "expected at most as many Sybils as the adversary has IDs, {available}, found {sybils}"
            );
            return Err(ConfigError::new(table.path_of("sybils"), message));
        }
        Ok(adversary)
    }

    /// Whether there is an attack.
    pub fn is_some(&self) -> bool {
        self.attack.strategy != Strategy::None
    }

    /// Number of its addresses, each of which is a host of its own.
    pub fn hosts(&self) -> usize {
        if self.is_some() {
            self.parameters.ips as usize
        } else {
            0
        }
    }

    /// Maximum number of Sybils under `rule`; 0 without an attack.
    pub fn most(&self, rule: IdRule) -> usize {
        let most = self.available(rule) as usize;
        match self.attack.sybils {
            _ if !self.is_some() => 0,
            Some(sybils) => sybils.min(most),
            None => most,
        }
    }

    /// Number of IDs under `rule` if no two addresses share a /24.
    fn available(&self, rule: IdRule) -> u64 {
        u64::from(self.parameters.ips) * u64::from(self.numbers(rule))
    }

    /// Number of IDs of each address.
    fn numbers(&self, rule: IdRule) -> u32 {
        let bound = rule.ids_of_address().unwrap_or(u32::MAX);
        self.parameters.ports.min(bound)
    }

    /// The placement of Sybils in a network that grants IDs by `rule`. `cmp_closeness` compares the
    /// distances of two IDs to a key, and `target` is the key of an attack around a key.
    pub fn sybil_placement(
        &self,
        rule: IdRule,
        target: Option<&Key>,
        cmp_closeness: impl Fn(&Key, &Key, &Key) -> Ordering,
        seed: Seed,
    ) -> SybilPlacement {
        let mut stream = seed.stream("adversary", 0);
        let id_supply = match (rule.scheme, self.attack.ids) {
            (IdScheme::Random, Supply::Chosen) => IdSupply::Chosen {
                addresses: self.parameters.ips,
            },
            _ => IdSupply::Listed(self.identities(rule, seed, &mut stream)),
        };
        let most = self.most(rule);
        SybilPlacement::new(
            self.attack.strategy,
            id_supply,
            most,
            target,
            cmp_closeness,
            stream,
        )
    }

    /// The addresses of the adversary.
    pub fn addresses(&self, seed: Seed) -> Vec<Ipv4Addr> {
        self.pairs(seed).addresses().to_vec()
    }

    fn pairs(&self, seed: Seed) -> Pairs {
        self.parameters
            .pairs(&mut seed.stream("adversary-addresses", 0))
    }

    /// All IDs that the network grants the adversary, each once, address by address.
    fn identities(&self, rule: IdRule, seed: Seed, stream: &mut Stream) -> Vec<Identity> {
        let pairs = self.pairs(seed);
        let numbers = self.numbers(rule);
        let ids: Vec<Key> = match rule.scheme {
            IdScheme::Random => pairs.keys().collect(),
            _ => pairs
                .addresses()
                .iter()
                .flat_map(|address| (0..numbers).map(move |number| (*address, number)))
                .map(|(address, number)| rule.granted(address, number, stream))
                .collect(),
        };
        let mut seen = FxHashSet::default();
        (0..)
            .zip(ids)
            .filter(|(_, id)| seen.insert(*id))
            .map(|(rank, id)| Identity {
                id,
                address: rank / numbers,
                rank,
            })
            .collect()
    }

    /// Every key with its value.
    pub fn write(&self) -> crate::parameter::Map {
        if !self.is_some() {
            let strategy = self.attack.write().remove_entry("strategy");
            return strategy.into_iter().collect();
        }
        let mut table: crate::parameter::Map = self.parameters.write().into_iter().collect();
        table.extend(self.attack.write());
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(scheme: IdScheme, per_address: u32) -> IdRule {
        IdRule {
            scheme,
            per_address,
            address_groups: 0,
        }
    }

    fn read(text: &str, rule: IdRule, is_ring: bool) -> Result<AdversaryConfig, ConfigError> {
        let table = crate::parameter::text::parse(text);
        AdversaryConfig::read(&Table::root(&table).sub("adversary")?, rule, is_ring)
    }

    fn ids(adversary: &AdversaryConfig, rule: IdRule) -> Vec<Key> {
        let cmp_closeness = |_: &Key, a: &Key, b: &Key| a.cmp(b);
        let mut sybil_placement =
            adversary.sybil_placement(rule, None, cmp_closeness, Seed::new(4));
        let ids = std::iter::from_fn(|| sybil_placement.next_identity());
        ids.map(|identity| identity.id).collect()
    }

    const SUBNET: &str = "adversary.strategy = 'random'\nadversary.ips = 3\nadversary.ports = 20\n\
                          adversary.addresses = ['9.8.7.1', '9.8.7.2', '9.8.7.3']\n";

    /// Three hosts of one /24 with twenty ports each: the IDs that each rule grants.
    #[test]
    fn a_rule_bounds_what_an_adversary_gets() {
        for (scheme, per_address, most, granted) in [
            (IdScheme::Random, 1, 60, 60),
            (IdScheme::Bep42, 1, 60, 60),
            (IdScheme::Address, 1, 3, 3),
            (IdScheme::Address, 8, 24, 24),
            (IdScheme::Address, 100, 60, 60),
            // The hosts share a /24, which is known only when IDs are granted.
            (IdScheme::Subnet, 1, 3, 1),
            (IdScheme::Subnet, 8, 24, 8),
        ] {
            let rule = rule(scheme, per_address);
            let adversary = read(SUBNET, rule, true).expect("valid");
            assert_eq!((adversary.most(rule), adversary.hosts()), (most, 3));
            let mut ids = ids(&adversary, rule);
            assert_eq!(ids.len(), granted, "{scheme:?} {per_address}");
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), granted, "{scheme:?} {per_address}");
        }
        // Under BEP 42 each host has eight prefixes of 21 bits.
        let bound = rule(IdScheme::Bep42, 1);
        let mut prefixes: Vec<u32> = ids(&read(SUBNET, bound, true).expect("valid"), bound)
            .iter()
            .map(|id| id.bits(0, 21))
            .collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert!(prefixes.len() <= 24, "{}", prefixes.len());
    }

    #[test]
    fn mashed_ids_are_those_of_its_pairs() {
        let free = rule(IdScheme::Random, 1);
        let adversary = read(SUBNET, free, true).expect("valid");
        let mut stream = Seed::new(4).stream("adversary-addresses", 0);
        let mut pairs: Vec<Key> = adversary.parameters.pairs(&mut stream).keys().collect();
        let mut ids = ids(&adversary, free);
        pairs.sort_unstable();
        ids.sort_unstable();
        assert_eq!(ids, pairs);
    }

    #[test]
    fn what_has_no_meaning_here_is_told() {
        let (free, bound) = (rule(IdScheme::Random, 1), rule(IdScheme::Bep42, 1));
        for (text, rule, is_ring, key) in [
            ("strategy = 'neighbours'", free, false, "strategy"),
            ("strategy = 'fingers'", free, false, "strategy"),
            ("ids = 'chosen'", bound, true, "ids"),
            ("ports = 10\nsybils = 11", free, true, "sybils"),
            ("ips = 1000", free, true, "ips"),
        ] {
            let problem = read(&format!("[adversary]\n{text}"), rule, is_ring).expect_err(text);
            assert_eq!(problem.key, format!("adversary.{key}"));
        }
        let none = read("", free, false).expect("valid");
        assert_eq!(
            (none.is_some(), none.hosts(), none.most(free)),
            (false, 0, 0)
        );
        assert_eq!(none.write().len(), 1);
    }
}
