//! The other errors of a file that has one, so that a user corrects them together.

use super::error::{KeyLocation, ScenarioError};
use super::source::Source;
use dhtlab_core::parameter::{Map, Value};

/// The most errors that are reported of a file.
const MOST: usize = 10;

/// `first`, the error of reading `source`, with the errors that are left without its key, by line. `read`
/// reads a source again.
///
/// An error counts only if its key is in the file, at another line: without a key, what is in the file
/// may no longer fit to defaults.
pub(super) fn with_others<T>(
    mut first: ScenarioError,
    mut source: Source,
    read: impl Fn(Source) -> Result<T, ScenarioError>,
) -> ScenarioError {
    let mut key = first.key.clone();
    let mut others: Vec<ScenarioError> = Vec::new();
    let mut is_sweep_whole = true;
    // Without the kind of experiment no key has a meaning.
    while key != "experiment" && others.len() + 1 < MOST {
        match remove(&mut source.values, &key) {
            Removed::Nothing => break,
            Removed::Swept => is_sweep_whole = false,
            Removed::Fixed => {}
        }
        let Err(next) = read(source.clone()) else {
            break;
        };
        let is_seen = |error: &ScenarioError| {
            let is_inside = error.key.strip_prefix(&next.key);
            error.place == next.place || is_inside.is_some_and(|rest| rest.starts_with('.'))
        };
        // Figures need the keys that are swept.
        let is_follow_up = next.key.starts_with("figure[") && !is_sweep_whole;
        let is_old = is_seen(&first) || others.iter().any(is_seen);
        if is_follow_up || is_old || !source.has(&next.key) {
            break;
        }
        key.clone_from(&next.key);
        others.push(next);
    }
    others.sort_by_key(|other| match other.place {
        KeyLocation::Line(line) => line,
        KeyLocation::Option(_) | KeyLocation::File => usize::MAX,
    });
    first.others.extend(others);
    first
}

/// What was removed of a key.
enum Removed {
    Nothing,
    Fixed,
    Swept,
}

/// Removes a value at the dotted path `key`, swept or not. A table stays: its keys are not all wrong.
fn remove(values: &mut Map, key: &str) -> Removed {
    let is_swept = values.get_mut("sweep").is_some_and(|sweep| match sweep {
        Value::Table(sweep) => sweep.shift_remove(key).is_some(),
        _ => false,
    });
    let otherwise = match is_swept {
        true => Removed::Swept,
        false => Removed::Nothing,
    };
    let (tables, last) = match key.rsplit_once('.') {
        Some((tables, last)) => (tables.split('.').collect(), last),
        None => (Vec::new(), key),
    };
    let mut table = values;
    for name in tables {
        match table.get_mut(name) {
            Some(Value::Table(inner)) => table = inner,
            _ => return otherwise,
        }
    }
    match table.get(last) {
        None | Some(Value::Table(_)) => otherwise,
        Some(_) if is_swept => {
            table.shift_remove(last);
            otherwise
        }
        Some(_) => {
            table.shift_remove(last);
            Removed::Fixed
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plain_network::KINDS;
    use crate::{Overrides, Scenario, Source};
    use std::path::Path;

    /// The lines of the errors of this text.
    fn told(text: &str) -> Vec<String> {
        let text = format!("experiment = \"network\"\n{text}");
        let source = Source::parse(Path::new("x.toml"), &text).expect("TOML");
        let error = Scenario::read(source, &Overrides::default(), KINDS);
        let error = error.err().expect("an error").to_string();
        let before = |line: &str| line.split_inclusive(": ").take(2).collect::<String>();
        error.lines().map(before).collect()
    }

    #[test]
    fn all_errors_of_a_file_are_found() {
        let found = told(
            "repetitions = \"two\"\nunderlay.nodes = -1\noverlay.nods = 9\noverlay.nodes = 9.5\n\
             workload.lookups = 8\n[sweep]\n\"overlay.chord.successors\" = [1, \"a\"]\n",
        );
        let places: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(
            places,
            [
                "x.toml:2: repetitions: ",
                "x.toml:3: underlay.nodes: ",
                "x.toml:4: overlay.nods: ",
                "x.toml:5: overlay.nodes: ",
                "x.toml:8: overlay.chord.successors: ",
            ]
        );
    }

    /// A figure of a swept key whose values are wrong is not wrong itself.
    #[test]
    fn a_wrong_sweep_gives_no_error_of_figures() {
        let found = told(
            "[sweep]\n\"overlay.protocol\" = [\"chord\", \"kadmelia\"]\n\
             [[figure]]\nkind = \"histogram\"\nquantity = \"degree\"\nseries = \"overlay.protocol\"\n",
        );
        assert_eq!(found, ["x.toml:3: overlay.protocol: "]);
    }

    #[test]
    fn all_figures_with_errors_are_found() {
        let found = told(
            "[sweep]\n\"overlay.nodes\" = [8, 9]\n\
             [[figure]]\nx = \"overlay.nodes\"\ny = \"nothing\"\n\
             [[figure]]\nkind = \"histogram\"\nquantity = \"degree\"\nseries = \"overlay.nodes\"\n\
             [[figure]]\nkind = \"pie\"\n",
        );
        assert_eq!(
            found,
            ["x.toml:6: figure[0].y: ", "x.toml:12: figure[2].kind: "]
        );
    }

    /// An error that is only a result of another one would confuse.
    #[test]
    fn an_unknown_experiment_is_the_only_error() {
        let text = "experiment = \"netwrk\"\noverlay.nods = 9\n";
        let source = Source::parse(Path::new("x.toml"), text).expect("TOML");
        let error = Scenario::read(source, &Overrides::default(), KINDS);
        assert_eq!(error.err().expect("an error").others, []);
    }
}
