//! VHash's Euclidean torus.

use super::delaunay::{Delaunay, Voronoi};
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{Coordinates, Torus, TorusPoint};

/// The Euclidean unit torus (Benshoof et al., DPDNS 2015) with at most (3 d + 1)^2 long peers.
/// Difference from [`VHash`](crate::overlay::vhash): nodes do not move.
pub type Euclidean = Delaunay<EuclideanRegions>;

/// The Voronoi regions of the torus.
#[derive(Clone, Copy, Debug)]
pub struct EuclideanRegions;

impl Voronoi for EuclideanRegions {
    type Space = Torus;

    fn space(parameters: &UrdhtParameters) -> (Torus, usize) {
        (Torus::new(parameters.dimensions), parameters.dimensions)
    }

    fn coordinates(point: &TorusPoint) -> Coordinates {
        Coordinates::from_slice(point)
    }

    fn long_peers(table: usize) -> usize {
        table * table
    }

    fn hops(nodes: f64, _: f64) -> f64 {
        libm::log2(nodes.max(2.0)) / 2.0 + 1.0
    }
}
