//! Builds a network with nodes, churn and lookups from a scenario.

use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{Attack, Network, Placement, Setup, oracle, place};
use dhtlab_core::overlay::{Application, GroundTruth, Start};
use dhtlab_core::parameter::ConfigError;
use dhtlab_core::space::Key;
use dhtlab_core::transport::Transport;
use dhtlab_core::underlay::{Distances, Host};
use dhtlab_core::workload::{LookupPlan, MemberLookups, WorkloadParameters};
use dhtlab_scenario::NetworkScenario;
use std::sync::Arc;

/// Builds the underlay and the overlay on it, with an application on each node; the applications
/// share `service`. `extra_hosts` are the hosts of nodes that the task adds.
///
/// # Errors
/// Errors that are found only with the underlay: too few hosts, or a start that the protocol cannot
/// make.
pub(super) fn build<P: GroundTruth, A: Application>(
    scenario: &NetworkScenario,
    seed: Seed,
    shared: P::Shared,
    service: A::Shared,
    extra_hosts: usize,
) -> Result<(Network<P, A>, Vec<String>), ConfigError> {
    let overlay = &scenario.overlay;
    let underlay = scenario
        .underlay
        .build(seed)
        .map_err(|error| ConfigError::new("underlay", error))?;
    let mut notes = underlay.notes().to_vec();
    let (settled, end) = (scenario.settled(), scenario.measure_to());
    notes.extend(scenario.churn.notes(settled, end));
    scenario.check_host_count(underlay.hosts(), "connected hosts of this underlay")?;
    let (hosts, more_hosts) = hosts(scenario, underlay.hosts(), seed);
    let rule = overlay.id_rule();
    let mut id_stream = seed.stream("ids", 0);
    let ids: Vec<Key> = (0..overlay.nodes as u32)
        .map(|participant| rule.id(seed, participant, &mut id_stream))
        .collect();
    let population = scenario.churn.plan(settled, scenario.measure_from(), seed);
    let sites = population.here;
    let ids: Vec<Key> = sites.iter().map(|site| ids[*site as usize]).collect();
    if ids.is_empty() {
        return Err(ConfigError::new(
            "churn.sessions",
            "no node is present at the beginning; expected more nodes or longer sessions",
        ));
    }
    let adversary = &scenario.adversary;
    let first_site = hosts.len() as u32;
    let (mut hosts, mut stream) = (hosts, seed.stream("adversary-hosts", 0));
    // An attacker's hosts may be shared with others: the placement does not depend on the attack.
    hosts.extend(place(
        Placement::Shared,
        underlay.hosts(),
        adversary.hosts(),
        &mut stream,
    ));
    let (properties, partitions) = (&scenario.transport, &scenario.partitions.partition);
    let transport = Transport::new(properties, partitions, &underlay, seed)?;
    hosts.extend(reachable_hosts(
        extra_hosts,
        underlay.hosts(),
        transport.as_ref(),
        seed,
    )?);
    let target = scenario.attacked_key();
    let sybil_placement = adversary.is_some().then(|| {
        let cmp_closeness = |key: &Key, a: &Key, b: &Key| P::cmp_closeness(&shared, key, a, b);
        adversary.sybil_placement(rule, target.as_ref(), cmp_closeness, seed)
    });
    let costs = scenario.underlay.build_costs(seed);
    let costs = costs.map_err(|error| ConfigError::new("underlay.file.cost", error))?;
    let costs = costs.map(|costs| Distances::new(Arc::new(costs), hosts.clone()));
    let distances = Distances::new(Arc::new(underlay), hosts);
    let setup = Setup {
        seed,
        travel: overlay.lookup,
        timeout: scenario.transport.timeout,
        ask_root: overlay.ask_root,
    };
    let mut network = Network::<P, A>::serving(setup, shared, service, distances);
    network.set_transport(transport);
    network.measure_by(scenario.protocol.metric(), costs);
    network.assign_ids_by(rule);
    let online = ids.into_iter().zip(sites);
    let (clients, members): (Vec<_>, Vec<_>) =
        online.partition(|(_, site)| network.is_client_site(*site));
    let (ids, sites): (Vec<Key>, Vec<u32>) = members.into_iter().unzip();
    if ids.is_empty() {
        return Err(ConfigError::new(
            "transport.unreachable",
            "all nodes are clients; expected a smaller fraction or more nodes",
        ));
    }
    match overlay.start {
        Start::Converged => oracle::populate_converged(&mut network, &ids, &sites),
        Start::Random => {
            let stream = seed.stream("contacts", 0);
            if !oracle::populate_random(&mut network, &ids, &sites, overlay.contacts, stream) {
                return Err(ConfigError::new(
                    "overlay.start",
                    "this protocol does not find its peers from random contacts",
                ));
            }
        }
        Start::Join => {
            let half = scenario.settled().since(Instant::START).as_nanos();
            for (i, (id, site)) in ids.iter().zip(&sites).enumerate() {
                let at = u128::from(half) * i as u128 / ids.len() as u128;
                network.join_at(Instant::from_nanos(at as u64), *id, *site);
            }
        }
    }
    for (id, site) in clients {
        network.add_client(id, site);
    }
    if let Some(period) = overlay.reunite.span() {
        network.plan_meetings(scenario.settled(), period);
    }
    if scenario.churn.is_some() {
        let churn = &scenario.churn.parameters;
        network.plan_churn(population.plan, churn.rejoin, churn.state);
        if scenario.churn.grows() {
            network.grow_onto(first_site, more_hosts);
        }
    }
    if let Some(sybil_placement) = sybil_placement {
        let attack = &adversary.attack;
        network.attack(Attack {
            sybil_placement,
            behaviour: attack.behaviour,
            start: Instant::START + attack.start,
            gap: Duration::from_secs_f64(1.0 / attack.joins_per_s),
            first_site,
            addresses: adversary.addresses(seed),
        });
    }
    Ok((network, notes))
}

/// The hosts of the sites: of the initial nodes, then of participants that join later; and an
/// endless sequence for participants beyond these. Where distinct hosts run out, they are reused.
fn hosts(
    scenario: &NetworkScenario,
    hosts: usize,
    seed: Seed,
) -> (Vec<Host>, Box<dyn Iterator<Item = Host>>) {
    let sites = scenario.churn.sites().max(scenario.overlay.nodes);
    let mut stream = seed.stream("hosts", 0);
    match scenario.overlay.placement {
        Placement::Distinct => {
            let count = if scenario.churn.grows() {
                hosts
            } else {
                sites.min(hosts)
            };
            let placed = place(Placement::Distinct, hosts, count, &mut stream);
            let mut all = placed.into_iter().cycle();
            let first = all.by_ref().take(sites).collect();
            (first, Box::new(all))
        }
        Placement::Shared => {
            let first = place(Placement::Shared, hosts, sites, &mut stream);
            let more = std::iter::repeat_with(move || Host(stream.index(hosts) as u32));
            (first, Box::new(more))
        }
    }
}

/// Random hosts that can be reached from outside; if `count` is larger than their number, several
/// times.
///
/// # Errors
/// If there is none.
fn reachable_hosts(
    count: usize,
    hosts: usize,
    transport: Option<&Transport>,
    seed: Seed,
) -> Result<Vec<Host>, ConfigError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut stream = seed.stream("extra-hosts", 0);
    let mut all = place(Placement::Distinct, hosts, hosts, &mut stream);
    all.retain(|host| transport.is_none_or(|transport| !transport.is_unreachable(*host)));
    if all.is_empty() {
        return Err(ConfigError::new(
            "transport.unreachable",
            "no host can be reached from outside; expected a smaller fraction or more hosts",
        ));
    }
    Ok(all.into_iter().cycle().take(count).collect())
}

/// Plans the lookups of the scenario.
pub(crate) fn plan_lookups<P: GroundTruth, A: Application>(
    network: &mut Network<P, A>,
    scenario: &NetworkScenario,
    seed: Seed,
) {
    let stream = seed.stream("lookups", 0);
    let (start, measure) = (scenario.measure_from(), scenario.measure());
    let WorkloadParameters { interval, key, .. } = scenario.workload;
    match interval {
        Some(interval) => {
            if let Some(interval) = interval.span() {
                let times = (start, start + measure);
                let plan = MemberLookups::new(stream, times, interval, key);
                network.plan_lookups_by_members(plan);
            }
        }
        None => {
            let count = scenario.lookups();
            let gap = Duration::from_nanos(measure.as_nanos() / count.max(1));
            network.plan_lookups(LookupPlan::evenly(stream, start, gap, count).of_key(key));
        }
    }
}
