//! The command `dhtlab`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
