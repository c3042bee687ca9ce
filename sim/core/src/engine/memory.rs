//! The memory of the process and its limit.
//!
//! The limit holds for the whole process: a run checks it regularly and ends before the machine is
//! out of memory. Where the system does not report the memory of a process (Linux does), there is
//! no limit.

use std::sync::atomic::{AtomicU64, Ordering};

/// The memory limit of the process, in bytes.
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// A run ends at the limit only if its own growth is at least this fraction (1 / `OWN_PART`) of
/// what the limit left free at its start: memory left over by another run is no reason to end this
/// one.
const OWN_PART: u64 = 20;

/// The memory limit of the process, in bytes; no limit at first.
pub fn limit() -> u64 {
    LIMIT.load(Ordering::Relaxed)
}

/// Sets the memory limit of the process, in bytes.
pub fn set_limit(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// The resident memory of the process, in bytes.
pub fn resident() -> Option<u64> {
    amount("/proc/self/status", "VmRSS:")
}

/// The memory still available to the process, in bytes: that of the machine or of the control
/// group, whichever is less.
pub fn available() -> Option<u64> {
    let machine = amount("/proc/meminfo", "MemAvailable:")?;
    let number = |file: &str| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok()?;
        text.trim().parse().ok()
    };
    // `memory.max` is the word "max" where there is no limit.
    let group = number("memory.max").zip(number("memory.current"));
    let group = group.map(|(most, current)| most.saturating_sub(current));
    Some(group.map_or(machine, |group| group.min(machine)))
}

/// An amount in a file of lines such as `VmRSS:  1234 kB`.
fn amount(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// Watches the memory during a run.
#[derive(Clone, Copy, Debug)]
pub struct MemoryWatch {
    /// The resident memory at the start of the run, in bytes.
    before: u64,
}

impl MemoryWatch {
    /// Starts watching, at the start of a run.
    pub fn begin() -> Self {
        Self {
            before: resident().unwrap_or(0),
        }
    }

    /// Whether the process is over its limit and the run itself has contributed to that.
    pub fn is_over(&self) -> bool {
        let limit = limit();
        resident().is_some_and(|now| {
            now > limit && now - self.before.min(now) > (limit - limit.min(self.before)) / OWN_PART
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_process_takes_some_of_what_there_is() {
        let (resident, available) = (resident().expect("it is told"), available());
        assert!(resident > 1 << 20, "{resident}");
        assert!(available.expect("it is told") > 1 << 20);
        let watch = MemoryWatch::begin();
        // An unused block would be optimised away.
        let block = std::hint::black_box(vec![1_u8; 1 << 26]);
        let grown = super::resident().expect("it is told") - watch.before.min(resident);
        assert!(grown >= 1 << 26, "{grown}");
        assert!(!watch.is_over(), "no limit was set");
        drop(block);
    }
}
