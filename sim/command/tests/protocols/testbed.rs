//! Networks built by hand over hosts in a plane, and lookups on them.

use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{End, Network, Setup, Travel};
use dhtlab_core::overlay::{Application, GroundTruth};
use dhtlab_core::parameter::Table;
use dhtlab_core::space::Key;
use dhtlab_core::underlay::{Distances, Host, Specification};
use dhtlab_core::workload::LookupPlan;
use std::path::Path;
use std::sync::Arc;

/// So many hosts in a plane.
pub fn plane(hosts: usize) -> Distances {
    let table = dhtlab_scenario::parse_toml(&format!("model = \"euclidean\"\nnodes = {hosts}"))
        .expect("TOML");
    let specification = Specification::read(&Table::root(&table), Path::new("")).expect("valid");
    let underlay = specification.build(Seed::new(1)).expect("built");
    Distances::new(Arc::new(underlay), (0..hosts as u32).map(Host).collect())
}

/// IDs drawn with `seed`.
pub fn ids(count: usize, seed: u64) -> Vec<Key> {
    let mut stream = Seed::new(seed).stream("ids", 0);
    (0..count).map(|_| Key::random(&mut stream)).collect()
}

/// A site for each node.
pub fn sites(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}

/// So many seconds after the start.
pub fn at(secs: u64) -> Instant {
    Instant::START + Duration::from_secs(secs)
}

/// An empty network over hosts in a plane.
pub fn network<P: GroundTruth, A: Application<Shared = ()>>(
    shared: P::Shared,
    nodes: usize,
    travel: Travel,
) -> Network<P, A> {
    let setup = Setup {
        seed: Seed::new(1),
        travel,
        timeout: Duration::from_secs(1),
        ask_root: true,
    };
    Network::new(setup, shared, plane(nodes))
}

/// Looks up `count` random keys, one a millisecond; all are done within a minute.
pub fn look_up<P: GroundTruth, A: Application>(network: &mut Network<P, A>, count: u64) {
    let stream = Seed::new(5).stream("lookups", 0);
    network.plan_lookups(LookupPlan::evenly(
        stream,
        network.now(),
        Duration::from_millis(1),
        count,
    ));
    let end = network.now() + Duration::from_secs(60);
    assert_eq!(network.run(end, true, u64::MAX), End::Done);
}
