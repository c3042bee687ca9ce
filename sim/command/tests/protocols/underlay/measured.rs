//! Measured networks: their sizes and distances; skipped if the data are missing.

use super::read;
use crate::measured_data;
use dhtlab_core::engine::Seed;
use dhtlab_core::underlay::{Distances, Host, Specification, Underlay};
use std::path::Path;
use std::sync::Arc;

fn build(path: &Path) -> (Specification, Underlay) {
    let keys = format!("model = 'file'\nfile.path = '{}'", path.display());
    let specification = read(&keys, Path::new("elsewhere")).unwrap();
    let underlay = specification.build(Seed::new(1)).unwrap();
    (specification, underlay)
}

/// The longest and the mean path of all pairs, in hops and milliseconds.
fn widths(underlay: Underlay) -> (u32, f64, f64) {
    let hosts = underlay.hosts() as u32;
    let mut distances = Distances::new(Arc::new(underlay), (0..hosts).map(Host).collect());
    let (mut longest, mut hops, mut millis) = (0, 0.0, 0.0);
    for a in 0..hosts {
        for b in 0..a {
            let path = distances.path(a, b);
            longest = longest.max(path.hops);
            hops += f64::from(path.hops);
            millis += path.latency.as_millis_f64();
        }
    }
    let pairs = f64::from(hosts) * f64::from(hosts - 1) / 2.0;
    (longest, hops / pairs, millis / pairs)
}

#[test]
#[cfg_attr(not(has_data), ignore = "DHTLAB_DATA names no folder")]
fn underlay_of_autonomous_systems() {
    let path = measured_data::path("as733_20000102/as20000102.txt");
    let (specification, underlay) = build(&path);
    assert_eq!(specification.hosts(), 6474);
    assert_eq!((underlay.hosts(), underlay.links()), (6474, Some(12572)));
    assert_eq!(underlay.notes(), ["loops: 1323 dropped"]);
    let (longest, mean, _) = widths(underlay);
    assert_eq!(longest, 9);
    assert!((3.70..3.71).contains(&mean), "{mean}");
}

#[test]
#[cfg_attr(not(has_data), ignore = "DHTLAB_DATA names no folder")]
fn underlay_of_planet_lab() {
    let path = measured_data::path("planetlab490/PlanetLabData_1");
    let (_, underlay) = build(&path);
    assert_eq!((underlay.hosts(), underlay.links()), (490, None));
    println!("{:?}", underlay.notes());
    let (longest, mean, millis) = widths(underlay);
    assert_eq!((longest, mean), (1, 1.0));
    assert!((20.0..150.0).contains(&millis), "{millis}");
}

#[test]
#[cfg_attr(not(has_data), ignore = "DHTLAB_DATA names no folder")]
fn underlay_of_the_topology_zoo() {
    let networks = [
        ("Abilene", 11, 11, 14, 5),
        ("Cogentco", 197, 197, 243, 28),
        ("Colt", 153, 153, 177, 20),
        ("GtsCe", 149, 149, 193, 21),
        ("Kdl", 754, 754, 895, 58),
        ("Uninett2011", 69, 69, 96, 9),
    ];
    let mut found = Vec::new();
    for (name, ..) in networks {
        let path = measured_data::path(&format!("topologyzoo/{name}.gml"));
        let (specification, underlay) = build(&path);
        println!("{name}: {:?}", underlay.notes());
        let (hosts, links) = (underlay.hosts(), underlay.links().unwrap());
        found.push((
            name,
            specification.hosts(),
            hosts,
            links,
            widths(underlay).0,
        ));
    }
    assert_eq!(found, networks);
}

#[test]
#[cfg_attr(not(has_data), ignore = "DHTLAB_DATA names no folder")]
fn underlay_labels_of_autonomous_systems_give_the_paths_of_rows() {
    let path = measured_data::path("as733_20000102/as20000102.txt");
    let lognormal = "link-latency = { distribution = 'lognormal', median = '5 ms', sigma = 0.8 }";
    for latency in ["", lognormal] {
        let keys = format!(
            "model = 'file'\n{latency}\nfile.path = '{}'",
            path.display()
        );
        let specification = read(&keys, Path::new("elsewhere")).unwrap();
        let underlay = || Arc::new(specification.build(Seed::new(1)).unwrap());
        let hosts = underlay().hosts() as u32;
        let mut labels = Distances::new(underlay(), (0..hosts).map(Host).collect());
        while labels.compute_next() {}
        let (computed, most) = labels.rows();
        assert!(computed == most && most < 300, "{computed} of {most}");
        // Few sites have rows, on an underlay without labels.
        let mut stream = Seed::new(2).stream("sites", 0);
        let sites: Vec<u32> = (0..90)
            .map(|_| stream.index(hosts as usize) as u32)
            .collect();
        let mut rows = Distances::new(underlay(), sites.iter().copied().map(Host).collect());
        for (a, &from) in (0..).zip(&sites) {
            for (b, &to) in (0..).zip(&sites) {
                assert_eq!(rows.path(a, b), labels.path(from, to), "{from} to {to}");
            }
        }
        assert!(rows.rows().1 <= 90);
    }
}
