//! Tells the program which commit it was built from, where there is one, and its tests what this
//! machine can do.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=../.git/logs/HEAD");
    let commit = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default();
    println!("cargo:rustc-env=DHTLAB_COMMIT={}", commit.trim());
    // The test of a full disk is ignored where it cannot be run.
    println!("cargo:rustc-check-cfg=cfg(can_mount)");
    let mounted = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
        .output();
    if mounted.is_ok_and(|output| output.status.success()) {
        println!("cargo:rustc-cfg=can_mount");
    }
}
