//! The layers of the simulator and the modules of ChordReduce.
//!
//! The slides show ChordReduce as layers: MapReduce on a file system on Chord. This picture shows
//! the corresponding crates and modules, the protocols and tasks, and the functions of the common
//! API between an overlay and a service (Dabek, Zhao, Druschel, Kubiatowicz and Stoica, IPTPS
//! 2003).

use super::shapes::{DiagramPoint, Shapes, Side};
use super::{Counted, Drawn, Subject, own_tables};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Table};
use dhtlab_core::service::job::tasks::TaskKind;
use dhtlab_core::space::Key;
use dhtlab_scenario::Protocol;

dhtlab_core::parameters! {
    /// The layers of the simulator.
    pub struct ArchitectureParameters {
        /// SHA-1 of the names in the picture, in hex. A resolved scenario contains it, so a change
        /// of the layers gives another run; a given value must match.
        pub content: Option<String> = None;
    }
}

/// The picture `architecture`.
pub(super) struct Architecture(ArchitectureParameters);

impl Architecture {
    /// Reads and checks the picture from the table `diagram`.
    ///
    /// # Errors
    /// If the layers differ from those that the scenario names.
    pub fn read(table: &Table<'_>) -> Result<Self, ConfigError> {
        let table = table.sub("architecture")?;
        let mut parameters = ArchitectureParameters::read(&table)?;
        let layers = LAYERS.map(|(name, _)| name);
        let found = Key::sha1(format!("{layers:?} {SERVICES:?} {UPCALLS:?} {CALLS:?}").as_bytes())
            .to_string();
        let expected = parameters.content.get_or_insert_with(|| found.clone());
        if *expected != found {
            let message = format_args!("expected the SHA-1 {expected}, found {found}");
            return Err(ConfigError::new(table.path_of("content"), message));
        }
        Ok(Self(parameters))
    }
}

/// The layers, the lowest first, each with its content: modules of `dhtlab-core`, then crates. A layer
/// uses only those before it.
const LAYERS: [(&str, &str); 16] = [
    (
        "parameter",
        "what a parameter is: key, kind, range, default, meaning",
    ),
    ("engine", "virtual time, the event queue, random streams"),
    ("underlay", "hosts, links, the distance between two hosts"),
    ("space", "ID spaces: distance, midpoint, closeness, DGVH"),
    ("transport", "a message between two hosts, and time-outs"),
    ("overlay", ""),
    ("service", ""),
    ("workload", "plans: who looks up what, and when"),
    (
        "churn",
        "plans: which nodes join, leave and crash, and when",
    ),
    (
        "adversary",
        "plans: which keys an attacker has and how its Sybils behave",
    ),
    (
        "network",
        "nodes on hosts: messages are delivered, events counted",
    ),
    ("ticks", "load balancing in ticks, without messages"),
    ("scenario", "scenario files: keys, sweeps, the list of runs"),
    (
        "network-experiments",
        "experiments that simulate a network; recordings",
    ),
    (
        "experiments",
        "all kinds of experiment: from a scenario to rows of metrics",
    ),
    ("command", "arguments, progress, result files"),
];

/// The modules of the layer `service`, and whether ChordReduce consists of them.
const SERVICES: [(&str, bool); 6] = [
    ("replication", true),
    ("storage", true),
    ("balancing", false),
    ("job", true),
    ("file_job", true),
    ("providers", false),
];

/// Functions of a service that an overlay calls.
const UPCALLS: [&str; 7] = [
    "start",
    "deliver",
    "forward",
    "receive",
    "undelivered",
    "on_timer",
    "update",
];

/// Functions of the overlay that a service calls.
const CALLS: [&str; 10] = [
    "route",
    "send",
    "set_timer",
    "send_local",
    "spawn_identity",
    "leave",
    "next_hop",
    "replica_set",
    "range",
    "id",
];

/// Dimensions of the picture.
const WIDTH: f64 = 10.0;
const NAME_WIDTH: f64 = 1.5;
const HEIGHT: f64 = 0.62;
const GAP: f64 = 0.1;
/// The space between an overlay and a service, for the calls.
const CALLS_HEIGHT: f64 = 1.2;

const LAYER: &str = "layer: each uses those below";
const CONTENT: &str = "content of a layer";
const MODULE: &str = "module";
const REDUCE: &str = "module of ChordReduce";

/// A row of boxes. A label is paired with the legend of its box. A box with a long label is twice as
/// wide as one with a short one.
fn row(shapes: &mut Shapes, y: f64, labels: &[(String, &str)]) {
    let share = |label: &str| if label.len() > 20 { 2.0 } else { 1.0 };
    let total: f64 = labels.iter().map(|(label, _)| share(label)).sum();
    let mut x = NAME_WIDTH + GAP;
    let unit = (WIDTH + GAP - x) / total;
    for (label, layer) in labels {
        let next = x + unit * share(label);
        shapes.labelled_box(layer, [(x, y), (next - GAP, y + HEIGHT)], label);
        x = next;
    }
}

impl Subject for Architecture {
    fn resolved(&self) -> Map {
        own_tables(vec![("architecture", self.0.write())])
    }

    fn draw(&self, _: Seed) -> Result<Drawn, ConfigError> {
        let mut drawn = Drawn::default();
        let shapes = &mut drawn.shapes;
        let mut y = 0.0;
        let mut parts = 0;
        for (name, doc) in &LAYERS {
            if *name == "service" {
                let ways: [(&str, f64, &[&str], [DiagramPoint; 2]); 2] = [
                    (
                        "up-calls of the common API",
                        NAME_WIDTH + 0.4,
                        &UPCALLS,
                        [
                            (NAME_WIDTH + 0.25, y - GAP),
                            (NAME_WIDTH + 0.25, y + CALLS_HEIGHT),
                        ],
                    ),
                    (
                        "calls of the common API",
                        WIDTH / 2.0 + 1.3,
                        &CALLS,
                        [
                            (WIDTH / 2.0 + 1.15, y + CALLS_HEIGHT),
                            (WIDTH / 2.0 + 1.15, y - GAP),
                        ],
                    ),
                ];
                for (layer, x, names, way) in ways {
                    shapes.arrow(layer, &way);
                    // In two lines.
                    for (line, part) in names.chunks(names.len().div_ceil(2).max(1)).enumerate() {
                        let at = (x, y + CALLS_HEIGHT / 2.0 + 0.1 - 0.32 * line as f64);
                        shapes.text_beside(layer, at, 0.0, Side::Right, &part.join(", "));
                    }
                }
                y += CALLS_HEIGHT;
            }
            // A long name breaks at its spaces only.
            let shown = name.replace('-', " ");
            shapes.labelled_box(LAYER, [(0.0, y), (NAME_WIDTH, y + HEIGHT)], &shown);
            let module = |is_own: bool| if is_own { REDUCE } else { MODULE };
            let labels: Vec<(String, &str)> = match *name {
                "overlay" => Protocol::WORDS
                    .iter()
                    .map(|word| {
                        (
                            (*word).to_owned(),
                            module(*word == Protocol::Chord.as_str()),
                        )
                    })
                    .collect(),
                "service" => SERVICES
                    .iter()
                    .map(|(service, is_own)| match *service {
                        "job" => {
                            let kinds = TaskKind::ALL.iter().filter(|kind| !kind.needs_files());
                            let kinds: Vec<&str> = kinds.map(|kind| kind.as_str()).collect();
                            (format!("{service}: {}", kinds.join(", ")), module(*is_own))
                        }
                        _ => ((*service).to_owned(), module(*is_own)),
                    })
                    .collect(),
                _ => vec![((*doc).to_owned(), CONTENT)],
            };
            if labels.len() > 1 {
                parts += labels.len();
            }
            row(shapes, y, &labels);
            y += HEIGHT + GAP;
        }
        drawn.counted = Counted {
            nodes: Some(LAYERS.len() + parts),
            depth: Some(LAYERS.len()),
            messages: Some(UPCALLS.len() + CALLS.len()),
            ..Counted::default()
        };
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::tests::{drawn, metric};
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The modules of the crate `dhtlab-core`, the lowest first; the layers after them are crates.
    fn modules() -> Vec<&'static str> {
        let names = LAYERS.iter().map(|(name, _)| *name);
        names.take_while(|name| *name != "ticks").collect()
    }

    fn source() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src")
    }

    /// The subfolders of a folder.
    fn folders(path: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(path)
            .expect("a folder")
            .map(|entry| entry.expect("an entry"));
        let folders = entries.filter(|entry| entry.path().join("mod.rs").exists());
        folders
            .map(|entry| entry.file_name().into_string().expect("UTF-8"))
            .collect()
    }

    fn names<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> BTreeSet<String> {
        names.into_iter().map(|name| (*name).to_owned()).collect()
    }

    /// The picture shows the existing modules and crates.
    #[test]
    fn the_layers_are_the_modules() {
        assert_eq!(names(&modules()), folders(&source()));
        for (name, _) in &LAYERS[modules().len()..] {
            let file = source().join("../..").join(name).join("Cargo.toml");
            assert!(file.exists(), "{name}");
        }
        let services = SERVICES.map(|(name, _)| name);
        assert_eq!(names(&services), folders(&source().join("service")));
        assert_eq!(names(Protocol::WORDS), folders(&source().join("overlay")));
        let application = fs::read_to_string(source().join("overlay/application.rs"));
        let application = application.expect("a source");
        for call in UPCALLS.iter().chain(&CALLS) {
            assert!(application.contains(&format!("fn {call}(")), "{call}");
        }
    }

    #[test]
    fn the_picture_has_a_box_for_each() {
        let outcome = drawn("[diagram]\npicture = \"architecture\"", 1).expect("a picture");
        let rows = outcome.tables[0].0.iter();
        let boxes: BTreeSet<String> = rows
            .filter(|row| row[1].text() == Some("box"))
            .map(|row| row[2].to_string())
            .collect();
        let parts = Protocol::WORDS.len() + SERVICES.len();
        // Each layer has its name and its content: parts for two of them, a sentence for the
        // others.
        assert_eq!(boxes.len(), 2 * LAYERS.len() - 2 + parts);
        assert_eq!(metric(&outcome, "nodes"), (LAYERS.len() + parts) as f64);
    }

    #[test]
    fn other_layers_are_refused() {
        let text = "[diagram]\npicture = \"architecture\"\narchitecture = { content = \"00\" }";
        let error = drawn(text, 1).expect_err("another content");
        assert_eq!(error.key, "diagram.architecture.content");
    }
}
