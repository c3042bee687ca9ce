//! The power of the rules: whether a value still agrees if the published one is another.

/// A change of a published value, after which it should no longer agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// Times 1.25.
    Quarter,
    /// Times 2.
    Double,
    /// Twice as far from the largest possible value: a failure rate times 2.
    Failures,
    /// The value of the next row.
    Neighbour,
    /// The value of the row half of the column further.
    Permuted,
}

impl Mutation {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 5] = [
        Self::Quarter,
        Self::Double,
        Self::Failures,
        Self::Neighbour,
        Self::Permuted,
    ];

    /// The name for readers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quarter => "times 1.25",
            Self::Double => "times 2",
            Self::Failures => "failures times 2",
            Self::Neighbour => "next row",
            Self::Permuted => "other half",
        }
    }
}

/// How many values that agree were changed, and how many of them still agree, by [`Mutation::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Power {
    /// Number of changed values.
    pub changed: [usize; 5],
    /// Number of those that still agree.
    pub agree: [usize; 5],
    /// Number of judged values, whether they agree or not.
    pub judged: usize,
    /// Number of those that are not decided since the allowed difference contains twice the published
    /// value.
    pub doubled_within: usize,
    /// Number of those that agree if the published value is doubled.
    pub doubled_agree: usize,
}

/// The greatest fraction of doubled values that agree in a claim that decides something.
pub const MOST_DOUBLED: f64 = 0.2;

impl Power {
    /// Adds the values of another claim.
    pub fn add(&mut self, other: &Self) {
        for place in 0..self.changed.len() {
            self.changed[place] += other.changed[place];
            self.agree[place] += other.agree[place];
        }
        self.judged += other.judged;
        self.doubled_within += other.doubled_within;
        self.doubled_agree += other.doubled_agree;
    }

    /// Adds a judged value; `within` says whether its allowed difference contains twice the published
    /// one, and `agrees` whether it agrees with that.
    pub fn judge(&mut self, within: bool, agrees: bool) {
        self.judged += 1;
        self.doubled_within += usize::from(within);
        self.doubled_agree += usize::from(agrees);
    }

    /// Adds a changed value that agreed before; `agrees` says whether it still does.
    pub fn change(&mut self, mutation: Mutation, agrees: bool) {
        self.changed[mutation as usize] += 1;
        self.agree[mutation as usize] += usize::from(agrees);
    }

    /// The fraction of the values with this change that still agree; `None` if there are none.
    pub fn share(&self, mutation: Mutation) -> Option<f64> {
        let place = mutation as usize;
        let changed = self.changed[place];
        (changed > 0).then(|| self.agree[place] as f64 / changed as f64)
    }

    /// Why the claim decides nothing: too many doubled values agree. `None` if it decides.
    pub fn lacking(&self) -> Option<String> {
        let (agree, judged) = (self.doubled_agree, self.judged);
        (agree as f64 > MOST_DOUBLED * judged as f64).then(|| {
            format!("within the rule, but so are {agree} of {judged} doubled values of the claim")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_admits_doubled_values_lacks_power() {
        let doubled = |agree: usize| {
            let mut power = Power::default();
            (0..10).for_each(|place| power.judge(true, place < agree));
            power
        };
        assert_eq!(doubled(2).lacking(), None);
        let why = doubled(3).lacking().unwrap();
        assert!(why.contains("so are 3 of 10 doubled values"), "{why}");
        // Other changes do not count, and without any value nothing is known.
        let mut quarters = Power::default();
        (0..10).for_each(|_| quarters.change(Mutation::Quarter, true));
        assert_eq!(quarters.lacking(), None);
        assert_eq!(Power::default().lacking(), None);
    }

    #[test]
    fn shares_are_of_the_changed_values() {
        let mut power = Power::default();
        power.change(Mutation::Quarter, true);
        power.change(Mutation::Quarter, false);
        power.change(Mutation::Permuted, false);
        assert_eq!(power.share(Mutation::Quarter), Some(0.5));
        assert_eq!(power.share(Mutation::Permuted), Some(0.0));
        assert_eq!(power.share(Mutation::Double), None);
        let mut other = Power::default();
        other.change(Mutation::Quarter, true);
        other.change(Mutation::Quarter, true);
        power.add(&other);
        assert_eq!(power.share(Mutation::Quarter), Some(0.75));
    }
}
