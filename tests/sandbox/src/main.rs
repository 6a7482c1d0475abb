//! The sandbox as a program, for scripts and for people.

use clap::Parser;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use walinkd_sandbox::{Options, PasskeyGate, Sandbox};

/// Stand in for WhatsApp's server and the phone, on loopback.
///
/// Prints one line of JSON with its addresses when it is ready, then runs until
/// it is interrupted.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Where clients connect; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the control API listens; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// A phone to begin with: digits, country code first; may be repeated
    #[arg(long = "phone", value_name = "NUMBER", value_parser = number)]
    phones: Vec<String>,
    /// Write the line with the addresses to this file too, when ready
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// How many seconds the first QR code can be scanned
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    ref_first: u64,
    /// How many seconds each further QR code can be scanned
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    ref_next: u64,
    /// How many seconds a pairing code can be entered
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    code_validity: u64,
    /// Do not share the app-state key with linked devices
    #[arg(long)]
    no_key_share: bool,
    /// Demand a passkey before any of these phones links a device
    #[arg(long)]
    passkey: bool,
}

fn number(text: &str) -> Result<String, String> {
    if text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("a number is at least seven digits, country code first".to_owned())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "why it does not run is for whoever started it"
            )]
            {
                eprintln!("walinkd-sandbox: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start(Options {
        listen: cli.listen,
        control: Some(cli.control),
        ref_first: Duration::from_secs(cli.ref_first),
        ref_next: Duration::from_secs(cli.ref_next),
        code_validity: Duration::from_secs(cli.code_validity),
        key_share: !cli.no_key_share,
        ..Options::default()
    })
    .await?;
    for phone in &cli.phones {
        let phone = sandbox.add_phone(phone);
        if cli.passkey {
            phone.require_passkey(PasskeyGate::default());
        }
    }
    let ready = json!({
        "url": sandbox.url(),
        "control": sandbox.control_url(),
        "phones": cli.phones,
    });
    if let Some(file) = &cli.ready_file {
        // Whoever waits for the file must not find half of it.
        let partial = file.with_extension("partial");
        std::fs::write(&partial, format!("{ready}\n"))?;
        std::fs::rename(&partial, file)?;
    }
    #[expect(clippy::print_stdout, reason = "scripts read where it is from here")]
    {
        println!("{ready}");
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}
