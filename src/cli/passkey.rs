//! `walinkd passkey`: the step that WhatsApp may demand before it links.

use super::{
    failure::{Failure, lines},
    paste::{self, Input},
    qr::named,
    screen::{self, Paint, complain, paint, plain, say},
    step::{self, Now, Step, failed},
};
use crate::{
    client::{Answer, Client, Error},
    wire::{Code, Done, PasskeyBody, PasskeyStage, State, Status},
};
use std::path::{Path, PathBuf};

const EXAMPLE: &str = "\
Example, with the answer handed over in a file:
  walinkd passkey --script > script.js    and run that in the browser's console
  walinkd passkey answer.json             with what it printed";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// The browser's answer, - for standard input [default: what is pasted]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Give the step up; pairing begins anew
    #[arg(long, conflicts_with_all = ["file", "script", "no_wait"])]
    cancel: bool,
    /// Print the script for the browser's console, and nothing else
    #[arg(long, conflicts_with_all = ["file", "no_wait"])]
    script: bool,
    /// Do not wait until the device is linked
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    if arguments.cancel {
        return match client.cancel_passkey().await {
            Ok(answer) => say(&plain(&answer.data.message)),
            Err(Error::Refused { problem, .. }) if is_over(problem.code) => {
                let status = client.status().await.map_err(failed)?.data;
                Err(match step::now(client).await.map_err(failed)? {
                    Now::Ended(why) => Failure::not_reached("passkey", why, HINT),
                    _ => none(&status),
                })
            }
            Err(error) => Err(failed(error)),
        };
    }
    let status = client.status().await.map_err(failed)?.data;
    let body = match step::now(client).await.map_err(failed)? {
        Now::Asked(body) => body,
        Now::Ended(why) => return Err(Failure::not_reached("passkey", why, HINT)),
        Now::Nothing if status.state == State::Linking && !arguments.script => {
            PasskeyBody::linking()
        }
        Now::Nothing => return Err(none(&status)),
    };
    if arguments.script {
        return match &body.stage {
            PasskeyStage::Challenge { script, .. } => say(&lines(script)),
            _ => Err(Failure::not_reached(
                "passkey",
                "the passkey has answered already",
                "go on with walinkd passkey",
            )),
        };
    }
    let from_input = Path::new("-");
    let file = arguments.file.as_deref().filter(|file| *file != from_input);
    let mut talk = Talk {
        client,
        step: Step::new(client, status),
        input: Input::new(),
        given: file.map(paste::file).transpose()?,
        knows_how: arguments.file.is_some(),
    };
    talk.until_linked(body, arguments.no_wait).await
}

/// When a step comes.
const HINT: &str = "it asks, if at all, after a scan of the QR code (walinkd qr) or the entry of \
                    a pairing code (walinkd pair PHONE)";

/// No step is there to be taken.
fn none(status: &Status) -> Failure {
    let why = match status.state {
        State::Linking => "it has been taken, the device is being linked".to_owned(),
        State::Connected => {
            format!(
                "WhatsApp asks for no passkey, connected{}",
                named(status, false)
            )
        }
        _ => "WhatsApp asks for no passkey now".to_owned(),
    };
    Failure::not_reached("passkey", why, HINT)
}

/// The person, or what stands in for one, on one side; the step on the other.
struct Talk<'a> {
    client: &'a Client,
    step: Step<'a>,
    input: Input,
    /// The answer out of a file, once.
    given: Option<String>,
    /// The answer is there: what to do need not be told.
    knows_how: bool,
}

impl Talk<'_> {
    async fn until_linked(&mut self, mut body: PasskeyBody, no_wait: bool) -> Result<(), Failure> {
        loop {
            let stage = &body.stage;
            let next = match stage {
                PasskeyStage::Challenge { page, script, .. } => {
                    if !self.knows_how {
                        explain(page, script, body.expires_in.as_deref())?;
                    }
                    self.answer(stage).await?
                }
                PasskeyStage::Checking => {
                    say(
                        "WhatsApp and the phone are checking the answer: keep WhatsApp open on the phone.",
                    )?;
                    self.step.after(stage).await?
                }
                PasskeyStage::Confirm { code } => self.compare(stage, code).await?,
                PasskeyStage::Linking => {
                    self.tell_linking()?;
                    if no_wait {
                        return Ok(());
                    }
                    self.step.after(stage).await?
                }
            };
            match next {
                Some(next) => body = next,
                None => return say(&format!("Linked{}", named(&self.step.status, false))),
            }
        }
    }

    fn tell_linking(&self) -> Result<(), Failure> {
        if self.step.is_beside() {
            let limit = step::LOGIN.as_secs();
            say(&format!(
                "WhatsApp asks nothing more. Within {limit} s the new device takes over from the \
                 present one, if it is accepted."
            ))
        } else {
            say("Accepted. The device is being linked.")
        }
    }

    /// Hands in the browser's answer.
    async fn answer(&mut self, stage: &PasskeyStage) -> Result<Option<PasskeyBody>, Failure> {
        if let Some(given) = self.given.take() {
            return self
                .client
                .answer_passkey(&given)
                .await
                .map(next)
                .map_err(failed);
        }
        loop {
            if self.input.is_terminal() {
                say(
                    "Paste the answer and press Enter (an empty line throws away what was pasted so far):",
                )?;
            }
            let pasted = tokio::select! {
                biased;
                pasted = self.input.json() => pasted?,
                next = self.step.after(stage) => return next,
            };
            let why = match pasted {
                Ok(json) => match self.client.answer_passkey(&json).await {
                    Err(Error::Refused { problem, .. })
                        if self.input.is_terminal() && is_mendable(problem.code) =>
                    {
                        lines(&problem.error)
                    }
                    other => return other.map(next).map_err(failed),
                },
                Err(why) if self.input.is_terminal() => format!("{why}: copy all of it."),
                Err(why) => {
                    let hint = "give what the script printed, in a file or on standard input";
                    return Err(Failure::new("passkey: the answer", plain(&why), hint));
                }
            };
            // The rest of a wrong paste is not the next one.
            self.input.forget();
            complain(&format!("walinkd: passkey: {why}"));
        }
    }

    /// Has the code compared with the phone's.
    async fn compare(
        &mut self,
        stage: &PasskeyStage,
        code: &str,
    ) -> Result<Option<PasskeyBody>, Failure> {
        self.input.forget();
        let bold = paint(&plain(code), Paint::Bold, screen::has_colour());
        say(&format!(
            "\nWhatsApp on the phone shows a code. Here it is:\n\n    {bold}\n"
        ))?;
        loop {
            if self.input.is_terminal() {
                say("Does the phone show the same code? Type y or n, then Enter:")?;
            }
            let line = tokio::select! {
                biased;
                line = self.input.line() => line?,
                next = self.step.after(stage) => return next,
            };
            match said(line.as_deref()) {
                Said::Yes => break,
                Said::No => return Err(self.reject().await),
                Said::Nothing => {}
                Said::Something if self.input.is_terminal() => {
                    complain("walinkd: passkey: the answer is neither y nor n");
                }
                Said::Something => return Err(not_compared("the answer is neither y nor n")),
                Said::End if self.input.is_terminal() => {
                    return Err(not_compared("the code was not compared"));
                }
                // The answer was piped in, and somebody is there all the same.
                Said::End if self.input.ask_person() => {}
                Said::End => {
                    complain(
                        "walinkd: passkey: nobody has compared the code with the phone's: it is \
                         confirmed unseen",
                    );
                    break;
                }
            }
        }
        self.client
            .confirm_passkey()
            .await
            .map(next)
            .map_err(failed)
    }

    /// The codes differ: whoever answered on the phone is not to be linked.
    async fn reject(&self) -> Failure {
        match self.client.cancel_passkey().await {
            Err(Error::Refused { problem, .. }) if is_over(problem.code) => {}
            Ok(_) => {}
            Err(error) => return failed(error),
        }
        let anew = if self.step.is_beside() {
            "the present link stays; start anew with walinkd pair PHONE --replace"
        } else {
            "start anew with walinkd qr, or walinkd pair PHONE"
        };
        Failure::new(
            "passkey",
            "the code was not confirmed, nothing is linked",
            anew,
        )
    }
}

fn explain(page: &str, script: &str, left: Option<&str>) -> Result<(), Failure> {
    let left = left.map(plain).unwrap_or_default();
    let page = plain(page);
    say(&format!(
        "WhatsApp asks for the account's passkey before it links; it waits for {left}.

1. Open {page} in a browser that has the passkey or can ask the phone for it;
   do not scan the QR code of that page.
2. Open its console (Ctrl+Shift+J, in Firefox Ctrl+Shift+K) and type there, if
   it asks for that: allow pasting
3. Paste this script into the console, press Enter, and use the passkey.
4. Copy what it prints and paste it here; keep WhatsApp open on the phone.

{}
",
        lines(script)
    ))
}

/// Whether there is no step any more.
fn is_over(code: Code) -> bool {
    matches!(code, Code::NoPasskey | Code::PasskeyEnded)
}

/// What the step waits for, as an order's answer tells.
fn next(answer: Answer<Done<PasskeyBody>>) -> Option<PasskeyBody> {
    let body = answer.data.data;
    Some(body.unwrap_or_else(PasskeyBody::linking))
}

/// Whether another answer to the same challenge may be taken.
fn is_mendable(code: Code) -> bool {
    matches!(code, Code::BadPasskey | Code::PasskeyCancelled)
}

fn not_compared(why: &str) -> Failure {
    let hint = "run walinkd passkey again while the phone shows the code";
    Failure::new("passkey", why, hint)
}

/// An answer to the question whether the codes are the same.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Yes,
    No,
    /// An empty line.
    Nothing,
    Something,
    End,
}

fn said(line: Option<&str>) -> Said {
    let Some(line) = line else {
        return Said::End;
    };
    match line.trim().to_ascii_lowercase().as_str() {
        "" => Said::Nothing,
        "y" | "yes" => Said::Yes,
        "n" | "no" => Said::No,
        _ => Said::Something,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_word_is_an_answer() {
        for (line, expected) in [
            (Some("\n"), Said::Nothing),
            (Some(" Y\r\n"), Said::Yes),
            (Some("yes"), Said::Yes),
            (Some("N\n"), Said::No),
            (Some("no\n"), Said::No),
            (Some("{}\n"), Said::Something),
            (None, Said::End),
        ] {
            assert_eq!(said(line), expected, "{line:?}");
        }
    }
}
