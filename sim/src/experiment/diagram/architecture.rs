//! The floors of the library, and what ChordReduce is made of.
//!
//! The slides show ChordReduce as layers: MapReduce on a file system on Chord. What they are here is
//! read from the sources that the documentation is made of: the table of the floors at the top of
//! `lib.rs`, the modules of `service`, the names of the protocols and tasks, and the functions of the
//! common API between an overlay and a service. So the picture is that of the code that draws it.

use super::shapes::{DiagramPoint, Shapes, Side};
use super::{Drawn, Subject, own_tables};
use crate::engine::Seed;
use crate::parameter::{ConfigError, Parameters, Table};
use crate::scenario::Protocol;
use crate::service::job::tasks::Kind;
use crate::space::Key;

/// The crate's own documentation, with the table of the floors.
const LIBRARY: &str = include_str!("../../lib.rs");
/// The services.
const SERVICE: &str = include_str!("../../service/mod.rs");
/// The service that is ChordReduce.
const JOB: &str = include_str!("../../service/job/mod.rs");
/// What a service is told by the overlay below it, and what it may ask of that.
const APPLICATION: &str = include_str!("../../overlay/application.rs");

crate::parameters! {
    /// The floors of the library.
    pub struct ArchitectureParameters {
        /// SHA-1 of what the picture is made of, in hex. A resolved scenario has it, so that other floors are another run; where it is given, it must match.
        pub content: Option<String> = None;
    }
}

/// The picture.
pub(super) struct Architecture(ArchitectureParameters);

impl Architecture {
    /// Reads and checks it from the table `diagram`.
    ///
    /// # Errors
    /// If the floors are others than those that the scenario names.
    pub fn read(table: &Table<'_>) -> Result<Self, ConfigError> {
        let table = table.sub("architecture")?;
        let mut parameters = ArchitectureParameters::read(&table)?;
        let found = Key::sha1(format!("{:?}", Layers::of_the_code()).as_bytes()).to_string();
        let expected = parameters.content.get_or_insert_with(|| found.clone());
        if *expected != found {
            let message = format_args!("expected the SHA-1 {expected}, found {found}");
            return Err(ConfigError::new(table.path_of("content"), message));
        }
        Ok(Self(parameters))
    }
}

/// A floor: the name of its module, and what lives there.
type Layer = (&'static str, &'static str);

/// What the code consists of.
#[derive(Debug)]
struct Layers {
    /// The floors, the lowest first.
    stack: Vec<Layer>,
    /// The modules of the floor `service`.
    services: Vec<&'static str>,
    /// Those on which the job stands, beside itself.
    below_job: Vec<&'static str>,
    /// What the overlay calls in a service.
    upcalls: Vec<&'static str>,
    /// What a service calls in the overlay.
    calls: Vec<&'static str>,
}

impl Layers {
    fn of_the_code() -> Self {
        let services = modules(SERVICE);
        let is_used = |name: &&&str| **name != "job" && JOB.contains(&format!("use super::{name}"));
        Self {
            stack: LIBRARY.lines().filter_map(layer).collect(),
            below_job: services.iter().filter(is_used).copied().collect(),
            services,
            upcalls: functions(
                APPLICATION,
                "pub trait Application",
                "    fn ",
                "AppContext<",
            ),
            calls: [
                functions(
                    APPLICATION,
                    "impl<A: Application> AppContext",
                    "    pub fn ",
                    "&mut self",
                ),
                functions(APPLICATION, "pub trait LocalRouting", "    fn ", "&self"),
            ]
            .concat(),
        }
    }
}

/// The floor in a row of the table, "//! | [`name`] | what lives there |".
fn layer(line: &'static str) -> Option<Layer> {
    let row = line.strip_prefix("//! | [`")?;
    let (name, doc) = row.split_once("`] | ")?;
    Some((name, doc.strip_suffix(" |")?))
}

/// The public modules that a source declares.
fn modules(source: &'static str) -> Vec<&'static str> {
    let module = |line: &'static str| line.strip_prefix("pub mod ")?.strip_suffix(';');
    source.lines().filter_map(module).collect()
}

/// The functions in the block that begins with `head`, in lines that begin with `start`, whose
/// arguments have `argument` among them.
fn functions(source: &'static str, head: &str, start: &str, argument: &str) -> Vec<&'static str> {
    let block = source.split_once(head).map_or("", |(_, rest)| rest);
    let block = block.split_once("\n}").map_or("", |(block, _)| block);
    let with_start = format!("\n{start}");
    let function = |text: &'static str| {
        let (name, rest) = text.split_once('(')?;
        let arguments = rest.split(['{', ';']).next()?;
        arguments.contains(argument).then_some(name)
    };
    block
        .split(with_start.as_str())
        .skip(1)
        .filter_map(function)
        .collect()
}

/// Measures of the picture.
const WIDTH: f64 = 10.0;
const NAME_WIDTH: f64 = 1.5;
const HEIGHT: f64 = 0.62;
const GAP: f64 = 0.1;
/// Between an overlay and a service: room for the calls.
const CALLS: f64 = 1.2;

const LAYER: &str = "floor: each stands on those below";
const PART: &str = "part of it";
const REDUCE: &str = "what ChordReduce is made of";

/// A row of boxes, those of which `is_own` says so in the layer of ChordReduce. A box with a long
/// label is twice as wide as one with a short one.
fn row(shapes: &mut Shapes, y: f64, labels: &[(String, bool)]) {
    let share = |label: &str| if label.len() > 20 { 2.0 } else { 1.0 };
    let total: f64 = labels.iter().map(|(label, _)| share(label)).sum();
    let mut x = NAME_WIDTH + GAP;
    let unit = (WIDTH + GAP - x) / total;
    for (label, is_own) in labels {
        let next = x + unit * share(label);
        let layer = if *is_own { REDUCE } else { PART };
        shapes.labelled_box(layer, [(x, y), (next - GAP, y + HEIGHT)], label);
        x = next;
    }
}

impl Subject for Architecture {
    fn resolved(&self) -> toml::Table {
        own_tables(vec![("architecture", self.0.write())])
    }

    fn draw(&self, _: Seed) -> Result<Drawn, ConfigError> {
        let layers = Layers::of_the_code();
        let mut drawn = Drawn::default();
        let shapes = &mut drawn.shapes;
        let mut y = 0.0;
        let mut parts = 0;
        for (name, doc) in &layers.stack {
            if *name == "service" {
                let ways: [(&str, f64, &[&str], [DiagramPoint; 2]); 2] = [
                    (
                        "up-calls of the common API",
                        NAME_WIDTH + 0.4,
                        &layers.upcalls,
                        [(NAME_WIDTH + 0.25, y - GAP), (NAME_WIDTH + 0.25, y + CALLS)],
                    ),
                    (
                        "calls of the common API",
                        WIDTH / 2.0 + 1.3,
                        &layers.calls,
                        [
                            (WIDTH / 2.0 + 1.15, y + CALLS),
                            (WIDTH / 2.0 + 1.15, y - GAP),
                        ],
                    ),
                ];
                for (layer, x, names, way) in ways {
                    shapes.arrow(layer, &way);
                    // In two lines.
                    for (line, part) in names.chunks(names.len().div_ceil(2).max(1)).enumerate() {
                        let at = (x, y + CALLS / 2.0 + 0.1 - 0.32 * line as f64);
                        shapes.text_beside(layer, at, 0.0, Side::Right, &part.join(", "));
                    }
                }
                y += CALLS;
            }
            shapes.labelled_box(LAYER, [(0.0, y), (NAME_WIDTH, y + HEIGHT)], name);
            let labels: Vec<(String, bool)> = match *name {
                "overlay" => Protocol::WORDS
                    .iter()
                    .map(|word| ((*word).to_owned(), *word == Protocol::Chord.as_str()))
                    .collect(),
                "service" => layers
                    .services
                    .iter()
                    .map(|service| {
                        if *service == "job" {
                            (format!("{service}: {}", Kind::WORDS.join(", ")), true)
                        } else {
                            ((*service).to_owned(), layers.below_job.contains(service))
                        }
                    })
                    .collect(),
                _ => vec![((*doc).to_owned(), false)],
            };
            if labels.len() > 1 {
                parts += labels.len();
            }
            row(shapes, y, &labels);
            y += HEIGHT + GAP;
        }
        drawn.counted = vec![
            ("nodes", (layers.stack.len() + parts) as f64),
            ("depth", layers.stack.len() as f64),
            (
                "messages",
                (layers.upcalls.len() + layers.calls.len()) as f64,
            ),
        ];
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::diagram::tests::{drawn, metric};
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn source() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
    }

    /// The modules in a folder that have one of their own.
    fn folders(path: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(path)
            .expect("a folder")
            .map(|entry| entry.expect("an entry"));
        let folders = entries.filter(|entry| entry.path().join("mod.rs").exists());
        folders
            .map(|entry| entry.file_name().into_string().expect("UTF-8"))
            .collect()
    }

    fn files(path: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                files(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }

    fn names<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> BTreeSet<String> {
        names.into_iter().map(|name| (*name).to_owned()).collect()
    }

    /// The picture has the modules that there are, in the order in which the library declares them.
    #[test]
    fn the_layers_are_the_modules() {
        let layers = Layers::of_the_code();
        let stack: Vec<&str> = layers.stack.iter().map(|(name, _)| *name).collect();
        assert_eq!(stack, modules(LIBRARY));
        assert_eq!(names(&stack), folders(&source()));
        assert_eq!(names(&layers.services), folders(&source().join("service")));
        assert_eq!(names(Protocol::WORDS), folders(&source().join("overlay")));
        assert_eq!(layers.below_job, ["replication"]);
        for (call, list) in [
            ("deliver", &layers.upcalls),
            ("forward", &layers.upcalls),
            ("update", &layers.upcalls),
            ("route", &layers.calls),
            ("send", &layers.calls),
            ("next_hop", &layers.calls),
            ("replica_set", &layers.calls),
        ] {
            assert!(list.contains(&call), "{call}: {list:?}");
        }
        // What a network asks of a service is no up-call of an overlay.
        assert!(!layers.upcalls.contains(&"bytes"), "{:?}", layers.upcalls);
    }

    /// What the picture says is so: no floor uses one above it. What a file tests may stand higher.
    #[test]
    fn each_layer_uses_those_below() {
        let stack: Vec<&str> = Layers::of_the_code()
            .stack
            .iter()
            .map(|(name, _)| *name)
            .collect();
        let mut uses = 0;
        for (level, floor) in stack.iter().enumerate() {
            let mut sources = Vec::new();
            files(&source().join(floor), &mut sources);
            assert!(!sources.is_empty(), "{floor}");
            for path in sources {
                let text = fs::read_to_string(&path).expect("a source");
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                let code = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"));
                for name in code.flat_map(|line| line.split("crate::").skip(1)) {
                    let is_part = |c: char| c.is_alphanumeric() || c == '_';
                    let name = &name[..name.find(|c| !is_part(c)).unwrap_or(name.len())];
                    if let Some(other) = stack.iter().position(|floor| *floor == name) {
                        uses += 1;
                        assert!(other <= level, "{} uses {name}", path.display());
                    }
                }
            }
        }
        assert!(uses > 100, "{uses}");
    }

    #[test]
    fn the_picture_has_a_box_for_each() {
        let outcome = drawn("[diagram]\npicture = \"architecture\"", 1).expect("a picture");
        let rows = outcome.tables[0].0.iter();
        let boxes: BTreeSet<&String> = rows
            .filter(|row| row[1] == "box")
            .map(|row| &row[2])
            .collect();
        let layers = Layers::of_the_code();
        let parts = Protocol::WORDS.len() + layers.services.len();
        // A name a floor, and what lives there: parts for two of them, a sentence for the others.
        assert_eq!(boxes.len(), 2 * layers.stack.len() - 2 + parts);
        assert_eq!(
            metric(&outcome, "nodes"),
            (layers.stack.len() + parts) as f64
        );
    }

    #[test]
    fn other_layers_are_refused() {
        let text = "[diagram]\npicture = \"architecture\"\narchitecture = { content = \"00\" }";
        let error = drawn(text, 1).expect_err("another content");
        assert_eq!(error.key, "diagram.architecture.content");
    }
}
