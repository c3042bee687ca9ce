//! A request to end all runs of the process early, such as an interrupt by the user.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Requests that runs end early (`true`), or withdraws that. A simulated network checks it regularly.
pub fn request(wanted: bool) {
    REQUESTED.store(wanted, Ordering::Relaxed);
}

/// Whether runs are to end early.
pub fn is_requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
