//! `walinkd qr` and `walinkd pair` as a person at a terminal sees them.

use crate::{
    NUMBER,
    support::{Daemon, Window, scanner},
    world,
};
use nix::sys::signal::Signal;

const UTF8: &[(&str, &str)] = &[("LANG", "C.UTF-8")];
const LARGE: (u16, u16) = (120, 60);
const CTRL_C: &str = "\x03";

/// The code on the screen, as read on a dark and on a light one.
fn seen(screen: &vt100::Screen) -> Option<String> {
    let dark = scanner::terminal(screen, 230, 0)?;
    (scanner::terminal(screen, 20, 255)? == dark).then_some(dark)
}

async fn until_seen(window: &Window, code: &str) {
    let is_seen = |screen: &vt100::Screen| seen(screen).as_deref() == Some(code);
    window.until("the code", is_seen).await;
}

/// As it was before the verb came.
fn assert_clean(screen: &vt100::Screen) {
    assert!(!screen.hide_cursor());
    assert!(!screen.alternate_screen());
    assert_eq!(screen.fgcolor(), vt100::Color::Default);
    assert_eq!(screen.bgcolor(), vt100::Color::Default);
    assert!(!screen.bold());
    assert!(!screen.contents().contains(['█', '▀', '▄']));
}

async fn other_code(daemon: &Daemon, than: &str) -> String {
    loop {
        let code = daemon.qr().await;
        if code != than {
            return code;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_code_is_scanned_off_the_screen_and_the_end_is_told() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    let code = daemon.qr().await;
    let window = Window::open(&home, &["qr"], LARGE, UTF8);
    until_seen(&window, &code).await;
    let screen = window.until_text("Good for ").await;
    assert!(screen.hide_cursor());
    // It counts down, second by second.
    let left = |screen: &vt100::Screen| {
        let text = screen.contents();
        let (_, rest) = text.split_once("Good for ")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    let first = left(&screen).expect("seconds");
    let later = |screen: &vt100::Screen| left(screen).is_some_and(|left| left + 2 <= first);
    window.until("two seconds less", later).await;
    until_seen(&window, &code).await;

    phone
        .scan(&seen(&window.screen()).expect("a code"))
        .await
        .expect("accepted");
    daemon.until_connected().await;
    let (exit, screen) = window.end().await;
    assert_eq!(exit, 0);
    assert_clean(&screen);
    assert_eq!(screen.contents().trim(), "Linked as 62812*****89");
}

#[tokio::test]
async fn an_interrupt_leaves_the_terminal_as_it_was() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    let code = daemon.qr().await;
    let mut window = Window::open(&home, &["qr"], LARGE, UTF8);
    until_seen(&window, &code).await;
    window.press(CTRL_C);
    let (exit, screen) = window.end().await;
    assert_eq!(exit, 130);
    assert_clean(&screen);

    let mut window = Window::open(&home, &["pair", NUMBER], LARGE, UTF8);
    let code = window.until_text("Enter it:").await;
    assert!(code.contents().contains("Pairing code for 62812*****89:"));
    window.press(CTRL_C);
    let (exit, screen) = window.end().await;
    assert_eq!(exit, 130);
    assert_clean(&screen);
}

#[tokio::test]
async fn a_restart_of_the_daemon_is_told_and_outlived() {
    let (_sandbox, phone, home) = world().await;
    let mut daemon = home.start();
    let code = daemon.qr().await;
    let window = Window::open(&home, &["qr", "--show-number"], LARGE, UTF8);
    until_seen(&window, &code).await;
    daemon.signal(Signal::SIGTERM);
    daemon.ended().await;
    let screen = window.until_text("waiting for the daemon").await;
    assert_eq!(seen(&screen), None, "a code that nobody waits for");
    drop(daemon);

    let daemon = home.start();
    let fresh = other_code(&daemon, &code).await;
    until_seen(&window, &fresh).await;
    phone.scan(&fresh).await.expect("accepted");
    let (exit, screen) = window.end().await;
    assert_eq!(exit, 0);
    assert_eq!(screen.contents().trim(), format!("Linked as {NUMBER}"));
}

#[tokio::test]
async fn pair_asks_again_after_a_restart() {
    let (sandbox, phone, home) = world().await;
    let mut daemon = home.start();
    daemon.qr().await;
    let window = Window::open(&home, &["pair", NUMBER], (200, 20), UTF8);
    let first = daemon.code().await;
    window.until_text(&first).await;
    daemon.signal(Signal::SIGTERM);
    daemon.ended().await;
    window.until_text("waiting for the daemon").await;
    drop(daemon);

    let daemon = home.start();
    let fresh = daemon.code().await;
    assert_ne!(first, fresh);
    window.until_text(&fresh).await;
    phone.enter_code(&fresh).await.expect("accepted");
    daemon.until_connected().await;
    let (exit, screen) = window.end().await;
    assert_eq!(exit, 0);
    assert_clean(&screen);
    assert_eq!(screen.contents().trim(), "Linked as 62812*****89");
    drop(sandbox);
}

#[tokio::test]
async fn a_small_window_is_told_and_a_larger_one_drawn_in() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    let code = daemon.qr().await;
    let window = Window::open(&home, &["qr"], (80, 24), UTF8);
    let screen = window
        .until_text("The window is 80x24, the code needs")
        .await;
    assert!(screen.contents().contains("--png"));
    let text = screen.contents().replace('\n', " ");
    let (_, rest) = text.split_once("the code needs ").expect("told");
    let (needed, _) = rest.split_once(':').expect("told");
    let (columns, lines) = needed.split_once('x').expect("told");
    let size = (
        columns.parse().expect("columns"),
        lines.parse().expect("lines"),
    );
    window.resize(size);
    until_seen(&window, &code).await;
    window.resize(LARGE);
    until_seen(&window, &code).await;
}

#[tokio::test]
async fn without_utf8_it_is_drawn_in_ascii() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    let code = daemon.qr().await;
    for locale in ["C", "en_US.ISO-8859-1"] {
        let env = [("LANG", "C.UTF-8"), ("LC_ALL", locale)];
        let window = Window::open(&home, &["qr"], (160, 80), &env);
        until_seen(&window, &code).await;
        assert!(window.screen().contents().is_ascii());
    }
    let window = Window::open(&home, &["qr"], (100, 40), &[]);
    let screen = window.until_text("In a UTF-8 locale").await;
    assert!(screen.contents().is_ascii());
}

#[tokio::test]
async fn without_colours_it_is_light_on_dark() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    let code = daemon.qr().await;
    let env = [("LANG", "C.UTF-8"), ("NO_COLOR", "1")];
    let window = Window::open(&home, &["qr"], LARGE, &env);
    let on_dark = |screen: &vt100::Screen| scanner::terminal(screen, 230, 0);
    window
        .until("the code", |screen| on_dark(screen) == Some(code.clone()))
        .await;
}

#[tokio::test]
async fn no_sentence_is_torn_in_a_window_of_the_usual_width() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let config = home.config();
    let config = config.to_str().expect("UTF-8");
    let size = (80, 24);
    for (verb, said) in [
        (&["status"][..], "a QR code waits to be scanned"),
        (&["doctor"], "Scan the QR code"),
        (&["pair", "0812"], "leave out the leading zero"),
    ] {
        let arguments = [&["--config", config][..], verb].concat();
        let (_, screen) = Window::begin(&arguments, size, UTF8).end().await;
        let text = screen.contents();
        assert!(text.contains(said), "{text}");
        let torn = (0..size.1).find(|row| screen.row_wrapped(*row));
        assert_eq!(torn, None, "{text}");
    }
}
