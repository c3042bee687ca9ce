//! Partitions of the network: times in which groups of hosts cannot reach each other.

use crate::engine::{Duration, Instant};
use crate::parameter::{
    ConfigError, Map, ParameterValue, Parameters, Table, Value, ValueError, ValueKind,
};
use crate::underlay::{Host, Underlay};
use std::collections::BTreeSet;

crate::parameters! {
    /// A time in which groups of hosts cannot reach each other. One of `share`, `hosts` and `links` sets the groups.
    pub struct Partition {
        /// When it begins, from the start of the run.
        pub begin: Duration = Duration::ZERO;
        /// When it ends.
        pub end: Duration = Duration::ZERO;
        /// Fraction of the hosts that are on one side, drawn at random.
        pub share: Option<f64> = None, within 0.0..=1.0;
        /// The numbers of the hosts that are on one side.
        pub hosts: Vec<u64> = Vec::new();
        /// The links of the underlay that are cut, as the numbers of the two hosts of each, one after the other: the sides are the components of the rest.
        pub links: Vec<u64> = Vec::new();
    }
}

impl Partition {
    fn of(value: &Value) -> Result<Self, ConfigError> {
        let table = value.as_table();
        let table = table.ok_or_else(|| ConfigError::new("begin", "expected tables"))?;
        let keys = Self::describe();
        if let Some(key) = table
            .keys()
            .find(|key| keys.iter().all(|known| known.key != **key))
        {
            let known: Vec<&str> = keys.iter().map(|known| known.key.as_str()).collect();
            let message = format_args!("unknown key; expected {}", known.join(", "));
            return Err(ConfigError::new(key, message));
        }
        let partition = Self::read(&Table::root(table))?;
        if partition.end <= partition.begin {
            let message = format_args!(
                "expected a time after `begin`, which is {}, found {}",
                partition.begin, partition.end
            );
            return Err(ConfigError::new("end", message));
        }
        let sides = [
            partition.share.is_some(),
            !partition.hosts.is_empty(),
            !partition.links.is_empty(),
        ];
        if sides.iter().filter(|given| **given).count() != 1 {
            let message = "expected one of `share`, `hosts` and `links`";
            return Err(ConfigError::new("share", message));
        }
        if !partition.links.len().is_multiple_of(2) {
            return Err(ConfigError::new("links", "expected two hosts of each link"));
        }
        Ok(partition)
    }

    /// Refuses hosts beyond `hosts`, and links where there are none.
    ///
    /// # Errors
    /// A [`ConfigError`] with the key `partition`.
    pub fn check(&self, hosts: usize, has_links: bool) -> Result<(), ConfigError> {
        let all = self.hosts.iter().chain(&self.links);
        if let Some(host) = all.into_iter().find(|host| **host >= hosts as u64) {
            let message = format_args!(
                "host {host} is not in the underlay, whose hosts are 0 to {}",
                hosts - 1
            );
            return Err(ConfigError::new("partition", message));
        }
        if !self.links.is_empty() && !has_links {
            return Err(ConfigError::new("partition", "this underlay has no links"));
        }
        Ok(())
    }

    /// The side of each host of `underlay`; `fraction` is a number in [0, 1) of each host.
    fn sides(
        &self,
        underlay: &Underlay,
        fraction: impl Fn(u32) -> f64,
    ) -> Result<Vec<u32>, ConfigError> {
        let count = underlay.hosts();
        self.check(count, underlay.links().is_some())?;
        if !self.links.is_empty() {
            let ends = self.links.chunks_exact(2).map(|pair| {
                let (a, b) = (pair[0] as u32, pair[1] as u32);
                (a.min(b), a.max(b))
            });
            let components = underlay.components_without(&ends.collect::<BTreeSet<_>>());
            return components.map_err(|message| ConfigError::new("partition", message));
        }
        let hosts: BTreeSet<u64> = self.hosts.iter().copied().collect();
        let is_apart = |host: u32| match self.share {
            Some(share) => fraction(host) < share,
            None => hosts.contains(&host.into()),
        };
        Ok((0..count as u32)
            .map(|host| is_apart(host).into())
            .collect())
    }
}

/// The partitions of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partitions(pub Vec<Partition>);

impl ParameterValue for Partitions {
    fn kind() -> ValueKind {
        ValueKind::Tables("tables with `begin`, `end`, and one of `share`, `hosts` and `links`")
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        let tables = value.as_array().ok_or(None)?;
        if !tables.iter().all(Value::is_table) {
            return Err(None);
        }
        let partitions: Result<Vec<_>, ConfigError> = tables.iter().map(Partition::of).collect();
        let partitions =
            partitions.map_err(|error| Some(format!("{}: {}", error.key, error.message)));
        partitions.map(Self)
    }

    fn to_value(&self) -> Option<Value> {
        let table = |each: &Partition| Value::Table(each.write().into_iter().collect::<Map>());
        let tables: Vec<Value> = self.0.iter().map(table).collect();
        (!tables.is_empty()).then_some(Value::Array(tables))
    }
}

crate::parameters! {
    /// Times in which groups of hosts cannot reach each other.
    pub struct PartitionList {
        /// The partitions: tables `[[partition]]` with `begin`, `end`, and `share`, a fraction of the hosts that is one side, drawn at random; or `hosts`, the numbers of the hosts of one side; or `links`, the numbers of the two hosts of each link of the underlay that is cut, one after the other, so that the sides are the components of the rest.
        pub partition: Partitions = Partitions::default();
    }
}

/// The sides of all hosts while a partition lasts.
#[derive(Debug)]
pub(super) struct Sides {
    begin: Instant,
    end: Instant,
    of_host: Vec<u32>,
}

impl Sides {
    pub fn new(
        partition: &Partition,
        underlay: &Underlay,
        fraction: impl Fn(u32) -> f64,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            begin: Instant::START + partition.begin,
            end: Instant::START + partition.end,
            of_host: partition.sides(underlay, fraction)?,
        })
    }

    /// Whether it divides two hosts at `now`.
    pub fn divide(&self, now: Instant, a: Host, b: Host) -> bool {
        (self.begin..self.end).contains(&now)
            && self.of_host[a.0 as usize] != self.of_host[b.0 as usize]
    }
}
