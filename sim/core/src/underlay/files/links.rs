//! Hosts and links in the order in which a reader finds them.

use super::Fault;
use super::latency::{LatencyRule, Wanted};
use super::numbers::number;
use crate::parameter::quoted;
use crate::underlay::graph::Links;
use petgraph::graph::NodeIndex;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// The greatest number of attribute names that a message lists.
const MOST_CARRIED: usize = 8;

/// What a reader has found: hosts by name, and links with their attributes.
#[derive(Debug)]
pub(super) struct ParsedLinks<'a> {
    rule: &'a LatencyRule,
    /// The attribute that is the latency unless the scenario says otherwise.
    own: &'static str,
    /// Used for lookups only: hosts are numbered by their position in the file.
    hosts: FxHashMap<Cow<'a, str>, NodeIndex>,
    pub(super) links: Links,
    /// Whether the file gives links a direction.
    pub(super) directed: bool,
    /// The number of hosts that the file declares, including those without any link.
    pub(super) declared: usize,
    /// The numeric attributes of links that are not the latency.
    carried: BTreeSet<String>,
    /// How many links have a second latency, and the line of the first.
    seconds: (usize, usize),
    pub(super) notes: Vec<String>,
}

impl<'a> ParsedLinks<'a> {
    pub(super) fn new(rule: &'a LatencyRule, own: &'static str) -> Self {
        Self {
            rule,
            own,
            hosts: FxHashMap::default(),
            links: Links::default(),
            directed: false,
            declared: 0,
            carried: BTreeSet::new(),
            seconds: (0, 0),
            notes: Vec::new(),
        }
    }

    /// The host `name`, which is new if it has not occurred before.
    pub(super) fn host(&mut self, name: impl Into<Cow<'a, str>>) -> NodeIndex {
        let links = &mut self.links;
        *self
            .hosts
            .entry(name.into())
            .or_insert_with(|| links.add_node(()))
    }

    /// Adds a host that has a line of its own; `None` if its name has occurred before.
    pub(super) fn new_host(&mut self, name: impl Into<Cow<'a, str>>) -> Option<NodeIndex> {
        let before = self.hosts.len();
        let host = self.host(name);
        (self.hosts.len() > before).then_some(host)
    }

    /// The host with this name, if there is one.
    pub(super) fn known(&self, name: &str) -> Option<NodeIndex> {
        self.hosts.get(name).copied()
    }

    /// Whether the attribute `name` is the latency.
    pub(super) fn is_latency(&self, name: &str) -> bool {
        match self.rule.wanted() {
            Wanted::Default => name == self.own,
            Wanted::None => false,
            Wanted::Named(wanted) => name == wanted,
        }
    }

    /// Adds a link with `attributes`; the first one that is the latency counts.
    pub(super) fn link<N: AsRef<str>>(
        &mut self,
        (from, to): (NodeIndex, NodeIndex),
        attributes: impl IntoIterator<Item = (usize, N, impl AsRef<str>)>,
    ) -> Result<(), Fault> {
        let mut latency = None;
        for (line, name, word) in attributes {
            let (name, word) = (name.as_ref(), word.as_ref().trim());
            if self.is_latency(name) {
                if word.is_empty() {
                } else if latency.is_none() {
                    latency = Some(self.latency(line, name, word)?);
                } else {
                    let (count, first) = self.seconds;
                    self.seconds = (count + 1, if count == 0 { line } else { first });
                }
            } else if self.carried.len() < MOST_CARRIED
                && !self.carried.contains(name)
                && number(word).is_some_and(f64::is_finite)
            {
                self.carried.insert(name.to_owned());
            }
        }
        self.links.add_edge(from, to, latency);
        Ok(())
    }

    fn latency(&self, line: usize, name: &str, word: &str) -> Result<NonZeroU32, Fault> {
        let refuse = |misfit| self.rule.refuse(line, name, word, misfit);
        self.rule.value(name, word).map_err(refuse)
    }

    /// Checks the whole: whether there are links, and whether any has the latency that the scenario
    /// names.
    pub(super) fn finish(mut self, last_line: usize) -> Result<Self, Fault> {
        if self.links.node_count() == 0 {
            return Err(Fault::new(last_line, "the file has no links"));
        }
        if let (count @ 1.., line) = self.seconds {
            self.notes.push(format!(
                "{count} latencies are not used: their links have one already (first in line {line})"
            ));
        }
        if self.links.edge_weights().any(Option::is_some) {
            return Ok(self);
        }
        let names: Vec<String> = self
            .carried
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let names = names.join(", ");
        match self.rule.wanted() {
            Wanted::Named(name) => {
                let carry = match names.as_str() {
                    "" => "they carry no numbers".to_owned(),
                    names => format!("they carry {names}"),
                };
                let message = format!("no link has {} as its latency; {carry}", quoted(name));
                Err(Fault::new(last_line, message))
            }
            Wanted::Default if !names.is_empty() => {
                self.notes.push(format!(
                    "links carry {names} and no `{}`; `latency` under [underlay.file] names what \
                     is to be taken for it",
                    self.own
                ));
                Ok(self)
            }
            _ => Ok(self),
        }
    }
}

/// Refuses a number of `what` that differs from the one in the header.
pub(super) fn as_said(line: usize, said: usize, what: &str, found: usize) -> Result<(), Fault> {
    if said == found {
        return Ok(());
    }
    let message = format!("expected {said} {what} as the head says, found {found}");
    Err(Fault::new(line, message))
}

/// A whole number of a file, such as a count of hosts.
pub(super) fn count(line: usize, word: Option<&str>, what: &str) -> Result<usize, Fault> {
    let word = word.unwrap_or_default();
    word.parse().map_err(|_| {
        let message = format!("expected {what}, found {}", quoted(word));
        Fault::new(line, message)
    })
}
