//! Completions and manual pages, read by the programs that they are for, where those are here.

use crate::lab::Lab;
use std::io::Write;
use std::process::{Command, Stdio};

/// What a program prints that is fed `input`; nothing, with a message, if it is not installed.
fn fed(program: &str, arguments: &[&str], input: &str) -> Option<(bool, String)> {
    let spawned = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        println!("skipped: {program} is not installed");
        return None;
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that reads only a part of it shuts the pipe.
    let text = input.to_owned();
    let writer = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("written");
    let text = [output.stdout, output.stderr].concat();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

#[test]
fn each_shell_accepts_its_completions() {
    let lab = Lab::new();
    for (shell, check) in [
        ("bash", Some(&["-n"][..])),
        ("zsh", Some(&["-n"][..])),
        ("fish", Some(&["--no-execute"][..])),
        ("elvish", None),
        ("powershell", None),
    ] {
        let script = lab.succeed(&["completions", shell]).stdout;
        for word in ["reproduce", "merge", "shard", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        if let Some(arguments) = check
            && let Some((accepted, told)) = fed(shell, arguments, &script)
        {
            assert!(accepted && told.is_empty(), "{shell}: {told}");
        }
    }
    // What a user of bash sees.
    let script = lab.succeed(&["completions", "bash"]).stdout;
    let ask = "\nCOMP_WORDS=(dhtlab run --sh); COMP_CWORD=2\n\
               _dhtlab dhtlab --sh run; echo \"${COMPREPLY[@]}\"\n";
    if let Some((_, told)) = fed("bash", &[], &(script + ask)) {
        assert_eq!(told.trim(), "--shard");
    }
    let ended = lab.dhtlab(&["completions", "csh"]);
    assert_eq!(ended.code, Some(2));
    let told = "[possible values: bash, elvish, fish, powershell, zsh]";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}

#[test]
fn manual_pages_are_pages() {
    let lab = Lab::new();
    let page = lab.succeed(&["man"]).stdout;
    assert!(page.contains(".TH dhtlab 1"), "{page}");
    lab.succeed(&["man", "pages/man1"]);
    let pages = lab.files("pages/man1");
    assert_eq!(pages["dhtlab.1"], page.as_bytes());
    let help = lab.succeed(&["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    let mut count = 0;
    for command in commands.filter(|command| *command != "help") {
        assert!(
            pages.contains_key(&format!("dhtlab-{command}.1")),
            "{command}"
        );
        count += 1;
    }
    assert_eq!(pages.len(), count + 1);
    // Every warning of the typesetter counts.
    for (name, page) in &pages {
        let page = String::from_utf8(page.clone()).expect("UTF-8");
        let set = fed("groff", &["-man", "-ww", "-Tutf8", "-z"], &page);
        if let Some((accepted, told)) = set {
            assert!(accepted && told.is_empty(), "{name}: {told}");
        }
    }
    if let Some((accepted, told)) = fed("man", &["-l", "-"], &page) {
        assert!(accepted && told.contains("laboratory"), "{told}");
    }
    // A file where the folder should be.
    lab.write("file", "mine");
    let ended = lab.dhtlab(&["man", "file"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.starts_with("error: file: "),
        "{}",
        ended.stderr
    );
    assert_eq!(lab.read("file"), "mine");
}
