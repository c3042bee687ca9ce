//! Advice before a run: keys without effect, unequal comparisons, runs that cannot complete, and
//! properties of the underlay.

use super::keys::FRAME;
use super::plan::{in_sweep, sections};
use super::{NetworkScenario, Scenario, ScenarioError};
use cpu_time::ProcessTime;
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::overlay::Start;
use dhtlab_core::parameter::{ConfigError, Parameter, Parameters, Section};
use dhtlab_core::parameter::{Map, Value};
use dhtlab_core::transport::Transport;
use dhtlab_core::underlay::{Distances, Host, Underlay};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Duration of a measurement under churn below which it is reported, unless the scenario sets it.
const LEAST_CHURN: Duration = Duration::from_secs(60);

/// Ratio of peers kept by two protocols from which the comparison is reported as unequal.
const UNEQUAL_TABLES: f64 = 8.0;

/// Keys that select a table, or the effective keys of their own table.
const SELECTORS: [&str; 5] = ["protocol", "model", "strategy", "picture", "kind"];

/// Seconds of processor time after which no more underlays are built.
const MOST_SECONDS: f64 = 0.5;

/// Seconds to build a link, and to search a few paths over it.
const SECONDS_A_LINK: f64 = 3e-6;

/// Number of sampled hosts on each side of a round trip.
const SAMPLE: usize = 32;

/// Warnings and faults of a scenario, each with its location.
#[derive(Default)]
pub struct Advice {
    /// Warnings.
    pub warnings: Vec<ScenarioError>,
    /// Faults that make a run fail before its first event.
    pub faults: Vec<ScenarioError>,
}

impl Advice {
    /// Checks `scenario`, and the underlays of its points in their first repetition, within a time
    /// limit.
    pub fn on(scenario: &Scenario) -> Self {
        let mut told = FxHashSet::default();
        let mut place = |problem: ConfigError| {
            let error = in_sweep(&scenario.source, &scenario.swept, problem);
            told.insert(error.to_string()).then_some(error)
        };
        let mut advice = Self::default();
        let no_quick = scenario.lacks_quick.then(|| {
            let message = "the file has no table [quick], so `--quick` changes nothing";
            ConfigError::new("quick", message)
        });
        let statics = without_effect(scenario)
            .into_iter()
            .chain(no_quick)
            .chain(unequal_tables(scenario))
            .chain(networks(scenario).filter_map(|(_, network)| network.too_many_events()))
            .chain(networks(scenario).filter_map(|(_, network)| crowded_joins(network)))
            .chain(networks(scenario).filter_map(|(_, network)| short_churn(scenario, network)))
            .chain(networks(scenario).flat_map(|(_, network)| of_trace(network)));
        advice.warnings.extend(statics.filter_map(&mut place));
        let (started, mut seen) = (ProcessTime::now(), FxHashSet::default());
        for (seed, network) in networks(scenario) {
            let left = MOST_SECONDS - started.elapsed().as_secs_f64();
            if left <= 0.0 {
                break;
            }
            if !seen.is_empty() && network.underlay.building() * SECONDS_A_LINK > left {
                continue;
            }
            // Everything on which the underlay, its use and its round trips depend.
            let (settled, end) = (network.settled(), network.measure_to());
            let world = format!(
                "{:?} {:?} {} {} {:?} {}",
                network.underlay.write(),
                network.churn.peak(settled, end),
                network.churn.deviation(settled, end),
                network.overlay.nodes,
                network.overlay.placement,
                network.transport.timeout
            );
            if !seen.insert(world) {
                continue;
            }
            match look(network, seed) {
                Ok(problems) => {
                    let problems = problems.into_iter();
                    advice.warnings.extend(problems.filter_map(&mut place));
                }
                Err(problem) => advice.faults.extend(place(problem)),
            }
        }
        advice
    }
}

/// The networks of the points that have runs, each with the seed of its first run.
fn networks(scenario: &Scenario) -> impl Iterator<Item = (Seed, &NetworkScenario)> {
    let mut last = None;
    scenario.runs.iter().filter_map(move |run| {
        let is_new = last.replace(run.point) != Some(run.point);
        let network = scenario.points[run.point].run.network()?;
        is_new.then_some((run.seed, network))
    })
}

/// Builds the underlay and checks it.
fn look(network: &NetworkScenario, seed: Seed) -> Result<Vec<ConfigError>, ConfigError> {
    let underlay = network.underlay.build(seed);
    let underlay = underlay.map_err(|error| ConfigError::new("underlay", error))?;
    network.check_host_count(underlay.hosts(), "connected hosts of this underlay")?;
    let partitions = &network.partitions.partition;
    Transport::new(&network.transport, partitions, &underlay, seed)?;
    let notes = underlay.notes().iter();
    let mut problems: Vec<ConfigError> = notes
        .map(|note| ConfigError::new("underlay", note))
        .collect();
    problems.extend(network.tell_host_count(underlay.hosts()));
    problems.extend(slow_pairs(network, underlay, seed));
    Ok(problems)
}

/// Reports pairs of hosts whose round trip exceeds the time-out.
fn slow_pairs(network: &NetworkScenario, underlay: Underlay, seed: Seed) -> Option<ConfigError> {
    let (hosts, timeout) = (underlay.hosts(), network.transport.timeout);
    let mut stream = seed.stream("hosts-looked-at", 0);
    let mut draw = || Host(stream.index(hosts) as u32);
    let sites: Vec<Host> = (0..2 * SAMPLE).map(|_| draw()).collect();
    let mut distances = Distances::new(Arc::new(underlay), sites.clone());
    let (mut slow, mut pairs, started) = (0_u32, 0_u32, ProcessTime::now());
    for from in 0..SAMPLE {
        for to in SAMPLE..2 * SAMPLE {
            if sites[from] != sites[to] {
                let latency = distances.path(from as u32, to as u32).latency;
                pairs += 1;
                slow += u32::from(latency + latency > timeout);
            }
        }
        if started.elapsed().as_secs_f64() > MOST_SECONDS / 2.0 {
            break;
        }
    }
    (slow > 0).then(|| {
        let share = 100.0 * f64::from(slow) / f64::from(pairs);
        ConfigError::new(
            "transport.timeout",
            format_args!(
                "of {pairs} sampled pairs of hosts, {share:.1} % have a round-trip time above \
                 this time-out of {timeout}: requests between them time out"
            ),
        )
    })
}

/// Reports a Chord network with "plain" joins that come faster than stabilisation admits them.
fn crowded_joins(network: &NetworkScenario) -> Option<ConfigError> {
    let period = network.protocol.join_interval()?;
    let joining = network.settled().since(Instant::START).as_secs_f64();
    if network.overlay.start != Start::Join || joining <= 0.0 {
        return None;
    }
    let nodes = network.overlay.nodes as f64;
    // Early joins compete for the few positions in the ring.
    let crowd = (nodes * period.as_secs_f64() / joining).min(nodes);
    let needed = crowd * period.as_secs_f64();
    let transition = network.time.transition;
    (needed > transition.as_secs_f64()).then(|| {
        ConfigError::new(
            "time.transition",
            format_args!(
                "with `overlay.chord.join` = \"plain\" about {crowd:.0} nodes join per stabilisation period, but \
                 one gap of the ring admits one node per period: the ring needs about {} to be \
                 complete, not {transition}",
                Duration::from_secs(needed as u64)
            ),
        )
    })
}

/// Reports churn in a measurement of unset duration: it lasts 1 ms per lookup.
fn short_churn(scenario: &Scenario, network: &NetworkScenario) -> Option<ConfigError> {
    // Other experiments measure until their task ends, or require the time.
    if !scenario.experiment.measures_lookups() {
        return None;
    }
    let measure = network.measure();
    let is_chosen = network.time.measure.is_some() || network.workload.interval.is_some();
    (network.churn.is_some() && !is_chosen && measure < LEAST_CHURN).then(|| {
        ConfigError::new(
            "time.measure",
            format_args!(
                "without this key {} lookups are issued within {measure} of virtual time, in which few nodes \
                 join or leave; a duration such as \"10 min\" spreads them",
                network.lookups()
            ),
        )
    })
}

/// Notes on a churn trace: which of its steps have an effect, and how times count.
fn of_trace(network: &NetworkScenario) -> impl Iterator<Item = ConfigError> {
    let notes = network.churn.notes(network.settled(), network.measure_to());
    let problem = |note| ConfigError::new("churn.trace.file", note);
    notes.into_iter().map(problem)
}

/// Reports a comparison in which one protocol keeps many times the peers of another.
fn unequal_tables(scenario: &Scenario) -> Option<ConfigError> {
    let mut most: BTreeMap<usize, BTreeMap<&str, f64>> = BTreeMap::new();
    for (_, network) in networks(scenario) {
        let nodes = network.overlay.nodes;
        let peers = network.protocol.cost_estimate(nodes).peers;
        let by_protocol = most.entry(nodes).or_default();
        let known = by_protocol.entry(network.protocol.name()).or_default();
        *known = known.max(peers);
    }
    let pairs = most.iter().filter_map(|(nodes, peers)| {
        let few = peers.iter().min_by(|a, b| a.1.total_cmp(b.1))?;
        let many = peers.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        Some((*nodes, few, many))
    });
    let (nodes, few, many) = pairs.max_by(|a, b| (a.2.1 / a.1.1).total_cmp(&(b.2.1 / b.1.1)))?;
    (many.1 / few.1 > UNEQUAL_TABLES).then(|| {
        ConfigError::new(
            "overlay.protocol",
            format_args!(
                "a node of {nodes} has about {:.0} peers with {}, {:.0} with {}: this alone changes hops, \
                 maintenance traffic and failures; the tables [overlay.{}] and [overlay.{}] set the table sizes",
                few.1, few.0, many.1, many.0, few.0, many.0
            ),
        )
    })
}

/// Keys that are set and have no effect at any point, one message per table.
fn without_effect(scenario: &Scenario) -> Vec<ConfigError> {
    let sections = sections(scenario.experiment);
    let mut set = Vec::new();
    for (key, value) in &scenario.source.values {
        if !FRAME.contains(&key.as_str()) {
            leaves(key, value, &sections, &mut set);
        }
    }
    set.extend(scenario.swept.iter().cloned());
    let header = crate::Header::describe();
    set.retain(|key| !header.iter().any(|own| own.key == *key));
    for point in &scenario.points {
        if set.is_empty() {
            break;
        }
        let resolved = point.resolved();
        set.retain(|key| find(&resolved, key).is_none());
    }
    let Some(point) = scenario.points.first() else {
        return Vec::new();
    };
    let resolved = point.resolved();
    let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in &set {
        let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
        tables.entry(table).or_default().push(key);
    }
    let told = tables.into_iter().filter_map(|(table, keys)| {
        let because = chooser(&resolved, table);
        if let Some((selector, _)) = &because
            && scenario.source.is_from_option(selector)
        {
            // The option overrides the choice for this run only; the file also serves other
            // choices.
            return None;
        }
        let because = because.map_or_else(
            || "this experiment does not use it".to_owned(),
            |(selector, value)| format!("`{selector}` is \"{value}\""),
        );
        let others = match keys.len() - 1 {
            0 => String::new(),
            1 => " (and another key of its table)".to_owned(),
            more => format!(" (and {more} other keys of its table)"),
        };
        let key = if table.is_empty() {
            keys[0].to_owned()
        } else {
            format!("{table}.{}", keys[0])
        };
        let message = format!("no effect{others}: {because}");
        Some(ConfigError { key, message })
    });
    told.collect()
}

/// The declared keys that are set at `path` and below.
fn leaves(path: &str, value: &Value, sections: &[Section], set: &mut Vec<String>) {
    let parameter = sections.iter().find_map(|section| {
        let inner = match section.path.as_str() {
            "" => path,
            table => path.strip_prefix(table)?.strip_prefix('.')?,
        };
        section.parameters.iter().find(|own| own.key == inner)
    });
    match (value, parameter) {
        (Value::Table(table), None) => {
            for (key, value) in table {
                leaves(&format!("{path}.{key}"), value, sections, set);
            }
        }
        // A default may be left out of what decides a run, though the key has an effect.
        (value, Some(parameter)) if is_default(parameter, value) => {}
        _ => set.push(path.to_owned()),
    }
}

/// Whether `value` is the default of the parameter, in any form: 0 and 0.0, or "1 min" and "60 s".
fn is_default(parameter: &Parameter, value: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Integer(integer) => Some(*integer as f64),
        Value::Float(float) => Some(*float),
        _ => None,
    };
    let duration = |value: &Value| value.as_str()?.parse::<Duration>().ok();
    parameter.default.as_ref().is_some_and(|default| {
        let is_same_number = number(default).is_some() && number(default) == number(value);
        let is_same_time = duration(default).is_some() && duration(default) == duration(value);
        default == value || is_same_number || is_same_time
    })
}

/// The value at the dotted path `path`.
fn find<'a>(table: &'a Map, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((first, rest)) => find(table.get(first)?.as_table()?, rest),
    }
}

/// The key that has selected something else than the table `path` or than keys in it, and its
/// value.
fn chooser(resolved: &Map, path: &str) -> Option<(String, String)> {
    let (parent, own) = path.rsplit_once('.').unwrap_or(("", path));
    let words = |table: &str| -> Vec<(String, String)> {
        let values = match table {
            "" => Some(resolved),
            table => find(resolved, table).and_then(Value::as_table),
        };
        let words = values.into_iter().flatten();
        let words =
            words.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        words.collect()
    };
    // `[overlay.chord]` is used where `overlay.protocol` is "chord".
    let beside = words(parent).into_iter().find(|(_, word)| {
        let sibling = format!("{parent}.{word}");
        word != own && find(resolved, &sibling).is_some_and(Value::is_table)
    });
    if let Some((key, word)) = beside {
        return Some((format!("{parent}.{key}"), word));
    }
    // Keys in `[underlay]` may have no effect where `underlay.model` is "constant".
    let within = words(path)
        .into_iter()
        .map(|(key, word)| (format!("{path}.{key}"), word));
    let around = words(parent)
        .into_iter()
        .map(|(key, word)| (format!("{parent}.{key}"), word));
    let around = around.filter(|_| !parent.is_empty());
    let chooses = |key: &str| {
        SELECTORS
            .iter()
            .any(|own| key.ends_with(&format!(".{own}")))
    };
    within.chain(around).find(|(key, _)| chooses(key))
}
