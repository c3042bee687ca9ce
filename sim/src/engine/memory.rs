//! The memory of the process, and the limit that its runs keep.
//!
//! The limit belongs to the process, as the memory does: a run reads it while it goes on, and ends
//! before the machine is out of memory. Where the system does not tell how much a process takes
//! (it does on Linux), there is no limit.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the process may take, in bytes.
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// The part of the limit that a run has to have added itself before the limit ends it: what
/// another run has left behind is no reason to end this one.
const OWN_PART: u64 = 20;

/// What the process may take, in bytes; no limit at first.
pub fn limit() -> u64 {
    LIMIT.load(Ordering::Relaxed)
}

/// From now on the process may take so many bytes.
pub fn set_limit(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// What the process takes now, in bytes.
pub fn resident() -> Option<u64> {
    amount("/proc/self/status", "VmRSS:")
}

/// What the process could still take without harm, in bytes: what the machine has left, or the
/// control group, if that is less.
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

/// Watches the memory while a run goes on.
#[derive(Clone, Copy, Debug)]
pub struct MemoryWatch {
    /// What the process took when the run began.
    before: u64,
}

impl MemoryWatch {
    /// A run begins.
    pub fn begin() -> Self {
        Self {
            before: resident().unwrap_or(0),
        }
    }

    /// Whether the process takes more than it may, and the run has its part in that.
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
        let block = vec![1_u8; 1 << 26];
        let grown = super::resident().expect("it is told") - watch.before.min(resident);
        assert!(grown >= 1 << 26, "{grown}");
        assert!(!watch.is_over(), "no limit was set");
        drop(block);
    }
}
