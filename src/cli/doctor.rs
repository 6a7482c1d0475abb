//! `walinkd doctor`: look at everything a daemon needs, and say what to do.

use super::{
    Common,
    failure::Failure,
    screen::{self, Paint, paint, plain, say},
    socket,
    status::in_words,
};
use crate::{
    client::{Client, Error},
    daemon::{self, Finding, Verdict},
    wire::State,
};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

const MANAGE: &str = "run this as root, or as a member of the group in control.group";
const SEE_LOG: &str = "see journalctl -u walinkd, and restart it if it stays so";

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let findings = super::runtime()?.block_on(examine(common))?;
    let failed = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Failure);
    if arguments.json {
        let checks: Vec<Value> = findings.iter().map(object).collect();
        say(&json!({"ok": !failed, "checks": checks}).to_string())?;
    } else {
        let colour = screen::has_colour();
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| line(finding, colour))
            .collect();
        say(&lines.join("\n"))?;
    }
    if failed { Err(Failure::said()) } else { Ok(()) }
}

async fn examine(common: &Common) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let config = match common.daemon() {
        Ok(config) => config,
        Err(failure) => {
            let next = "correct it, and see walinkd check-config";
            let found = failure.message().replace("walinkd: configuration: ", "");
            findings.push(Finding::failure("config", found, next));
            return Ok(findings);
        }
    };
    findings.push(Finding::ok(
        "config",
        match &config.file {
            Some(file) => file.display().to_string(),
            None => "no file, the defaults hold".to_owned(),
        },
    ));
    let client = if common.socket.is_some() || common.instance.is_some() {
        socket::client(common)?
    } else {
        Client::new(vec![config.control.socket.clone()])
    };
    let answers = ask(&client, &mut findings).await;
    findings.extend(daemon::examine(&config, answers));
    findings.push(match answers {
        true => keys(&client).await,
        false => daemon::examine_keys(&config),
    });
    findings.extend(daemon::examine_network(&config).await);
    Ok(findings)
}

/// What the daemon says of itself, and whether one answers.
async fn ask(client: &Client, findings: &mut Vec<Finding>) -> bool {
    let status = match client.status().await {
        Ok(answer) => answer.data,
        Err(Error::NoDaemon { socket, .. }) => {
            let found = format!("none answers at {}", socket.display());
            let next = format!(
                "start it: systemctl start {}",
                super::instance::unit(&socket)
            );
            findings.push(Finding::warning("daemon", found, next));
            return false;
        }
        Err(Error::Closed { socket, .. }) => {
            let found = format!("{} is closed to this user", socket.display());
            findings.push(Finding::warning("daemon", found, MANAGE));
            return true;
        }
        Err(error) => {
            findings.push(Finding::failure("daemon", error.to_string(), SEE_LOG));
            return true;
        }
    };
    let version = &status.version;
    findings.push(match status.health.first() {
        Some(warning) => Finding::warning(
            "daemon",
            warning,
            "see walinkd status for all of its warnings",
        ),
        None => Finding::ok("daemon", format!("version {version} runs")),
    });
    let words = in_words(&status).0;
    let reason = status
        .reason
        .as_ref()
        .map(|reason| format!(": {}", reason.message));
    let found = format!("{words}{}", reason.unwrap_or_default());
    let next = status.user_action.clone();
    findings.push(match status.state {
        _ if status.is_connected => Finding::ok("link", found),
        State::LoggedOut | State::Replaced | State::Banned | State::Outdated => {
            let next = next.unwrap_or_else(|| "see walinkd status".to_owned());
            Finding::failure("link", found, next)
        }
        _ => {
            let next = next.unwrap_or_else(|| "see walinkd watch".to_owned());
            Finding::warning("link", found, next)
        }
    });
    true
}

/// Of the daemon that answers: it knows of those in its environment as well.
async fn keys(client: &Client) -> Finding {
    match client.keys().await {
        Ok(answer) => daemon::examine_keys_in_force(&answer.data),
        Err(Error::Closed { .. }) => {
            let found = "only who may open the daemon's socket can ask for them";
            Finding::warning("keys", found, MANAGE)
        }
        Err(error) => Finding::failure("keys", error.to_string(), SEE_LOG),
    }
}

fn word(verdict: Verdict) -> (&'static str, Paint) {
    match verdict {
        Verdict::Ok => ("ok", Paint::Green),
        Verdict::Warning => ("warning", Paint::Yellow),
        Verdict::Failure => ("failure", Paint::Red),
    }
}

fn object(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "verdict": word(finding.verdict).0,
        "found": finding.found,
        "next": finding.next,
    })
}

fn line(finding: &Finding, colour: bool) -> String {
    const LABEL: usize = 18;
    let window = screen::window();
    let (word, shade) = word(finding.verdict);
    let word = paint(&format!("{word:<7}"), shade, colour);
    let found = super::failure::lines(&finding.found);
    let found = screen::hanging(&found, LABEL, window);
    let next = finding.next.as_deref().map(|next| {
        let next = screen::hanging(&plain(next), LABEL + 3, window);
        format!("\n{:LABEL$}-> {next}", "")
    });
    format!(
        "{word} {:>8}: {found}{}",
        finding.check,
        next.unwrap_or_default()
    )
}
