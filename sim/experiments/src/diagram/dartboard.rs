//! The dartboard: the points of a job that estimates pi, inside and outside of the circle.
//!
//! The slides' example of a job is a Monte Carlo estimate of pi: of darts thrown at a square board,
//! pi/4 hit the inscribed circle. The points are those of a job that runs on a network.

use super::job_run::RecordedJob;
use super::ring::on_circle;
use super::{Counted, Drawn, Subject};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Table};
use dhtlab_core::service::job::tasks::{Pi, TaskKind};
use dhtlab_core::service::job::{Compute, JobSpecification, stream_of};
use dhtlab_core::underlay::Facts;
use dhtlab_scenario::Cost;
use std::path::Path;

/// Maximum number of points on a picture.
const MOST_POINTS: u64 = 5_000;

/// The picture `dartboard`.
pub(super) struct Dartboard {
    run: RecordedJob,
    job: JobSpecification,
}

impl Dartboard {
    /// Reads and checks the picture from the tables of the scenario.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn read(values: &Table<'_>, folder: &Path) -> Result<Self, ConfigError> {
        let table = values.sub("job")?;
        let job = JobSpecification::read(&table, folder)?;
        let parameters = &job.parameters;
        let fault = |key: &str, message: String| Err(ConfigError::new(table.path_of(key), message));
        if parameters.kind != TaskKind::Pi {
            let message = format!(
                "a dartboard shows the points of \"pi\", not \"{}\"",
                parameters.kind.as_str()
            );
            return fault("kind", message);
        }
        if parameters.compute != Compute::Real {
            return fault("compute", "a modelled job has no points".to_owned());
        }
        if parameters.samples > MOST_POINTS {
            let message = format!(
                "a picture shows at most {MOST_POINTS} points, not {}",
                parameters.samples
            );
            return fault("samples", message);
        }
        let run = RecordedJob::read(values, folder)?;
        Ok(Self { run, job })
    }
}

impl Subject for Dartboard {
    fn resolved(&self) -> Map {
        self.run.resolved()
    }

    fn cost(&self) -> Cost {
        self.run.cost()
    }

    fn facts(&self) -> Option<Facts> {
        self.run.facts()
    }

    fn draw(&self, seed: Seed) -> Result<Drawn, ConfigError> {
        let (outcome, _) = self.run.record(seed)?;
        let mut drawn = Drawn {
            notes: outcome.notes.clone(),
            ..Drawn::default()
        };
        let shapes = &mut drawn.shapes;
        let (mut points, mut hits) = (0, 0);
        for atom in 0..self.job.parameters.atoms {
            let mut stream = stream_of(seed, atom);
            for _ in self.job.parameters.share_of(atom, self.job.samples()) {
                let (place, is_hit) = Pi::point(&mut stream);
                let [x, y] = place.map(|part| part as f64 / (1_u64 << 32) as f64);
                let layer = if is_hit { "hit: in the circle" } else { "miss" };
                shapes.point(layer, (x, y));
                points += 1;
                hits += usize::from(is_hit);
            }
        }
        let board = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
        shapes.line("the board", &board);
        let circle: Vec<_> = (0..=90)
            .map(|step| on_circle(f64::from(step) / 360.0, 1.0))
            .collect();
        shapes.line("a quarter of the circle", &circle);
        let estimate = RecordedJob::metric(&outcome, "result");
        let text = format!("the job's result: 4 × {hits} / {points} = {estimate}");
        shapes.text("result", (0.5, -0.05), &text);
        drawn.counted = Counted {
            atoms: Some(self.job.parameters.atoms as usize),
            points: Some(points),
            hits: Some(hits),
            estimate: Some(estimate),
            ..Counted::default()
        };
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use crate::diagram::tests::{drawn, metric, rows};

    const SMALL: &str = "[diagram]\npicture = \"dartboard\"\n[underlay]\nmodel = \"constant\"\nnodes = 6\n\
                         [overlay]\nnodes = 6\n[overlay.chord]\nsuccessors = 2\n\
                         [job]\natoms = 7\nsamples = 600\n";

    /// The drawn points are those that the job has counted: each is on its side of the circle, and
    /// the job's result is four times the hits over all points.
    #[test]
    fn the_points_are_those_of_the_job() {
        for seed in 0..4 {
            let outcome = drawn(SMALL, seed).expect("a picture");
            let of = |layer| rows(&outcome, layer, "point");
            let (hits, misses) = (of("hit: in the circle"), of("miss"));
            let squared = |row: &(usize, f64, f64, &str)| row.1 * row.1 + row.2 * row.2;
            // Six digits are written: a point that near to the circle may be on the other side.
            assert!(hits.iter().all(|row| squared(row) < 1.0 + 3e-6));
            assert!(misses.iter().all(|row| squared(row) > 1.0 - 3e-6));
            assert_eq!(hits.len() + misses.len(), 600);
            assert_eq!(metric(&outcome, "hits"), hits.len() as f64);
            assert_eq!(metric(&outcome, "points"), 600.0);
            assert_eq!(
                metric(&outcome, "estimate"),
                4.0 * hits.len() as f64 / 600.0
            );
        }
    }
}
