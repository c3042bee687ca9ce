//! Parameters of an adversary's keys.

use super::{Addresses, KeyForm, Pairs};
use crate::engine::Stream;
use crate::parameter::{ConfigError, Parameters, Table};

crate::parameters! {
    /// The attacker.
    pub struct AdversaryParameters {
        /// Number of its addresses.
        pub ips: u32 = 1, within 1..=1_000_000;
        /// Number of ports used per address.
        pub ports: u32 = 16384, within 1..=65536;
        /// The first of these ports; by default the first dynamic port.
        pub first_port: u16 = 49152;
        /// Its addresses: "random", or a list of `ips` addresses.
        pub addresses: Addresses = Addresses::Random;
        /// Encoding of an address and a port that is hashed to a key.
        pub keys: KeyForm = KeyForm::Source;
    }
}

/// Maximum number of pairs: their indices have 32 bits.
const MOST_PAIRS: u64 = u32::MAX as u64;

impl AdversaryParameters {
    /// Reads and validates the parameters. The table may have other keys.
    ///
    /// # Errors
    /// The first key that is wrong: ports above 65535, a list of another length than `ips`, or more
    /// than 2^32 - 1 address and port pairs.
    pub fn read_checked(table: &Table<'_>) -> Result<Self, ConfigError> {
        let parameters = Self::read(table)?;
        let Self { ips, ports, .. } = parameters;
        let ports_left = (1 << 16) - u32::from(parameters.first_port);
        if ports > ports_left {
            return Err(ConfigError::new(
                table.path_of("ports"),
                format_args!(
                    "expected at most the {ports_left} ports from `first-port` = {} to 65535, found {ports}",
                    parameters.first_port
                ),
            ));
        }
        if let Addresses::Listed(addresses) = &parameters.addresses
            && addresses.len() != ips as usize
        {
            return Err(ConfigError::new(
                table.path_of("addresses"),
                format_args!(
                    "expected as many addresses as `ips` = {ips}, found {}",
                    addresses.len()
                ),
            ));
        }
        if parameters.sybils() > MOST_PAIRS {
            return Err(ConfigError::new(
                table.path_of("ips"),
                format_args!(
                    "{ips} addresses with {ports} ports are {} Sybils, more than {MOST_PAIRS} IDs",
                    parameters.sybils()
                ),
            ));
        }
        Ok(parameters)
    }

    /// Number of address and port pairs.
    pub fn sybils(&self) -> u64 {
        u64::from(self.ips) * u64::from(self.ports)
    }

    /// The pairs; random addresses are drawn from `stream`. With fewer `ips` and the same stream
    /// the result is a prefix.
    pub fn pairs(&self, stream: &mut Stream) -> Pairs {
        let addresses = self.addresses.take(self.ips as usize, stream);
        Pairs::new(addresses, self.first_port, self.ports, self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::parameters! {
        /// Keys of another part of the program in the same table.
        pub struct Conduct {
            /// How many of its keys the attacker uses.
            pub sybils: u32 = 3;
        }
    }

    fn read(text: &str) -> Result<AdversaryParameters, ConfigError> {
        let table = crate::parameter::text::parse(text);
        AdversaryParameters::read_checked(&Table::root(&table).sub("adversary")?)
    }

    #[test]
    fn invalid_combinations_are_refused() {
        for (text, key, part) in [
            ("ports = 16385", "ports", "at most the 16384 ports"),
            (
                "first-port = 0\nports = 65537",
                "ports",
                "between 1 and 65536",
            ),
            (
                "ips = 2\naddresses = ['1.2.3.4']",
                "addresses",
                "as many addresses as `ips` = 2, found 1",
            ),
            ("addresses = []", "addresses", "found 0"),
            (
                "ips = 2\naddresses = ['1.2.3.4', '1.2.3.4']",
                "addresses",
                "1.2.3.4 occurs twice",
            ),
            (
                "addresses = ['1.2.3']",
                "addresses",
                "expected IPv4 addresses",
            ),
            ("addresses = 'all'", "addresses", "\"random\" or a list"),
            (
                "ips = 1000000",
                "ips",
                "16384000000 Sybils, more than 4294967295 IDs",
            ),
        ] {
            let problem = read(&format!("[adversary]\n{text}")).expect_err(text);
            assert_eq!(problem.key, format!("adversary.{key}"));
            assert!(
                problem.message.contains(part),
                "{text}: {}",
                problem.message
            );
        }
        assert_eq!(
            read("[adversary]\nfirst-port = 0\nports = 65536").map(|read| read.ports),
            Ok(65536)
        );
    }

    #[test]
    fn they_share_their_table_and_come_back_as_they_were_written() {
        let text =
            "[adversary]\nips = 2\nsybils = 9\naddresses = ['1.2.3.4', '4.3.2.1']\nkeys = 'plain'";
        let table = crate::parameter::text::parse(text);
        let table = Table::root(&table).sub("adversary").expect("a table");
        let conduct = Conduct::read(&table).expect("valid");
        let parameters = AdversaryParameters::read_checked(&table).expect("valid");
        assert_eq!((conduct.sybils, parameters.ips), (9, 2));
        let written: crate::parameter::Map = [(
            "adversary".to_owned(),
            parameters.write().into_iter().collect(),
        )]
        .into_iter()
        .map(|(key, values): (String, crate::parameter::Map)| {
            (key, crate::parameter::Value::Table(values))
        })
        .collect();
        let again = Table::root(&written).sub("adversary").expect("a table");
        assert_eq!(AdversaryParameters::read(&again), Ok(parameters));
    }
}
