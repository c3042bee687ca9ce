//! The torus with Euclidean distances: VHash's peers, and CAN's.

use super::delaunay::{Delaunay, Voronoi};
use crate::overlay::urdht::{UrdhtParameters, UrdhtSpace};
use crate::space::{Coordinates, Torus, TorusPoint};

/// The Euclidean unit torus.
///
/// As in VHash (Benshoof et al., DPDNS 2015), by default with at most (3 d + 1)^2 long peers. Difference
/// from [`VHash`](crate::overlay::vhash): nodes do not move.
///
/// As in CAN (Ratnasamy, Francis, Handley, Karp and Shenker, SIGCOMM 2001) by default without long
/// peers. A node knows the nodes whose zones touch its own, of the order of d of them, and a lookup takes
/// about (d / 4) n^(1/d) hops. Differences from CAN: there a zone is a box, halved when a node
/// joins in it, and handed over when its node leaves. Here a node's zone is its Voronoi region, so
/// that zones follow from the positions of the nodes and not from the order in which they came;
/// neighbours are those of the Voronoi diagram as DGVH finds them, filled up to 3 d + 1 with the
/// nearest, instead of 2 d across the faces of a box. Boxes always lead to the owner of a key, but
/// DGVH misses neighbours: in two dimensions, of 100 lookups of random keys 1 or 2 end at a node
/// that is not the root, with the distance rule up to 7.
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

    fn long_peers(parameters: &UrdhtParameters, table: usize) -> usize {
        match parameters.space {
            UrdhtSpace::Can => 0,
            _ => table * table,
        }
    }
}
