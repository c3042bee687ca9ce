//! The page of a figure: its size, ranges, legend and formats; and figures that go or cannot be drawn.

use crate::lab::Lab;

const SWEEP: &str = r#"
experiment = "network"
repetitions = 3
underlay.model = "constant"
underlay.nodes = 64
overlay.nodes = 32
workload.lookups = 200

[sweep]
"overlay.protocol" = ["chord", "kademlia"]
"overlay.chord.successors" = [4, 8]
"#;

/// A lab with the results of [`SWEEP`] with these figures, in `out/s`.
fn drawn(figures: &str) -> Lab {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}{figures}"));
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    lab
}

/// The number in an attribute of the first element of an SVG document.
fn attribute(svg: &str, name: &str) -> f64 {
    let rest = svg
        .split_once(&format!(" {name}=\""))
        .expect("the attribute")
        .1;
    rest.split('"')
        .next()
        .and_then(|text| text.parse().ok())
        .expect("a number")
}

const PAPER: &str = r#"
[[figure]]
name = "paper"
title = ""
x = "overlay.chord.successors"
y = "overlay_hops_mean"
series = "overlay.protocol"
y-range = [0.5, 2.5]
legend = "above"
width = 320
height = 240
font-size = 10
dpi = 300
"#;

#[test]
fn a_figure_has_the_size_that_its_keys_say() {
    let lab = drawn(PAPER);
    let svg = lab.read("out/s/paper.svg");
    // Lengths of the layout are whole pixels, 17 for 10 of the figure.
    let near = |found: f64, wanted: f64| (found - wanted).abs() <= 1.0;
    assert!(near(attribute(&svg, "width"), 320.0), "{}", &svg[..120]);
    assert!(near(attribute(&svg, "height"), 240.0), "{}", &svg[..120]);
    assert!(!svg.contains("<title>"), "{}", &svg[..400]);
    // The width and the height of a PNG are in bytes 16 to 23.
    let png = std::fs::read(lab.path("out/s/paper.png")).expect("a PNG");
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("4 bytes"));
    assert!(side(16).abs_diff(320 * 300 / 96) <= 4, "{}", side(16));
    assert!(side(20).abs_diff(240 * 300 / 96) <= 4, "{}", side(20));
}

#[test]
fn a_pdf_is_written_where_it_is_asked_for_and_kept_up_to_date() {
    let lab = drawn(PAPER);
    let pdf = || std::fs::read(lab.path("out/s/paper.pdf"));
    assert!(pdf().is_err(), "a PDF that was not requested");
    let told = lab.succeed(&["plot", "out/s", "--pdf"]);
    assert!(told.stdout.contains("paper.pdf"), "{}", told.stdout);
    let first = pdf().expect("a PDF");
    assert!(first.starts_with(b"%PDF-"));
    lab.succeed(&["plot", "out/s", "--pdf"]);
    assert_eq!(pdf().expect("a PDF"), first, "the bytes differ");
    let changed = format!("{SWEEP}{PAPER}").replace("y-range = [0.5, 2.5]", "y-range = [0, 9]");
    lab.write("s.toml", changed);
    let ended = lab.succeed(&["run", "s.toml", "--out", "out"]);
    assert_eq!(ended.runs_and_new(), (12, 0));
    assert_ne!(pdf().expect("a PDF"), first, "it shows the old range");
}

#[test]
fn figures_that_the_scenario_has_no_more_are_removed() {
    let lab = drawn(PAPER);
    lab.succeed(&["plot", "out/s", "--pdf"]);
    lab.write("out/s/mine.svg", "my own figure");
    lab.write(
        "s.toml",
        format!("{SWEEP}{PAPER}").replace("\"paper\"", "\"other\""),
    );
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    for extension in ["svg", "png", "pdf"] {
        assert!(
            !lab.path(&format!("out/s/paper.{extension}")).exists(),
            "{extension}"
        );
    }
    assert!(lab.path("out/s/other.svg").exists());
    assert!(
        lab.path("out/s/mine.svg").exists(),
        "it is none of a scenario"
    );
}

#[test]
fn a_figure_that_cannot_be_drawn_does_not_prevent_the_others() {
    let lab = Lab::new();
    // Without an attack nothing is intercepted.
    let bad = "[[figure]]\nname = \"bad\"\nx = \"overlay.chord.successors\"\ny = \"interception_rate\"\n\
               series = \"overlay.protocol\"\n";
    lab.write("s.toml", format!("{SWEEP}{bad}{PAPER}"));
    let ended = lab.dhtlab(&["run", "s.toml", "--out", "out"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("no value of interception_rate"),
        "{}",
        ended.stderr
    );
    assert!(lab.path("out/s/paper.svg").exists());
    assert!(lab.path("out/s/summary.csv").exists());
}

#[test]
fn a_cumulative_figure_goes_in_steps_from_0_to_1() {
    let lab = drawn(
        "[[figure]]\nname = \"all\"\nkind = \"cumulative\"\nquantity = \"overlay_hops\"\n\
         where = { \"overlay.protocol\" = \"chord\", \"overlay.chord.successors\" = 8 }\nscale = \"log-x\"\n",
    );
    let svg = lab.read("out/s/all.svg");
    // A step goes up, then to the right: `v` and `h` alternate in the path of the curve, which is not
    // interrupted. Lines of the grid are, by an `m` before each.
    let path = svg.split("<path ").find(|path| {
        let line = path.split(" d=\"").nth(1);
        let line = line.and_then(|rest| rest.split('"').next()).unwrap_or("");
        let count = |of: char| line.matches(of).count();
        count('m') == 1 && count('v') > 3 && count('h') > 3
    });
    assert!(path.is_some(), "no steps");
}
