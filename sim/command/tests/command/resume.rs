//! Existing runs: none is repeated or lost when the rest of the scenario changes, and each is
//! repeated when its inputs have changed.

use crate::lab::Lab;

/// Small runs; a sweep stands after it.
pub const SWEEP: &str = "experiment = \"network\"\n[underlay]\nnodes = 100\n[workload]\nlookups = 50\n\
                     [overlay.chord]\nsuccessors = 2\n[sweep]\n";

#[test]
fn more_repetitions_add_to_what_is_there() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    let run = |repetitions: &str, out: &str| {
        let arguments = ["run", "s.toml", "--out", out, "--repetitions", repetitions];
        lab.succeed(&arguments).runs_and_new()
    };
    assert_eq!(run("2", "out"), (4, 4));
    let before = lab.table("out/s/runs.csv");
    assert_eq!(run("5", "out"), (10, 6));
    let after = lab.table("out/s/runs.csv");
    assert_eq!(after.column("repetition").concat(), "0123401234");
    let old = |row: &&Vec<String>| ["0", "1"].contains(&row[1].as_str());
    assert!(
        after.rows.iter().filter(old).eq(&before.rows),
        "old rows changed"
    );
    // The same as if all had been run at once.
    assert_eq!(run("5", "fresh"), (10, 10));
    assert_eq!(lab.tables("out"), lab.tables("fresh"));
    // Back to fewer, and to more again: nothing is lost on the way.
    assert_eq!(run("1", "out"), (2, 0));
    assert_eq!(lab.table("out/s/runs.csv").rows.len(), 2);
    assert_eq!(run("5", "out"), (10, 0));
    assert_eq!(lab.tables("out"), lab.tables("fresh"));
}

#[test]
fn a_changed_sweep_keeps_finished_runs() {
    let lab = Lab::new();
    let run = |sweep: &str| {
        lab.write("s.toml", format!("{SWEEP}{sweep}\n"));
        lab.succeed(&["run", "s.toml", "--out", "out"])
            .runs_and_new()
    };
    let (narrow, wide) = (
        "\"overlay.nodes\" = [20, 40]",
        "\"overlay.nodes\" = [10, 20, 30]\n\"overlay.lookup\" = [\"recursive\", \"iterative\"]",
    );
    assert_eq!(run(narrow), (2, 2));
    let first = lab.files("out/s");
    // Lookups are recursive by default: the run at 20 nodes is there.
    assert_eq!(run(wide), (6, 5));
    let second = lab.files("out/s");
    // Going back runs nothing again, and gives the same bytes (but for the journal, which
    // holds what the scenario does not ask for).
    for (sweep, before) in [(narrow, &first), (wide, &second), (narrow, &first)] {
        let (_, new) = run(sweep);
        assert_eq!(new, 0);
        let now = lab.files("out/s");
        for (name, bytes) in before
            .iter()
            .filter(|(name, _)| !name.starts_with("finished"))
        {
            assert!(bytes == &now[name], "{name} differs");
        }
    }
}

/// Keys of the protocol that is not chosen have no say, so two points may be one run.
#[test]
fn one_run_at_two_points_of_a_sweep_is_run_once_and_stands_at_both() {
    let lab = Lab::new();
    let sweep =
        "\"overlay.protocol\" = [\"chord\", \"vhash\"]\n\"overlay.chord.successors\" = [1, 2]\n";
    lab.write(
        "s.toml",
        format!("{SWEEP}{sweep}").replace("successors = 2\n", ""),
    );
    lab.write("other.toml", "");
    let arguments = ["run", "s.toml", "--out", "out", "--set", "overlay.nodes=20"];
    let ended = lab.succeed(&arguments);
    assert_eq!(lab.table("out/s/runs.csv").rows.len(), 4);
    assert!(ended.stderr.contains("3 of them new"), "{}", ended.stderr);
    let first = lab.tables("out");
    // Read again from the CSV files, nothing is doubled.
    for _ in 0..2 {
        assert_eq!(lab.succeed(&arguments).runs_and_new(), (4, 0));
        assert!(
            lab.tables("out") == first,
            "a table changed when it was read and written again"
        );
    }
}

/// The content of a file counts, not its name.
#[test]
fn a_changed_graph_is_another_run() {
    let lab = Lab::new();
    let text = "experiment = \"network\"\nunderlay.model = \"file\"\nunderlay.file.path = \"ring.txt\"\n\
                overlay.nodes = 4\nworkload.lookups = 20\n";
    lab.write("s.toml", text);
    let run = |graph: &str| {
        lab.write("ring.txt", graph);
        lab.succeed(&["run", "s.toml", "--out", "out"])
            .runs_and_new()
    };
    let (ring, chord) = ("a b\nb c\nc d\nd a\n", "a b\nb c\nc d\nd a\na c\n");
    assert_eq!(run(ring), (1, 1));
    let before = lab.tables("out");
    assert_eq!(run(ring), (1, 0));
    assert_eq!(run(chord), (1, 1));
    assert_ne!(lab.tables("out"), before);
    assert_eq!(run(ring), (1, 0));
    assert_eq!(lab.tables("out"), before);
}
