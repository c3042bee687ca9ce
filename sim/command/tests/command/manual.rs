//! Completions and manual pages, read by the programs for which they are made.

use crate::lab::Lab;
use std::io::Write;
use std::process::{Command, Stdio};

/// Whether a program that is fed `input` succeeds, and what it prints.
fn fed(program: &str, arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect(program);
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that reads only a part of it shuts the pipe.
    let text = input.to_owned();
    let writer = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("written");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.success(), text)
}

/// Has the shell read its completions without an error or a warning.
fn accepts_its_completions(shell: &str, check: &str) {
    let script = Lab::new().succeed(&["completions", shell]).stdout;
    let (accepted, told) = fed(shell, &[check], &script);
    assert!(accepted && told.is_empty(), "{shell}: {told}");
}

#[test]
#[cfg_attr(not(has_zsh), ignore = "zsh is not installed")]
fn zsh_accepts_its_completions() {
    accepts_its_completions("zsh", "-n");
}

#[test]
#[cfg_attr(not(has_fish), ignore = "fish is not installed")]
fn fish_accepts_its_completions() {
    accepts_its_completions("fish", "--no-execute");
}

/// What a user of bash sees.
#[test]
#[cfg_attr(not(has_bash), ignore = "bash is not installed")]
fn bash_completes_an_option() {
    accepts_its_completions("bash", "-n");
    let script = Lab::new().succeed(&["completions", "bash"]).stdout;
    let ask = "\nCOMP_WORDS=(dhtlab run --sh); COMP_CWORD=2\n\
               _dhtlab dhtlab --sh run; echo \"${COMPREPLY[@]}\"\n";
    let (_, told) = fed("bash", &[], &(script + ask));
    assert_eq!(told.trim(), "--shard");
}

#[test]
fn each_shell_has_completions() {
    let lab = Lab::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = lab.succeed(&["completions", shell]).stdout;
        for word in ["reproduce", "merge", "shard", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
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
    // The description of a command may go on in a further line, which is indented more.
    let commands = commands.filter(|line| !line.starts_with("   "));
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

/// Every warning of the typesetter counts.
#[test]
#[cfg_attr(not(has_groff), ignore = "groff is not installed")]
fn manual_pages_are_set_without_a_warning() {
    let lab = Lab::new();
    lab.succeed(&["man", "pages/man1"]);
    for (name, page) in lab.files("pages/man1") {
        let page = String::from_utf8(page).expect("UTF-8");
        let (accepted, told) = fed("groff", &["-man", "-ww", "-Tutf8", "-z"], &page);
        assert!(accepted && told.is_empty(), "{name}: {told}");
    }
}

#[test]
#[cfg_attr(not(has_man), ignore = "man is not installed")]
fn man_shows_the_page() {
    let page = Lab::new().succeed(&["man"]).stdout;
    let (accepted, told) = fed("man", &["-l", "-"], &page);
    assert!(accepted && told.contains("simulator"), "{told}");
}
