//! The parameters of the transport.

use crate::engine::{Duration, DurationDistribution, SizeDistribution};
use crate::parameter::{ConfigError, Parameters, Range, Value};
use std::collections::BTreeMap;

crate::choices! {
    /// How long a node waits for a reply before it considers the other node silent.
    pub enum Timeouts {
        /// `transport.timeout`.
        Fixed = "fixed",
        /// As TCP: mean + 4 mean deviations of the round trips of the pair + 10 ms, doubled with each time-out, at most `transport.timeout`, which also holds before the first sample (Jacobson 1988; gains 1/8 and 1/4).
        Estimated = "estimated",
        /// By Vivaldi coordinates with a height: distance + 6 mean errors + 15 ms, at most `transport.timeout`, which also holds for the first 50 exchanges of a host (Dabek et al., SIGCOMM 2004).
        Coordinates = "coordinates",
    }
}

crate::choices! {
    /// How the sender of a routed message, or of a message of a service, learns that it has arrived.
    pub enum Acknowledgements {
        /// It learns it without a message; a message that does not arrive costs it a time-out.
        Implied = "implied",
        /// The receiver sends a message, which can be late or lost as any other.
        Sent = "sent",
        /// It does not learn it: a message that does not arrive is lost.
        None = "none",
    }
}

crate::choices! {
    /// What hosts that cannot be reached from outside are.
    pub enum Role {
        /// Nodes as all others.
        Members = "members",
        /// Initiators of lookups that do not join: each asks through a random member.
        Clients = "clients",
    }
}

crate::parameters! {
    /// What happens to messages between two hosts, and how long a node waits for a reply. By default only the latency of the underlay.
    pub struct TransportParameters {
        /// How long a node waits for a reply, or for the acceptance of a routed message.
        pub timeout: Duration = Duration::from_millis(500), within Range::above(0.0);
        /// The rule for time-outs.
        pub timeouts: Timeouts = Timeouts::Fixed;
        /// How often a request or message without a reply is sent again to the same node before this node is considered silent.
        pub retries: u32 = 0, within 0..=20;
        /// How a sender learns that a message has arrived.
        pub acknowledgements: Acknowledgements = Acknowledgements::Implied;
        /// Probability that a message is lost.
        pub loss: f64 = 0.0, within 0.0..=0.99;
        /// Mean duration of a burst of loss, in which all messages that a host sends are lost (Gilbert 1960); without it each message is lost independently.
        pub burst: Option<Duration> = None, within Range::above(0.0);
        /// Delay of a message beyond the latency of the underlay.
        pub jitter: Option<DurationDistribution> = None;
        /// Probability that a message arrives twice.
        pub duplicates: f64 = 0.0, within 0.0..=1.0;
        /// Whether the messages of one host to another arrive in the order in which they are sent.
        pub ordered: bool = false;
        /// Relative difference of the latencies of the two directions of a pair from their mean, uniform from 0 to this.
        pub asymmetry: f64 = 0.0, within 0.0..=1.0;
        /// Fraction of the pairs of hosts that cannot exchange messages during the whole run.
        pub non_transitive: f64 = 0.0, within 0.0..=0.99;
        /// Fraction of the hosts that can be reached only by those that they have sent a message before, such as hosts behind a NAT.
        pub unreachable: f64 = 0.0, within 0.0..=0.99;
        /// What these hosts are.
        pub unreachable_as: Role = Role::Members;
        /// How long a host remains reachable for another one after it has sent it a message; 2 min is the least that RFC 4787 requires.
        pub mapping: Duration = Duration::from_secs(120), within Range::above(0.0);
        /// Round trips of a connection before its first message: 1 with QUIC, 3 with TCP and TLS 1.3 or Noise. A connection is then used by both hosts until one of them goes offline. 0: messages need no connection.
        pub dial: u32 = 0, within 0..=10;
        /// How long a node waits for a host that does not accept a connection; `transport.timeout` if absent. 5 s for an address in go-libp2p; several addresses and transports take longer.
        pub dial_timeout: Option<DurationDistribution> = None;
        /// Connections of a host at a time; the oldest one ends beyond them. 0: no limit.
        pub connections: u32 = 0, within 0..=1_000_000;
        /// Uplink capacity of a host in bytes per second; no limit if absent. Messages wait in a FIFO queue.
        pub up: Option<SizeDistribution> = None;
        /// Downlink capacity of a host in bytes per second; no limit if absent. It adds the time of transmission and has no queue, as in OverSim.
        pub down: Option<SizeDistribution> = None;
        /// Length of the queue of an uplink in bytes; a message that finds no place is dropped.
        pub queue: u64 = 1_000_000, within 1.0..=1e12;
    }
}

impl TransportParameters {
    /// Whether messages take exactly the latency of the underlay and always arrive, and time-outs
    /// are fixed.
    pub fn is_ideal(&self) -> bool {
        let plain = Self {
            timeout: self.timeout,
            unreachable_as: self.unreachable_as,
            mapping: self.mapping,
            queue: self.queue,
            burst: self.burst,
            dial_timeout: self.dial_timeout,
            connections: self.connections,
            ..Self::default()
        };
        *self == plain
    }

    /// The values in a resolved scenario: the time-out, and what differs from its default.
    pub fn resolved(&self) -> BTreeMap<String, Value> {
        let keys = Self::describe().into_iter().map(|parameter| parameter.key);
        let later: Vec<String> = keys.filter(|key| key != "timeout").collect();
        let later: Vec<&str> = later.iter().map(String::as_str).collect();
        self.write_without_defaults(&later)
    }

    /// Refuses values that contradict each other.
    ///
    /// # Errors
    /// A [`ConfigError`] with the key.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.burst.is_some() && self.loss == 0.0 {
            let message = "expected `transport.loss` above 0, the fraction of lost messages";
            return Err(ConfigError::new("transport.burst", message));
        }
        let without_dials = [
            ("transport.dial-timeout", self.dial_timeout.is_some()),
            ("transport.connections", self.connections > 0),
        ];
        if self.dial == 0
            && let Some((key, _)) = without_dials.iter().find(|(_, is_set)| *is_set)
        {
            let message = "expected `transport.dial` above 0, the round trips of a connection";
            return Err(ConfigError::new(*key, message));
        }
        for (key, capacity) in [("transport.up", &self.up), ("transport.down", &self.down)] {
            let Some(capacity) = capacity else {
                continue;
            };
            if capacity.constant() == Some(0) {
                let message = "a host with 0 bytes per second sends and receives nothing; expected at least 1";
                return Err(ConfigError::new(key, message));
            }
        }
        if self.up.is_some() && self.queue < LARGEST_MESSAGE {
            return Err(ConfigError::new(
                "transport.queue",
                format_args!(
                    "a queue shorter than a message of {LARGEST_MESSAGE} bytes drops it always"
                ),
            ));
        }
        Ok(())
    }
}

/// A message of the maintenance of a protocol is not larger.
const LARGEST_MESSAGE: u64 = 1500;
