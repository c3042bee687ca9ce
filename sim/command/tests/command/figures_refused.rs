//! Figures that cannot be drawn from the results of a scenario.

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
                "bad.toml:12: figure[1].kind: unknown variant `histogramm`, expected one of ...",
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
        told.starts_with("bad.toml:") && told.contains("figure[0]") && told.contains("`yy`"),
        "{told}"
    );
}
