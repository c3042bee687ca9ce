//! `experiment = "diagram"`: a picture of a state, as shapes for a figure of kind `diagram`.
//!
//! Each file except two is a picture. Its content comes from the parts of the library that the
//! experiments use (Chord's tables, the Delaunay triangulation, the messages of a job), so the
//! picture shows what they do. `shapes` has the elements of a picture; `ring` has the nodes of a
//! ring and their positions on the page.

mod architecture;
mod dartboard;
mod job_run;
mod job_tree;
mod ring;
mod ring_fingers;
mod ring_regions;
mod shapes;
mod voronoi;

use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table, Value};
use dhtlab_core::underlay::Facts;
use dhtlab_network_experiments::JobExperiment;
use dhtlab_scenario::{Column, Cost, Experiment, Run, RunOutput, TableSpec};
use shapes::Shapes;
use std::path::Path;

dhtlab_core::choices! {
    /// The content of a picture.
    pub enum Picture {
        /// The regions of the nodes of a Chord ring.
        RingRegions = "ring-regions",
        /// A Chord ring, and the fingers of one of its nodes.
        RingFingers = "ring-fingers",
        /// The Voronoi cells of points in the unit square, their Delaunay triangulation, and the edges that DGVH finds.
        Voronoi = "voronoi",
        /// The points of a job that estimates pi.
        Dartboard = "dartboard",
        /// The path of a job's atoms to their nodes, or that of the results back.
        JobTree = "job-tree",
        /// The layers of the simulator and the modules of ChordReduce.
        Architecture = "architecture",
    }
}

dhtlab_core::parameters! {
    /// A picture of a state.
    pub struct DiagramParameters {
        /// The content of the picture.
        pub picture: Picture = Picture::RingFingers;
    }
}

dhtlab_scenario::columns! {
    /// What is counted in a picture. Each picture has some of the cells.
    #[derive(Clone, Copy, Debug, Default)]
    struct Counted {
        /// Nodes or points in the picture; in `job-tree` those of the tree, in `architecture` the
        /// layers and their parts. Empty in `dartboard`.
        nodes [""]: Option<usize>,
        /// Edges of the Delaunay triangulation (`voronoi`), or links of the tree (`job-tree`). This and
        /// the other metrics are empty in all other pictures.
        edges [""]: Option<usize>,
        /// Edges of the triangulation that DGVH misses (`voronoi`).
        missing_edges [""]: Option<usize>,
        /// Edges of DGVH that are not in the triangulation (`voronoi`).
        extra_edges [""]: Option<usize>,
        /// The largest region of a node, as a fraction of the ring (`ring-regions`) or of the square
        /// (`voronoi`).
        largest_region ["fraction"]: Option<f64>,
        /// Sum of all regions, 1 if they cover all (`ring-regions`, `voronoi`).
        region_total [""]: Option<f64>,
        /// Tasks with random keys (`ring-regions` with tasks).
        tasks [""]: Option<u32>,
        /// The most tasks of a node (`ring-regions` with tasks).
        largest_load [""]: Option<usize>,
        /// Entries of the finger table (`ring-fingers`).
        fingers [""]: Option<usize>,
        /// Different nodes that are fingers (`ring-fingers`).
        distinct_fingers [""]: Option<usize>,
        /// Hops of the lookup (`ring-fingers` with a lookup).
        hops [""]: Option<usize>,
        /// Messages of the tree (`job-tree`), or calls between the layers (`architecture`).
        messages [""]: Option<usize>,
        /// Levels below the root (`job-tree`), or layers (`architecture`).
        depth [""]: Option<usize>,
        /// Atoms of the job (`dartboard`), or atoms that nodes map (`job-tree`).
        atoms [""]: Option<usize>,
        /// Random points of all atoms (`dartboard`).
        points [""]: Option<usize>,
        /// Points in the circle (`dartboard`).
        hits [""]: Option<usize>,
        /// The job's result (`dartboard`, `job-tree`).
        estimate [""]: Option<f64>,
    }
}

/// A picture, read and checked.
trait Subject: Send + Sync {
    /// The resolved tables of the scenario that the picture depends on.
    fn resolved(&self) -> Map;

    /// Cost estimate; almost zero where no network runs.
    fn cost(&self) -> Cost {
        Cost {
            events: 100.0,
            bytes: 1e5,
        }
    }

    /// Facts of the underlay file, if there is one.
    fn facts(&self) -> Option<Facts> {
        None
    }

    /// Draws the picture.
    ///
    /// # Errors
    /// Errors that are found only with the state.
    fn draw(&self, seed: Seed) -> Result<Drawn, ConfigError>;
}

/// A picture that was drawn.
#[derive(Debug, Default)]
struct Drawn {
    shapes: Shapes,
    counted: Counted,
    notes: Vec<String>,
}

/// The experiment kind `diagram`.
pub struct Diagram;

impl Experiment for Diagram {
    fn name(&self) -> &'static str {
        "diagram"
    }

    fn doc(&self) -> &'static str {
        "a diagram of a state: a ring, a triangulation, the messages of a job, the layers of the simulator"
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = JobExperiment.sections();
        sections.extend([
            Section::of::<DiagramParameters>("diagram"),
            Section::of::<ring::RingParameters>("diagram.ring"),
            Section::of::<ring_regions::RingRegionsParameters>("diagram.ring-regions"),
            Section::of::<ring_fingers::RingFingersParameters>("diagram.ring-fingers"),
            Section::of::<voronoi::VoronoiParameters>("diagram.voronoi"),
            Section::of::<job_tree::JobTreeParameters>("diagram.job-tree"),
            Section::of::<architecture::ArchitectureParameters>("diagram.architecture"),
        ]);
        sections
    }

    fn metrics(&self) -> &'static [Column] {
        Counted::COLUMNS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[TableSpec {
            name: "shapes",
            columns: shapes::COLUMNS,
            quantities: &[],
        }]
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let table = values.sub("diagram")?;
        let parameters = DiagramParameters::read(&table)?;
        if !matches!(parameters.picture, Picture::Dartboard | Picture::JobTree) {
            refuse_network(values, parameters.picture)?;
        }
        let subject: Box<dyn Subject> = match parameters.picture {
            Picture::RingRegions => Box::new(ring_regions::RingRegions::read(&table)?),
            Picture::RingFingers => Box::new(ring_fingers::RingFingers::read(&table)?),
            Picture::Voronoi => Box::new(voronoi::Voronoi::read(&table)?),
            Picture::Dartboard => Box::new(dartboard::Dartboard::read(values, folder)?),
            Picture::JobTree => Box::new(job_tree::JobTree::read(values, folder)?),
            Picture::Architecture => Box::new(architecture::Architecture::read(&table)?),
        };
        Ok(Box::new(DiagramRun {
            parameters,
            subject,
        }))
    }
}

/// Refuses the tables of a network and its job, which this picture does not use.
fn refuse_network(values: &Table<'_>, picture: Picture) -> Result<(), ConfigError> {
    for section in JobExperiment.sections() {
        let name = section.path.split('.').next().unwrap_or_default();
        if values.get(name).is_some() {
            let message = format_args!("\"{}\" shows no network and no job", picture.as_str());
            return Err(ConfigError::new(name, message));
        }
    }
    Ok(())
}

struct DiagramRun {
    parameters: DiagramParameters,
    subject: Box<dyn Subject>,
}

impl Run for DiagramRun {
    fn resolved(&self) -> Map {
        let mut table = self.subject.resolved();
        let own = table
            .entry("diagram".to_owned())
            .or_insert_with(|| Value::Table(Map::new()));
        if let Some(own) = own.as_table_mut() {
            own.extend(self.parameters.write());
        }
        table
    }

    fn cost(&self) -> Cost {
        self.subject.cost()
    }

    fn facts(&self) -> Option<Facts> {
        self.subject.facts()
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let drawn = self.subject.draw(seed)?;
        Ok(RunOutput {
            metrics: drawn.counted.row(),
            tables: vec![drawn.shapes.into_rows()],
            notes: drawn.notes,
        })
    }
}

/// The resolved tables of a picture that depends only on tables `diagram.NAME`.
fn own_tables(tables: Vec<(&str, std::collections::BTreeMap<String, Value>)>) -> Map {
    let tables = tables
        .into_iter()
        .map(|(name, values)| (name.to_owned(), Value::Table(values.into_iter().collect())));
    [("diagram".to_owned(), Value::Table(tables.collect()))]
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_scenario::Cell;

    /// The output of the run of scenario `text`.
    pub(super) fn drawn(text: &str, seed: u64) -> Result<RunOutput, ConfigError> {
        let table = dhtlab_scenario::parse_toml(text).expect("TOML");
        let run = Diagram.prepare(&Table::root(&table), Path::new(""))?;
        run.run(Seed::new(seed))
    }

    /// The metric with this name.
    pub(super) fn metric(outcome: &RunOutput, name: &str) -> f64 {
        let metric = outcome.metric(&Diagram, name);
        metric.unwrap_or_else(|| panic!("{name} is empty"))
    }

    /// The rows of a layer with one shape: item, x, y and label.
    pub(super) fn rows<'a>(
        outcome: &'a RunOutput,
        layer: &str,
        shape: &str,
    ) -> Vec<(usize, f64, f64, &'a str)> {
        let rows = outcome.tables[0].0.iter().map(|row| {
            let [of, kind, item, x, y, label] = &row[..] else {
                panic!("{row:?}");
            };
            let text = |cell: &'a Cell| cell.text().expect("a text");
            let number = |cell: &Cell| cell.number().expect("a number");
            let place = (number(item) as usize, number(x), number(y), text(label));
            ((text(of), text(kind)), place)
        });
        rows.filter(|(of, _)| *of == (layer, shape))
            .map(|(_, place)| place)
            .collect()
    }
}
