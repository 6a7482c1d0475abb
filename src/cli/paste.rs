//! Standard input: what a person pastes or answers, or a program pipes in.

use super::failure::Failure;
use nix::sys::termios::{FlushArg, tcflush};
use serde_json::{Map, Value};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal as _, Read as _},
    path::Path,
    thread,
    time::Instant,
};
use tokio::sync::mpsc;

/// What the daemon takes unless told otherwise; a passkey's answer has a tenth.
const LARGEST: usize = 16 << 10;

/// Standard input, read only once something is wanted of it: a command in the
/// background would be stopped for reading its terminal.
pub(super) struct Input {
    terminal: bool,
    lines: Option<mpsc::Receiver<Line>>,
    /// Older lines were typed before the question was seen.
    since: Option<Instant>,
}

struct Line {
    text: String,
    at: Instant,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            terminal: io::stdin().is_terminal(),
            lines: None,
            since: None,
        }
    }

    /// True when a person is there, who can be asked.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Goes on with the person at the terminal, when standard input was a file
    /// or a program; false when there is nobody.
    pub(super) fn ask_person(&mut self) -> bool {
        let Some(terminal) = io::stderr()
            .is_terminal()
            .then(|| File::open("/dev/tty").ok())
            .flatten()
        else {
            return false;
        };
        let Ok(lines) = begin(|| BufReader::new(terminal)) else {
            return false;
        };
        self.lines = Some(lines);
        self.terminal = true;
        true
    }

    /// On a terminal, forgets what was typed so far: the empty line after a
    /// paste is no answer to the next question.
    pub(super) fn forget(&mut self) {
        if self.terminal {
            // What cannot be flushed is still known by its age.
            let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
            self.since = Some(Instant::now());
        }
    }

    /// The next line; none at the end.
    ///
    /// Safe to be dropped: a line that comes meanwhile is given to the next
    /// caller.
    pub(super) async fn line(&mut self) -> Result<Option<String>, Failure> {
        if self.lines.is_none() {
            self.lines = Some(begin(|| io::stdin().lock())?);
        }
        let Some(lines) = &mut self.lines else {
            return Ok(None);
        };
        while let Some(line) = lines.recv().await {
            if self.since.is_none_or(|since| line.at >= since) {
                return Ok(Some(line.text));
            }
        }
        Ok(None)
    }

    /// The next JSON object, over however many lines; or why what was pasted
    /// is none.
    pub(super) async fn json(&mut self) -> Result<Result<String, String>, Failure> {
        let mut paste = Paste::default();
        loop {
            let line = self.line().await?;
            match paste.take(line.as_deref()) {
                Some(Err(_)) if self.terminal && line.is_none() => {
                    return Err(nothing());
                }
                Some(taken) => return Ok(taken),
                // The rest of it would be taken for the next one.
                None if paste.too_large && !self.terminal => return Ok(Err(too_large())),
                None => {}
            }
        }
    }
}

/// The JSON object in a file.
pub(super) fn file(path: &Path) -> Result<String, Failure> {
    let fail = |why: String| {
        let hint = "give the file that holds what the script printed";
        Failure::new(format!("passkey: {}", path.display()), why, hint)
    };
    let mut text = String::new();
    let limit = u64::try_from(LARGEST + 1).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(limit).read_to_string(&mut text))
        .map_err(|error| fail(error.to_string()))?;
    if text.len() > LARGEST {
        return Err(fail(too_large()));
    }
    object(&text).map_err(fail)
}

/// Nobody will paste anything any more.
fn nothing() -> Failure {
    Failure::new(
        "passkey",
        "no answer was pasted",
        "run walinkd passkey again; WhatsApp goes on asking for some minutes",
    )
}

/// A thread that nobody waits for: a read of a terminal cannot be given up,
/// only the process can end.
fn begin<R: BufRead>(
    open: impl FnOnce() -> R + Send + 'static,
) -> Result<mpsc::Receiver<Line>, Failure> {
    let (sender, lines) = mpsc::channel(1);
    thread::Builder::new()
        .spawn(move || read(open(), &sender))
        .map_err(|error| Failure::new("cannot start", error, "free some memory"))?;
    Ok(lines)
}

/// A line that is too long comes in pieces. An unreadable input has ended.
fn read(mut input: impl BufRead, sender: &mpsc::Sender<Line>) {
    let limit = u64::try_from(LARGEST + 1).unwrap_or(u64::MAX);
    loop {
        let mut bytes = Vec::new();
        match input.by_ref().take(limit).read_until(b'\n', &mut bytes) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        let line = Line {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            at: Instant::now(),
        };
        if sender.blocking_send(line).is_err() {
            return;
        }
    }
}

/// A paste as far as it has come.
#[derive(Default)]
struct Paste {
    text: String,
    too_large: bool,
}

impl Paste {
    /// Takes a line, or the end of it all. Something is given once the object
    /// is whole, or cannot become so: only an empty line tells that the rest
    /// of a wrong paste is not still to come.
    fn take(&mut self, line: Option<&str>) -> Option<Result<String, String>> {
        let text = line.unwrap_or_default();
        if self.text.len() + text.len() > LARGEST {
            self.too_large = true;
        } else {
            self.text.push_str(text);
        }
        let over = text.trim().is_empty();
        let begun = self.too_large || !self.text.trim().is_empty();
        match object(&self.text) {
            _ if !begun && line.is_some() => None,
            _ if self.too_large => over.then(|| Err(too_large())),
            Ok(object) => Some(Ok(object)),
            Err(why) => (over || !may_become_one(&self.text)).then_some(Err(why)),
        }
    }
}

/// Without what editors and consoles put around a text.
fn unwrapped(text: &str) -> &str {
    let text = text.trim().trim_start_matches('\u{feff}').trim();
    ['\'', '"', '`']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .filter(|inside| inside.starts_with('{'))
        .unwrap_or(text)
}

/// Whether this can still become an answer.
fn may_become_one(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches('\u{feff}');
    let text = text.trim_start_matches(['\'', '"', '`']).trim_start();
    text.is_empty() || text.starts_with('{')
}

fn too_large() -> String {
    format!("it is larger than {} KiB", LARGEST >> 10)
}

/// Nothing in an answer holds a line break or needs one: those inside of texts
/// were put there by a terminal or a letter.
fn object(text: &str) -> Result<String, String> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let text = unwrapped(&text);
    if text.is_empty() {
        return Err("there is no answer in it".to_owned());
    }
    if text.contains("navigator.credentials") {
        return Err(
            "it is the script: run that in the browser's console, and give what it prints there"
                .to_owned(),
        );
    }
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "it is not the JSON that the script prints ({error})"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of the lines, and how many it took.
    fn paste(lines: &[&str]) -> (usize, Result<String, String>) {
        let mut paste = Paste::default();
        for (index, line) in lines.iter().enumerate() {
            if let Some(taken) = paste.take(Some(line)) {
                return (index + 1, taken);
            }
        }
        let taken = paste.take(None).expect("an end");
        (lines.len() + 1, taken)
    }

    #[test]
    fn an_object_is_whole_over_however_many_lines() {
        for (lines, taken, whole) in [
            (&["{\"a\":1}\n", "y\n"][..], 1, r#"{"a":1}"#),
            (
                &["\n", " \n", "{\n", " \"a\": 1\n", "}\n"],
                5,
                "{ \"a\": 1}",
            ),
            // The last line has no end when the paste has none.
            (&["{\r\n", "}"], 2, "{}"),
            // Wrapped by a terminal, and as a console shows a text.
            (&["{\"a\":\"b\n", "c\"}\n"], 2, r#"{"a":"bc"}"#),
            (&["'{\"a\":1}'\n"], 1, r#"{"a":1}"#),
            (&["\u{feff}{}\n"], 1, "{}"),
        ] {
            assert_eq!(paste(lines), (taken, Ok(whole.to_owned())), "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_object_is_told() {
        let large = format!("{}\n", "x".repeat(LARGEST));
        for (lines, taken, why) in [
            (&["Promise {\n", "}\n"][..], 1, "not the JSON"),
            (&["{\n", "\n"], 2, "not the JSON"),
            (&["12\n", "\n"], 1, "not the JSON"),
            (
                &["await navigator.credentials.get()\n"],
                1,
                "it is the script",
            ),
            (&["{\"a\":\n"], 2, "not the JSON"),
            (&[], 1, "no answer"),
            (&["\n"], 2, "no answer"),
            (&[&large, "{}\n", "\n"], 3, "larger than 16 KiB"),
        ] {
            let (at, result) = paste(lines);
            let told = result.expect_err("no object");
            assert!(told.contains(why), "{told}");
            assert_eq!(at, taken, "{why}");
        }
    }

    #[test]
    fn a_file_is_checked_like_a_paste() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.json");
        assert!(file(&path).is_err());
        for (text, good) in [("{\"a\":1}\n", true), ("", false), ("[]", false)] {
            std::fs::write(&path, text).expect("a file");
            assert_eq!(file(&path).is_ok(), good, "{text}");
        }
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(LARGEST));
        std::fs::write(&path, large).expect("a file");
        assert!(file(&path).is_err());
    }
}
