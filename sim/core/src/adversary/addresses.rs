//! The addresses of an adversary: random ones, or a list.

use crate::engine::Stream;
use crate::overlay::is_public;
use crate::parameter::Value;
use crate::parameter::{ParameterValue, ValueError, ValueKind};
use rand::Rng;
use rustc_hash::FxHashSet;
use std::net::Ipv4Addr;

/// Source of the adversary's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Random addresses.
    Random,
    /// This list, in this order, each address once.
    Listed(Vec<Ipv4Addr>),
}

impl Addresses {
    /// Returns `count` addresses. Random ones are drawn from `stream`: a shorter result is a prefix
    /// of a longer one. They are uniform over the addresses that [`is_public`] accepts, and
    /// distinct. A list is returned as it is.
    pub fn take(&self, count: usize, stream: &mut Stream) -> Vec<Ipv4Addr> {
        match self {
            Self::Listed(addresses) => addresses.clone(),
            Self::Random => {
                let mut taken = FxHashSet::default();
                std::iter::repeat_with(|| Ipv4Addr::from_bits(stream.next_u32()))
                    .filter(|address| is_public(*address) && taken.insert(*address))
                    .take(count)
                    .collect()
            }
        }
    }
}

impl ParameterValue for Addresses {
    fn kind() -> ValueKind {
        ValueKind::TextOrList("\"random\" or a list of IPv4 addresses, each once")
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        if value.as_str() == Some("random") {
            return Ok(Self::Random);
        }
        let mut addresses: Vec<Ipv4Addr> = Vec::new();
        for item in value.as_array().ok_or(None)? {
            let text = item.as_str().ok_or(None)?;
            let address = text
                .parse()
                .map_err(|_| Some(format!("expected IPv4 addresses, found \"{text}\"")))?;
            if addresses.contains(&address) {
                return Err(Some(format!("the address {address} occurs twice")));
            }
            addresses.push(address);
        }
        Ok(Self::Listed(addresses))
    }

    fn to_value(&self) -> Option<Value> {
        Some(match self {
            Self::Random => Value::String("random".to_owned()),
            Self::Listed(addresses) => Value::Array(
                addresses
                    .iter()
                    .map(|address| Value::String(address.to_string()))
                    .collect(),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    #[test]
    fn fewer_random_addresses_are_the_first_of_more() {
        let take = |count| Addresses::Random.take(count, &mut Seed::new(1).stream("addresses", 0));
        let many = take(2000);
        assert_eq!(take(7), many[..7]);
        assert!(many.iter().all(|address| is_public(*address)));
        let distinct: FxHashSet<_> = many.iter().collect();
        assert_eq!(distinct.len(), 2000);
    }
}
