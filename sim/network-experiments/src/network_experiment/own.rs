//! The experiment `network` with a protocol of one's own beside the others.

use super::{NetworkExperiment, ProtocolType, prepared};
use dhtlab_core::overlay::{Configuration, ProtocolVisitor};
use dhtlab_core::parameter::{ConfigError, Kind, Section, Table, Value};
use dhtlab_scenario::{Column, Experiment, NetworkScenario, Run, TableSpec};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The experiment kind `network` with one protocol more, whose parameters are `C`: it can be compared
/// with the others in one sweep, under the same churn and attacks, and gets the same tables and figures.
///
/// A program of one's own has it in place of the shipped kind:
///
/// ```no_run
/// # use dhtlab_core::overlay::chord::ChordParameters;
/// # use dhtlab_network_experiments::OwnNetwork;
/// // `overlay.protocol = "mine"`, with its keys in `[overlay.mine]`.
/// static MINE: OwnNetwork<ChordParameters> = OwnNetwork::new("mine", "My protocol.");
/// ```
pub struct OwnNetwork<C> {
    name: &'static str,
    doc: &'static str,
    /// All protocols, with this one.
    protocols: OnceLock<&'static [(&'static str, &'static str)]>,
    parameters: PhantomData<fn() -> C>,
}

impl<C> OwnNetwork<C> {
    /// The experiment with the protocol `name`: its word in a file and the name of its table in
    /// `[overlay]`. `doc` says in a sentence what it is.
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            protocols: OnceLock::new(),
            parameters: PhantomData,
        }
    }

    /// Adds the protocol to the list in an error about `overlay.protocol`.
    fn with_own_name(&self, error: ConfigError) -> ConfigError {
        let own = format!(", \"{}\", found", self.name);
        match error.key.as_str() {
            "overlay.protocol" => {
                ConfigError::new(error.key, error.message.replacen(", found", &own, 1))
            }
            _ => error,
        }
    }

    /// The names of all protocols with what they are.
    fn protocols(
        &self,
        shipped: &[(&'static str, &'static str)],
    ) -> &'static [(&'static str, &'static str)] {
        // Kept for the life of the program, as the experiment is.
        self.protocols
            .get_or_init(|| Box::leak([shipped, &[(self.name, self.doc)]].concat().into()))
    }
}

impl<C: Configuration + Clone + Debug + Send + Sync + 'static> Experiment for OwnNetwork<C> {
    fn name(&self) -> &'static str {
        NetworkExperiment.name()
    }

    fn doc(&self) -> &'static str {
        NetworkExperiment.doc()
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = NetworkExperiment.sections();
        for section in sections
            .iter_mut()
            .filter(|section| section.path == "overlay")
        {
            for parameter in &mut section.parameters {
                if let Kind::Choice(shipped) = parameter.kind
                    && parameter.key == "protocol"
                {
                    parameter.kind = Kind::Choice(self.protocols(shipped));
                }
            }
        }
        sections.push(Section::of::<C>(&format!("overlay.{}", self.name)));
        sections
    }

    fn metrics(&self) -> &'static [Column] {
        NetworkExperiment.metrics()
    }

    fn tables(&self) -> &'static [TableSpec] {
        NetworkExperiment.tables()
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let overlay = values.sub("overlay")?;
        if overlay.get("protocol").and_then(Value::as_str) != Some(self.name) {
            return NetworkExperiment
                .prepare(values, folder)
                .map_err(|error| self.with_own_name(error));
        }
        let parameters = C::read_from(&overlay.sub(self.name)?)?;
        let own = Arc::new(parameters.clone());
        let network = NetworkScenario::read_own(values, folder, self.name, own)?;
        prepared(network, values, Own(parameters))
    }
}

/// A protocol of one's own, by its parameters.
#[derive(Clone)]
struct Own<C>(C);

impl<C: Configuration + Clone + Send + Sync + 'static> ProtocolType for Own<C> {
    fn accept<V: ProtocolVisitor>(&self, _: &NetworkScenario, visitor: V) -> V::Output {
        self.0.accept(visitor)
    }
}
