//! `walinkd pair PHONE`: a pairing code on the screen, until it is linked.

use super::{
    board::{Board, Heard},
    card::{self, Card, ENTER},
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
    /// Show the phone number in full
    #[arg(long)]
    show_number: bool,
}

const AGAIN: &str = "ask again: walinkd pair PHONE";

/// A code that is gone was entered or has run out. Beside a live link the
/// status does not tell which; a login takes no longer than this.
const LOGIN: Duration = Duration::from_secs(30);

pub(super) async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let request = PairingRequest {
        phone_number: arguments.phone,
        custom_code: arguments.code,
        replace: arguments.replace,
    };
    let code = match client.pair(&request).await {
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
    let whole = arguments.show_number;
    if arguments.no_wait {
        return print(&code, whole);
    }
    let mut show = Show {
        board: Board::new("pair", true)?,
        whole,
        aside: None,
    };
    show.code(&code)?;
    let pairing = Pairing {
        client,
        request,
        code,
        asked: false,
        anew: false,
        gone_since: None,
    };
    let linked = pairing.follow(&mut show).await?;
    drop(show);
    say(&format!("Linked{}", named(&linked, whole)))
}

fn failed(error: Error) -> Failure {
    Failure::call("pair", error)
}

/// A pairing under way.
struct Pairing<'a> {
    client: &'a Client,
    request: PairingRequest,
    code: PairingCode,
    /// WhatsApp has asked for the passkey after this code.
    asked: bool,
    /// The daemon is another one than that which gave the code.
    anew: bool,
    gone_since: Option<Instant>,
}

impl Pairing<'_> {
    /// Shows each code until the device is linked; gives the status then.
    async fn follow(mut self, show: &mut Show) -> Result<Status, Failure> {
        let mut status = match self.client.status().await {
            Ok(answer) => answer.data,
            Err(error) => self.heard(show.board.back_after(self.client, error).await?),
        };
        loop {
            let heard = match self.look(&status, show).await? {
                Look::Linked => return Ok(status),
                Look::Goes => {
                    let board = &mut show.board;
                    board
                        .next(self.client, status.generation, self.patience())
                        .await?
                }
                Look::Failed(error) => show.board.back_after(self.client, error).await?,
            };
            status = self.heard(heard);
        }
    }

    fn heard(&mut self, heard: Heard) -> Status {
        self.anew |= heard.anew;
        heard.status
    }

    async fn look(&mut self, status: &Status, show: &mut Show) -> Result<Look, Failure> {
        match self.client.pairing().await {
            Ok(answer) => {
                self.gone_since = None;
                let code = answer.data;
                let fresh = self.asked || self.anew || code.pairing_code != self.code.pairing_code;
                if code.phone_number == self.code.phone_number && fresh {
                    self.fresh(code, show).await
                } else {
                    Ok(Look::Goes)
                }
            }
            Err(Error::Refused { problem, .. }) if problem.code == Code::NoPairingCode => {
                self.without_code(status, show).await
            }
            Err(error) => Ok(Look::Failed(error)),
        }
    }

    async fn fresh(&mut self, code: PairingCode, show: &mut Show) -> Result<Look, Failure> {
        if self.asked {
            match step::now(self.client).await {
                Ok(Now::Ended(why)) => show.aside = Some(why),
                Ok(Now::Asked(_) | Now::Nothing) => {}
                Err(error) => return Ok(Look::Failed(error)),
            }
        }
        self.asked = false;
        self.anew = false;
        self.code = code;
        show.code(&self.code)?;
        Ok(Look::Goes)
    }

    async fn without_code(&mut self, status: &Status, show: &mut Show) -> Result<Look, Failure> {
        // Asked after the status, so a number that is linked in it was linked
        // without a code still waiting.
        let ours = status.phone_number.as_ref() == Some(&self.code.phone_number);
        if status.is_connected && ours {
            return Ok(Look::Linked);
        }
        match step::now(self.client).await {
            Ok(Now::Asked(_)) => {
                if !std::mem::replace(&mut self.asked, true) {
                    show.step()?;
                }
                self.gone_since = None;
            }
            // Beside a live link no fresh code follows.
            Ok(Now::Ended(why)) if self.asked && status.jid.is_some() => {
                let anew = "ask again: walinkd pair PHONE --replace";
                return Err(Failure::not_reached("pair", why, anew));
            }
            Ok(Now::Ended(_) | Now::Nothing) if self.anew && !ours && is_settled(status) => {
                return self.ask_again(show).await;
            }
            Ok(Now::Ended(_) | Now::Nothing) => {
                let since = *self.gone_since.get_or_insert_with(Instant::now);
                let late = status.state != State::Linking && since.elapsed() >= self.login();
                if !self.anew && (has_ended(status) || late) {
                    return Err(not_linked(status, self.asked));
                }
            }
            Err(error) => return Ok(Look::Failed(error)),
        }
        Ok(Look::Goes)
    }

    /// A daemon that was started since knows nothing of the code.
    async fn ask_again(&mut self, show: &mut Show) -> Result<Look, Failure> {
        match self.client.pair(&self.request).await {
            Ok(answer) => self.fresh(answer.data.data, show).await,
            // It is not through with its start; the next status is.
            Err(Error::Refused { problem, .. }) if problem.code == Code::Unreachable => {
                Ok(Look::Goes)
            }
            Err(error) => Ok(Look::Failed(error)),
        }
    }

    /// How long a login may take.
    fn login(&self) -> Duration {
        if self.asked { step::LOGIN } else { LOGIN }
    }

    /// How long to wait for a change.
    fn patience(&self) -> Duration {
        match self.gone_since {
            Some(since) => self
                .login()
                .saturating_sub(since.elapsed())
                .max(Duration::from_secs(1)),
            None => WATCH,
        }
    }
}

/// How it goes on.
enum Look {
    Linked,
    Goes,
    Failed(Error),
}

/// A daemon that is through with its start.
fn is_settled(status: &Status) -> bool {
    match status.state {
        State::Starting | State::Linking | State::WaitingPasskey => false,
        State::Connecting => status.jid.is_none(),
        _ => true,
    }
}

/// What it all is shown on.
struct Show {
    board: Board,
    /// With whole numbers.
    whole: bool,
    /// Why the last try ended.
    aside: Option<String>,
}

impl Show {
    fn code(&mut self, code: &PairingCode) -> Result<(), Failure> {
        let aside = self.aside.take();
        let card = Card::Code {
            before: aside.as_deref().map(card::sentence),
            code: plain(&code.pairing_code),
            number: screen::number(&code.phone_number, self.whole),
            until: card::until(&code.expires_in, Instant::now()),
        };
        if self.board.show(card)? {
            return Ok(());
        }
        if let Some(why) = aside {
            complain(&format!("walinkd: pair: {why}"));
        }
        print(code, self.whole)
    }

    fn step(&mut self) -> Result<(), Failure> {
        if self.board.show(Card::note(step::ASKED))? {
            return Ok(());
        }
        say(step::ASKED)
    }
}

/// Shows a code by lines.
fn print(code: &PairingCode, whole: bool) -> Result<(), Failure> {
    let bold = paint(
        &plain(&code.pairing_code),
        Paint::Bold,
        screen::has_colour(),
    );
    say(&format!(
        "\nPairing code for {}, good for {}:\n\n    {bold}\n\n{ENTER}\n",
        screen::number(&code.phone_number, whole),
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

fn not_linked(status: &Status, asked: bool) -> Failure {
    let why = match &status.reason {
        Some(reason) => plain(&reason.message),
        None if asked => "the passkey step has ended without a link".to_owned(),
        None => "the code ran out".to_owned(),
    };
    Failure::not_reached("pair: not linked", why, AGAIN)
}
