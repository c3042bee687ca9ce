//! Figures that cannot be drawn from the results of a scenario.

use crate::lab::Lab;
use crate::refusal::{NETWORK, compare, refuse};

#[test]
fn faults_of_a_figure_are_found_before_anything_runs() {
    const SWEEP: &str =
        "experiment = \"network\"\n[overlay]\nnodes = 9\n[sweep]\n\"overlay.nodes\" = [5, 6]\n";
    compare(
        SWEEP,
        &[
            (
                "[[figure]]\nx = \"overlay.nodes\"\ny = \"hops\"\n",
                &[],
                "bad.toml:8: figure[0].y: expected a metric, found `hops`; known are lookups, ...",
            ),
            (
                "[[figure]]\nx = \"overlay.nodes\"\ny = [\"success_rate\", \"events\"]\n\
                 complement = true\n",
                &[],
                "bad.toml:9: figure[0].complement: 1 - y needs fractions, and `events` is none",
            ),
            (
                "[[figure]]\nx = \"overlay.nods\"\ny = \"events\"\n",
                &[],
                "bad.toml:7: figure[0].x: expected a swept key, found `overlay.nods`; did you mean \
                 `overlay.nodes`?",
            ),
            (
                "[[figure]]\nx = \"overlay.nodes\"\n",
                &[],
                "bad.toml:6: figure[0].y: missing: expected a metric; known are lookups, ...",
            ),
            (
                "[[figure]]\nx = \"overlay.nodes\"\ny = \"events\"\n\n[[figure]]\n\n\
                 kind = \"histogramm\"\n",
                &[],
                "bad.toml:12: figure[1].kind: expected one of \"lines\", ...",
            ),
            (
                "\"overlay.protocol\" = [\"chord\", \"vhash\"]\n\
                 [[figure]]\nx = \"overlay.nodes\"\ny = \"events\"\n",
                &[],
                "bad.toml:7: figure[0].series: key `overlay.protocol` is swept but the figure \
                 neither uses nor fixes it: ...",
            ),
            (
                "\"workload.lookups\" = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n\
                 [[figure]]\nx = \"overlay.nodes\"\ny = \"events\"\nseries = \"workload.lookups\"\n",
                &[],
                "bad.toml:10: figure[0].series: expected at most 8 series, found 9; `panel` makes ...",
            ),
            (
                "[[figure]]\nkind = \"histogram\"\nquantity = \"overlay_hop\"\nseries = \"overlay.nodes\"\n",
                &[],
                "bad.toml:8: figure[0].quantity: ...",
            ),
            (
                "[[figure]]\nname = \"a\"\nx = \"overlay.nodes\"\ny = \"events\"\n\
                 [[figure]]\nname = \"a\"\nx = \"overlay.nodes\"\ny = \"messages\"\n",
                &[],
                "bad.toml:11: figure[1].name: ...",
            ),
            (
                "[[figure]]\nname = \"../a\"\nx = \"overlay.nodes\"\ny = \"events\"\n",
                &[],
                "bad.toml:7: figure[0].name: expected the stem of a file name ...",
            ),
            (
                "[[figure]]\nkind = \"histogram\"\nquantity = \"overlay_hops\"\n\
                 where = { \"overlay.nodes\" = 7 }\n",
                &[],
                "bad.toml:9: figure[0].where: ...",
            ),
        ],
    );
    const PROTOCOLS: &str = "experiment = \"network\"\n[overlay]\nnodes = 9\n\
         [sweep]\n\"overlay.protocol\" = [\"vhash\", \"chord\"]\n";
    const FIGURE: &str = "[[figure]]\nx = \"overlay.protocol\"\ny = \"events\"\n";
    let with = |line: &str| refuse(&format!("{PROTOCOLS}{FIGURE}{line}\n"), &[]).expect("an error");
    for (line, told) in [
        (
            "scale = \"log-x\"",
            "scale: needs numbers along x; \"chord\" of `overlay.protocol` is a text",
        ),
        (
            "x-range = [1, 2]",
            "x-range: needs numbers along x; \"chord\" of `overlay.protocol` is a text",
        ),
        (
            "y-range = [2, 1]",
            "y-range: expected [first, last] with first < last, found [2, 1]",
        ),
        ("y-range = [2]", "y-range"),
        (
            "y-range = [1, 1.0000001]",
            "y-range: expected two values of at most 1e100, a millionth of the larger one apart",
        ),
        (
            "y-range = [-1e308, 1e308]",
            "y-range: expected two values of at most 1e100, a millionth of the larger one apart",
        ),
        (
            "scale = \"log-y\"\ny-range = [0, 1]",
            "y-range: a logarithmic axis starts above 0, found [0, 1]",
        ),
        (
            "width = 5",
            "width: expected a number from 120 to 10000, found 5",
        ),
        (
            "height = 1e9",
            "height: expected a number from 120 to 10000, found 1000000000",
        ),
        (
            "font-size = 0",
            "font-size: expected a number from 4 to 200, found 0",
        ),
        (
            "dpi = 9600",
            "dpi: expected a number from 24 to 2400, found 9600",
        ),
        (
            "width = 9000\ndpi = 600",
            "dpi: a side of 9000 pixels would have more than 20000 dots at 600 dpi",
        ),
        (
            "legend = \"left\"",
            "legend: expected one of \"below\", \"above\", \"none\", found \"left\"",
        ),
        ("widht = 5", "widht: unknown key; did you mean `width`?"),
        (
            "[[figure]]\nkind = \"histogram\"\nquantity = \"degree\"\n\
             series = \"overlay.protocol\"\n[[figure.theory]]\ncurve = \"points\"\nlabel = \"a\"\n\
             series = \"chrod\"\ndata = [[3, 0.1]]",
            "figure[1].theory: curve `points`: expected as `series` one of \"chord\", \"vhash\", found \"chrod\"",
        ),
        (
            "[[figure.theory]]\ncurve = \"points\"\nlabel = \"a\"\npanel = \"chord\"\n\
             data = [[\"chord\", 1]]",
            "figure[0].theory: curve `points`: expected no `panel`, since the figure has none, found \"chord\"",
        ),
        (
            "[[figure]]\nkind = \"scatter\"\nx = \"run\"\ny = \"events\"",
            "figure[1].x: ",
        ),
        (
            "[[figure]]\nname = \"figure-1\"\nx = \"overlay.protocol\"\ny = \"events\"",
            "figure[1].name: another figure has this name",
        ),
    ] {
        let found = with(line);
        assert!(found.contains(told), "{line}: {found}");
    }
    // A column of texts.
    let figure = "[[figure]]\ntable = \"lookups\"\nx = \"time_s\"\ny = \"result\"\nseries = \"overlay.protocol\"\n";
    let log = "[workload]\nlog = true\n";
    let found = refuse(&format!("{PROTOCOLS}{log}{figure}"), &[]).expect("an error");
    let told = "figure[0].y: expected a column with numbers; `result` has texts";
    assert!(found.contains(told), "{found}");
    // A table that no point fills is no error if the command line has changed the scenario.
    for (name, told) in [
        ("lookups", "`lookups` has rows with `workload.log` only"),
        (
            "timeline",
            "`timeline` has rows with churn, an attack or a partition only",
        ),
    ] {
        let text = format!("tables = [\"histogram.degree\", \"{name}\"]\n{PROTOCOLS}");
        let found = refuse(&text, &[]).expect("an error");
        assert!(
            found.contains("bad.toml:1: tables: ") && found.contains(told),
            "{found}"
        );
        let lab = Lab::new();
        lab.write("s.toml", text);
        lab.succeed(&["check", "s.toml", "--set", "overlay.nodes=8"]);
    }
    for (table, told) in [
        (
            "timeline",
            "table: `timeline` has rows with churn, an attack or a partition only",
        ),
        (
            "lookups",
            "table: `lookups` has rows with `workload.log` only",
        ),
    ] {
        let figure = format!(
            "[[figure]]\ntable = \"{table}\"\nx = \"time_s\"\ny = \"time_s\"\nseries = \"overlay.protocol\"\n"
        );
        let found = refuse(&format!("{PROTOCOLS}{figure}"), &[]).expect("an error");
        assert!(found.contains(told), "{found}");
    }
    let long = with(&format!("name = \"{}\"", "a".repeat(201)));
    assert!(long.contains("at most 200 letters"), "{long}");
    compare(
        NETWORK,
        &[
            (
                "figure = \"a\"\n",
                &[],
                "bad.toml:2: figure: expected tables [[figure]]",
            ),
            (
                "[figure]\nx = \"overlay.nodes\"\n",
                &[],
                "bad.toml:2: figure: expected tables [[figure]]",
            ),
        ],
    );
    let typo = format!("{SWEEP}[[figure]]\nx = \"overlay.nodes\"\nyy = \"events\"\n");
    let told = refuse(&typo, &[]).expect("an error");
    assert!(
        told.starts_with("bad.toml:") && told.contains("figure[0].yy: unknown key"),
        "{told}"
    );
}
