//! The adversary of a living network: what it has, and the attack that it makes with it.

use super::{
    AdversaryParameters, AttackParameters, Campaign, Identity, Reservoir, Strategy, Supply,
};
use crate::engine::{Seed, Stream};
use crate::overlay::{IdRule, Naming};
use crate::parameter::{Parameters, Problem, Section, Table};
use crate::space::Key;
use rustc_hash::FxHashSet;
use std::cmp::Ordering;

/// More Sybils than anybody wants to see join.
const MOST_SYBILS: u64 = 10_000_000;

/// The adversary of a scenario, read and checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intruder {
    /// Its address and port pairs.
    pub parameters: AdversaryParameters,
    /// What it does with them.
    pub attack: AttackParameters,
}

impl Intruder {
    /// The tables it may have.
    pub fn sections() -> Vec<Section> {
        vec![
            Section::of::<AdversaryParameters>("adversary"),
            Section::of::<AttackParameters>("adversary"),
        ]
    }

    /// Reads and checks the table `adversary` for a network that grants IDs by `rule`, on a ring
    /// or not.
    ///
    /// # Errors
    /// The first key that is wrong, or that this network gives no meaning.
    pub fn read(table: &Table<'_>, rule: IdRule, is_ring: bool) -> Result<Self, Problem> {
        let intruder = Self {
            parameters: AdversaryParameters::read_checked(table)?,
            attack: AttackParameters::read(table)?,
        };
        let attack = &intruder.attack;
        let on_ring = matches!(attack.strategy, Strategy::Neighbours | Strategy::Fingers);
        if on_ring && !is_ring {
            let message = format_args!(
                "\"{}\" needs an overlay on a ring, such as chord; expected \"around-key\" or \"random\"",
                attack.strategy.as_str()
            );
            return Err(Problem::new(table.path_of("strategy"), message));
        }
        if attack.ids == Supply::Chosen && rule.naming != Naming::Random {
            let message = format_args!(
                "nobody can choose an ID where `overlay.ids` = \"{}\" binds it",
                rule.naming.as_str()
            );
            return Err(Problem::new(table.path_of("ids"), message));
        }
        let available = intruder.available(rule);
        if available > MOST_SYBILS {
            let message = format_args!("{available} Sybils are more than {MOST_SYBILS}");
            return Err(Problem::new(table.path_of("ips"), message));
        }
        if let Some(sybils) = attack.sybils
            && sybils as u64 > available
        {
            let message = format_args!(
                "expected at most as many Sybils as the adversary has IDs, {available}, found {sybils}"
            );
            return Err(Problem::new(table.path_of("sybils"), message));
        }
        Ok(intruder)
    }

    /// Whether there is an attack.
    pub fn is_some(&self) -> bool {
        self.attack.strategy != Strategy::None
    }

    /// How many addresses it has, each a host of its own.
    pub fn hosts(&self) -> usize {
        if self.is_some() {
            self.parameters.ips as usize
        } else {
            0
        }
    }

    /// The greatest number of Sybils under `rule`; 0 without an attack.
    pub fn most(&self, rule: IdRule) -> usize {
        let most = self.available(rule) as usize;
        match self.attack.sybils {
            _ if !self.is_some() => 0,
            Some(sybils) => sybils.min(most),
            None => most,
        }
    }

    /// How many IDs it has under `rule`, if no two addresses share a /24.
    fn available(&self, rule: IdRule) -> u64 {
        u64::from(self.parameters.ips) * u64::from(self.numbers(rule))
    }

    /// How many IDs each of its addresses has.
    fn numbers(&self, rule: IdRule) -> u32 {
        let bound = rule.ids_of_address().unwrap_or(u32::MAX);
        self.parameters.ports.min(bound)
    }

    /// The plan of the attack on a network that grants IDs by `rule`; `nearer` tells which of two
    /// IDs is nearer to a key, and `target` is the key around which they are put.
    pub fn campaign(
        &self,
        rule: IdRule,
        target: Option<&Key>,
        nearer: impl Fn(&Key, &Key, &Key) -> Ordering,
        seed: Seed,
    ) -> Campaign {
        let mut stream = seed.stream("adversary", 0);
        let reservoir = match (rule.naming, self.attack.ids) {
            (Naming::Random, Supply::Chosen) => Reservoir::Free {
                addresses: self.parameters.ips,
            },
            _ => Reservoir::Held(self.identities(rule, seed, &mut stream)),
        };
        let most = self.most(rule);
        Campaign::new(
            self.attack.strategy,
            reservoir,
            most,
            target,
            nearer,
            stream,
        )
    }

    /// All IDs that the network grants it, each once, address by address.
    fn identities(&self, rule: IdRule, seed: Seed, stream: &mut Stream) -> Vec<Identity> {
        let pairs = self
            .parameters
            .pairs(&mut seed.stream("adversary-addresses", 0));
        let numbers = self.numbers(rule);
        let ids: Vec<Key> = match rule.naming {
            Naming::Random => pairs.keys().collect(),
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
    pub fn write(&self) -> toml::Table {
        if !self.is_some() {
            let strategy = self.attack.write().remove_entry("strategy");
            return strategy.into_iter().collect();
        }
        let mut table: toml::Table = self.parameters.write().into_iter().collect();
        table.extend(self.attack.write());
        table
    }
}
