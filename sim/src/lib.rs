//! dhtlab: a laboratory for distributed hash tables on one machine.
//!
//! It builds an underlay, puts nodes on it, lets them speak a DHT protocol message by message
//! in virtual time, and counts. The command `dhtlab` runs scenario files; this library is what
//! it is made of, for those who want to write a protocol, an underlay or an experiment.
//!
//! # What to read first
//!
//! * To run scenarios no Rust is needed: the README and the files in `scenarios/examples` are enough;
//!   `dhtlab schema` has every key. `docs/coming-from.md` says what the words of PeerSim, OverSim,
//!   SimGrid and p2psim are called here, `docs/findings.md` what the published results come to.
//! * To use the library, begin with [the network below](#a-network-in-a-few-lines), then [`network`].
//! * To write something of your own, begin with its example: a protocol in under 100 lines of code, joins
//!   included, at [`Overlay`](overlay::Overlay); an underlay at [`underlay`](underlay#an-underlay-of-your-own);
//!   an experiment that is read from TOML at [`Experiment`](scenario::Experiment). All three are run
//!   as tests.
//!
//! # The floors
//!
//! The modules below stand in order: each uses only those above it on this page.
//!
//! | module | what lives there |
//! |---|---|
//! | [`parameter`] | what a tunable is: key, kind, range, default, meaning |
//! | [`engine`] | virtual time, the event queue, random streams |
//! | [`underlay`] | hosts, links, the distance between two hosts |
//! | [`space`] | ID spaces: distance, midpoint, closeness, DGVH |
//! | [`overlay`] | DHT protocols as state machines without I/O |
//! | [`service`] | state machines on any overlay: storage, jobs |
//! | [`workload`] | plans: who looks up what, and when |
//! | [`churn`] | plans: who comes, leaves and crashes, and when |
//! | [`adversary`] | plans: which keys an attacker has and how its Sybils behave |
//! | [`network`] | the world: nodes on hosts, messages delivered, everything counted, and taken down for those who watch |
//! | [`scenario`] | TOML in, checked runs out |
//! | [`experiment`] | one file a kind: from a scenario to rows |
//! | [`cli`] | the command |
//!
//! # Two guarantees
//!
//! Events are handled in a total order: by time, then by the order in which they were
//! scheduled. And every consumer of randomness has a stream of its own, derived from
//! (seed, purpose, index). So one seed gives one result, byte for byte, whatever the machine
//! and the number of threads; and runs that share a seed share what they can share.
//!
//! # A network in a few lines
//!
//! ```
//! use dhtlab::engine::{Instant, Seed, Duration};
//! use dhtlab::network::{End, Network, Setup, Travel, oracle};
//! use dhtlab::overlay::chord::{Chord, ChordParameters};
//! use dhtlab::parameter::Table;
//! use dhtlab::space::Key;
//! use dhtlab::underlay::{Distances, Host, Specification};
//! use dhtlab::workload::LookupPlan;
//! use std::sync::Arc;
//!
//! let seed = Seed::new(7);
//! // A hundred hosts in a plane ...
//! let table: toml::Table = "model = 'euclidean'\nnodes = 100".parse()?;
//! let specification = Specification::read(&Table::root(&table), "".as_ref())?;
//! let underlay = Arc::new(specification.build(seed)?);
//! let distances = Distances::new(underlay, (0..100).map(Host).collect());
//! // ... a Chord node on each ...
//! let setup = Setup { seed, travel: Travel::Recursive, timeout: Duration::from_millis(500), ask_root: true };
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

pub mod overlay;

pub mod service;

pub mod workload;

pub mod churn;

pub mod adversary;

pub mod network;

pub mod scenario;

pub mod experiment;

pub mod cli;
