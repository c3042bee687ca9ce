use super::{GraphModel, NODES, Streams};
use crate::parameter::{ConfigError, Table};
use crate::parameters;
use crate::underlay::UnderlayError;
use crate::underlay::graph::{Links, link, unlinked};

parameters! {
    /// A rectangle of hosts, each linked to those beside, above and below it.
    ///
    /// Hosts are numbered row by row. Without `wrap` the distance of two hosts is the sum of
    /// their differences in row and column. O(n).
    pub struct Grid {
        /// Hosts in a row; by default the square root of the number of hosts.
        pub columns: Option<usize> = None, within 1..;
        /// Whether rows and columns are closed to rings, which gives a torus.
        pub wrap: bool = false;
    }
}

impl Grid {
    fn width(&self, nodes: usize) -> usize {
        self.columns.unwrap_or_else(|| nodes.isqrt())
    }
}

impl GraphModel for Grid {
    fn check(&self, nodes: usize, table: &Table<'_>) -> Result<(), ConfigError> {
        match self.columns {
            Some(columns) if !nodes.is_multiple_of(columns) => Err(ConfigError::new(
                table.path_of("columns"),
                format_args!("expected a divisor of {NODES} ({nodes}), found {columns}"),
            )),
            None if nodes.isqrt().pow(2) != nodes => Err(ConfigError::new(
                table.path_of("columns"),
                format_args!("must be given, because {NODES} ({nodes}) is not a square number"),
            )),
            _ => Ok(()),
        }
    }

    fn expected_links(&self, nodes: usize) -> f64 {
        2.0 * nodes as f64
    }

    fn expected_hubs(&self, nodes: usize) -> f64 {
        // Measured: 0.6 to 0.8 of it.
        (nodes as f64).sqrt()
    }

    fn links(&self, nodes: usize, _: &mut Streams) -> Result<Links, UnderlayError> {
        let columns = self.width(nodes);
        let rows = nodes / columns;
        let mut graph = unlinked(nodes, 2 * nodes);
        // A ring of two hosts would be a pair of parallel links.
        let next = |place: usize, length: usize| match place + 1 {
            next if next < length => Some(next),
            _ if self.wrap && length > 2 => Some(0),
            _ => None,
        };
        for host in 0..nodes {
            let (row, column) = (host / columns, host % columns);
            if let Some(right) = next(column, columns) {
                link(&mut graph, host, row * columns + right);
            }
            if let Some(below) = next(row, rows) {
                link(&mut graph, host, below * columns + column);
            }
        }
        Ok(graph)
    }
}
