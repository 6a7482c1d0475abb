//! `walinkd pair PHONE`: a pairing code on the screen, until it is linked.

use super::{
    failure::Failure,
    qr::{WATCH, named},
    screen::{self, Paint, complain, paint, plain, say},
    step::{self, Now},
};
use crate::{
    client::{Client, Error},
    wire::{Code, PairingCode, PairingRequest, State, Status},
};
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The number with its country code, for example 628123456789
    #[arg(value_name = "PHONE")]
    phone: String,
    /// A pairing code of your own, for example ABCD-EFGH
    #[arg(long, value_name = "CODE8")]
    code: Option<String>,
    /// Pair beside the live link and take over from it
    #[arg(long)]
    replace: bool,
    /// Show the code and do not wait for the phone
    #[arg(long)]
    no_wait: bool,
}

const AGAIN: &str = "ask again: walinkd pair PHONE";

/// A code that is gone was entered or has run out. Beside a live link the
/// status does not tell which; a login takes no longer than this.
const LOGIN: Duration = Duration::from_secs(30);

pub(super) async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let failed = |error| Failure::call("pair", error);
    let request = PairingRequest {
        phone_number: arguments.phone,
        custom_code: arguments.code,
        replace: arguments.replace,
    };
    let mut code = match client.pair(&request).await {
        Ok(answer) => answer.data.data,
        Err(Error::Refused { problem, .. }) if problem.code == Code::AlreadyLinked => {
            return Err(Failure::new(
                "pair",
                "a device is linked already",
                "unlink it first with walinkd disconnect, or add --replace to link the new \
                 number beside it",
            ));
        }
        Err(error) => return Err(failed(error)),
    };
    show(&code)?;
    if arguments.no_wait {
        return Ok(());
    }
    let mut gone_since = None;
    // WhatsApp has asked for the passkey after this code.
    let mut asked = false;
    let mut status = client.status().await.map_err(failed)?.data;
    loop {
        match client.pairing().await {
            Ok(answer) => {
                gone_since = None;
                let fresh = asked || answer.data.pairing_code != code.pairing_code;
                if answer.data.phone_number == code.phone_number && fresh {
                    if asked {
                        if let Now::Ended(why) = step::now(client).await.map_err(failed)? {
                            complain(&format!("walinkd: pair: {why}"));
                        }
                        asked = false;
                    }
                    code = answer.data;
                    show(&code)?;
                }
            }
            Err(Error::Refused { problem, .. }) if problem.code == Code::NoPairingCode => {
                // Asked after the status, so a number that is linked in it
                // was linked without a code still waiting.
                if status.is_connected && status.phone_number.as_ref() == Some(&code.phone_number) {
                    return say(&format!("Linked{}", named(&status)));
                }
                match step::now(client).await.map_err(failed)? {
                    Now::Asked(_) => {
                        if !asked {
                            say(step::ASKED)?;
                        }
                        asked = true;
                        gone_since = None;
                    }
                    // Beside a live link no fresh code follows.
                    Now::Ended(why) if asked && status.jid.is_some() => {
                        let anew = "ask again: walinkd pair PHONE --replace";
                        return Err(Failure::not_reached("pair", why, anew));
                    }
                    Now::Ended(_) | Now::Nothing => {
                        let since = *gone_since.get_or_insert_with(Instant::now);
                        let late =
                            status.state != State::Linking && since.elapsed() >= login(asked);
                        if has_ended(&status) || late {
                            return Err(not_linked(&status, asked));
                        }
                    }
                }
            }
            Err(error) => return Err(failed(error)),
        }
        let wait = match gone_since {
            Some(since) => login(asked)
                .saturating_sub(since.elapsed())
                .max(Duration::from_secs(1)),
            None => WATCH,
        };
        let next = client.status_after(status.generation, wait).await;
        status = next.map_err(failed)?.data;
    }
}

fn show(code: &PairingCode) -> Result<(), Failure> {
    let bold = paint(
        &plain(&code.pairing_code),
        Paint::Bold,
        screen::has_colour(),
    );
    say(&format!(
        "\nPairing code for {}, good for {}:\n\n    {bold}\n\n\
         Enter it: WhatsApp on the phone > Linked devices > Link a device > Link with phone \
         number instead.\n",
        screen::number(&code.phone_number, false),
        plain(&code.expires_in),
    ))
}

/// States out of which no pairing goes on by itself.
pub(super) fn has_ended(status: &Status) -> bool {
    matches!(
        status.state,
        State::Idle
            | State::Paused
            | State::Replaced
            | State::Banned
            | State::Outdated
            | State::Stopping
    )
}

/// How long a login may take.
fn login(asked: bool) -> Duration {
    if asked { step::LOGIN } else { LOGIN }
}

fn not_linked(status: &Status, asked: bool) -> Failure {
    let why = match &status.reason {
        Some(reason) => plain(&reason.message),
        None if asked => "the passkey step has ended without a link".to_owned(),
        None => "the code ran out".to_owned(),
    };
    Failure::not_reached("pair: not linked", why, AGAIN)
}
