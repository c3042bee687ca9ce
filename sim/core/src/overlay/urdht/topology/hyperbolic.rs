//! The hyperbolic plane.

use super::delaunay::{Delaunay, Voronoi};
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{Coordinates, DiscPoint, Geometry, Hyperbolic};

/// Poincare's disc, in which nodes are uniform by *Euclidean* area (UrDHT, Rosen et al. 2016), with
/// at least 7 short peers and at most 49 long ones. There are always two dimensions.
pub type HyperbolicDisc = Delaunay<HyperbolicRegions>;

/// The Voronoi regions of the disc.
#[derive(Clone, Copy, Debug)]
pub struct HyperbolicRegions;

impl Voronoi for HyperbolicRegions {
    type Space = Hyperbolic;

    fn space(_: &UrdhtParameters) -> (Hyperbolic, usize) {
        (Hyperbolic, 2)
    }

    fn geometry(_: usize) -> Geometry {
        Geometry::Disc
    }

    fn coordinates(point: &DiscPoint) -> Coordinates {
        Coordinates::from_slice(point)
    }

    fn long_peers(_: &UrdhtParameters, table: usize) -> usize {
        table * table
    }
}
