//! The keys of the experiment beyond those of the service.

use dhtlab_core::engine::{Duration, Period};
use dhtlab_core::overlay::IdRule;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Range};
use dhtlab_core::service::providers::{Censor, SybilAnswer, SybilStore};

dhtlab_core::parameters! {
    /// The operations of the experiment.
    pub struct ProviderWorkload {
        /// Number of contents that are provided, spread evenly over `provide-phase`.
        pub provides: u64 = 1000, within 0..=10_000_000;
        /// Duration of the first part of `time.measure` in which contents are provided; all of it if absent.
        pub provide_phase: Option<Duration> = None, within Range::above(0.0);
        /// Number of searches for the providers of random contents that were provided before, spread evenly over `time.measure`.
        pub finds: u64 = 1000, within 0..=10_000_000;
        /// Number of additional nodes on reachable hosts that issue all operations, in turn, and neither leave nor crash, as the hosts of measurements do. 0: random members issue them.
        pub vantage_points: usize = 0, within 0..=10_000;
        /// Walks of a vantage point to keys that share 0, 1, 2 .. first bits with its ID, 5 min before the measurement, for its estimate of the size of the network; 10 in the programs of Sridhar et al. (NDSS 2024).
        pub size_walks: u32 = 0, within 0..=64;
        /// Time between the beginnings of two crawls by the first vantage point, or "never".
        pub crawl: Period = Period::NEVER;
        /// Whether it monitors the nodes that its crawls have reached.
        pub monitor: bool = false;
        /// Time between two looks at the holders of each record, for the table "survival", or "never".
        pub survival: Period = Period::NEVER;
    }
}

dhtlab_core::parameters! {
    /// The attack that hides the providers of single contents (Sridhar et al., NDSS 2024): Sybils with IDs nearer to the key than any honest node name no providers.
    pub struct CensorshipParameters {
        /// Number of contents that are attacked, each by its own Sybils on a host of their own. Each is provided and searched once by vantage points, and then its Sybils stop. The attacks begin at equal intervals and overlap where `time.measure` is short.
        pub contents: u64 = 0, within 0..=100_000;
        /// Sybils per content.
        pub sybils: usize = 20, within 0..=1000;
        /// Hosts of the attacker per content, each with an IPv4 address of its own; 1 in the experiments of the paper. Sybils with free IDs are spread over them. Where `overlay.ids` binds IDs to addresses, the addresses with the IDs nearest to the key get as many Sybils as tables admit of one address.
        pub addresses: usize = 1, within 1..=100_000;
        /// How Sybils answer requests for nodes (FIND_NODE) by a provider. Those for the maintenance of tables are answered as by others.
        pub find_node: SybilAnswer = SybilAnswer::Nodes;
        /// How Sybils answer requests for providers (GET_PROVIDERS) by a searcher.
        pub get_providers: SybilAnswer = SybilAnswer::Nodes;
        /// What Sybils do with records that they are to store (ADD_PROVIDER).
        pub add_provider: SybilStore = SybilStore::Accept;
        /// Time from the joins of the Sybils until the content is provided; 90 s in the experiments of the paper.
        pub wait: Duration = Duration::from_secs(90), within Range::above(0.0);
        /// Time from then until providers are searched, and from then until the Sybils stop; operations took at most 300 s in the paper.
        pub patience: Duration = Duration::from_secs(300), within Range::above(0.0);
        /// Divergence of the common prefix lengths 7 to 29 above which a node reports an attack; 0.94 in the paper.
        pub threshold: f64 = 0.94, within 0.0..=100.0;
    }
}

/// Most hosts of all attackers of a run, and most IDs that they compare.
const MOST_HOSTS: u64 = 10_000_000;
const MOST_CHOICES: u64 = 1_000_000_000;

impl CensorshipParameters {
    /// Whether the attackers can have so many Sybils and addresses where IDs are granted by `rule`.
    ///
    /// # Errors
    /// The key to change.
    pub fn check(&self, rule: IdRule) -> Result<(), ConfigError> {
        let hosts = self.contents.saturating_mul(self.addresses as u64);
        let choices = hosts.saturating_mul(rule.choices_of_address().into());
        if hosts > MOST_HOSTS {
            return Err(ConfigError::new(
                "censorship.addresses",
                format_args!("{hosts} hosts for all contents; expected at most {MOST_HOSTS}"),
            ));
        }
        if choices > MOST_CHOICES {
            return Err(ConfigError::new(
                "censorship.addresses",
                format_args!(
                    "the attackers compare {choices} IDs in a run; expected at most {MOST_CHOICES}"
                ),
            ));
        }
        match rule.ids_of_address() {
            Some(ids) if self.contents > 0 && self.addresses * (ids as usize) < self.sybils => {
                Err(ConfigError::new(
                    "censorship.sybils",
                    format_args!(
                        "an address has {ids} IDs (`overlay.ids-per-address`), and an attacker {} \
                         addresses: expected at most {} Sybils",
                        self.addresses,
                        self.addresses * ids as usize
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// The values that decide a run. The later keys are left out at their defaults, so that they give
    /// no other run.
    pub fn resolved(&self) -> Map {
        let later = ["addresses", "find-node", "get-providers", "add-provider"];
        self.write_without_defaults(&later).into_iter().collect()
    }

    /// What Sybils do, without their list.
    pub fn censor(&self) -> Censor {
        Censor {
            find_node: self.find_node,
            get_providers: self.get_providers,
            add_provider: self.add_provider,
            ..Censor::default()
        }
    }

    /// The time from the joins of the Sybils of a content until they stop.
    pub fn lasts(&self) -> Duration {
        self.wait + self.patience * 2
    }
}
