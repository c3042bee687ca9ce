//! The hold model: pop the earliest event, schedule one later; how long does a hold take?
//!
//! `cargo bench -p dhtlab --bench event_queue` sets the queue beside heaps and a bucket ring
//! whose width was set by hand, with exponential increments and with a DHT's mix
//! (85 % messages of 10 to 100 ms, 15 % timers of 10 to 120 s).

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dhtlab_core::engine::{Duration, EventQueue, Instant, Seed, Stream};
use radix_heap::RadixHeapMap;
use rand_distr::{Distribution, Exp1};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const HOLDS: u64 = 200_000;

#[derive(Clone, Copy)]
enum Mix {
    Exponential,
    Messages,
}

impl Mix {
    fn increment(self, stream: &mut Stream) -> u64 {
        match self {
            Self::Exponential => {
                let x: f64 = Exp1.sample(stream);
                (x * 1e9) as u64
            }
            Self::Messages if stream.chance(0.85) => 10_000_000 + stream.below(90_000_000),
            Self::Messages => 10_000_000_000 + stream.below(110_000_000_000),
        }
    }
}

/// What the bench asks of a queue.
trait Hold {
    fn new(mix: Mix, pending: usize) -> Self;
    fn push(&mut self, time: u64);
    fn pop(&mut self) -> u64;
}

struct Ours(EventQueue<u32>);
impl Hold for Ours {
    fn new(_: Mix, _: usize) -> Self {
        Self(EventQueue::new())
    }
    fn push(&mut self, time: u64) {
        self.0
            .schedule(Instant::START + Duration::from_nanos(time), 7);
    }
    fn pop(&mut self) -> u64 {
        self.0.pop().expect("the queue holds events").0.as_nanos()
    }
}

/// A key of 16 bytes: time and order of scheduling.
#[derive(Default)]
struct Sequence(u64);
impl Sequence {
    fn key(&mut self, time: u64) -> u128 {
        self.0 += 1;
        u128::from(time) << 64 | u128::from(self.0)
    }
}

struct Binary(BinaryHeap<Reverse<u128>>, Sequence);
impl Hold for Binary {
    fn new(_: Mix, _: usize) -> Self {
        Self(BinaryHeap::new(), Sequence::default())
    }
    fn push(&mut self, time: u64) {
        self.0.push(Reverse(self.1.key(time)));
    }
    fn pop(&mut self) -> u64 {
        (self.0.pop().expect("the heap holds events").0 >> 64) as u64
    }
}

struct Quaternary(dary_heap::QuaternaryHeap<Reverse<u128>>, Sequence);
impl Hold for Quaternary {
    fn new(_: Mix, _: usize) -> Self {
        Self(dary_heap::QuaternaryHeap::new(), Sequence::default())
    }
    fn push(&mut self, time: u64) {
        self.0.push(Reverse(self.1.key(time)));
    }
    fn pop(&mut self) -> u64 {
        (self.0.pop().expect("the heap holds events").0 >> 64) as u64
    }
}

struct Radix(RadixHeapMap<Reverse<u128>, ()>, Sequence);
impl Hold for Radix {
    fn new(_: Mix, _: usize) -> Self {
        Self(RadixHeapMap::new(), Sequence::default())
    }
    fn push(&mut self, time: u64) {
        self.0.push(Reverse(self.1.key(time)), ());
    }
    fn pop(&mut self) -> u64 {
        (self.0.pop().expect("the heap holds events").0.0 >> 64) as u64
    }
}

/// A ring of buckets with a slab for the payloads, whose width is set by hand from the mix and
/// the number of events, with the near bucket sorted and everything beyond the ring in a heap:
/// the bar to come near to.
struct Ring {
    near: Vec<u128>,
    buckets: Vec<Vec<u128>>,
    far: BinaryHeap<Reverse<u128>>,
    width: u64,
    current: u64,
    sequence: u64,
    slab: Vec<Option<u32>>,
    free: Vec<u32>,
}
impl Hold for Ring {
    fn new(mix: Mix, pending: usize) -> Self {
        let (mean, longest) = match mix {
            Mix::Exponential => (1e9, 8e9),
            Mix::Messages => (9.8e9, 121e9),
        };
        // Two events a bucket.
        let width = (2.0 * mean / pending as f64) as u64;
        let count = (longest / width as f64) as usize;
        Self {
            near: Vec::new(),
            buckets: vec![Vec::new(); count.next_power_of_two().min(1 << 21)],
            far: BinaryHeap::new(),
            width,
            current: 0,
            sequence: 0,
            slab: Vec::new(),
            free: Vec::new(),
        }
    }
    fn push(&mut self, time: u64) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slab.push(None);
            (self.slab.len() - 1) as u32
        });
        self.slab[place as usize] = Some(7);
        self.sequence += 1;
        let key = u128::from(time) << 64 | u128::from(self.sequence << 28 | u64::from(place));
        let bucket = time / self.width;
        let count = self.buckets.len() as u64;
        if bucket <= self.current {
            let at = self.near.partition_point(|k| *k > key);
            self.near.insert(at, key);
        } else if bucket < self.current + count {
            self.buckets[(bucket % count) as usize].push(key);
        } else {
            self.far.push(Reverse(key));
        }
    }
    fn pop(&mut self) -> u64 {
        let count = self.buckets.len() as u64;
        while self.near.is_empty() {
            self.current += 1;
            let next = (self.current % count) as usize;
            std::mem::swap(&mut self.near, &mut self.buckets[next]);
            let end = u128::from((self.current + 1) * self.width) << 64;
            while self.far.peek().is_some_and(|k| k.0 < end) {
                self.near.extend(self.far.pop().map(|k| k.0));
            }
            self.near.sort_unstable_by(|a, b| b.cmp(a));
        }
        let key = self.near.pop().expect("not empty");
        let place = key as u32 & ((1 << 28) - 1);
        std::hint::black_box(self.slab[place as usize].take());
        self.free.push(place);
        (key >> 64) as u64
    }
}

fn hold<Q: Hold>(criterion: &mut Criterion, name: &str) {
    for (mix, label) in [
        (Mix::Exponential, "exponential"),
        (Mix::Messages, "messages"),
    ] {
        let mut group = criterion.benchmark_group(label);
        group.throughput(Throughput::Elements(HOLDS));
        group.sample_size(10);
        for pending in [300, 1_000, 100_000, 1_000_000] {
            let mut stream = Seed::new(1).stream("hold", 0);
            let mut queue = Q::new(mix, pending);
            for _ in 0..pending {
                queue.push(mix.increment(&mut stream));
            }
            // The increments are drawn beforehand: a hold is the queue's work alone.
            let increments: Vec<u64> = (0..HOLDS).map(|_| mix.increment(&mut stream)).collect();
            let mut turn = || {
                for increment in &increments {
                    let time = queue.pop();
                    queue.push(time + increment);
                }
            };
            // Several lives of an event, so that the queue is in its steady state.
            (0..(8 * pending as u64).div_ceil(HOLDS)).for_each(|_| turn());
            group.bench_function(BenchmarkId::new(name, pending), |b| b.iter(&mut turn));
        }
        group.finish();
    }
}

fn benches(criterion: &mut Criterion) {
    hold::<Ours>(criterion, "dhtlab");
    hold::<Binary>(criterion, "binary heap, 16-byte keys");
    hold::<Quaternary>(criterion, "4-ary heap, 16-byte keys");
    hold::<Radix>(criterion, "radix heap");
    hold::<Ring>(criterion, "bucket ring set by hand");
}

criterion_group!(all, benches);
criterion_main!(all);
