//! The core of dhtlab, a discrete-event simulator of distributed hash tables.
//!
//! It builds an underlay, places nodes on it, runs a DHT protocol on them message by message in
//! virtual time, and counts. This crate is for protocol designers; it has no scenario files, no
//! command line and no figures. The crates `dhtlab-scenario`, `dhtlab-experiments` and `dhtlab`
//! (the command) use it.
//!
//! # What to read first
//!
//! * To run scenarios no Rust is needed: the README and the files in `scenarios/examples` are enough;
//!   `dhtlab schema` lists every key. `docs/manual/coming-from.md` maps the terms of PeerSim, OverSim,
//!   SimGrid and p2psim to those of dhtlab, `docs/manual/findings.md` compares the published results with
//!   those of dhtlab.
//! * To use the library, begin with [the network below](#a-network-in-a-few-lines), then [`network`].
//! * To write something of your own, begin with its example: a protocol in under 100 lines of code,
//!   joins included, at [`Overlay`](overlay::Overlay); an underlay at
//!   [`underlay`](underlay#an-underlay-of-your-own); an experiment that is read from a scenario
//!   file at `dhtlab_scenario::Experiment`. All three are run as tests.
//!
//! # The layers
//!
//! The modules below are in order: each uses only those before it.
//!
//! | module | contents |
//! |---|---|
//! | [`parameter`] | parameters: key, kind, range, default, meaning |
//! | [`engine`] | virtual time, the event queue, random streams |
//! | [`underlay`] | hosts, links, the distance between two hosts |
//! | [`space`] | ID spaces: distance, midpoint, closeness, DGVH |
//! | [`transport`] | what happens to a message between two hosts, and time-outs |
//! | [`overlay`] | DHT protocols as state machines without I/O |
//! | [`service`] | state machines on any overlay: storage, jobs |
//! | [`workload`] | plans: which node looks up which key, and when |
//! | [`churn`] | plans: which nodes join, leave and crash, and when |
//! | [`adversary`] | plans: which keys an attacker has and how its Sybils behave |
//! | [`network`] | nodes on hosts: messages are delivered, events counted |
//!
//! # Two guarantees
//!
//! Events are handled in a total order: by time, then in the order of scheduling. And every
//! consumer of randomness has its own stream, derived from (seed, purpose, index). So one seed
//! gives one result, byte for byte, on every machine and with any number of threads; and runs with
//! the same seed share as many draws as they can.
//!
//! # A network in a few lines
//!
//! ```
//! use dhtlab_core::engine::{Instant, Seed, Duration};
//! use dhtlab_core::network::{End, Network, Setup, Travel, oracle};
//! use dhtlab_core::overlay::chord::{Chord, ChordParameters};
//! use dhtlab_core::parameter::{Map, Table};
//! use dhtlab_core::space::Key;
//! use dhtlab_core::underlay::{Distances, Host, Specification};
//! use dhtlab_core::workload::LookupPlan;
//! use std::sync::Arc;
//!
//! let seed = Seed::new(7);
//! // A hundred hosts in a plane ...
//! let table = Map::from_iter([
//!     ("model".to_owned(), "euclidean".into()),
//!     ("nodes".to_owned(), 100.into()),
//! ]);
//! let specification = Specification::read(&Table::root(&table), "".as_ref())?;
//! let underlay = Arc::new(specification.build(seed)?);
//! let distances = Distances::new(underlay, (0..100).map(Host).collect());
//! // ... a Chord node on each ...
//! let timeout = Duration::from_millis(500);
//! let setup = Setup { seed, travel: Travel::Recursive, timeout, ask_root: true };
//! let mut network: Network<Chord> = Network::new(setup, ChordParameters::default(), distances);
//! let mut stream = seed.stream("ids", 0);
//! let ids: Vec<Key> = (0..100).map(|_| Key::random(&mut stream)).collect();
//! let sites: Vec<u32> = (0..100).collect();
//! oracle::populate_converged(&mut network, &ids, &sites);
//! // ... and a thousand lookups, one a millisecond.
//! let plan = LookupPlan::evenly(seed.stream("lookups", 0), Instant::START, Duration::from_millis(1), 1000);
//! network.plan_lookups(plan);
//! let end = network.run(Instant::START + Duration::from_secs(60), true, 1_000_000);
//! assert_eq!(end, End::Done);
//! assert_eq!(network.tally().counts.ok, 1000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod parameter;

pub mod engine;

pub mod underlay;

pub mod space;

pub mod transport;

pub mod overlay;

pub mod service;

pub mod workload;

pub mod churn;

pub mod adversary;

pub mod network;
