fn main() -> std::process::ExitCode {
    let mut args = std::env::args_os().skip(1);
    let file = match args.next() {
        Some(a) if a == "--config" => args.next().map(Into::into),
        _ => None,
    };
    walinkd::daemon::run(walinkd::config::Sources::from_process(file), None)
}
