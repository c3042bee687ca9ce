//! Standard output and standard error, which may be closed or full at any moment.
//!
//! `println!` and similar macros panic then. Here, output to a closed pipe (`| head`) is dropped
//! silently and work continues; a full device makes the command fail.

use super::Failure;
use std::fmt::{Arguments, Display};
use std::io::{self, ErrorKind, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code for a bug in the command.
const PANICKED: i32 = 101;

/// Whether only errors are printed to standard error.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Prints only errors to standard error from now on.
pub(super) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether only errors are printed to standard error.
pub(super) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Whether a message could not be written for another reason than a closed pipe.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints `text` to standard output.
pub(super) fn print(text: impl Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    // Text left in the buffer would be lost silently at the end of the process.
    checked(write!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Prints `text` and a line feed to standard output.
pub(super) fn print_line(text: impl Display) -> Result<(), Failure> {
    print(format_args!("{text}\n"))
}

/// The result of writing to standard output; a closed pipe is not a failure.
pub(super) fn checked(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Run(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a line to standard error, unless only errors are printed.
pub(super) fn print_note(text: impl Display) {
    if !is_quiet() {
        print_error(text);
    }
}

/// Prints a line to standard error.
pub(super) fn print_error(text: impl Display) {
    // In one write, so that lines of several threads do not mix.
    let line = format!("{text}\n");
    if let Err(error) = io::stderr().write_all(line.as_bytes())
        && error.kind() != ErrorKind::BrokenPipe
    {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// The exit code of a successful command: lost messages are a failure, although it cannot be
/// reported.
pub(super) fn success() -> u8 {
    u8::from(LOST.load(Ordering::Relaxed))
}

/// Makes a panic in any thread end the process, with a message of one line.
///
/// Otherwise the other threads would wait for the locks of the unwinding thread. No clean-up is
/// needed: finished runs are in the journal, and the system frees the locks.
pub(super) fn end_at_panics() {
    std::panic::set_hook(Box::new(|panic| {
        print_error(message(panic));
        std::process::exit(PANICKED);
    }));
}

fn message(panic: &PanicHookInfo<'_>) -> String {
    let what = {
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        text.unwrap_or("no message")
    };
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = panic.location().map(|place| format!(" at {place}"));
    let line: Arguments<'_> = format_args!(
        "error: internal error of dhtlab{}: {what}; finished runs are saved",
        place.unwrap_or_default()
    );
    line.to_string()
}
