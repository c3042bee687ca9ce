//! Churn from a trace file.

use super::{Change, ChurnPlan, Step};
use crate::engine::{Duration, Instant};
use crate::parameter::{NamedFile, shown};
use std::collections::HashMap;

crate::parameters! {
    /// Joins and departures from a file of lines `time_s,join|leave|crash,node`. The nodes that are online at the start have the names 0, 1, 2, ...; other names are arbitrary. Epoch times (1e8 s and above) are relative to the first step, at which churn begins.
    pub struct TraceParameters {
        /// The file, relative to the scenario's folder.
        pub file: String = String::new();
        /// SHA-1 of the content, in hex. A resolved scenario contains it, so that a changed file gives another run; a given value must match the file.
        pub content: Option<String> = None;
    }
}

/// A trace, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Times count from the start of the run or, with an `epoch`, from the first step.
    steps: Vec<Step>,
    participants: usize,
    /// Maximum number of nodes online at a time.
    peak: usize,
    /// The first time as written, if times count from an epoch.
    epoch: Option<String>,
    /// When the last node departs, if all depart.
    empty: Option<Instant>,
}

/// Times of at least three years in seconds count from an epoch: no run lasts as long, and Unix
/// time passed this value in 1973.
const EPOCH: f64 = 1e8;
/// Times of at least this value are no seconds of the next thousand years, but may be milliseconds
/// since an epoch.
const MAX_SECONDS: f64 = 1e11;

/// Positions of the three fields in a line, and the number of fields.
struct Columns {
    time: usize,
    change: usize,
    node: usize,
    count: usize,
}

impl Columns {
    const PLAIN: Self = Self {
        time: 0,
        change: 1,
        node: 2,
        count: 3,
    };

    /// The columns of a head line; `None` if `fields` are no head line.
    fn named(fields: &[&str]) -> Option<Self> {
        let find = |names: &[&str]| {
            let is_named = |field: &&str| names.iter().any(|name| field.eq_ignore_ascii_case(name));
            fields.iter().position(is_named)
        };
        Some(Self {
            time: find(&["time_s", "time", "timestamp", "seconds", "t"])?,
            change: find(&["event", "change", "action", "type"])?,
            node: find(&["node", "peer", "host", "participant", "name", "id"])?,
            count: fields.len(),
        })
    }
}

/// State of reading a trace.
struct Reader {
    names: HashMap<String, u32>,
    here: Vec<bool>,
    nodes: usize,
    members: usize,
    first: Option<f64>,
    trace: Trace,
}

impl Trace {
    /// Reads `text`, the trace of a network with `nodes` nodes at the start.
    ///
    /// A byte order mark, empty lines, lines that begin with `#` and a head line are skipped. A
    /// head line may name the columns in another order, and additional ones. Times from an epoch
    /// count from the first step.
    ///
    /// # Errors
    /// The number of the line (from 1) and its fault: a line of another form, decreasing time, or a
    /// node that joins while it is online or departs while it is offline.
    pub fn parse(text: &str, nodes: usize) -> Result<Self, (usize, String)> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader {
            names: (0..nodes as u32)
                .map(|participant| (participant.to_string(), participant))
                .collect(),
            here: vec![true; nodes],
            nodes,
            members: nodes,
            first: None,
            trace: Self {
                steps: Vec::new(),
                participants: nodes,
                peak: nodes,
                epoch: None,
                empty: None,
            },
        };
        let lines = text.lines().map(str::trim).zip(1..);
        let lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        let mut columns = Columns::PLAIN;
        for (place, (line, number)) in lines.enumerate() {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            if place == 0
                && let Some(named) = Columns::named(&fields)
            {
                columns = named;
                continue;
            }
            if fields.len() != columns.count {
                let message = format!(
                    "expected `time_s,join|leave|crash,node`, found \"{}\"",
                    shown(line)
                );
                return Err((number, message));
            }
            let [time, change, node] =
                [columns.time, columns.change, columns.node].map(|at| fields[at]);
            let step = reader.step(time, change, node);
            step.map_err(|message| (number, message))?;
        }
        reader.trace.participants = reader.here.len();
        Ok(reader.trace)
    }

    /// Reads a trace file.
    ///
    /// # Errors
    /// The fault of the file, with its line where there is one.
    pub(super) fn read(file: &NamedFile, nodes: usize) -> Result<Self, String> {
        let path = file.path.display();
        let text =
            str::from_utf8(&file.bytes).map_err(|_| format!("{path}: expected UTF-8 text"))?;
        Self::parse(text, nodes).map_err(|(line, message)| format!("{path}:{line}: {message}"))
    }

    /// Number of participants, later ones included.
    pub fn participants(&self) -> usize {
        self.participants
    }

    /// Whether a node joins.
    pub(super) fn joins(&self) -> bool {
        self.steps.iter().any(|step| step.change == Change::Join)
    }

    /// Maximum number of nodes online at a time.
    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    /// The plan if churn begins at `begin`: times from an epoch count from then on.
    pub(super) fn plan(&self, begin: Instant) -> ChurnPlan {
        let offset = self.offset(begin);
        let later = move |step: Step| Step {
            time: step.time + offset,
            ..step
        };
        Box::new(self.steps.clone().into_iter().map(later))
    }

    fn offset(&self, begin: Instant) -> Duration {
        match self.epoch {
            Some(_) => begin.since(Instant::START),
            None => Duration::ZERO,
        }
    }

    /// Notes for the user on the trace of a run that ends at `end`.
    pub(super) fn notes(&self, file: &str, begin: Instant, end: Instant) -> Vec<String> {
        let (offset, mut notes) = (self.offset(begin), Vec::new());
        let since_start = |time: Instant| time.since(Instant::START);
        if let Some(first) = &self.epoch {
            notes.push(format!(
                "{file}: times count from an epoch; the first one, {first} s, is {} of the run",
                since_start(begin)
            ));
        }
        let all = self.steps.len();
        let late = self.steps.iter().filter(|step| step.time + offset > end);
        let late = late.count();
        if late > 0 {
            notes.push(format!(
                "{file}: {late} of {all} steps lie after the end at {} and are skipped",
                since_start(end)
            ));
        }
        if let Some(empty) = self.empty.map(|time| time + offset)
            && empty <= end
        {
            notes.push(format!(
                "{file}: the last node departs at {}, and the run ends there",
                since_start(empty)
            ));
        }
        notes
    }
}

impl Reader {
    /// Reads a line.
    fn step(&mut self, time: &str, change: &str, name: &str) -> Result<(), String> {
        let seconds = time.parse::<f64>().ok();
        let Some(seconds) = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) else {
            return Err(format!(
                "expected a time in seconds of at least 0, found \"{}\"",
                shown(time)
            ));
        };
        if seconds >= MAX_SECONDS {
            return Err(format!(
                "expected a time in seconds, found {}, which may be in milliseconds",
                shown(time)
            ));
        }
        let first = *self.first.get_or_insert_with(|| {
            self.trace.epoch = (seconds >= EPOCH).then(|| time.to_owned());
            seconds
        });
        let seconds = match self.trace.epoch {
            Some(_) => seconds - first,
            None => seconds,
        };
        let change = match change {
            "join" => Change::Join,
            "leave" => Change::Leave,
            "crash" => Change::Crash,
            other => {
                return Err(format!(
                    "expected join, leave or crash, found \"{}\"",
                    shown(other)
                ));
            }
        };
        let since = Instant::START + Duration::from_secs_f64(seconds.max(0.0));
        let last = self
            .trace
            .steps
            .last()
            .map_or(Instant::START, |step| step.time);
        if seconds < 0.0 || since < last {
            return Err(format!("time decreases to {} s", shown(time)));
        }
        let participant = self.participant(change, name)?;
        let is_here = &mut self.here[participant as usize];
        match (change, *is_here) {
            (Change::Join, true) => {
                return Err(format!("node \"{}\" joins, but it is online", shown(name)));
            }
            (Change::Leave | Change::Crash, false) => {
                return Err(format!(
                    "node \"{}\" departs, but it is not online",
                    shown(name)
                ));
            }
            (Change::Join, false) => self.members += 1,
            (Change::Leave | Change::Crash, true) => self.members -= 1,
        }
        *is_here = change == Change::Join;
        let trace = &mut self.trace;
        trace.peak = trace.peak.max(self.members);
        if self.members == 0 {
            trace.empty.get_or_insert(since);
        }
        trace.steps.push(Step {
            time: since,
            participant,
            change,
        });
        Ok(())
    }

    /// The participant with this name.
    fn participant(&mut self, change: Change, name: &str) -> Result<u32, String> {
        match self.names.get(name) {
            Some(participant) => Ok(*participant),
            None if change == Change::Join => {
                let participant = self.here.len() as u32;
                self.names.insert(name.to_owned(), participant);
                self.here.push(false);
                Ok(participant)
            }
            None => Err(format!(
                "node \"{}\" is unknown: it is neither one of the first {} nor has it joined \
                 before",
                shown(name),
                self.nodes
            )),
        }
    }
}
