//! Connections: a host dials another one once, and messages of both then use the connection.

use rustc_hash::FxHashMap;

/// The open connections.
///
/// A connection ends when one of its hosts goes offline, or when one of them has opened so many later
/// ones that it is beyond the limit: the oldest one ends first. Time O(1) for each operation.
#[derive(Debug)]
pub(super) struct Connections {
    /// Connections of a host at a time; 0 for no limit.
    most: u32,
    hosts: Vec<HostConnections>,
    open: FxHashMap<(u32, u32), Connection>,
    /// Size of `open` at which ended connections are removed.
    most_open: usize,
}

/// What ends the connections of a host, by the index of its slot.
#[derive(Clone, Copy, Debug, Default)]
struct HostConnections {
    /// Nodes that are online on it.
    online: u32,
    /// How often it went offline.
    stops: u32,
    /// How many connections it has had.
    count: u32,
}

/// A connection; each pair is of the host with the smaller and of that with the larger index.
#[derive(Clone, Copy, Debug)]
struct Connection {
    stops: (u32, u32),
    counts: (u32, u32),
}

/// Least size of the table at which ended connections are removed.
const LEAST_REMOVAL: usize = 1 << 16;

impl Connections {
    pub fn new(most: u32) -> Self {
        Self {
            most,
            hosts: Vec::new(),
            open: FxHashMap::default(),
            most_open: LEAST_REMOVAL,
        }
    }

    fn host(&mut self, index: u32) -> &mut HostConnections {
        let place = index as usize;
        if self.hosts.len() <= place {
            self.hosts.resize(place + 1, HostConnections::default());
        }
        &mut self.hosts[place]
    }

    /// A node on this host is online from now on.
    pub fn started(&mut self, host: u32) {
        self.host(host).online += 1;
    }

    /// A node on this host has stopped.
    pub fn stopped(&mut self, host: u32) {
        let host = self.host(host);
        host.online = host.online.saturating_sub(1);
        host.stops += u32::from(host.online == 0);
    }

    fn is_valid(&self, (low, high): (u32, u32), connection: &Connection) -> bool {
        let (low, high) = (&self.hosts[low as usize], &self.hosts[high as usize]);
        let is_kept = |host: &HostConnections, count: u32| {
            self.most == 0 || host.count.wrapping_sub(count) < self.most
        };
        connection.stops == (low.stops, high.stops)
            && is_kept(low, connection.counts.0)
            && is_kept(high, connection.counts.1)
    }

    /// Whether the hosts have a connection.
    pub fn is_open(&self, a: u32, b: u32) -> bool {
        let pair = (a.min(b), a.max(b));
        let connection = self.open.get(&pair);
        connection.is_some_and(|connection| self.is_valid(pair, connection))
    }

    /// The hosts connect, if both are online.
    pub fn open(&mut self, a: u32, b: u32) {
        let (low, high) = (a.min(b), a.max(b));
        if self.host(low).online == 0 || self.host(high).online == 0 {
            return;
        }
        let mut enter = |index: u32| {
            let host = self.host(index);
            host.count = host.count.wrapping_add(1);
            (host.stops, host.count)
        };
        let (of_low, of_high) = (enter(low), enter(high));
        let connection = Connection {
            stops: (of_low.0, of_high.0),
            counts: (of_low.1, of_high.1),
        };
        self.open.insert((low, high), connection);
        if self.open.len() > self.most_open {
            let mut open = std::mem::take(&mut self.open);
            open.retain(|pair, connection| self.is_valid(*pair, connection));
            self.most_open = (2 * open.len()).max(LEAST_REMOVAL);
            self.open = open;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn online(most: u32, hosts: u32) -> Connections {
        let mut connections = Connections::new(most);
        (0..hosts).for_each(|host| connections.started(host));
        connections
    }

    #[test]
    fn a_connection_ends_with_a_host() {
        let mut connections = online(0, 3);
        connections.open(2, 1);
        assert!(connections.is_open(1, 2) && connections.is_open(2, 1));
        assert!(!connections.is_open(0, 1));
        connections.stopped(1);
        assert!(!connections.is_open(1, 2));
        // A host that is offline accepts no connection.
        connections.open(1, 2);
        connections.started(1);
        assert!(!connections.is_open(1, 2));
        connections.open(1, 2);
        assert!(connections.is_open(1, 2));
    }

    #[test]
    fn a_host_with_two_nodes_is_online_with_one() {
        let mut connections = online(0, 2);
        connections.started(0);
        connections.open(0, 1);
        connections.stopped(0);
        assert!(connections.is_open(0, 1));
        connections.stopped(0);
        assert!(!connections.is_open(0, 1));
    }

    #[test]
    fn the_oldest_connection_ends_beyond_the_limit() {
        let mut connections = online(2, 5);
        for other in 1..=3 {
            connections.open(0, other);
        }
        let open = |other| connections.is_open(0, other);
        assert_eq!([1, 2, 3, 4].map(open), [false, true, true, false]);
    }

    #[test]
    fn ended_connections_are_removed() {
        let mut connections = online(1, 2);
        for other in 1..3 * LEAST_REMOVAL as u32 {
            connections.started(other);
            connections.open(0, other);
        }
        assert!(connections.open.len() <= LEAST_REMOVAL + 1);
    }
}
