//! Tells the program which commit it was built from, where there is one, and its tests what this
//! machine can do.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=../../.git/logs/HEAD");
    // A new scenario is built into the command.
    println!("cargo:rerun-if-changed=scenarios");
    let commit = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default();
    println!("cargo:rustc-env=DHTLAB_COMMIT={}", commit.trim());
    tell_tests();
}

/// Sets a flag for each thing that some tests need and this machine has. A test that lacks what it needs
/// is then reported as ignored; it never passes without having run.
fn tell_tests() {
    println!("cargo:rerun-if-env-changed=DHTLAB_DATA");
    println!("cargo:rerun-if-env-changed=DHTLAB_CHROMIUM");
    println!("cargo:rerun-if-env-changed=DHTLAB_CHROMIUM_REQUIRED");
    let browsers = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let mount = ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"];
    let can = [
        ("can_mount", succeeds("unshare", &mount)),
        (
            "has_data",
            std::env::var_os("DHTLAB_DATA").is_some_and(|folder| Path::new(&folder).is_dir()),
        ),
        (
            "has_chromium",
            is_set("DHTLAB_CHROMIUM")
                || is_set("DHTLAB_CHROMIUM_REQUIRED")
                || browsers.iter().any(|name| succeeds(name, &["--version"])),
        ),
        ("has_parallel", prints("parallel", "GNU parallel")),
        ("has_script", succeeds("script", &["--version"])),
        ("has_groff", succeeds("groff", &["--version"])),
        ("has_man", succeeds("man", &["--version"])),
        ("has_bash", succeeds("bash", &["--version"])),
        ("has_zsh", succeeds("zsh", &["--version"])),
        ("has_fish", succeeds("fish", &["--version"])),
    ];
    for (flag, is_there) in can {
        println!("cargo:rustc-check-cfg=cfg({flag})");
        if is_there {
            println!("cargo:rustc-cfg={flag}");
        }
    }
}

/// Whether `program` can be run and succeeds.
fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let ended = Command::new(program).args(arguments).output();
    ended.is_ok_and(|output| output.status.success())
}

/// Whether `program --version` begins with `words`.
fn prints(program: &str, words: &str) -> bool {
    let ended = Command::new(program).arg("--version").output();
    ended.is_ok_and(|output| output.stdout.starts_with(words.as_bytes()))
}
