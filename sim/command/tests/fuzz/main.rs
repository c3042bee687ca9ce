//! Every reader of files on random mutations of good inputs: it says what is wrong or takes the
//! input, without a panic, without end or without bound in memory.
//!
//! A few hundred inputs a reader are tried with all other tests. By hand, as many as one likes:
//!
//! ```sh
//! DHTLAB_FUZZ=1050000 cargo test --release -p dhtlab --test fuzz -- --nocapture
//! ```
//!
//! `DHTLAB_FUZZ_SEED` gives others. Input on which a reader fails is kept in a file, whose name is
//! printed.
//! This is a process of its own: its memory is that of the readers.

mod mutation;
mod readers;

use dhtlab_core::engine::Seed;
use mutation::mutate;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// Default number of inputs for each reader.
const FEW: u64 = 300;

/// How long a reader may take for one input, on a machine that does other things, too.
const LONGEST: Duration = Duration::from_secs(60);

/// How much memory all readers together may take, in bytes: a scenario of ten million runs fits.
const MOST_BYTES: u64 = 4 << 30;

fn variable(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}: expected a number")),
        Err(_) => default,
    }
}

/// Tries `reader` on mutations of `seeds`.
fn fuzz(name: &str, seeds: &[Vec<u8>], reader: impl Fn(&[u8])) {
    assert!(!seeds.is_empty(), "{name}: no good input");
    let seed = Seed::new(variable("DHTLAB_FUZZ_SEED", 1));
    let (count, begin) = (variable("DHTLAB_FUZZ", FEW), Instant::now());
    for index in 0..count {
        let input = mutate(seeds, &mut seed.stream(name, index));
        let start = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| reader(&input)));
        let keep = |why: &str| {
            let path = std::env::temp_dir().join(format!("dhtlab-fuzz-{name}-{index}"));
            std::fs::write(&path, &input).expect("a file");
            eprintln!("{name}: input {index} {why}: {}", path.display());
        };
        if let Err(panic) = ended {
            keep("panics");
            resume_unwind(panic);
        }
        if start.elapsed() > LONGEST {
            keep("takes too long");
            panic!("{name}: {:?}", start.elapsed());
        }
        if index.is_multiple_of(100) || index + 1 == count {
            let bytes = most_memory();
            if bytes > MOST_BYTES {
                keep("or one before it takes too much memory");
                panic!("{name}: {bytes} bytes");
            }
        }
    }
    println!(
        "{name}: {count} inputs in {:.1} s, at most {} MB",
        begin.elapsed().as_secs_f64(),
        most_memory() >> 20
    );
}

/// The peak memory of this process; 0 where the system does not report it.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}
