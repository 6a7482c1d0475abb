use std::process::ExitCode;

fn main() -> ExitCode {
    walinkd::cli::main()
}
