//! Figures as scenario files write them, good and bad.

use dhtlab_format::figure::Figure;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn tables() -> Vec<(String, Vec<String>)> {
    vec![
        (
            "histogram".to_owned(),
            names(&["quantity", "value", "count"]),
        ),
        (
            "timeline".to_owned(),
            names(&["run", "overlay.nodes", "cycle", "hit_rate"]),
        ),
    ]
}

fn check(text: &str) -> Result<(), String> {
    let figure: Figure = toml::from_str(text).map_err(|error| error.to_string())?;
    let swept = ["overlay.protocol", "overlay.nodes"].map(|key| names(&[key]));
    figure
        .validate(&swept, &names(&["hops_mean", "messages"]), &tables())
        .map_err(|problem| problem.to_string())
}

#[test]
fn good_figures_pass() {
    for text in [
        r#"x = "overlay.nodes"
           y = "hops_mean"
           series = ["overlay.protocol"]
           theory = [{ curve = "half-log2", from = 64, series-each = true },
                     { curve = "points", label = "published", data = [[64, 3], [128.0, 3.5]] },
                     { curve = "metric", metric = "messages", label = "predicted" }]"#,
        r#"x = "overlay.nodes"
           y = ["hops_mean", "messages"]
           where = { "overlay.protocol" = "chord" }"#,
        r#"kind = "histogram"
           quantity = "hops"
           panel = "overlay.nodes"
           series = "overlay.protocol"
           theory = [{ curve = "binomial", trials = 12, probability = 0.5, shift = "fit" },
                     { curve = "binomial", trials = 12, probability = 0.5, shift = 1 }]"#,
        r#"kind = "scatter"
           x = "messages"
           y = "hops_mean""#,
        r#"table = "timeline"
           x = "cycle"
           y = "hit_rate"
           series = "overlay.protocol"
           where = { "overlay.nodes" = 64 }"#,
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn bad_figures_say_what_was_expected() {
    for (text, message) in [
        (
            r#"kind = "histogram"
               quantity = "hops"
               complement = true
               panel = "overlay.protocol"
               where = { "overlay.nodes" = 64 }"#,
            "complement: belongs to the means of the kinds `lines` and `scatter`",
        ),
        (
            r#"x = "overlay.nodes"
               y = "hops_mean""#,
            "series: key `overlay.protocol` is swept but the figure neither uses nor fixes it",
        ),
        (
            r#"x = "overlay.nodes"
               y = "hops_mean"
               where = { "overlay.protocol" = ["chord", "vhash"] }"#,
            "series: key `overlay.protocol` is swept but the figure neither uses nor fixes it",
        ),
        (
            r#"y = "hops_mean""#,
            "x: missing: expected a swept key; known are overlay.protocol, overlay.nodes",
        ),
        (
            r#"x = "nodes"
               y = "hops_mean""#,
            "x: expected a swept key, found `nodes`; known are overlay.protocol, overlay.nodes",
        ),
        (
            r#"x = "overlay.nodes""#,
            "y: missing: expected a metric; known are hops_mean, messages",
        ),
        (
            r#"kind = "scatter"
               x = "overlay.nodes"
               y = "hops_mean""#,
            "x: expected a metric, found `overlay.nodes`; known are hops_mean, messages",
        ),
        (
            r#"table = "time"
               x = "cycle"
               y = "hit_rate""#,
            "table: no table `time`; the tables are runs, histogram, timeline",
        ),
        (
            r#"table = "timeline"
               x = "cycles"
               y = "hit_rate""#,
            "x: expected a swept key, found `cycles`; did you mean `cycle`?",
        ),
        (
            r#"kind = "histogram""#,
            "quantity: kind `histogram` needs the quantity",
        ),
        (
            r#"kind = "histogram"
               table = "timeline"
               quantity = "hops""#,
            "table: kind `histogram` needs a table with the columns quantity, value, count; table \
             `timeline` has no `quantity`",
        ),
        (
            r#"kind = "histogram"
               quantity = "hops"
               scale = "log-log""#,
            "scale: kind `histogram` takes `linear` or `log-y`",
        ),
        (
            r#"x = "overlay.nodes"
               y = "hops_mean"
               series = "overlay.protocol"
               theory = [{ curve = "binomial", trials = 1, probability = 0.5 }]"#,
            "theory: curve `binomial` belongs to kind `histogram`, not `lines`",
        ),
        (
            r#"kind = "scatter"
               x = "messages"
               y = "hops_mean"
               theory = [{ curve = "metric", metric = "messages", label = "predicted" }]"#,
            "theory: curve `metric` belongs to kind `lines`, not `scatter`",
        ),
        (
            r#"x = "overlay.nodes"
               y = "hops_mean"
               series = "overlay.protocol"
               theory = [{ curve = "metric", metric = "hops", label = "predicted" }]"#,
            "theory: expected the name of a metric or column, found `hops`; known are hops_mean, \
             messages",
        ),
        (
            r#"kind = "histogram"
               quantity = "hops"
               theory = [{ curve = "binomial", trials = 1, probability = 1.5 }]"#,
            "theory: curve `binomial`: `probability` must be from 0 to 1, found 1.5",
        ),
        (
            r#"x = "overlay.nodes"
               y = "hops_mean"
               series = "overlay.protocol"
               panel = "overlay.protocol""#,
            "panel: `overlay.protocol` is in `series` already",
        ),
        (
            r#"name = "../figure"
               x = "overlay.nodes"
               y = "hops_mean""#,
            "name: expected the stem of a file name",
        ),
        (
            r#"x = "overlay.nodes"
               y = "hops_mean"
               where = { "overlay.protocol" = { a = 1 } }"#,
            "where: `overlay.protocol`: expected a text, a number, a boolean or an array of them",
        ),
        ("y = 3", "expected a name or an array of names"),
        (
            r#"kind = "bars""#,
            "expected one of `lines`, `histogram`, `cumulative`, `scatter`",
        ),
        (r#"x_label = "n""#, "unknown field `x_label`"),
        (
            r#"theory = [{ curve = "half-log2", form = 64 }]"#,
            "unknown field `form`",
        ),
        (
            r#"theory = [{ curve = "binomial", trials = 1, probability = 0.5, shift = "best" }]"#,
            "expected a number or \"fit\"",
        ),
    ] {
        let error = check(text).expect_err(text);
        assert!(error.contains(message), "{text}\n{error}\n{message}");
    }
}

#[test]
fn keys_in_step_account_for_each_other() {
    let figure: Figure = toml::from_str("x = \"overlay.nodes\"\ny = \"hops_mean\"").unwrap();
    let metrics = names(&["hops_mean"]);
    let keys = ["overlay.nodes", "underlay.nodes"];
    let apart = keys.map(|key| names(&[key]));
    assert!(figure.validate(&apart, &metrics, &[]).is_err());
    assert_eq!(figure.validate(&[names(&keys)], &metrics, &[]), Ok(()));
}

#[test]
fn a_figure_survives_the_manifest() {
    let text = r#"
        name = "path"
        x = "overlay.nodes"
        y = "hops_mean"
        series = ["overlay.protocol", "overlay.lookup"]
        scale = "log-x"
        x-label = "nodes"
        where = { "overlay.start" = "join" }
        theory = [{ curve = "power", from = 2.0 }, { curve = "points", label = "p", data = [["a", 1.0]] }]
    "#;
    let figure: Figure = toml::from_str(text).unwrap();
    let json = serde_json::to_string(&figure).unwrap();
    assert_eq!(serde_json::from_str::<Figure>(&json).unwrap(), figure);
}
