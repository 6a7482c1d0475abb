//! What a verb shows while it waits for the daemon: on a terminal drawn over,
//! with a countdown; elsewhere line by line, by the verb itself.

use super::{
    card::Card,
    failure::Failure,
    screen::{self, complain, plain},
};
use crate::{
    client::{Client, Error},
    wire::{Code, State, Status},
};
use std::{
    future::Future,
    io,
    pin::pin,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Interval, MissedTickBehavior, interval, sleep},
};

/// Between two looks for a daemon that is gone.
const PAUSE: Duration = Duration::from_secs(1);

/// The other screen, so that what was on this one comes back; without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE: &str = "\x1b[0m\x1b[?25h\x1b[?1049l";

/// The verb's place to show something.
pub(super) struct Board {
    what: &'static str,
    live: Option<Live>,
}

/// What the daemon said.
pub(super) struct Heard {
    pub status: Status,
    /// It was gone in between.
    pub anew: bool,
}

impl Board {
    /// For the verb `what`; drawn over when `live` is wanted and possible.
    pub(super) fn new(what: &'static str, live: bool) -> Result<Self, Failure> {
        let live = if live && screen::is_live() {
            Some(Live::open().map_err(|error| Failure::output(&error))?)
        } else {
            None
        };
        Ok(Self { what, live })
    }

    /// Shows a card, and says whether it could: elsewhere than on a terminal the
    /// verb writes lines.
    pub(super) fn show(&mut self, card: Card) -> Result<bool, Failure> {
        let Some(live) = &mut self.live else {
            return Ok(false);
        };
        live.card = card;
        live.draw()?;
        Ok(true)
    }

    /// The status once its generation is past `after`, or when `wait` is over.
    pub(super) async fn next(
        &mut self,
        client: &Client,
        after: u64,
        wait: Duration,
    ) -> Result<Heard, Failure> {
        match self.during(client.status_after(after, wait)).await? {
            Ok(answer) if answer.data.state != State::Stopping => Ok(Heard {
                status: answer.data,
                anew: false,
            }),
            Ok(_) => self.back(client, "the daemon is stopping").await,
            Err(error) => self.back_after(client, error).await,
        }
    }

    /// The status when the daemon is there again, after a call has failed since
    /// it was not. Any other failure is the end.
    pub(super) async fn back_after(
        &mut self,
        client: &Client,
        error: Error,
    ) -> Result<Heard, Failure> {
        if !is_gone(&error) {
            return Err(Failure::call(self.what, error));
        }
        self.back(client, &plain(&error.to_string())).await
    }

    async fn back(&mut self, client: &Client, why: &str) -> Result<Heard, Failure> {
        let what = self.what;
        if !self.show(Card::note(&format!("{why}: waiting for the daemon")))? {
            complain(&format!("walinkd: {what}: {why}: waiting for the daemon"));
        }
        loop {
            self.during(sleep(PAUSE)).await?;
            match self.during(client.status()).await? {
                Ok(answer) if answer.data.state != State::Stopping => {
                    let status = answer.data;
                    return Ok(Heard { status, anew: true });
                }
                Ok(_) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(Failure::call(what, error)),
            }
        }
    }

    /// What comes of it, with the countdown going on meanwhile.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let Some(live) = &mut self.live else {
            return Ok(work.await);
        };
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                _ = live.second.tick() => {}
                Some(()) = live.resized.recv() => live.clear()?,
            }
            live.draw()?;
        }
    }
}

/// Nobody there, or about to leave: worth waiting for.
fn is_gone(error: &Error) -> bool {
    match error {
        Error::NoDaemon { .. } | Error::Broken(_) | Error::Silent => true,
        Error::Refused { problem, .. } => matches!(problem.code, Code::Stopping | Code::Starting),
        Error::Closed { .. } | Error::Strange(_) => false,
    }
}

/// The terminal, while it is drawn over. However this ends, the terminal is as
/// it was.
struct Live {
    card: Card,
    /// The lines that stand there.
    shown: Vec<String>,
    second: Interval,
    resized: Signal,
}

impl Live {
    fn open() -> io::Result<Self> {
        let resized = signal(SignalKind::window_change())?;
        screen::send(ENTER)?;
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            card: Card::Note(String::new()),
            shown: Vec::new(),
            second,
            resized,
        })
    }

    /// Writes the lines that have changed.
    fn draw(&mut self) -> Result<(), Failure> {
        let text = self.card.text(screen::sheet(), Instant::now());
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut out = String::new();
        for (row, line) in lines.iter().enumerate() {
            if self.shown.get(row) != Some(line) {
                out.push_str(&format!("\x1b[{};1H{line}\x1b[K", row + 1));
            }
        }
        if lines.len() < self.shown.len() {
            out.push_str(&format!("\x1b[{};1H\x1b[J", lines.len() + 1));
        }
        self.shown = lines;
        screen::send(&out).map_err(|error| Failure::output(&error))
    }

    /// A window of another size has torn what stood there.
    fn clear(&mut self) -> Result<(), Failure> {
        self.shown.clear();
        screen::send("\x1b[2J").map_err(|error| Failure::output(&error))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // A terminal that is gone needs no care.
        let _ = screen::send(LEAVE);
    }
}

/// Does the work until it is done, or somebody wants it to end; then what it
/// has changed on the terminal is undone before the process ends.
pub(super) async fn interruptible(
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
        return work.await;
    };
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Err(Failure::interrupted(SignalKind::interrupt())),
        _ = terminate.recv() => Err(Failure::interrupted(SignalKind::terminate())),
    }
}
