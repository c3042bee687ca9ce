//! `experiment = "vhash-latency-as-coded"`: the underlay hops of Chord and VHash as counted by the
//! program behind the published histograms.
//!
//! Its differences from the text of Benshoof et al. (DPDNS 2015), all of them here:
//!
//! * both overlays route by breadth-first search on the graph of all links, which no node of a DHT
//!   could do, and not greedily;
//! * VHash nodes choose short peers among all nodes, not among those they have learned of;
//! * a node with fewer than 3 d + 1 short peers gets the *farthest* node as an additional one;
//! * the midpoint of a coordinate that wraps is half of the wrapped sum, which is wrong when the
//!   sum stays below the side;
//! * the force of the embedding has the wrong sign past half of the side, and no damping.

use super::faulty_torus::faulty_midpoint;
use dhtlab_core::engine::Seed;
use dhtlab_core::network::{Placement, place};
use dhtlab_core::overlay::{MemberIndex, NodeIds};
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table, Value};
use dhtlab_core::space::Key;
use dhtlab_core::underlay::{self, Distances, Facts};
use dhtlab_core::workload::{DEFAULT_LOOKUPS, WorkloadParameters};
use dhtlab_network_experiments::histogram::{HISTOGRAM, add_counts, mean};
use dhtlab_scenario::{Column, Cost, Experiment, Run, RunOutput, TableRows, TableSpec, sections};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

dhtlab_core::choices! {
    /// The protocols that the published program compared.
    pub enum Protocol {
        /// Chord.
        Chord = "chord",
        /// VHash.
        VHash = "vhash",
    }
}

dhtlab_core::parameters! {
    /// The overlay of the published program.
    pub struct PublishedOverlay {
        /// The protocol.
        pub protocol: Protocol = Protocol::Chord;
        /// Number of nodes.
        pub nodes: usize = 1000, within 2..=20_000;
    }
}

dhtlab_core::parameters! {
    /// The published program.
    pub struct AsCoded {
        /// Dimensions d of VHash's torus.
        pub dimensions: usize = 4, within 2..=5;
        /// Rounds in which VHash nodes choose peers and move; a tenth of the nodes if absent.
        pub rounds: Option<usize> = None, within 1..=100_000;
        /// Whether VHash nodes move.
        pub embedding: bool = true;
    }
}

/// The experiment kind `vhash-latency-as-coded`.
pub struct VHashLatency;

impl Experiment for VHashLatency {
    fn name(&self) -> &'static str {
        "vhash-latency-as-coded"
    }

    fn doc(&self) -> &'static str {
        "underlay hops of Chord and VHash as the published program counted them: shortest paths on the overlay's graph"
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = underlay::Specification::sections();
        sections.extend([
            Section::of::<PublishedOverlay>("overlay"),
            Section::of::<AsCoded>("as-coded"),
            Section::of::<WorkloadParameters>("workload"),
        ]);
        sections
    }

    fn metrics(&self) -> &'static [Column] {
        METRICS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[TableSpec {
            name: "histogram",
            columns: HISTOGRAM,
            quantities: &["overlay_hops", "underlay_hops"],
        }]
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let run = PublishedRun {
            underlay: underlay::Specification::read(&values.sub("underlay")?, folder)?,
            overlay: PublishedOverlay::read(&values.sub("overlay")?)?,
            as_coded: AsCoded::read(&values.sub("as-coded")?)?,
            workload: WorkloadParameters::read(&values.sub("workload")?)?,
        };
        if run.workload.interval.is_some() {
            return Err(ConfigError::new(
                "workload.interval",
                "this experiment has no time; expected `lookups` alone",
            ));
        }
        if run.overlay.nodes > run.underlay.hosts() {
            return Err(ConfigError::new(
                "overlay.nodes",
                format_args!(
                    "{} nodes do not fit on the {} hosts of the underlay",
                    run.overlay.nodes,
                    run.underlay.hosts()
                ),
            ));
        }
        Ok(Box::new(run))
    }
}

dhtlab_scenario::columns! {
    METRICS, fn metrics(m: &OverlayPaths) {
        /// Pairs of a random node and another one, between which a shortest path is searched.
        lookups [""] = m.lookups,
        /// Mean hops of the shortest paths on the overlay's graph; pairs without a path do not count.
        overlay_hops_mean [""] = mean(&m.hops),
        /// Mean number of links of the underlay that the hops of such a path cross.
        underlay_hops_mean [""] = mean(&m.underlay_hops),
        /// `underlay_hops_mean` over `overlay_hops_mean`.
        underlay_hops_per_hop [""] = mean(&m.underlay_hops) / mean(&m.hops),
        /// Mean number of nodes that a node knows.
        degree_mean [""] = m.links as f64 / m.nodes as f64,
    }
}

/// The links of the overlay, and the paths on it by their hops.
struct OverlayPaths {
    nodes: usize,
    links: usize,
    lookups: u64,
    hops: Vec<u64>,
    underlay_hops: Vec<u64>,
}

struct PublishedRun {
    underlay: underlay::Specification,
    overlay: PublishedOverlay,
    as_coded: AsCoded,
    workload: WorkloadParameters,
}

/// The links of an overlay: for each node, those it knows.
type Links = Vec<Vec<u32>>;

impl Run for PublishedRun {
    fn resolved(&self) -> Map {
        sections([
            ("underlay", Value::Table(self.underlay.write())),
            ("overlay", self.overlay.table()),
            ("as-coded", self.as_coded.table()),
            ("workload", self.workload.table()),
        ])
    }

    fn facts(&self) -> Option<Facts> {
        self.underlay.facts()
    }

    fn cost(&self) -> Cost {
        let n = self.overlay.nodes as f64;
        let rounds = match self.overlay.protocol {
            Protocol::Chord => 1.0,
            Protocol::VHash if !self.as_coded.embedding => 1.0,
            Protocol::VHash => self
                .as_coded
                .rounds
                .map_or(n / 10.0, |rounds| rounds as f64),
        };
        Cost {
            events: rounds * n * n / 2.0,
            bytes: n * 2000.0 + self.underlay.memory(self.overlay.nodes) as f64,
        }
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let underlay = self
            .underlay
            .build(seed)
            .map_err(|e| ConfigError::new("underlay", e))?;
        let notes = underlay.notes().to_vec();
        let n = self.overlay.nodes;
        if n > underlay.hosts() {
            return Err(ConfigError::new(
                "overlay.nodes",
                "the connected underlay is too small",
            ));
        }
        let mut hosts = seed.stream("hosts", 0);
        let hosts = place(Placement::Distinct, underlay.hosts(), n, &mut hosts);
        let mut distances = Distances::new(Arc::new(underlay), hosts);
        let links = match self.overlay.protocol {
            Protocol::Chord => chord_links(n, seed),
            Protocol::VHash => match self.as_coded.dimensions {
                2 => vhash_links::<2>(n, &self.as_coded, &mut distances, seed),
                3 => vhash_links::<3>(n, &self.as_coded, &mut distances, seed),
                4 => vhash_links::<4>(n, &self.as_coded, &mut distances, seed),
                5 => vhash_links::<5>(n, &self.as_coded, &mut distances, seed),
                _ => {
                    return Err(ConfigError::new(
                        "as-coded.dimensions",
                        "expected 2, 3, 4 or 5",
                    ));
                }
            },
        };
        let lookups = self.workload.lookups.unwrap_or(DEFAULT_LOOKUPS);
        let (hops, underlay_hops) = shortest_paths(&links, lookups, &mut distances, seed);
        let mut histogram = TableRows::default();
        add_counts(&mut histogram, "overlay_hops", &hops);
        add_counts(&mut histogram, "underlay_hops", &underlay_hops);
        let measured = OverlayPaths {
            nodes: n,
            links: links.iter().map(Vec::len).sum(),
            lookups,
            hops,
            underlay_hops,
        };
        Ok(RunOutput {
            metrics: metrics(&measured),
            tables: vec![histogram],
            notes,
        })
    }
}

/// Chord: finger i is the first node at or after id + 2^i, i = 0..159; no successor list.
fn chord_links(n: usize, seed: Seed) -> Links {
    let mut stream = seed.stream("ids", 0);
    let mut ids = NodeIds::default();
    let nodes: Vec<_> = (0..n).map(|_| ids.add(Key::random(&mut stream))).collect();
    let ring = MemberIndex::new(&ids, &nodes);
    let finger = |node: &dhtlab_core::overlay::Node, i: u32| {
        let start = ids.id(*node).wrapping_add(Key::power_of_two(i));
        ring.nodes()[ring.successor(&start)]
    };
    nodes
        .iter()
        .map(|node| {
            let mut links: Vec<u32> = (0..Key::BITS)
                .map(|i| finger(node, i))
                .filter(|peer| peer != node)
                .map(|peer| peer.0)
                .collect();
            links.dedup();
            links
        })
        .collect()
}

/// The side of the published torus.
const SIDE: f64 = 100.0;

fn squared<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    let mut sum = 0.0;
    for i in 0..D {
        let across = (a[i] - b[i]).abs();
        let short = across.min(SIDE - across);
        sum += short * short;
    }
    sum
}

/// VHash: rounds in which nodes choose peers among all nodes and move.
fn vhash_links<const D: usize>(
    n: usize,
    as_coded: &AsCoded,
    distances: &mut Distances,
    seed: Seed,
) -> Links {
    let mut stream = seed.stream("positions", 0);
    let mut points: Vec<[f64; D]> = (0..n)
        .map(|_| std::array::from_fn(|_| stream.unit() * SIDE))
        .collect();
    let rounds = if as_coded.embedding {
        as_coded.rounds.unwrap_or(n / 10).max(1)
    } else {
        1
    };
    let table = 3 * D + 1;
    let mut links = Links::new();
    let mut order: Vec<(f64, u32)> = Vec::new();
    for _ in 0..rounds {
        let short: Links = (0..n)
            .map(|me| short_peers(me, &points, table, &mut order))
            .collect();
        links = (0..n)
            .map(|me| {
                let mut long: Vec<u32> = short[me]
                    .iter()
                    .flat_map(|peer| &short[*peer as usize])
                    .copied()
                    .filter(|other| *other as usize != me && !short[me].contains(other))
                    .collect();
                long.sort_unstable();
                long.dedup();
                stream.sample_to_front(&mut long, table * table);
                long.truncate(table * table);
                [short[me].as_slice(), &long].concat()
            })
            .collect();
        if as_coded.embedding {
            (0..n).for_each(|me| step(me, &mut points, &links[me], distances));
        }
    }
    links
}

/// DGVH over all nodes with the published midpoint, plus the farthest node where it finds few.
fn short_peers<const D: usize>(
    me: usize,
    points: &[[f64; D]],
    table: usize,
    order: &mut Vec<(f64, u32)>,
) -> Vec<u32> {
    let here = &points[me];
    order.clear();
    order.extend(
        points
            .iter()
            .enumerate()
            .map(|(i, point)| (squared(here, point), i as u32)),
    );
    order.swap_remove(me);
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<u32> = Vec::with_capacity(2 * table);
    for (_, candidate) in order.iter() {
        let middle = faulty_midpoint(here, &points[*candidate as usize], SIDE);
        let mine = squared(here, &middle);
        let hidden = chosen
            .iter()
            .any(|p| squared(&points[*p as usize], &middle) < mine);
        if !hidden {
            chosen.push(*candidate);
        }
    }
    if let Some((_, farthest)) = order.last()
        && chosen.len() < table
        && !chosen.contains(farthest)
    {
        chosen.push(*farthest);
    }
    chosen
}

/// The published force step of node `me`.
fn step<const D: usize>(
    me: usize,
    points: &mut [[f64; D]],
    peers: &[u32],
    distances: &mut Distances,
) {
    let here = points[me];
    let mut hops = |peer: &u32| f64::from(distances.path(me as u32, *peer).hops);
    let far: f64 = peers
        .iter()
        .map(|p| squared(&here, &points[*p as usize]).sqrt())
        .sum();
    let unit = far / peers.iter().map(&mut hops).sum::<f64>();
    let mut moved = here;
    for peer in peers {
        let rest = 1.0 + hops(peer) * unit;
        for i in 0..D {
            let across = here[i] - points[*peer as usize][i];
            let delta = across.min(SIDE - across);
            if delta != 0.0 {
                moved[i] += (rest - delta.abs()) * delta / delta.abs();
            }
        }
    }
    points[me] = moved.map(|x| x.rem_euclid(SIDE));
}

/// Overlay and underlay hops of shortest paths between random distinct nodes.
fn shortest_paths(
    links: &Links,
    lookups: u64,
    distances: &mut Distances,
    seed: Seed,
) -> (Vec<u64>, Vec<u64>) {
    let n = links.len();
    let mut stream = seed.stream("lookups", 0);
    let mut pairs: Vec<(usize, usize)> = (0..lookups)
        .map(|_| {
            let source = stream.index(n);
            (source, (source + 1 + stream.index(n - 1)) % n)
        })
        .collect();
    pairs.sort_unstable();
    let (mut hops, mut underlay_hops) = (Vec::new(), Vec::new());
    let mut parents = Vec::new();
    let mut searched = None;
    for (source, target) in pairs {
        if searched != Some(source) {
            parents = search(links, source);
            searched = Some(source);
        }
        let (mut steps, mut sum, mut at) = (0, 0, target);
        while at != source && parents[at] != u32::MAX {
            let before = parents[at] as usize;
            sum += distances.path(before as u32, at as u32).hops as usize;
            steps += 1;
            at = before;
        }
        // The program left out pairs without a path, too.
        if at == source {
            for (counts, value) in [(&mut hops, steps), (&mut underlay_hops, sum)] {
                if counts.len() <= value {
                    counts.resize(value + 1, 0);
                }
                counts[value] += 1;
            }
        }
    }
    (hops, underlay_hops)
}

/// The node before each node on a shortest path from `source`.
fn search(links: &Links, source: usize) -> Vec<u32> {
    let mut parents = vec![u32::MAX; links.len()];
    let mut queue = VecDeque::from([source as u32]);
    parents[source] = source as u32;
    while let Some(node) = queue.pop_front() {
        for peer in &links[node as usize] {
            if parents[*peer as usize] == u32::MAX {
                parents[*peer as usize] = node;
                queue.push_back(*peer);
            }
        }
    }
    parents
}
