//! A service: the root of a word's key counts its reports.

use dhtlab_core::engine::Stream;
use dhtlab_core::overlay::{AppContext, Application, Node};
use dhtlab_core::space::Key;
use std::collections::BTreeMap;

/// The counter on one node. Counts are kept in the metrics: what a node counts is not lost with it.
pub struct WordCounter;

impl Application for WordCounter {
    type Shared = ();
    type Message = &'static str;
    type Timer = ();
    type Metrics = BTreeMap<&'static str, u64>;

    fn new((): &(), _site: u32, _random: Stream) -> Self {
        Self
    }

    fn deliver(
        &mut self,
        context: &mut AppContext<'_, Self>,
        _origin: Node,
        _key: Key,
        word: &'static str,
    ) {
        *context.metrics.entry(word).or_default() += 1;
    }

    fn forge(word: &mut &'static str) {
        *word = "forged";
    }

    fn bytes(word: &&'static str) -> u32 {
        word.len() as u32
    }

    fn kind(_: &&'static str) -> &'static str {
        "report"
    }
}
