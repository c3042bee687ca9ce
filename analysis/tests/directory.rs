//! From the files of a run to its summary and figures.

use std::fs;
use std::path::Path;

use dhtlab_analysis::{draw, summarise};
use serde_json::{Value, json};
use tempfile::TempDir;

const RUNS: &str = "\
run,repetition,seed,overlay.protocol,overlay.nodes,hops_mean,latency_ms,messages
a0,0,11,chord,64,3.5,100,640
a1,1,12,chord,64,4.5,NaN,660
b0,0,11,chord,256,4.5,120,2600
b1,1,12,chord,256,5.5,140,2700
c0,0,11,vhash,64,2,50,500
c1,1,12,vhash,64,2,70,520
d0,0,11,vhash,256,3,,2000
d1,1,12,vhash,256,3,90,2100
";

const HISTOGRAM: &str = "\
run,repetition,overlay.protocol,overlay.nodes,quantity,value,count
a0,0,chord,64,hops,1,1
a0,0,chord,64,hops,2,2
a1,1,chord,64,hops,2,2
a1,1,chord,64,hops,3,3
c0,0,vhash,64,hops,1,4
c1,1,vhash,64,hops,2,4
a0,0,chord,64,degree,9,64
";

const TIMELINE: &str = "\
run,repetition,overlay.protocol,overlay.nodes,cycle,hit_rate
a0,0,chord,64,0,0.5
a1,1,chord,64,0,0.7
a0,0,chord,64,10,0.9
a1,1,chord,64,10,1
";

fn directory(figures: &Value) -> TempDir {
    let directory = TempDir::new().unwrap();
    let manifest = json!({
        "dhtlab": "0.1.0",
        "name": "sample",
        "title": "Chord & VHash",
        "reproduces": null,
        "experiment": "network",
        "swept": ["overlay.protocol", "overlay.nodes"],
        "scenario": {"seed": 1},
        "figures": figures,
    });
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("manifest.json", &manifest.to_string());
    write("runs.csv", RUNS);
    write("histogram.csv", HISTOGRAM);
    write("timeline.csv", TIMELINE);
    directory
}

fn figures() -> Value {
    json!([
        {
            "name": "path-length", "x": "overlay.nodes", "y": "hops_mean",
            "series": "overlay.protocol", "scale": "log-x",
            "theory": [
                {"curve": "half-log2", "from": 64},
                {"curve": "points", "label": "published", "data": [[64, 3.9], [256, 4.9]],
                 "series": "chord"},
            ],
        },
        {
            "kind": "histogram", "quantity": "hops", "panel": "overlay.protocol",
            "where": {"overlay.nodes": 64},
            "theory": [{"curve": "binomial", "trials": 2, "probability": 0.5, "shift": "fit"}],
        },
        {
            "name": "cost", "title": "Cost", "kind": "scatter", "x": "messages", "y": "latency_ms",
            "series": "overlay.protocol", "scale": "log-log",
        },
        {
            "name": "time", "table": "timeline", "x": "cycle", "y": "hit_rate",
            "where": {"overlay.protocol": "chord", "overlay.nodes": "64"},
            "x-label": "Cycle", "caption": "Of Chord only.",
        },
        {
            "name": "law", "x": "overlay.nodes", "y": "messages", "series": "overlay.protocol",
            "scale": "log-log", "theory": [
                {"curve": "power"},
                {"curve": "metric", "metric": "messages", "label": "as predicted"},
            ],
        },
    ])
}

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_summary_holds_every_point_and_metric() {
    let directory = directory(&json!([]));
    summarise(directory.path()).unwrap();
    let summary = read(directory.path(), "summary.csv");
    let mut lines = summary.lines();
    assert_eq!(
        lines.next(),
        Some("overlay.protocol,overlay.nodes,metric,n,mean,sd,ci95_low,ci95_high,min,median,max")
    );
    let rows: Vec<&str> = lines.collect();
    assert_eq!(rows.len(), 12);
    // The half width of 3.5 and 4.5 is t(0.975; 1) / 2 = 12.7062 / 2.
    let first: Vec<&str> = rows[0].split(',').collect();
    assert_eq!(first[..5], ["chord", "64", "hops_mean", "2", "4"]);
    assert_eq!(first[8..], ["3.5", "4", "4.5"]);
    for (cell, expected) in [(5, 0.5_f64.sqrt()), (6, 4.0 - 6.3531), (7, 4.0 + 6.3531)] {
        let number: f64 = first[cell].parse().unwrap();
        assert!((number - expected).abs() < 1e-4, "{number} {expected}");
    }
    assert_eq!(rows[1], "chord,64,latency_ms,1,100,,,,100,100,100");
    assert_eq!(rows[6], "vhash,64,hops_mean,2,2,0,2,2,2,2,2");
    assert_eq!(rows[10], "vhash,256,latency_ms,1,90,,,,90,90,90");
    assert!(!directory.path().join("summary.csv.partial").exists());
}

#[test]
fn figures_say_what_they_show() {
    let directory = directory(&figures());
    let written = draw(directory.path()).unwrap();
    let names: Vec<String> = written
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "path-length.svg",
            "path-length.png",
            "figure-2.svg",
            "figure-2.png",
            "cost.svg",
            "cost.png",
            "time.svg",
            "time.png",
            "law.svg",
            "law.png",
            "fits.csv"
        ]
    );
    for (name, texts) in [
        (
            "path-length.svg",
            &[
                ">\nChord &amp; VHash\n<",
                ">\noverlay nodes\n<",
                ">\nhops, mean\n<",
                ">\nchord\n<",
                ">\nvhash\n<",
                ">\n64\n<",
                ">\n256\n<",
                ">\npublished\n<",
                ">\nlog2(x)/2 + 1\n<",
            ][..],
        ),
        (
            "figure-2.svg",
            &[
                ">\nchord\n<",
                ">\nvhash\n<",
                ">\nfraction\n<",
                ">\nhops\n<",
                ">\nvhash: Binomial(2, 0.5) + 0.5, total variation distance 0.25\n<",
            ],
        ),
        (
            "cost.svg",
            &[">\nCost\n<", ">\nmessages\n<", ">\nlatency (ms)\n<"],
        ),
        (
            "time.svg",
            &[">\nCycle\n<", ">\nhit rate\n<", ">\nOf Chord only.\n<"],
        ),
        (
            "law.svg",
            &[">\nchord: ", " x¹·⁰¹\n<", ">\nas predicted\n<"],
        ),
    ] {
        let svg = read(directory.path(), name);
        for text in texts {
            assert!(svg.contains(text), "{name} lacks {text}:\n{svg}");
        }
    }
}

#[test]
fn pngs_have_twice_the_size_of_their_svgs() {
    let directory = directory(&figures());
    for png in draw(directory.path()).unwrap() {
        if png.extension().is_none_or(|extension| extension != "png") {
            continue;
        }
        let bytes = fs::read(&png).unwrap();
        assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
        let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let svg = fs::read_to_string(png.with_extension("svg")).unwrap();
        let size = format!("width=\"{}\" height=\"{}\"", side(16) / 2, side(20) / 2);
        assert!(svg.contains(&size), "{}: {size}", png.display());
        // A figure that lost its text or marks would compress to almost nothing.
        assert!(bytes.len() > 20_000, "{}: {}", png.display(), bytes.len());
    }
}

#[test]
fn fits_are_written_down() {
    let directory = directory(&figures());
    draw(directory.path()).unwrap();
    let fits = read(directory.path(), "fits.csv");
    let rows: Vec<Vec<&str>> = fits.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(
        rows[0],
        ["figure", "panel", "series", "curve", "parameter", "value"]
    );
    let value = |key: [&str; 5]| -> f64 {
        let row = rows.iter().find(|row| row[..5] == key);
        let row = row.unwrap_or_else(|| panic!("no {key:?} in\n{fits}"));
        row[5].parse().unwrap()
    };
    // Chord: 4 at 64 and 5 at 256, both log2(x) / 2 + 1.
    let half_log2 = |parameter| value(["path-length", "", "chord", "half-log2", parameter]);
    assert!((half_log2("c") - 1.0).abs() < 1e-12);
    assert!(half_log2("largest_relative_deviation") < 1e-12);
    // Pooled over the repetitions Chord has 1, 4 and 3 lookups of 1, 2 and 3 hops: mean 2.25,
    // less 1. With a quarter moved on: 0.1875, 0.4375, 0.3125, 0.0625 at 1, 2, 3, 4.
    let binomial = |panel, parameter| value(["figure-2", panel, "", "binomial", parameter]);
    assert!((binomial("chord", "shift") - 1.25).abs() < 1e-12);
    assert!((binomial("chord", "total_variation") - 0.125).abs() < 1e-12);
    assert!((binomial("chord", "kolmogorov") - 0.0625).abs() < 1e-12);
    assert!((binomial("vhash", "shift") - 0.5).abs() < 1e-12);
    // 650 at 64 and 2650 at 256.
    let exponent = (2650.0_f64 / 650.0).log2() / 2.0;
    assert!((value(["law", "", "chord", "power", "b"]) - exponent).abs() < 1e-9);
    assert!(
        (value(["law", "", "vhash", "power", "a"])
            - 510.0 / 64_f64.powf((2050.0_f64 / 510.0).log2() / 2.0))
        .abs()
            < 1e-6
    );
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let directory = directory(&figures());
    let bytes = || -> Vec<Vec<u8>> {
        summarise(directory.path()).unwrap();
        let mut paths = draw(directory.path()).unwrap();
        paths.push(directory.path().join("summary.csv"));
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    };
    assert!(bytes() == bytes());
}

#[test]
fn a_single_run_is_drawn_without_intervals() {
    let directory = directory(&json!([
        {"name": "log", "x": "overlay.nodes", "y": "hops_mean", "series": "overlay.protocol",
         "scale": "log-log", "theory": [{"curve": "half-log2", "from": 1000}, {"curve": "power"}]},
        {"name": "linear", "x": "overlay.protocol", "y": ["hops_mean", "messages"],
         "series": "overlay.nodes"},
    ]));
    let one: Vec<&str> = RUNS.lines().take(2).collect();
    fs::write(directory.path().join("runs.csv"), one.join("\n")).unwrap();
    summarise(directory.path()).unwrap();
    draw(directory.path()).unwrap();
    let fits = read(directory.path(), "fits.csv");
    assert!(fits.contains("log,,chord,half-log2,c,\n"), "{fits}");
    assert!(fits.contains("log,,chord,power,b,\n"), "{fits}");
    let svg = read(directory.path(), "linear.svg");
    assert!(svg.contains(">\nhops, mean, nodes = 64\n<"), "{svg}");
}

#[test]
fn published_points_without_their_series_or_panel_are_left_out() {
    let points = |more: Value| {
        let mut points = json!({"curve": "points", "label": "published", "data": [[64, 3.9]]});
        for (key, value) in more.as_object().unwrap() {
            points[key] = value.clone();
        }
        let directory = directory(&json!([{
            "name": "a", "x": "overlay.nodes", "y": "hops_mean", "series": "overlay.protocol",
            "theory": [points],
        }, {
            "name": "b", "x": "overlay.nodes", "y": "hops_mean", "panel": "overlay.protocol",
            "theory": [points],
        }]));
        draw(directory.path()).unwrap();
        ["a.svg", "b.svg"].map(|name| read(directory.path(), name).contains("\npublished\n"))
    };
    assert_eq!(points(json!({})), [true, true]);
    assert_eq!(points(json!({"series": "chord"})), [true, false]);
    assert_eq!(points(json!({"series": "can"})), [false, false]);
    assert_eq!(points(json!({"panel": "chord"})), [false, true]);
    assert_eq!(points(json!({"panel": "can"})), [false, false]);
}

#[test]
fn old_fits_do_not_outlive_their_figures() {
    let directory = directory(&json!([{
        "x": "overlay.nodes", "y": "hops_mean", "series": "overlay.protocol",
    }]));
    fs::write(directory.path().join("fits.csv"), "figure\n").unwrap();
    for _ in 0..2 {
        let written = draw(directory.path()).unwrap();
        assert_eq!(written.len(), 2);
        assert!(!directory.path().join("fits.csv").exists());
    }
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let lines = |more: Value| {
        let mut figure =
            json!({"x": "overlay.nodes", "y": "hops_mean", "series": "overlay.protocol"});
        for (key, value) in more.as_object().unwrap() {
            figure[key] = value.clone();
        }
        json!([figure])
    };
    for (figures, message) in [
        (
            lines(json!({"series": []})),
            "runs.csv: figure `figure-1`: key `overlay.protocol` is swept but the figure neither \
             uses nor fixes it: values chord and vhash fall together",
        ),
        (
            lines(json!({"where": {"overlay.nodes": 65}})),
            "no row has `overlay.nodes` = 65; its values are 64, 256",
        ),
        (
            lines(json!({"y": "hops"})),
            "figure `figure-1`: y: expected a metric, found `hops`; known are hops_mean, latency_ms",
        ),
        (lines(json!({"colour": "red"})), "unknown field `colour`"),
        (
            lines(json!({"x": "overlay.protocol", "series": "overlay.nodes", "scale": "log-x"})),
            "`overlay.protocol` holds texts, which have no logarithm",
        ),
        (
            lines(json!({"x": "overlay.protocol", "series": "overlay.nodes",
                         "theory": [{"curve": "power"}]})),
            "theory: curve `power` needs numbers along x",
        ),
        (
            json!([{"kind": "histogram", "quantity": "hop", "series": "overlay.protocol"}]),
            "no row has `quantity` = hop; its values are hops, degree",
        ),
        (
            json!([{"table": "nothing", "x": "cycle", "y": "hit_rate"}]),
            "nothing.csv: cannot read",
        ),
        (
            json!([{"table": "histogram", "x": "overlay.nodes", "y": "count",
                    "series": "overlay.protocol"}]),
            "run a0 has several rows at overlay.nodes = 64",
        ),
        (
            json!([
                lines(json!({"name": "a"}))[0],
                lines(json!({"name": "a"}))[0]
            ]),
            "another figure has this name",
        ),
    ] {
        let directory = directory(&figures);
        let error = draw(directory.path()).unwrap_err().to_string();
        assert!(error.contains(message), "{figures}\n{error}\n{message}");
    }
}

#[test]
fn broken_tables_are_named() {
    for (runs, message) in [
        (
            "run,repetition,seed,overlay.protocol\n",
            "runs.csv: the table has no rows",
        ),
        ("", "runs.csv: the table has no rows"),
        (
            "run,repetition,seed,overlay.protocol,overlay.nodes,hops\na,0,1,chord,64,many\n",
            "runs.csv:2: column `hops`: expected a finite number, found `many`",
        ),
        (
            "run,repetition,seed,overlay.protocol,hops\na,0,1,chord,3\n",
            "runs.csv: no column `overlay.nodes`; the columns are run, repetition, seed",
        ),
        (
            "run,repetition,seed,overlay.protocol,overlay.nodes\na,0\n",
            "runs.csv:2: expected 5 cells, found 2",
        ),
    ] {
        let directory = directory(&json!([]));
        fs::write(directory.path().join("runs.csv"), runs).unwrap();
        let error = summarise(directory.path()).unwrap_err().to_string();
        assert!(error.contains(message), "{runs}\n{error}");
    }
    let empty = TempDir::new().unwrap();
    let error = draw(empty.path()).unwrap_err().to_string();
    assert!(error.contains("manifest.json: cannot read"), "{error}");
}

#[test]
fn impossible_values_are_refused_and_intervals_end_where_the_range_does() {
    let ranged = |range: Value, figure: Value| {
        let directory = directory(&json!([figure]));
        let path = directory.path().join("manifest.json");
        let mut manifest: Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        manifest["ranges"] = range;
        fs::write(&path, manifest.to_string()).unwrap();
        let drawn = draw(directory.path());
        drawn
            .map(|_| read(directory.path(), "a.svg"))
            .map_err(|error| error.to_string())
    };
    let lines = json!({"name": "a", "x": "overlay.nodes", "y": "hops_mean",
                       "series": "overlay.protocol"});
    let error = ranged(json!({"hops_mean": [0, 5]}), lines.clone()).unwrap_err();
    let expected = "runs.csv: figure `a`: `hops_mean` is 5.5 in row 4, but possible is from 0 to 5";
    assert!(error.ends_with(expected), "{error}");
    let mut published = lines;
    published["theory"] = json!([{"curve": "points", "label": "p", "data": [[64, -0.5]]}]);
    let error = ranged(json!({"hops_mean": [0, null]}), published).unwrap_err();
    assert!(
        error.contains("y is -0.5 at 64, but possible is at least 0"),
        "{error}"
    );
    // Student's t of .5 and .7 is from -.67 to 1.87.
    let rate = json!({"name": "a", "table": "timeline", "x": "cycle", "y": "hit_rate",
                      "where": {"overlay.protocol": "chord", "overlay.nodes": 64}});
    let free = ranged(json!({}), rate.clone()).unwrap();
    let cut = ranged(json!({"hit_rate": [0, 1]}), rate).unwrap();
    assert!(
        free.contains(">\n−0.5\n<") && free.contains(">\n1.5\n<"),
        "{free}"
    );
    assert!(!cut.contains(">\n−") && !cut.contains(">\n1.2\n<"), "{cut}");
    assert!(cut.contains(">\n1.0\n<"), "{cut}");
}

/// The complement of fractions is drawn as a table with 1 - y is, with its intervals and published points.
#[test]
fn a_complement_is_one_less_the_fraction() {
    let drawn = |complement: bool, timeline: &str, published: f64, metric: &str| {
        let directory = directory(&json!([{
            "name": "a", "table": "timeline", "x": "cycle", "y": metric, "y-label": "fraction",
            "where": {"overlay.protocol": "chord", "overlay.nodes": 64}, "scale": "log-y",
            "complement": complement, "labels": {"hit_rate": "rate"},
            "theory": [{"curve": "points", "label": "p", "data": [[0, published]]}],
        }]));
        let path = directory.path().join("manifest.json");
        let mut manifest: Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        manifest["ranges"] = json!({"hit_rate": [0, 1]});
        fs::write(&path, manifest.to_string()).unwrap();
        fs::write(directory.path().join("timeline.csv"), timeline).unwrap();
        let drawn = draw(directory.path());
        drawn
            .map(|_| read(directory.path(), "a.svg"))
            .map_err(|error| error.to_string())
    };
    let head = "run,repetition,overlay.protocol,overlay.nodes,cycle,hit_rate\n";
    let table = |values: [f64; 4]| {
        let rows = [
            "a0,0,chord,64,0",
            "a1,1,chord,64,0",
            "a0,0,chord,64,10",
            "a1,1,chord,64,10",
        ];
        let rows = rows
            .iter()
            .zip(values)
            .map(|(row, value)| format!("{row},{value}\n"));
        format!("{head}{}", rows.collect::<String>())
    };
    let (near, lacks) = (
        table([0.5, 0.75, 0.875, 1.0]),
        table([0.5, 0.25, 0.125, 0.0]),
    );
    let complement = drawn(true, &near, 0.75, "hit_rate").unwrap();
    assert_eq!(complement, drawn(false, &lacks, 0.25, "hit_rate").unwrap());
    assert_ne!(complement, drawn(false, &near, 0.75, "hit_rate").unwrap());
    let error = drawn(true, &near.replace("hit_rate", "hops"), 0.75, "hops").unwrap_err();
    assert!(
        error.contains("`complement` needs fractions, and hops can be any number"),
        "{error}"
    );
}

#[test]
fn more_series_than_colours_are_refused() {
    let rows: Vec<String> = (0..9).map(|n| format!("r{n},0,1,p{n},64,3,1,1")).collect();
    let directory = directory(&json!([{
        "x": "overlay.nodes", "y": "hops_mean", "series": "overlay.protocol",
    }]));
    let head = RUNS.lines().next().unwrap();
    let path = directory.path().join("runs.csv");
    fs::write(&path, format!("{head}\n{}", rows.join("\n"))).unwrap();
    let error = draw(directory.path()).unwrap_err().to_string();
    assert!(
        error.contains("9 series: a figure has at most 8"),
        "{error}"
    );
    fs::write(&path, format!("{head}\n{}", rows[..8].join("\n"))).unwrap();
    draw(directory.path()).unwrap();
}
