//! The first hour at a terminal, verb by verb, as a person sees it; compared with
//! the screens in `tests/daemon/transcript/`.
//!
//! To renew them, and then look at the difference:
//! `UPDATE=1 cargo test --workspace --features walinkd/sandbox --test daemon transcript`

use crate::{
    NUMBER, OTHER,
    support::{Home, Window, scanner},
    world,
};
use std::{env, fs, path::PathBuf};
use walinkd_sandbox::Sandbox;

const CTRL_C: &str = "\x03";
// Wide enough that no line is broken, wherever the folder is.
const SIZE: (u16, u16) = (220, 60);
const ENV: &[(&str, &str)] = &[("LANG", "C.UTF-8"), ("NO_COLOR", "1")];

/// What differs from run to run is left out.
struct Transcript {
    hidden: Vec<(String, &'static str)>,
    stale: Vec<String>,
}

impl Transcript {
    fn of(sandbox: &Sandbox, home: &Home) -> Self {
        let mut transcript = Self {
            hidden: Vec::new(),
            stale: Vec::new(),
        };
        transcript.hide(env!("CARGO_PKG_VERSION"), "VERSION");
        let folder = home.config().parent().unwrap().display().to_string();
        transcript.hide(&folder, "FOLDER");
        transcript.hide(&home.port.to_string(), "PORT");
        transcript.hide(&sandbox.address().to_string(), "WHATSAPP");
        transcript
    }

    fn hide(&mut self, what: &str, by: &'static str) {
        self.hidden.push((what.to_owned(), by));
    }

    fn compare(&mut self, name: &'static str, screen: &vt100::Screen) {
        let mut text = String::new();
        let mut drawn = false;
        for line in screen.contents().lines() {
            let is_code = line.contains(['█', '▀', '▄']);
            if is_code && !drawn {
                text.push_str("[the QR code]\n");
            }
            drawn = is_code;
            if !is_code {
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        for (what, by) in &self.hidden {
            text = text.replace(what.as_str(), by);
        }
        let text = without_moments(text.trim_end());
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/daemon/transcript")
            .join(format!("{name}.txt"));
        let text = format!("{text}\n");
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            self.stale.push(format!("--- {name}, as it is now\n{text}"));
        }
    }

    fn assert_true(&self) {
        assert!(
            self.stale.is_empty(),
            "see at the top of this file how to renew these:\n{}",
            self.stale.join("\n")
        );
    }
}

/// Dates, times, ages and other numbers of the moment, each as a word.
fn without_moments(text: &str) -> String {
    let mut out = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.split(' ').map(moment).collect();
        out.push(words.join(" "));
    }
    out.join("\n")
}

fn moment(word: &str) -> String {
    let bare = word.trim_matches(|c: char| "(),;:.".contains(c));
    let shape: String = bare
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let by = match shape.as_str() {
        "0000-00-00" => "DATE",
        "00:00:00" => "TIME",
        "0000-00-00T00:00:00.000Z" => "MOMENT",
        "0" | "00" | "000" => "N",
        _ => return word.to_owned(),
    };
    word.replace(bare, by)
}

#[tokio::test]
async fn the_daemon_itself_on_a_terminal() {
    let (sandbox, phone, home) = world().await;
    let mut transcript = Transcript::of(&sandbox, &home);
    // What it logs unless told otherwise, with the key that its first start makes.
    let quiet = fs::read_to_string(home.config()).unwrap();
    let (quiet, _) = quiet.split_once("[log]").expect("the test's own level");
    fs::write(home.config(), quiet).unwrap();
    let config = home.config();
    let start = ["--config", config.to_str().expect("UTF-8")];

    // A window that is too narrow tears the code.
    let mut narrow = Window::begin(&start, (40, 60), ENV);
    let screen = narrow.until_text("FILE.").await;
    assert!(!screen.contents().contains('█'));
    transcript.compare("start-narrow", &screen);
    narrow.press(CTRL_C);
    assert_eq!(narrow.end().await.0, 0);

    let mut window = Window::begin(&start, (SIZE.0, 24), ENV);
    window.until_text("too low to show all of the code").await;
    window.press(CTRL_C);
    assert_eq!(window.end().await.0, 0);

    fs::remove_dir_all(home.state()).unwrap();
    let mut window = Window::begin(&start, SIZE, ENV);
    window.until_text("Scan it:").await;
    let code = scanner::terminal(&window.screen(), 230, 0).expect("a code");
    phone.scan(&code).await.expect("accepted");
    window.until_text("connected as").await;
    window.press(CTRL_C);
    let (exit, screen) = window.end().await;
    assert_eq!(exit, 0);
    transcript.compare("start", &screen);
    transcript.assert_true();
}

#[tokio::test]
async fn the_first_hour_at_a_terminal() {
    let (sandbox, phone, home) = world().await;
    let mut transcript = Transcript::of(&sandbox, &home);
    let open = |verb: &[&str]| Window::open(&home, verb, SIZE, ENV);

    let (_, screen) = open(&["status"]).end().await;
    transcript.compare("0-before-the-start", &screen);

    let daemon = home.start();
    let code = daemon.qr().await;
    let window = open(&["qr"]);
    let on_dark = |screen: &vt100::Screen| scanner::terminal(screen, 230, 0);
    let screen = window
        .until("the code", |screen| {
            on_dark(screen).as_deref() == Some(&*code)
        })
        .await;
    transcript.compare("1-qr", &screen);
    phone.scan(&code).await.expect("accepted");
    let (exit, screen) = window.end().await;
    assert_eq!(exit, 0);
    transcript.compare("2-linked", &screen);
    daemon.until_connected().await;

    transcript.hide(&daemon.pid().to_string(), "PID");
    let config = home.config();
    let config = config.to_str().expect("UTF-8");
    let verbs: &[(&'static str, &[&str], i32)] = &[
        ("3-status", &["status"], 0),
        ("4-reload", &["reload"], 0),
        ("5-wrong-number", &["pair", "081234567890"], 1),
        ("6-another-number", &["pair", OTHER], 1),
        ("7-doctor", &["--config", config, "doctor"], 0),
        ("8-typing-error", &["statsu"], 2),
        ("9-disconnect", &["disconnect"], 0),
    ];
    for (name, verb, wanted) in verbs {
        let (exit, screen) = open(verb).end().await;
        transcript.compare(name, &screen);
        assert_eq!(exit, *wanted, "{name}: {}", screen.contents());
    }

    daemon.qr().await;
    let window = open(&["pair", NUMBER]);
    let code = daemon.code().await;
    let screen = window.until_text(&code).await;
    transcript.hide(&code, "CODE-CODE");
    transcript.compare("10-pair", &screen);
    phone.enter_code(&code).await.expect("accepted");
    let (exit, screen) = window.end().await;
    assert_eq!(exit, 0);
    transcript.compare("11-linked-by-code", &screen);
    transcript.assert_true();
}
