//! The command `dhtlab`.

fn main() -> std::process::ExitCode {
    dhtlab::main_with(dhtlab_experiments::KINDS, std::env::args_os())
}
