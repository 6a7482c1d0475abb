//! Log lines to the journal, each with its fields, and a known kind of event
//! with the `MESSAGE_ID` that its catalog entry hangs on.
//!
//! The format is <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.

use super::catalog;
use std::{
    fmt::{self, Write as _},
    io,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

const SOCKET: &str = "/run/systemd/journal/socket";

/// In bytes. A datagram that does not fit is refused whole; this is far below
/// what a socket takes, and far above what anybody reads.
const LONGEST_VALUE: usize = 32 * 1024;

/// Where the journal listens.
pub(super) struct Journald {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journald {
    /// # Errors
    ///
    /// When nobody listens on the journal's socket.
    pub(super) fn open() -> io::Result<Self> {
        Self::at(Path::new(SOCKET))
    }

    fn at(path: &Path) -> io::Result<Self> {
        let journal = Self {
            socket: UnixDatagram::unbound()?,
            path: path.to_owned(),
        };
        // The journal drops an empty one.
        journal.send(&[])?;
        Ok(journal)
    }

    /// Not connected once and for all, so that it outlives a restart of the
    /// journal.
    fn send(&self, entry: &[u8]) -> io::Result<()> {
        self.socket.send_to(entry, &self.path).map(drop)
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut entry = Entry::default();
        entry.put("PRIORITY", priority(*metadata.level()));
        entry.put("SYSLOG_IDENTIFIER", "walinkd");
        entry.put("TARGET", metadata.target());
        if let Some(file) = metadata.file() {
            entry.put("CODE_FILE", file);
        }
        if let Some(line) = metadata.line() {
            entry.put("CODE_LINE", &line.to_string());
        }
        event.record(&mut entry);
        // There is no other place to complain to.
        let _ = self.send(&entry.0);
    }
}

/// syslog's severities.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

/// Fields, as the journal takes them.
#[derive(Default)]
struct Entry(Vec<u8>);

impl Entry {
    /// A name, the value's length in eight bytes, the value: so a value may
    /// hold line breaks, and none can forge a field.
    fn put(&mut self, name: &str, value: &str) {
        let value = &value[..value.floor_char_boundary(LONGEST_VALUE)];
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'\n');
        self.0
            .extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'\n');
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        // `message` and `walinkd_event` become MESSAGE and WALINKD_EVENT.
        self.put(&field.name().to_ascii_uppercase(), value);
        if field.name() == "walinkd_event"
            && let Some(id) = catalog::message_id(value)
        {
            self.put("MESSAGE_ID", id);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Into a string, which cannot fail.
        let _ = write!(text, "{value:?}");
        self.record_str(field, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeMap, time::Duration};
    use tracing_subscriber::layer::SubscriberExt;

    /// A journal that is read as the real one reads.
    struct Journal(UnixDatagram);

    impl Journal {
        fn read(&self) -> BTreeMap<String, String> {
            let mut buffer = vec![0; 256 * 1024];
            let length = self.0.recv(&mut buffer).expect("an entry");
            let mut rest = &buffer[..length];
            let mut fields = BTreeMap::new();
            while !rest.is_empty() {
                let end = rest.iter().position(|b| *b == b'\n').expect("a name");
                let name = String::from_utf8(rest[..end].to_vec()).expect("text");
                let (size, behind) = rest[end + 1..].split_at(8);
                let size = u64::from_le_bytes(size.try_into().expect("eight"));
                let (value, behind) = behind.split_at(usize::try_from(size).expect("small"));
                let value = String::from_utf8(value.to_vec()).expect("text");
                assert_eq!(behind[0], b'\n');
                assert_eq!(fields.insert(name, value), None, "each field once");
                rest = &behind[1..];
            }
            fields
        }
    }

    /// What the journal gets of what `log` logs.
    fn logged(log: impl FnOnce()) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let journal = Journal(UnixDatagram::bind(&path).expect("a socket"));
        let limit = Some(Duration::from_secs(10));
        journal.0.set_read_timeout(limit).expect("set");
        let layer = Journald::at(&path).expect("it listens");
        assert!(journal.read().is_empty());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        journal.read()
    }

    #[test]
    fn an_event_has_its_fields_and_its_id() {
        let fields = logged(|| {
            tracing::warn!(
                walinkd_event = "connection.reconnecting",
                walinkd_state = "reconnecting",
                walinkd_reason = Some("network"),
                walinkd_peer = %"192.0.2.1:4711",
                walinkd_key = None::<&str>,
                "the link is\nlost"
            );
        });
        for (name, value) in [
            ("MESSAGE", "the link is\nlost"),
            ("PRIORITY", "4"),
            ("SYSLOG_IDENTIFIER", "walinkd"),
            ("WALINKD_EVENT", "connection.reconnecting"),
            ("WALINKD_STATE", "reconnecting"),
            ("WALINKD_REASON", "network"),
            ("WALINKD_PEER", "192.0.2.1:4711"),
        ] {
            assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
        }
        let id = catalog::message_id("connection.reconnecting");
        assert_eq!(fields.get("MESSAGE_ID").map(String::as_str), id);
        assert!(!fields.contains_key("WALINKD_KEY"), "{fields:?}");
    }

    #[test]
    fn other_lines_have_no_id_and_a_long_one_is_cut() {
        let long = "ä".repeat(LONGEST_VALUE);
        let fields = logged(|| tracing::info!("{long}"));
        assert_eq!(fields["MESSAGE"].len(), LONGEST_VALUE);
        assert_eq!(fields["PRIORITY"], "6");
        assert!(!fields.contains_key("MESSAGE_ID"));
    }

    #[test]
    fn without_a_journal_it_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Journald::at(&folder.path().join("socket")).is_err());
    }
}
