//! Where log lines go: the journal, a terminal, or JSON.

use super::journald::Journald;
use crate::{
    config::{Log, LogTarget},
    wa,
};
use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal},
    os::fd::AsFd,
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, filter_fn},
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

/// Changes the level while the daemon runs.
pub(super) struct LevelHandle(reload::Handle<EnvFilter, Registry>);

impl LevelHandle {
    /// `directive` has been checked by `config`; one that is refused all the
    /// same leaves the level as it was.
    pub(super) fn set(&self, directive: &str) {
        if let Ok(filter) = EnvFilter::try_new(directive) {
            let _ = self.0.reload(filter);
        }
    }
}

/// Opens the log. Called once, before anything is logged.
pub(super) fn open(log: &Log) -> io::Result<LevelHandle> {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = reload::Layer::new(filter);
    // The library's spans carry names and numbers; what it has to say comes
    // through the gate in `wa`, masked.
    let filter = filter.and(filter_fn(|metadata| !wa::is_library(metadata.target())));
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match log.target {
        LogTarget::Journald => Journald::open()?.with_filter(filter).boxed(),
        LogTarget::Auto if stderr_is_the_journal() => match Journald::open() {
            Ok(journal) => journal.with_filter(filter).boxed(),
            Err(_) => plain().with_filter(filter).boxed(),
        },
        LogTarget::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(io::stderr)
            .with_filter(filter)
            .boxed(),
        LogTarget::Auto | LogTarget::Stderr => plain().with_filter(filter).boxed(),
    };
    tracing_subscriber::registry()
        .with(layer)
        .try_init()
        .map_err(io::Error::other)?;
    wa::install_log();
    Ok(LevelHandle(handle))
}

fn plain() -> impl Layer<Registry> + Send + Sync {
    tracing_subscriber::fmt::layer()
        .event_format(Plain)
        .with_writer(io::stderr)
}

/// systemd names the journal's socket by device and inode when it has
/// connected standard error to it.
fn stderr_is_the_journal() -> bool {
    let Some((device, inode)) = std::env::var("JOURNAL_STREAM").ok().and_then(|text| {
        text.split_once(':')
            .map(|(d, i)| (d.to_owned(), i.to_owned()))
    }) else {
        return false;
    };
    nix::sys::stat::fstat(io::stderr().as_fd())
        .is_ok_and(|stat| stat.st_dev.to_string() == device && stat.st_ino.to_string() == inode)
}

/// One line an event: time, level, message. The fields with machines in mind
/// stay with the journal and JSON.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        if !io::stderr().is_terminal() {
            write!(writer, "{} ", crate::wire::Timestamp::now())?;
        }
        let word = match level {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            Level::DEBUG => "debug: ",
            Level::TRACE => "trace: ",
        };
        let mut message = String::from(word);
        event.record(&mut Message(&mut message));
        writeln!(writer, "{message}")
    }
}

struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Into a string, which cannot fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}
