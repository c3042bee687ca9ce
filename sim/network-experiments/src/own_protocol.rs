//! The experiments on networks with a protocol of one's own beside the others.

use crate::runner::{Only, ProtocolType};
use crate::{JobExperiment, NetworkExperiment, StorageExperiment};
use dhtlab_core::overlay::Configuration;
use dhtlab_core::parameter::{ConfigError, Section, Table, Value, ValueKind};
use dhtlab_scenario::{Column, Experiment, NetworkScenario, Run, TableSpec};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

/// A kind of experiment that runs on every protocol.
pub(crate) trait OnAnyProtocol: Experiment + 'static {
    /// Reads the keys besides those of `network`, as [`Experiment::prepare`] does; `protocol` knows the
    /// type of its protocol.
    ///
    /// # Errors
    /// The first key that is wrong.
    fn prepare_on<P: ProtocolType>(
        &self,
        protocol: P,
        network: NetworkScenario,
        values: &Table<'_>,
        folder: &Path,
    ) -> Result<Box<dyn Run>, ConfigError>;
}

/// The kinds `network`, `job` and `storage` with a further protocol, whose parameters are `C`: it
/// can be compared with the others in one sweep, under the same churn and attacks, and gets the
/// same tables and figures. `name` is its word in a file and the name of its table in `[overlay]`;
/// `doc` says in a sentence what it is.
///
/// The kinds are kept for the life of the program.
///
/// # Panics
/// If `name` is that of a shipped protocol, or has other characters than a key.
///
/// ```
/// # use dhtlab_core::overlay::chord::ChordParameters;
/// # use dhtlab_network_experiments::with_protocol;
/// // `overlay.protocol = "mine"`, with its keys in `[overlay.mine]`.
/// let kinds = with_protocol::<ChordParameters>("mine", "My protocol.");
/// assert_eq!(kinds.map(|kind| kind.name()), ["network", "job", "storage"]);
/// ```
#[must_use]
pub fn with_protocol<C: Configuration + Clone + Debug + Send + Sync + 'static>(
    name: &'static str,
    doc: &'static str,
) -> [&'static dyn Experiment; 3] {
    [
        with::<_, C>(NetworkExperiment, name, doc),
        with::<_, C>(JobExperiment, name, doc),
        with::<_, C>(StorageExperiment, name, doc),
    ]
}

fn with<E: OnAnyProtocol, C: Configuration + Clone + Debug + Send + Sync + 'static>(
    experiment: E,
    name: &'static str,
    doc: &'static str,
) -> &'static dyn Experiment {
    let mut sections = experiment.sections();
    let mut protocols: &[(&str, &str)] = &[];
    for section in &mut sections {
        for parameter in &mut section.parameters {
            if section.path == "overlay"
                && parameter.key == "protocol"
                && let ValueKind::Choice(shipped) = &mut parameter.kind
            {
                let is_key = |c: char| c.is_ascii_alphanumeric() || c == '-';
                assert!(
                    name.chars().all(is_key) && shipped.iter().all(|(other, _)| *other != name),
                    "the name of a protocol is a key of its own, found {name:?}"
                );
                protocols = Box::leak([*shipped, &[(name, doc)]].concat().into());
                *shipped = protocols;
            }
        }
    }
    sections.push(Section::of::<C>(&format!("overlay.{name}")));
    Box::leak(Box::new(WithProtocol {
        experiment,
        name,
        protocols,
        sections,
        parameters: PhantomData::<fn() -> C>,
    }))
}

/// An experiment with one protocol more.
struct WithProtocol<E, C> {
    experiment: E,
    name: &'static str,
    /// The names of all protocols with what they are.
    protocols: &'static [(&'static str, &'static str)],
    sections: Vec<Section>,
    parameters: PhantomData<fn() -> C>,
}

impl<E, C> Experiment for WithProtocol<E, C>
where
    E: OnAnyProtocol,
    C: Configuration + Clone + Debug + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.experiment.name()
    }

    fn doc(&self) -> &'static str {
        self.experiment.doc()
    }

    fn sections(&self) -> Vec<Section> {
        self.sections.clone()
    }

    fn metrics(&self) -> &'static [Column] {
        self.experiment.metrics()
    }

    fn tables(&self) -> &'static [TableSpec] {
        self.experiment.tables()
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let overlay = values.sub("overlay")?;
        let protocol = overlay.get("protocol");
        let is_known = |wanted: &Value| {
            let mut names = self.protocols.iter().map(|(name, _)| *name);
            names.any(|name| wanted.as_str() == Some(name))
        };
        if protocol.is_some_and(|wanted| !is_known(wanted)) {
            return Err(overlay.refused("protocol", &ValueKind::Choice(self.protocols), None));
        }
        if protocol.and_then(Value::as_str) != Some(self.name) {
            return self.experiment.prepare(values, folder);
        }
        let parameters = C::read_from(&overlay.sub(self.name)?)?;
        let own = Arc::new(parameters.clone());
        let network = NetworkScenario::read_own(values, folder, self.name, own)?;
        self.experiment
            .prepare_on(Only(parameters), network, values, folder)
    }
}
