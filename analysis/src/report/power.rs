//! The power of the rules: whether a value still agrees if the published one is another.

/// A change of a published value, after which it should no longer agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// Times 1.25.
    Quarter,
    /// Times 2.
    Double,
    /// The value of the next row.
    Neighbour,
    /// The value of the row half of the column further.
    Permuted,
}

impl Mutation {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Quarter, Self::Double, Self::Neighbour, Self::Permuted];

    /// The name for readers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quarter => "times 1.25",
            Self::Double => "times 2",
            Self::Neighbour => "next row",
            Self::Permuted => "other half",
        }
    }
}

/// How many values were changed, and how many of them still agree, by [`Mutation::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Power {
    /// Number of changed values.
    pub changed: [usize; 4],
    /// Number of those that still agree.
    pub agree: [usize; 4],
}

/// The greatest fraction of doubled values that may agree in a claim that decides something.
pub const MOST_DOUBLED: f64 = 0.2;

impl Power {
    /// Adds the values of another claim.
    pub fn add(&mut self, other: &Self) {
        for place in 0..4 {
            self.changed[place] += other.changed[place];
            self.agree[place] += other.agree[place];
        }
    }

    /// The fraction of the values with this change that still agree; `None` if there are none.
    pub fn share(&self, mutation: Mutation) -> Option<f64> {
        let place = mutation as usize;
        let changed = self.changed[place];
        (changed > 0).then(|| self.agree[place] as f64 / changed as f64)
    }

    /// The power of the rule over values with these changes, each of which still agrees or not.
    pub fn of(changes: impl IntoIterator<Item = (Mutation, bool)>) -> Self {
        let mut power = Self::default();
        for (mutation, agrees) in changes {
            power.changed[mutation as usize] += 1;
            power.agree[mutation as usize] += usize::from(agrees);
        }
        power
    }

    /// Why the claim decides nothing: too many doubled values agree. `None` if it decides.
    pub fn lacking(&self) -> Option<String> {
        let share = self.share(Mutation::Double)?;
        let place = Mutation::Double as usize;
        (share > MOST_DOUBLED).then(|| {
            format!(
                "within the rule, but so are {} of {} doubled values of the claim",
                self.agree[place], self.changed[place]
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_admits_doubled_values_lacks_power() {
        let doubled = |agree: usize| (0..10).map(move |place| (Mutation::Double, place < agree));
        assert_eq!(Power::of(doubled(2)).lacking(), None);
        let why = Power::of(doubled(3)).lacking().unwrap();
        assert!(why.contains("so are 3 of 10 doubled values"), "{why}");
        // Other changes do not count, and without any change nothing is known.
        let quarters = (0..10).map(|_| (Mutation::Quarter, true));
        assert_eq!(Power::of(quarters).lacking(), None);
        assert_eq!(Power::default().lacking(), None);
    }

    #[test]
    fn shares_are_of_the_changed_values() {
        let changes = [
            (Mutation::Quarter, true),
            (Mutation::Quarter, false),
            (Mutation::Permuted, false),
        ];
        let mut power = Power::of(changes);
        assert_eq!(power.share(Mutation::Quarter), Some(0.5));
        assert_eq!(power.share(Mutation::Permuted), Some(0.0));
        assert_eq!(power.share(Mutation::Double), None);
        power.add(&Power::of([
            (Mutation::Quarter, true),
            (Mutation::Quarter, true),
        ]));
        assert_eq!(power.share(Mutation::Quarter), Some(0.75));
    }
}
