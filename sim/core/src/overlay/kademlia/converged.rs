//! The converged state of Kademlia, and the root of a key.

use super::buckets::{Buckets, Contact, Subtree};
use super::{Kademlia, KademliaParameters, Near};
use crate::engine::{Duration, Instant, Stream};
use crate::overlay::{GroundTruth, MemberIndex, Node, NodeIds};
use crate::space::Key;
use std::ops::Range;

/// The members in the order of their IDs, where each subtree is a range.
struct Sorted<'a> {
    ids: Vec<Key>,
    nodes: Vec<Node>,
    parameters: &'a KademliaParameters,
    addresses: &'a NodeIds,
}

/// The groups of addresses of the contacts of a node that limits them.
struct Groups<'a> {
    parameters: &'a KademliaParameters,
    addresses: &'a NodeIds,
    of_node: Vec<u32>,
    of_bucket: Vec<u32>,
}

impl<'a> Groups<'a> {
    /// `None` if the node with `id` has no limits.
    fn of(parameters: &'a KademliaParameters, addresses: &'a NodeIds, id: &Key) -> Option<Self> {
        parameters.limits_groups(id).then(|| Self {
            parameters,
            addresses,
            of_node: Vec::new(),
            of_bucket: Vec::new(),
        })
    }

    fn begin_bucket(&mut self) {
        self.of_bucket.clear();
    }

    /// Whether `node` becomes one more contact in the present bucket.
    fn admit(&mut self, node: Node) -> bool {
        let group = self.addresses.group(node, self.parameters.group_bits);
        let (bucket, all) = (self.of_bucket.iter().copied(), self.of_node.iter().copied());
        let is_full = self.parameters.is_group_full(group, bucket, all);
        if !is_full {
            self.of_bucket.push(group);
            self.of_node.push(group);
        }
        !is_full
    }
}

/// How many other members are tried for each contact that limits of groups keep out.
const TRIES: usize = 20;

impl Sorted<'_> {
    /// The state of the node at `place`; its buckets hold at most `most` nodes each, the largest ones
    /// more with `wide-buckets`. O(log n (2^b log n + k)).
    fn state(
        &self,
        place: usize,
        most: usize,
        random: &mut Stream,
        picks: &mut Vec<usize>,
    ) -> Kademlia {
        let (b, wide) = (self.parameters.b, self.parameters.wide_buckets);
        let capacity = |level: u32| most << wide.saturating_sub(level);
        let id = self.ids[place];
        let mut around = 0..self.ids.len();
        let mut subtrees: Vec<(Subtree, Range<usize>)> = Vec::new();
        let mut level = 0;
        while around.len() > 1 && level * b < Key::BITS {
            let mine = id.bits(level * b, b);
            let mut next = around.clone();
            let begin = subtrees.len();
            let mut start = around.start;
            for digit in 0..1u32 << b {
                let end = start
                    + self.ids[start..around.end]
                        .partition_point(|other| other.bits(level * b, b) <= digit);
                if digit == mine {
                    next = start..end;
                } else {
                    subtrees.push((Subtree::new(level, digit ^ mine), start..end));
                }
                start = end;
            }
            subtrees[begin..].sort_unstable_by_key(|(subtree, _)| *subtree);
            around = next;
            level += 1;
        }
        // Buckets nearer than the closest neighbour do not exist: a lookup of the node's own ID
        // covers their range.
        let last = subtrees.iter().rposition(|(_, range)| !range.is_empty());
        let deepest = last.map(|last| subtrees[last].0.level());
        // At its level the nearer ones have the smaller digits and come first.
        let cmp_closeness = |subtree: &Subtree, range: &Range<usize>| {
            Some(subtree.level()) == deepest && range.is_empty()
        };
        let kept: Vec<_> = {
            let mut met = false;
            let all = subtrees.iter().take(last.map_or(0, |last| last + 1));
            all.filter(|(subtree, range)| {
                let keep = met || !cmp_closeness(subtree, range);
                met |= Some(subtree.level()) == deepest && !range.is_empty();
                keep
            })
            .collect()
        };
        let sizes = kept
            .iter()
            .map(|(subtree, range)| range.len().min(capacity(subtree.level())));
        let contacts = sizes.sum();
        let mut buckets = Buckets::with_capacity(kept.len(), contacts);
        // With nearness, the limits apply to those that are chosen.
        let mut limits = match self.parameters.near {
            Near::LongestSeen | Near::Prs => Groups::of(self.parameters, self.addresses, &id),
            Near::Pns => None,
        };
        for (subtree, range) in kept {
            random.sample_range(range.clone(), capacity(subtree.level()), picks);
            if let Some(groups) = &mut limits {
                self.admit(groups, range, random, picks);
            }
            let contact = |at: &usize| Contact::new(self.nodes[*at], &self.ids[*at]);
            buckets.append(*subtree, picks.iter().map(contact));
        }
        Kademlia::with(id, buckets)
    }

    /// Replaces those of `picks`, a sample of `range`, that the limits of groups keep out by others.
    fn admit(
        &self,
        groups: &mut Groups<'_>,
        range: &Range<usize>,
        random: &mut Stream,
        picks: &mut Vec<usize>,
    ) {
        groups.begin_bucket();
        let wanted = picks.len();
        picks.retain(|at| groups.admit(self.nodes[*at]));
        let missing = wanted - picks.len();
        if range.len() == wanted {
            return;
        }
        for _ in 0..TRIES * missing {
            if picks.len() == wanted {
                return;
            }
            let at = range.start + random.index(range.len());
            if !picks.contains(&at) && groups.admit(self.nodes[at]) {
                picks.push(at);
            }
        }
    }
}

impl GroundTruth for Kademlia {
    type Index = ();

    fn new(_: &KademliaParameters, id: &Key) -> Self {
        Self::with(*id, Buckets::default())
    }

    /// A node that has seen `contacts`; its first refreshes find its neighbours.
    fn with_contacts(
        shared: &KademliaParameters,
        ids: &NodeIds,
        me: Node,
        contacts: &[Node],
        _: &mut Stream,
    ) -> Option<Self> {
        let mut state = Self::new(shared, &ids.id(me));
        for contact in contacts {
            state.learn(shared, ids, *contact, Instant::START);
        }
        Some(state)
    }

    /// Every bucket holds k random members of its subtree, or all of them, within the limits of groups of
    /// addresses.
    ///
    /// Time O(n log n (2^b log n + k^2)), with small constants.
    fn converged(
        shared: &KademliaParameters,
        ids: &NodeIds,
        members: &[Node],
        random: &mut [Stream],
    ) -> Vec<Self> {
        let member_index = MemberIndex::new(ids, members);
        let sorted = Sorted {
            ids: member_index.ids().copied().collect(),
            nodes: member_index.nodes().to_vec(),
            parameters: shared,
            addresses: ids,
        };
        // The index of each node in the order.
        let mut places = vec![0; ids.len()];
        for (place, node) in sorted.nodes.iter().enumerate() {
            places[node.index()] = place;
        }
        // Nearness chooses among several times as many.
        let most = match shared.near {
            Near::LongestSeen | Near::Prs => shared.k,
            Near::Pns => shared.k.saturating_mul(shared.candidates),
        };
        let mut picks = Vec::with_capacity(most.min(members.len()));
        members
            .iter()
            .map(|node| {
                let place = places[node.index()];
                sorted.state(place, most, &mut random[node.index()], &mut picks)
            })
            .collect()
    }

    fn chooses_near(shared: &KademliaParameters) -> bool {
        shared.near != Near::LongestSeen
    }

    /// Keeps the k nearest contacts of each bucket, or knows the round trips of all contacts.
    fn choose_near(
        nodes: &mut [Self],
        shared: &KademliaParameters,
        ids: &NodeIds,
        member_index: &MemberIndex,
        latency: &mut dyn FnMut(Node, Node) -> Duration,
    ) {
        for &me in member_index.nodes() {
            let state = &mut nodes[me.index()];
            if shared.near == Near::Prs {
                let known = state.round_trips.get_or_insert_default();
                for contact in state.buckets.all().flat_map(|(_, contacts)| contacts) {
                    let node = contact.node();
                    known.measured(node, latency(me, node) * 2);
                }
                continue;
            }
            let mut buckets = Buckets::default();
            let mut groups = Groups::of(shared, ids, &state.id);
            for (subtree, contacts) in state.buckets.all() {
                let mut nearest: Vec<_> = contacts.iter().map(|each| each.node()).collect();
                let capacity = shared.bounds().capacity(subtree.level());
                if nearest.len() > capacity {
                    nearest.sort_by_cached_key(|node| (latency(me, *node), *node));
                }
                if let Some(groups) = &mut groups {
                    groups.begin_bucket();
                    let mut left = capacity;
                    nearest.retain(|node| {
                        let enters = left > 0 && groups.admit(*node);
                        left -= usize::from(enters);
                        enters
                    });
                }
                nearest.truncate(capacity);
                let nearest = nearest.into_iter();
                buckets.append(
                    subtree,
                    nearest.map(|node| Contact::new(node, &ids.id(node))),
                );
            }
            state.buckets = buckets;
        }
    }

    /// The member with the least XOR distance.
    ///
    /// The node with the longest common prefix is adjacent to the key in the order of IDs. All
    /// nodes with this prefix differ from the key in the bit after it, so the same search continues
    /// among them with that bit flipped: O(log n) at most, about two steps for uniform IDs.
    fn root(
        _: &KademliaParameters,
        member_index: &MemberIndex,
        _: &[Self],
        (): &(),
        key: &Key,
    ) -> Option<Node> {
        let n = member_index.len();
        let last = member_index.id(n.checked_sub(1)?);
        let mut target = *key;
        loop {
            let place = if target > *last {
                n
            } else {
                member_index.successor(&target)
            };
            let distance = |at: usize| member_index.get(at).map(|(id, _)| id.xor(target).log2());
            let behind = place.checked_sub(1);
            let near = match behind {
                Some(behind) if distance(place).is_none_or(|d| distance(behind) < Some(d)) => {
                    behind
                }
                _ => place,
            };
            let Some(Some(bit)) = distance(near) else {
                return member_index.nodes().get(near).copied();
            };
            let next = if near < place {
                near.checked_sub(1)
            } else {
                Some(near + 1)
            };
            if next.and_then(distance) != Some(Some(bit)) {
                return Some(member_index.nodes()[near]);
            }
            target = target.xor(Key::power_of_two(bit));
        }
    }
}
