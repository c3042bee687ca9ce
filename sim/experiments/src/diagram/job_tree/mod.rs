//! The trees of a job in a run: the messages that carried its atoms to their nodes, and those that
//! carried the results back to the job's address.

mod message_trace;

use super::job_run::RecordedJob;
use super::ring::{LABELS, bowed, on_circle, spread};
use super::shapes::{DiagramPoint, Shapes, Side};
use super::{Counted, Drawn, Subject};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Table, Value};
use dhtlab_core::underlay::Facts;
use dhtlab_format::recording::{Recording, Space, What};
use dhtlab_scenario::{Cost, NetworkScenario};
use message_trace::{MessageTrace, TreeLinks};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

dhtlab_core::choices! {
    /// Which of the two trees is drawn.
    pub enum Tree {
        /// The path of the atoms from the stager to the nodes that map them.
        Map = "map",
        /// The path of the results back.
        Reduce = "reduce",
    }
}

dhtlab_core::choices! {
    /// The positions of the nodes.
    pub enum TreeLayout {
        /// On the ring, by their IDs.
        Ring = "ring",
        /// In levels by the number of hops from the root, which is at the top.
        Levels = "levels",
    }
}

dhtlab_core::parameters! {
    /// The trees of a job: that of `[job]` on the network of the other tables.
    pub struct JobTreeParameters {
        /// Which of the two trees is drawn.
        pub tree: Tree = Tree::Map;
        /// The positions of the nodes.
        pub layout: TreeLayout = TreeLayout::Ring;
    }
}

/// The picture `job-tree`.
pub(super) struct JobTree {
    run: RecordedJob,
    own: JobTreeParameters,
}

impl JobTree {
    /// Reads and checks the picture from the tables of the scenario.
    ///
    /// # Errors
    /// The first invalid key or combination of keys.
    pub fn read(values: &Table<'_>, folder: &Path) -> Result<Self, ConfigError> {
        let own = JobTreeParameters::read(&values.sub("diagram")?.sub("job-tree")?)?;
        let network = NetworkScenario::read(values, folder)?;
        if own.layout == TreeLayout::Ring && !network.protocol.is_ring() {
            let message = format_args!(
                "the IDs of \"{}\" form no ring; expected \"levels\"",
                network.overlay.protocol.as_str()
            );
            return Err(ConfigError::new("diagram.job-tree.layout", message));
        }
        let run = RecordedJob::read(values, folder)?;
        Ok(Self { run, own })
    }
}

/// The number of each node, from 1 by position on the ring, and these positions. Without a ring the
/// order is that of the network's node numbers.
fn numbered(recording: &Recording) -> (BTreeMap<u32, usize>, BTreeMap<u32, f64>) {
    let mut places: Vec<(f64, u32)> = Vec::new();
    for event in &recording.events {
        if let What::Appear { node, place } = &event.what {
            let at = match recording.space {
                Space::Ring | Space::TwoWayRing => place.first().copied(),
                _ => None,
            };
            places.push((at.unwrap_or(0.0), *node));
        }
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let numbers = places
        .iter()
        .zip(1..)
        .map(|((_, node), number)| (*node, number));
    (
        numbers.collect(),
        places.iter().map(|(at, node)| (*node, *at)).collect(),
    )
}

impl JobTree {
    fn draw_shapes(
        &self,
        trace: &MessageTrace,
        links: &TreeLinks,
        recording: &Recording,
    ) -> Shapes {
        let (numbers, on_ring) = numbered(recording);
        let ring: BTreeMap<u32, DiagramPoint> = on_ring
            .iter()
            .map(|(node, at)| (*node, on_circle(*at, 1.0)))
            .collect();
        let places = match self.own.layout {
            TreeLayout::Ring => ring,
            TreeLayout::Levels => links.in_levels(trace.root, &numbers),
        };
        let (node_layer, first, other) = match self.own.tree {
            Tree::Map => (
                "node: its number (atoms that it maps)",
                "atoms, a node's first message",
                "further atoms, another way",
            ),
            Tree::Reduce => (
                "node: its number (atoms that it maps)",
                "results, reduced on the way",
                "results, another way",
            ),
        };
        let mut shapes = Shapes::default();
        let of = |node: &u32| places.get(node).copied();
        for (node, at) in &places {
            if *node != trace.root {
                shapes.point(node_layer, *at);
            }
        }
        // Bent to the inside of the ring, and upwards in levels.
        let bow = match self.own.layout {
            TreeLayout::Ring => -0.12,
            TreeLayout::Levels => 0.12,
        };
        let ways = links
            .parents
            .iter()
            .map(|(lower, upper)| (upper, lower, first, 0.0));
        let others = links
            .others
            .iter()
            .map(|(upper, lower)| (upper, lower, other, bow));
        for (upper, lower, layer, bow) in ways.chain(others) {
            if let (Some(upper), Some(lower)) = (of(upper), of(lower)) {
                let way = match self.own.tree {
                    Tree::Map => (upper, lower),
                    Tree::Reduce => (lower, upper),
                };
                if bow != 0.0 {
                    shapes.arrow(layer, &bowed(way.0, way.1, bow));
                } else {
                    shapes.arrow(layer, &[way.0, way.1]);
                }
            }
        }
        if let Some(at) = of(&trace.root) {
            shapes.point("root of the job's address: the stager", at);
        }
        let label = |node: &u32| {
            let atoms = trace.atoms.get(node).map_or(0, BTreeSet::len);
            format!("{} ({atoms})", numbers.get(node).copied().unwrap_or(0))
        };
        match self.own.layout {
            TreeLayout::Ring => {
                let circle: Vec<DiagramPoint> = (0..=180)
                    .map(|step| on_circle(f64::from(step) / 180.0, 1.0))
                    .collect();
                shapes.line("ring", &circle);
                let mut order: Vec<(f64, u32)> =
                    on_ring.iter().map(|(node, at)| (*at, *node)).collect();
                order.sort_by(|a, b| a.0.total_cmp(&b.0));
                let widths: Vec<(f64, usize)> = order
                    .iter()
                    .map(|(at, node)| (*at, label(node).len()))
                    .collect();
                for (part, (_, node)) in spread(&widths).iter().zip(&order) {
                    shapes.text_outside(node_layer, on_circle(*part, LABELS), &label(node));
                }
            }
            TreeLayout::Levels => {
                for (node, at) in &places {
                    let above = links.parents.get(node).and_then(of);
                    let has_more = links.parents.values().any(|parent| parent == node);
                    match above {
                        None => shapes.text(node_layer, (at.0, at.1 + 0.03), &label(node)),
                        Some(_) if !has_more => {
                            shapes.text(node_layer, (at.0, at.1 - 0.03), &label(node));
                        }
                        // On the right, and higher if no message comes from there.
                        Some(above) => {
                            let raised = if above.0 > at.0 { 0.0 } else { 0.018 };
                            let beside = (at.0, at.1 + raised);
                            let label = label(node);
                            shapes.text_beside(node_layer, beside, 0.013, Side::Right, &label);
                        }
                    }
                }
            }
        }
        shapes
    }
}

impl Subject for JobTree {
    fn resolved(&self) -> Map {
        let mut table = self.run.resolved();
        let own = Value::Table(self.own.write().into_iter().collect());
        let diagram = [("job-tree".to_owned(), own)].into_iter().collect();
        table.insert("diagram".to_owned(), Value::Table(diagram));
        table
    }

    fn cost(&self) -> Cost {
        self.run.cost()
    }

    fn facts(&self) -> Option<Facts> {
        self.run.facts()
    }

    fn draw(&self, seed: Seed) -> Result<Drawn, ConfigError> {
        let (outcome, recording) = self.run.record(seed)?;
        let trace = MessageTrace::of(&recording);
        let links = trace.links(self.own.tree);
        let messages = match self.own.tree {
            Tree::Map => trace.map.len(),
            Tree::Reduce => trace.reduce.len(),
        };
        let atoms: usize = trace.atoms.values().map(BTreeSet::len).sum();
        let depth = links.levels.values().copied().max().unwrap_or(0);
        Ok(Drawn {
            shapes: self.draw_shapes(&trace, &links, &recording),
            counted: Counted {
                nodes: Some(links.levels.len()),
                edges: Some(links.parents.len() + links.others.len()),
                messages: Some(messages),
                depth: Some(depth),
                atoms: Some(atoms),
                estimate: Some(RecordedJob::metric(&outcome, "result")),
                ..Counted::default()
            },
            notes: outcome.notes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::tests::{drawn, metric};
    use dhtlab_scenario::Cell;

    fn scenario(nodes: usize, atoms: u32, bundle: &str) -> String {
        format!(
            "[diagram]\npicture = \"job-tree\"\n[underlay]\nmodel = \"constant\"\nnodes = {nodes}\n\
             [overlay]\nnodes = {nodes}\n[overlay.chord]\nsuccessors = 2\n\
             [job]\natoms = {atoms}\nsamples = 5000\nreplicas = 1\nbundle = \"{bundle}\"\n"
        )
    }

    fn trace(text: &str, seed: u64) -> (MessageTrace, Recording) {
        let table = dhtlab_scenario::parse_toml(text).expect("TOML");
        let tree = JobTree::read(&Table::root(&table), Path::new("")).expect("valid");
        let (outcome, recording) = tree.run.record(Seed::new(seed)).expect("a run");
        assert_eq!(
            RecordedJob::metric(&outcome, "atoms_counted"),
            RecordedJob::metric(&outcome, "atoms")
        );
        (MessageTrace::of(&recording), recording)
    }

    /// Every atom is mapped once, by the first node at or after its key. Every node that maps an
    /// atom has a path from the stager, and its results have a path back.
    #[test]
    fn atoms_reach_their_roots_and_results_the_address() {
        for (nodes, atoms, bundle) in [
            (16, 40, "fingers"),
            (30, 20, "fingers"),
            (12, 30, "none"),
            (10, 25, "walk"),
        ] {
            for seed in 0..4 {
                let (trace, recording) = trace(&scenario(nodes, atoms, bundle), seed);
                let mut mapped = 0;
                for (node, atoms) in &trace.atoms {
                    for atom in atoms {
                        let key = &recording.keys[*atom as usize].key;
                        let ids = recording.nodes.iter().map(|node| &node.id);
                        let root = ids.clone().filter(|id| *id >= key).min().or(ids.min());
                        assert_eq!(root, Some(&recording.nodes[*node as usize].id));
                        mapped += 1;
                    }
                }
                assert_eq!(mapped, atoms, "{bundle}");
                for tree in [Tree::Map, Tree::Reduce] {
                    let links = trace.links(tree);
                    for node in trace.atoms.keys() {
                        assert!(links.levels.contains_key(node), "{bundle} {tree:?}: {node}");
                    }
                }
            }
        }
    }

    /// A converged Chord has one next hop to the address: results form a tree, as deep as lookups
    /// are long.
    #[test]
    fn results_make_a_tree() {
        for seed in 0..4 {
            let (trace, _) = trace(&scenario(32, 60, "fingers"), seed);
            let links = trace.links(Tree::Reduce);
            assert_eq!(links.others, []);
            let depth = links.levels.values().max().expect("a root");
            assert!((1..=6).contains(depth), "{depth}");
            let places = links.in_levels(trace.root, &BTreeMap::new());
            assert_eq!(places.len(), links.levels.len());
            let mut different: Vec<(u64, u64)> = places
                .values()
                .map(|(x, y)| (x.to_bits(), y.to_bits()))
                .collect();
            different.sort_unstable();
            different.dedup();
            assert_eq!(different.len(), places.len(), "two nodes at one place");
        }
    }

    /// Every sent message is counted, and the job has its result.
    #[test]
    fn the_picture_is_of_the_run() {
        let text = scenario(16, 40, "fingers");
        let (trace, _) = trace(&text, 7);
        let outcome = drawn(&text, 7).expect("a picture");
        assert_eq!(metric(&outcome, "messages"), trace.map.len() as f64);
        assert_eq!(metric(&outcome, "atoms"), 40.0);
        assert!((metric(&outcome, "estimate") - std::f64::consts::PI).abs() < 0.1);
        let arrows = outcome.tables[0]
            .0
            .iter()
            .filter(|row| row[1].text() == Some("arrow"));
        let mut items: Vec<&Cell> = arrows.map(|row| &row[2]).collect();
        items.dedup();
        assert_eq!(items.len() as f64, metric(&outcome, "edges"));
    }
}
