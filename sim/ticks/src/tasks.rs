//! The tasks of a host, newest on top: counted by ranges of the ring, or each with its key.
//!
//! Keys are uniform and independent of the order in which a host received its tasks, and a host
//! executes the newest first. So tasks that arrived together stay independent and uniform over the
//! ranges that they came from, however many of them are done. It is enough to store the ranges and
//! the number left; when a range is cut, the number of tasks in the part is binomial. [`Counted`]
//! does this. [`Listed`] stores the keys, as the published program did, and is the reference for
//! tests of [`Counted`].

use super::arc::{Arc, Piece, Pieces};
use super::binomial::{binomial, fraction};
use dhtlab_core::engine::Stream;
use smallvec::SmallVec;

/// The tasks of a host. `stream` is used only where the keys are not known.
pub trait Tasks: Default {
    /// Removes the newest `count` tasks; there are at least that many.
    fn drop_newest(&mut self, count: u32);

    /// Moves the tasks with keys in `arc` to the top of `to`, in their order; returns their number.
    fn cut(&mut self, arc: Arc, to: &mut Self, stream: &mut Stream) -> u32;

    /// Divides the tasks by the host that `owner` returns for their keys, each part in its order.
    fn divide(
        self,
        owner: impl Fn(u64) -> u32,
        stream: &mut Stream,
    ) -> SmallVec<[(u32, u32, Self); 2]>;

    /// Adds `newer` on top.
    fn append(&mut self, newer: Self);
}

/// Tasks that arrived together, each with a key that is uniform over `pieces`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Batch {
    count: u32,
    pieces: Pieces,
}

impl Batch {
    fn width(&self) -> u128 {
        self.pieces.iter().map(|piece| piece.width()).sum()
    }

    /// Removes and returns the tasks in `arc`, if there are any.
    fn cut(&mut self, arc: &Pieces, stream: &mut Stream) -> Option<Self> {
        if let ([mine], [cut]) = (self.pieces.as_slice(), arc.as_slice()) {
            // The usual case: no overlap.
            mine.common(*cut)?;
        }
        let (mut inside, mut outside) = (Pieces::new(), Pieces::new());
        for piece in &self.pieces {
            let mut rest = Pieces::from_slice(&[*piece]);
            for cut in arc {
                let mut left = Pieces::new();
                for piece in rest {
                    match piece.common(*cut) {
                        None => left.push(piece),
                        Some(common) => {
                            inside.push(common);
                            left.extend(piece.around(common).into_iter().flatten());
                        }
                    }
                }
                rest = left;
            }
            outside.extend(rest);
        }
        if inside.is_empty() {
            return None;
        }
        let part: u128 = inside.iter().map(|piece: &Piece| piece.width()).sum();
        let count = match outside.is_empty() {
            true => self.count,
            false => binomial(stream, self.count, fraction(part, self.width())),
        };
        self.pieces = outside;
        self.count -= count;
        (count > 0).then_some(Self {
            count,
            pieces: inside,
        })
    }
}

/// Tasks as counts by ranges of the ring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(SmallVec<[Batch; 1]>);

impl Counted {
    /// `count` tasks whose keys are uniform over `pieces`.
    pub fn uniform(count: u32, pieces: Pieces) -> Self {
        let mut tasks = Self::default();
        if count > 0 {
            tasks.0.push(Batch { count, pieces });
        }
        tasks
    }
}

impl Tasks for Counted {
    fn drop_newest(&mut self, mut count: u32) {
        while let Some(top) = self.0.last_mut() {
            if count < top.count {
                top.count -= count;
                return;
            }
            count -= top.count;
            self.0.pop();
        }
    }

    fn cut(&mut self, arc: Arc, to: &mut Self, stream: &mut Stream) -> u32 {
        let (arc, mut moved) = (arc.pieces(), 0);
        for batch in &mut self.0 {
            if let Some(cut) = batch.cut(&arc, stream) {
                moved += cut.count;
                to.0.push(cut);
            }
        }
        if moved > 0 {
            self.0.retain(|batch| batch.count > 0);
        }
        moved
    }

    fn divide(
        self,
        owner: impl Fn(u64) -> u32,
        stream: &mut Stream,
    ) -> SmallVec<[(u32, u32, Self); 2]> {
        let mut parts = SmallVec::<[(u32, u32, Self); 2]>::new();
        let mut give = |host: u32, batch: Batch| {
            let part = match parts.iter().position(|(known, ..)| *known == host) {
                Some(place) => &mut parts[place],
                None => {
                    parts.push((host, 0, Self::default()));
                    parts.last_mut().expect("it was just put there")
                }
            };
            part.1 += batch.count;
            part.2.0.push(batch);
        };
        for mut batch in self.0 {
            while let Some(first) = batch.pieces.first() {
                let host = owner(first.first);
                let (same, others): (Pieces, Pieces) = batch
                    .pieces
                    .iter()
                    .copied()
                    .partition(|p| owner(p.first) == host);
                let part: u128 = same.iter().map(|piece| piece.width()).sum();
                let count = match others.is_empty() {
                    true => batch.count,
                    false => binomial(stream, batch.count, fraction(part, batch.width())),
                };
                if count > 0 {
                    let pieces = same;
                    give(host, Batch { count, pieces });
                }
                batch.count -= count;
                batch.pieces = others;
            }
        }
        parts
    }

    fn append(&mut self, newer: Self) {
        self.0.extend(newer.0);
    }
}

/// Tasks with their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed(pub Vec<u64>);

impl Listed {
    /// The key of rank `rank` (from 0) of the tasks in `arc`, clockwise; `None` if there are fewer.
    pub fn key_of_rank(&self, arc: Arc, rank: usize) -> Option<u64> {
        let mut keys: Vec<u64> = self.0.iter().copied().filter(|key| arc.has(*key)).collect();
        if rank >= keys.len() {
            return None;
        }
        let (_, key, _) = keys.select_nth_unstable_by_key(rank, |key| key.wrapping_sub(arc.after));
        Some(*key)
    }
}

impl Tasks for Listed {
    fn drop_newest(&mut self, count: u32) {
        self.0.truncate(self.0.len() - count as usize);
    }

    fn cut(&mut self, arc: Arc, to: &mut Self, _: &mut Stream) -> u32 {
        let before = self.0.len();
        self.0.retain(|key| {
            let moves = arc.has(*key);
            if moves {
                to.0.push(*key);
            }
            !moves
        });
        (before - self.0.len()) as u32
    }

    fn divide(self, owner: impl Fn(u64) -> u32, _: &mut Stream) -> SmallVec<[(u32, u32, Self); 2]> {
        let mut parts = SmallVec::<[(u32, u32, Self); 2]>::new();
        for key in self.0 {
            let host = owner(key);
            match parts.iter_mut().find(|(known, ..)| *known == host) {
                Some((_, count, part)) => {
                    *count += 1;
                    part.0.push(key);
                }
                None => parts.push((host, 1, Self(vec![key]))),
            }
        }
        parts
    }

    fn append(&mut self, mut newer: Self) {
        self.0.append(&mut newer.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_core::engine::Seed;

    fn whole() -> Counted {
        Counted::uniform(1000, Arc { after: 9, to: 9 }.pieces())
    }

    #[test]
    fn what_is_cut_and_what_stays_are_all() {
        let mut stream = Seed::new(1).stream("splits", 0);
        let (mut tasks, mut cut, mut again) = (whole(), Counted::default(), Counted::default());
        let quarter = Arc {
            after: u64::MAX - (1 << 60),
            to: (1 << 62) - (1 << 60) - 1,
        };
        // A quarter of 1000: 5 standard deviations are 68.
        let moved = tasks.cut(quarter, &mut cut, &mut stream);
        assert!((250i64 - i64::from(moved)).abs() < 68, "{moved}");
        assert_eq!(tasks.cut(quarter, &mut again, &mut stream), 0);
        let rest = Arc {
            after: quarter.to,
            to: quarter.after,
        };
        assert_eq!(tasks.cut(rest, &mut again, &mut stream), 1000 - moved);
        assert_eq!(tasks, Counted::default());
        assert_eq!(cut.cut(rest, &mut again, &mut stream), 0);
    }

    #[test]
    fn the_newest_go_first() {
        let mut stream = Seed::new(1).stream("splits", 0);
        let half = |low: bool| Arc {
            after: if low { u64::MAX } else { u64::MAX / 2 },
            to: if low { u64::MAX / 2 } else { u64::MAX },
        };
        let mut tasks = Counted::uniform(10, half(true).pieces());
        tasks.append(Counted::uniform(20, half(false).pieces()));
        tasks.drop_newest(15);
        let mut cut = Counted::default();
        assert_eq!(tasks.cut(half(false), &mut cut, &mut stream), 5);
        assert_eq!(tasks.cut(half(true), &mut cut, &mut stream), 10);

        let mut listed = Listed(vec![1, u64::MAX, 2, u64::MAX - 1]);
        listed.drop_newest(1);
        let mut cut = Listed::default();
        assert_eq!(listed.cut(half(true), &mut cut, &mut stream), 2);
        assert_eq!((cut.0, listed.0), (vec![1, 2], vec![u64::MAX]));
    }

    #[test]
    fn tasks_are_divided_among_owners() {
        let mut stream = Seed::new(1).stream("splits", 0);
        let parts = whole().divide(|point| u32::from(point > 9), &mut stream);
        assert_eq!(parts.iter().map(|(_, count, _)| count).sum::<u32>(), 1000);
        let listed = Listed(vec![5, 50, 6, 51]).divide(|key| u32::from(key > 9), &mut stream);
        assert_eq!(
            listed.as_slice(),
            [(0, 2, Listed(vec![5, 6])), (1, 2, Listed(vec![50, 51]))]
        );
    }

    #[test]
    fn ranks_are_clockwise() {
        let arc = Arc { after: 100, to: 10 };
        let tasks = Listed(vec![5, 50, 200, 150]);
        let rank = |rank| tasks.key_of_rank(arc, rank);
        assert_eq!(
            [rank(0), rank(1), rank(2), rank(3)],
            [Some(150), Some(200), Some(5), None]
        );
    }
}
