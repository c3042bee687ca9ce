//! The command `dhtlab`.

fn main() -> std::process::ExitCode {
    dhtlab::cli::main()
}
