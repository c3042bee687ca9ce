//! Churn from a file.

use super::{Change, ChurnPlan, Step};
use crate::engine::{Instant, Span};
use crate::parameter::{NamedFile, shown};
use std::collections::HashMap;

crate::parameters! {
    /// Comings and goings from a file of lines `time_s,join|leave|crash,node`. The nodes that are there at first are called 0, 1, 2, ...; names of others are free.
    pub struct TraceParameters {
        /// The file, relative to the scenario's folder.
        pub file: String = String::new();
        /// SHA-1 of the content, in hex. A resolved scenario has it, so that a changed file is another run; where it is given, the file must match.
        pub content: Option<String> = None;
    }
}

/// A trace, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    steps: Vec<Step>,
    participants: usize,
}

impl Trace {
    /// Reads `text`, the trace of a network with `nodes` nodes at first.
    ///
    /// Empty lines, lines that begin with `#` and a head line `time_s,...` are passed over.
    ///
    /// # Errors
    /// The number of the line (from 1) and what is wrong there: a line of another form, time
    /// running backwards, a node that joins while it is there or goes while it is not, or the
    /// last node going.
    pub fn parse(text: &str, nodes: usize) -> Result<Self, (usize, String)> {
        let mut names: HashMap<String, u32> = (0..nodes as u32)
            .map(|participant| (participant.to_string(), participant))
            .collect();
        let mut here = vec![true; nodes];
        let mut steps: Vec<Step> = Vec::new();
        let mut members = nodes;
        for (number, line) in text
            .lines()
            .enumerate()
            .map(|(i, line)| (i + 1, line.trim()))
        {
            if line.is_empty() || line.starts_with('#') || line.starts_with("time_s") {
                continue;
            }
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let [time, word, name] = fields[..] else {
                let message = format!(
                    "expected `time_s,join|leave|crash,node`, found \"{}\"",
                    shown(line)
                );
                return Err((number, message));
            };
            let seconds = time.parse::<f64>().ok();
            let Some(seconds) = seconds.filter(|s| s.is_finite() && *s >= 0.0 && *s < 1e9) else {
                let message = format!(
                    "expected a time in seconds of at least 0, found \"{}\"",
                    shown(time)
                );
                return Err((number, message));
            };
            let change = match word {
                "join" => Change::Join,
                "leave" => Change::Leave,
                "crash" => Change::Crash,
                other => {
                    let message =
                        format!("expected join, leave or crash, found \"{}\"", shown(other));
                    return Err((number, message));
                }
            };
            let time = Instant::START + Span::from_secs_f64(seconds);
            if steps.last().is_some_and(|last| last.time > time) {
                return Err((number, format!("time runs backwards to {seconds} s")));
            }
            let known = names.get(name).copied();
            let named = shown(name);
            let participant = match (known, change) {
                (Some(participant), _) => participant,
                (None, Change::Join) => {
                    let participant = here.len() as u32;
                    names.insert(name.to_owned(), participant);
                    here.push(false);
                    participant
                }
                (None, _) => {
                    let message = format!(
                        "node \"{named}\" is unknown: it is neither one of the first {nodes} nor \
                         has it joined before"
                    );
                    return Err((number, message));
                }
            };
            let is_here = &mut here[participant as usize];
            match (change, *is_here) {
                (Change::Join, true) => {
                    return Err((number, format!("node \"{named}\" joins, but it is there")));
                }
                (Change::Leave | Change::Crash, false) => {
                    return Err((
                        number,
                        format!("node \"{named}\" goes, but it is not there"),
                    ));
                }
                (Change::Join, false) => members += 1,
                (Change::Leave | Change::Crash, true) => members -= 1,
            }
            *is_here = change == Change::Join;
            if members == 0 {
                return Err((number, format!("node \"{named}\" is the last one and goes")));
            }
            steps.push(Step {
                time,
                participant,
                change,
            });
        }
        Ok(Self {
            steps,
            participants: here.len(),
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with the file, with the line where there is one.
    pub(super) fn read(file: &NamedFile, nodes: usize) -> Result<Self, String> {
        let path = file.path.display();
        let text =
            str::from_utf8(&file.bytes).map_err(|_| format!("{path}: expected UTF-8 text"))?;
        Self::parse(text, nodes).map_err(|(line, message)| format!("{path}:{line}: {message}"))
    }

    /// How many participants it has, those included that come later.
    pub fn participants(&self) -> usize {
        self.participants
    }

    /// Whether somebody joins.
    pub(super) fn joins(&self) -> bool {
        self.steps.iter().any(|step| step.change == Change::Join)
    }

    pub(super) fn plan(&self) -> ChurnPlan {
        Box::new(self.steps.clone().into_iter())
    }
}
