//! The first screen of the report: a card for each system, and what holds, what does not, and what
//! cannot be known. Both forms of the report show it.

use std::path::Path;

use super::compare::{Chapter, ClaimResult};
use super::line::{ComparisonResult, Line};
use super::verdict::Verdict;
use super::{Count, Report, text};

/// A claim of a system with a picture.
pub struct Card<'a> {
    pub name: &'a str,
    pub claimed: &'a str,
    pub claim: &'a ClaimResult,
    /// The file of the picture, if the report shows it.
    pub figure: Option<&'a Path>,
    /// The measured values, each with what it is, and what to say if it agrees.
    pub values: Vec<(&'a str, &'a Line, Option<&'a str>)>,
}

/// The verdict on a value of a card; `agrees` is what to say instead of "agrees".
pub fn outcome(line: &Line, agrees: Option<&str>) -> String {
    match (agrees, &line.outcome) {
        (Some(agrees), ComparisonResult::Judged(Verdict::Agrees)) => agrees.to_owned(),
        (_, outcome) => text::outcome(outcome),
    }
}

/// A list of claims or systems.
pub struct List {
    pub title: &'static str,
    /// The number of values, by verdict.
    pub counted: String,
    /// Each with its anchor, its title, and what there is to add.
    pub entries: Vec<(String, String, String)>,
}

/// The cards, in the order of the systems.
pub fn cards<'a>(report: &'a Report<'_>) -> Vec<Card<'a>> {
    let chapters = report.chapters.iter();
    chapters
        .filter_map(|chapter| card(report, chapter))
        .collect()
}

fn card<'a>(report: &'a Report<'_>, chapter: &'a Chapter) -> Option<Card<'a>> {
    let card = chapter.opening.card.as_ref()?;
    let claim = chapter.claims.iter().find(|claim| claim.id == card.claim)?;
    let path = report.directory.join(format!("{}.svg", card.figure));
    let mut figures = report.readings().flat_map(|reading| &reading.figures);
    let lines = || claim.readings.iter().flat_map(|reading| &reading.lines);
    let values = card.value.iter().enumerate();
    Some(Card {
        name: &card.name,
        claimed: &card.claimed,
        claim,
        figure: figures
            .find(|(_, known)| *known == path)
            .map(|(_, known)| known.as_path()),
        values: values
            .filter_map(|(place, value)| {
                let line = lines().find(|line| line.card == Some(place))?;
                Some((value.label.as_str(), line, value.agrees.as_deref()))
            })
            .collect(),
    })
}

/// What becomes of a claim in one reading, by most of the values of its first column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Holds,
    Fails,
    Unknown,
}

impl Standing {
    /// `None` if no value has a verdict.
    fn of(count: &Count) -> Option<Self> {
        let holds = count.agree + count.within_bound;
        let unknown = count.undecided + count.in_doubt;
        if count.judged() == 0 {
            None
        } else if 2 * holds > count.judged() {
            Some(Self::Holds)
        } else if count.differ >= unknown {
            Some(Self::Fails)
        } else {
            Some(Self::Unknown)
        }
    }
}

/// How to read the cards and the lists.
pub const NOTE: &str = "In parentheses are the 95 % interval and the number of runs, n. A claim is listed by what \
    most values of its first column do, in each of its readings: as described by the text, as coded in the program behind the \
    figures, or sound, by a correct implementation.";

/// What was claimed, what holds, what does not, and what cannot be known.
pub fn lists(report: &Report<'_>) -> [List; 4] {
    let count = report.count(false);
    let claims = report.claims().filter(|claim| !claim.rerun).count();
    let published = count.judged() + count.unjudged();
    let not_covered: usize = report
        .chapters
        .iter()
        .map(|chapter| chapter.not_covered.len())
        .sum();
    [
        List {
            title: "Claimed",
            counted: format!("{published} values in {claims} claims"),
            entries: report.chapters.iter().map(system).collect(),
        },
        List {
            title: "Holds",
            counted: format!(
                "{} values agree, {} are within a bound",
                count.agree, count.within_bound
            ),
            entries: main_claims(report, Standing::Holds),
        },
        List {
            title: "Does not hold",
            counted: format!("{} values differ", count.differ),
            entries: main_claims(report, Standing::Fails),
        },
        List {
            title: "Cannot be known",
            counted: format!(
                "{} values not decided, {} in doubt, {} without a verdict; {not_covered} sets of values are not compared \
                 (see the end of each system)",
                count.undecided,
                count.in_doubt,
                count.unjudged()
            ),
            entries: main_claims(report, Standing::Unknown),
        },
    ]
}

/// A system with the number of its claims and values.
fn system(chapter: &Chapter) -> (String, String, String) {
    let claims = chapter.claims.iter().filter(|claim| !claim.rerun);
    let values: usize = claims
        .clone()
        .map(|claim| claim.values.judged() + claim.values.unjudged())
        .sum();
    let name = chapter.opening.card.as_ref().map(|card| &card.name);
    (
        chapter.id.clone(),
        name.unwrap_or(&chapter.title).clone(),
        match claims.count() {
            1 => format!("1 claim, {values} values"),
            several => format!("{several} claims, {values} values"),
        },
    )
}

/// The main claims with this standing in some of their readings, which are named unless all have it.
fn main_claims(report: &Report<'_>, standing: Standing) -> Vec<(String, String, String)> {
    let mut entries = Vec::new();
    for chapter in &report.chapters {
        for id in &chapter.opening.claims {
            let Some(claim) = chapter.claims.iter().find(|claim| claim.id == *id) else {
                continue;
            };
            let readings: Vec<(&str, Standing)> = claim
                .readings
                .iter()
                .filter_map(|reading| {
                    let first = &reading.lines.first()?.quantity;
                    let lines = reading.lines.iter().filter(|line| line.quantity == *first);
                    Some((&*reading.name, Standing::of(&Count::of(lines))?))
                })
                .collect();
            let mut names: Vec<&str> = readings
                .iter()
                .filter(|(_, known)| *known == standing)
                .map(|(name, _)| *name)
                .collect();
            if names.is_empty() {
                continue;
            }
            let remark = if names.len() == readings.len() {
                String::new()
            } else {
                names.dedup();
                names.join(", ")
            };
            entries.push((claim.id.clone(), claim.title.clone(), remark));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::claims::{ClaimReading, System};
    use crate::report::published::{self, Published};

    #[test]
    fn most_values_decide_where_a_claim_is_listed() {
        let count = |agree, differ, undecided| Count {
            agree,
            differ,
            undecided,
            ..Count::default()
        };
        assert_eq!(Standing::of(&count(2, 1, 0)), Some(Standing::Holds));
        assert_eq!(Standing::of(&count(1, 1, 0)), Some(Standing::Fails));
        assert_eq!(Standing::of(&count(2, 1, 1)), Some(Standing::Fails));
        assert_eq!(Standing::of(&count(2, 1, 2)), Some(Standing::Unknown));
        let not_run = Count {
            not_run: 3,
            ..Count::default()
        };
        assert_eq!(Standing::of(&not_run), None);
    }
    #[test]
    fn what_the_first_screen_names_exists() {
        let systems = System::read_all().unwrap();
        let cards = systems
            .iter()
            .filter_map(|system| system.opening.card.as_ref());
        assert_eq!(cards.count(), 6);
        for system in &systems {
            let find = |id: &str| system.claim.iter().find(|claim| claim.id == id);
            assert!(!system.opening.claims.is_empty(), "{}", system.id);
            for id in &system.opening.claims {
                assert!(find(id).is_some(), "no claim {id}");
            }
            let Some(card) = &system.opening.card else {
                continue;
            };
            let claim = find(&card.claim).expect(&card.claim);
            let published = Published::of(claim).unwrap();
            let rows = published.rows(&claim.rows);
            for value in &card.value {
                let named = |reading: &&ClaimReading| reading.name == value.reading;
                let readings: Vec<&ClaimReading> = claim.reading.iter().filter(named).collect();
                // One row of one of the readings, and one column.
                let mut found = 0;
                for reading in readings {
                    for quantity in claim.values_of(reading) {
                        let kept = rows.iter().filter(|&&row| {
                            let admits = |(column, wanted): (&String, &Value)| match &**column {
                                "column" => published::admits(wanted, &quantity.column),
                                column => published::admits(wanted, published.text(row, column)),
                            };
                            !published.text(row, &quantity.column).is_empty()
                                && published.keeps(row, &reading.rows)
                                && value.filter.iter().all(admits)
                        });
                        let points = kept.count();
                        found += if claim.average { points.min(1) } else { points };
                    }
                }
                assert_eq!(found, 1, "{}: {}", card.claim, value.label);
            }
        }
    }
}
