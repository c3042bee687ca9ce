//! Refusal of invalid input: one clear error with file, line and key, exit code 2, and no changes.

use crate::lab::{Ended, Lab};

/// Line 1 of most scenarios here.
pub const NETWORK: &str = "experiment = \"network\"\n";

/// What is wrong with the printed errors, if anything: each is one line that begins with the file,
/// there was no panic, the exit code is 2, and there are no results.
pub fn fault_of_refusal(lab: &Lab, ended: &Ended) -> Option<String> {
    let mut others = ended.stderr.lines().skip(1);
    let is_other = |line: &str| line.starts_with("bad.toml:");
    if ended.stderr.contains("panicked") {
        Some("a panic".to_owned())
    } else if ended.code != Some(2) {
        Some(format!("exit code {:?}", ended.code))
    } else if !others.all(is_other) || !ended.stderr.starts_with("error: ") {
        Some("the output has more than errors".to_owned())
    } else if lab.path("out").exists() {
        Some("something was written".to_owned())
    } else if !ended.stdout.is_empty() {
        Some("something was printed".to_owned())
    } else {
        None
    }
}

/// Runs the scenario `bad.toml` with this text; it must be refused. Gives the error.
pub fn refuse(text: &str, arguments: &[&str]) -> Result<String, String> {
    let lab = Lab::new();
    write_inputs(&lab);
    lab.write("bad.toml", text);
    let all = [&["run", "bad.toml", "--out", "out"], arguments].concat();
    let ended = lab.dhtlab(&all);
    let told = ended.stderr.trim_start_matches("error: ").trim_end();
    match fault_of_refusal(&lab, &ended) {
        None => Ok(told.to_owned()),
        Some(fault) => Err(format!("{fault}: {}", ended.stderr)),
    }
}

/// Writes the files that scenarios here name: graphs, and traces of churn.
pub fn write_inputs(lab: &Lab) {
    lab.write("graphs/triangle.txt", "a b\nb c\nc a\n");
    lab.write(
        "graphs/truncated.gml",
        "graph [\n  node [ id 0 ]\n  node [ id 1\n",
    );
    lab.write(
        "graphs/negative.txt",
        "0 5 7 9\n5 0 -3 9\n7 3 0 9\n9 9 9 0\n",
    );
    lab.write("graphs/oblong.txt", "0 5 7 9\n5 0 3 9\n7 3 0 9\n");
    lab.write("graphs/ragged.txt", "0 5 7 9\n5 0 3\n7 3 0 9\n9 9 9 0\n");
    lab.write(
        "graphs/endless.txt",
        "0 5 7 9\n5 0 inf 9\n7 3 0 9\n9 9 9 0\n",
    );
    lab.write("graphs/empty.txt", "");
    lab.write("graphs/blank.txt", "\n \n\n");
    lab.write("graphs/binary.txt", b"a b\n\xff\xfe\x00\n");
    lab.write("graphs/island.txt", "a b\nb c\nc a\nx y\ny z\n");
    lab.write("traces/back.csv", "20,crash,1\n10,join,1\n");
    lab.write("traces/unknown.csv", "20,crash,ghost\n");
}

/// Compares the errors of a table of cases, and prints all that differ. A case is the text after
/// `head`, the options, and the error: the whole of it, or its beginning if it ends in "...".
pub fn compare(head: &str, cases: &[(&str, &[&str], &str)]) {
    let mut faults = Vec::new();
    for (text, arguments, expected) in cases {
        let text = format!("{head}{text}");
        match refuse(&text, arguments) {
            Ok(told) if told == *expected => {}
            Ok(told)
                if expected
                    .strip_suffix("...")
                    .is_some_and(|part| told.starts_with(part)) => {}
            Ok(told) => faults.push(format!(
                "of\n{text}{arguments:?}\nexpected: {expected}\ntold:     {told}\n"
            )),
            Err(fault) => faults.push(format!("of\n{text}{arguments:?}\n{fault}")),
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {} cases:\n\n{}",
        faults.len(),
        cases.len(),
        faults.join("\n")
    );
}
