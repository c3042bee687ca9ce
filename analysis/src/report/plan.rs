//! What scenarios ask for, as far as the report has to know: told by whoever can read them.

/// The scenarios that are at hand.
#[derive(Debug, Clone)]
pub enum Plans {
    /// None: why.
    Unknown(String),
    /// These. A scenario that is not among them is not at hand.
    Known(Vec<Plan>),
}

/// A scenario in its full and its quick form.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name, which is that of its folder of results.
    pub name: String,
    /// The full form.
    pub full: Form,
    /// The form with the scenario's `[quick]` table.
    pub quick: Form,
}

/// The runs of a scenario in one form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// The swept keys.
    pub swept: Vec<String>,
    /// The values of the swept keys at each point.
    pub points: Vec<Vec<String>>,
    /// The name of each run, which holds the hash of its resolved scenario, and the place of its
    /// point.
    pub runs: Vec<(String, usize)>,
}

impl Plans {
    /// The scenario called `name`, if it is at hand.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Plan> {
        match self {
            Self::Unknown(_) => None,
            Self::Known(plans) => plans.iter().find(|plan| plan.name == name),
        }
    }
}
