//! `walinkd watch`: how the connection stands, and then each change.

use super::{
    failure::Failure,
    screen::{self, Paint, clock, complain, paint, plain, say},
    status::View,
};
use crate::{
    client::{Answer, Client, Error, Events, Told},
    wire::{Event, Gap, Severity, Timestamp},
};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{io, os::fd::AsFd, thread, time::Duration};
use tokio::{sync::oneshot, time::sleep};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the API's objects, one a line: a status has `state`, an event `type`,
    /// a gap `from`
    #[arg(long)]
    json: bool,
}

/// Before the daemon is asked again that has just ended a stream.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn run(client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let mut watch = Watch {
        client,
        json: arguments.json,
        colour: screen::has_colour(),
        last: None,
        snapshot: true,
        waiting: false,
    };
    tokio::select! {
        // Whichever is first to notice.
        ended = watch.run() => match ended {
            Err(failure) if failure.is_reader_gone() => Ok(()),
            ended => ended,
        },
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(|error| Failure::new("watch", error, "try again"))
        }
        () = reader_gone() => Ok(()),
    }
}

/// Waits until nobody reads standard output any more: the next change, which
/// could not be written, may be far away.
async fn reader_gone() {
    let (gone, told) = oneshot::channel();
    let look = move || {
        let out = io::stdout();
        // Nothing is waited for but what is always told: an error, or a hang-up.
        let mut out = [PollFd::new(out.as_fd(), PollFlags::empty())];
        if poll(&mut out, PollTimeout::NONE).is_ok() {
            let _ = gone.send(());
        }
    };
    // A thread that ends with the process; without one the next line will tell.
    let looks = thread::Builder::new().spawn(look).is_ok();
    if !looks || told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

struct Watch<'a> {
    client: &'a Client,
    json: bool,
    colour: bool,
    /// The id to resume behind.
    last: Option<u64>,
    /// Whether the next status is to be shown.
    snapshot: bool,
    /// It was said that the daemon is gone.
    waiting: bool,
}

impl Watch<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        // Without a daemon to begin with it is as with any other verb.
        let mut events = self.open().await.map_err(failed)?;
        loop {
            let end = match self.follow(&mut events).await? {
                None => "the daemon has ended the stream".to_owned(),
                Some(error) => plain(&error.to_string()),
            };
            events = self.again(&end).await?;
        }
    }

    async fn open(&self) -> Result<Events, Error> {
        self.client.events(self.last).await
    }

    /// Tells what comes until the stream ends, and why it did if not in good
    /// order.
    async fn follow(&mut self, events: &mut Events) -> Result<Option<Error>, Failure> {
        loop {
            let next = events.next().await;
            self.last = events.last();
            let told = match next {
                Ok(Some(told)) => told,
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(error)),
            };
            self.waiting = false;
            self.tell(told)?;
        }
    }

    /// The stream goes on once the daemon is there again. A refusal is the end.
    async fn again(&mut self, why: &str) -> Result<Events, Failure> {
        self.wait(why);
        loop {
            sleep(PAUSE).await;
            match self.open().await {
                Ok(events) => return Ok(events),
                Err(Error::Refused { status: 503, .. }) => {}
                Err(error @ (Error::Refused { .. } | Error::Closed { .. })) => {
                    return Err(failed(error));
                }
                Err(error) => self.wait(&plain(&error.to_string())),
            }
        }
    }

    /// Says once that there is nobody to ask.
    fn wait(&mut self, why: &str) {
        if !std::mem::replace(&mut self.waiting, true) {
            complain(&format!("walinkd: watch: {why}: waiting for the daemon"));
        }
    }

    fn tell(&mut self, told: Told) -> Result<(), Failure> {
        match told {
            Told::Status(status) if self.json => say(&plain(&status.body)),
            Told::Event(event) if self.json => say(&plain(&event.body)),
            Told::Gap(gap) if self.json => say(&plain(&gap.body)),
            Told::Status(status) => {
                if !std::mem::take(&mut self.snapshot) {
                    return Ok(());
                }
                let view = View {
                    show_number: false,
                    colour: self.colour,
                    window: screen::window(),
                    now: Timestamp::now(),
                };
                say(&view.render(&status.data))
            }
            Told::Event(event) => say(&line(&event.data, self.colour)),
            Told::Gap(gap) => say(&missing(&gap, self.colour)),
        }
    }
}

fn failed(error: Error) -> Failure {
    Failure::call("watch", error)
}

/// `2026-11-22 14:03:11 UTC connection.connected: connected as 62812*****89`.
fn line(event: &Event, colour: bool) -> String {
    let mut text = format!(
        "{} {}: {}",
        clock(event.at),
        plain(&event.kind),
        plain(&event.message)
    );
    if let Some(more) = event.suppressed.filter(|more| *more > 0) {
        text.push_str(&format!(" (and {more} more like it before)"));
    }
    match event.severity {
        Severity::Error => paint(&text, Paint::Red, colour),
        Severity::Warning => paint(&text, Paint::Yellow, colour),
        Severity::Info | Severity::Debug => text,
    }
}

fn missing(gap: &Answer<Gap>, colour: bool) -> String {
    let Gap { from, to } = gap.data;
    let text = format!("events are missing here, between the ids {from} and {to}");
    paint(&text, Paint::Yellow, colour)
}
