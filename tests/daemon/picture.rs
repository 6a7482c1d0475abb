//! Codes in every form that people need, read as they would be.

use crate::{
    NUMBER,
    support::{Answer, Daemon, KEY, scanner},
    world,
};
use hyper::{Method, StatusCode};
use std::num::NonZeroU16;

/// With the test's key and this `Accept`.
async fn accepting(daemon: &Daemon, path: &str, accept: &str) -> Answer {
    let headers = [("x-api-key", KEY), ("accept", accept)];
    let method = Method::GET;
    daemon.call_tcp(method, path, None, &headers).await
}

async fn served(daemon: &Daemon, query: &str, media: &str) -> Answer {
    let answer = daemon.get(&format!("/connection/qr?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
    assert_eq!(answer.headers["content-type"], media, "{query}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer
}

fn on_a_terminal(text: &str) -> vt100::Parser {
    let size = |n| NonZeroU16::new(n).expect("some");
    let mut terminal = vt100::Parser::new(size(100), size(150), 0);
    terminal.process(text.replace('\n', "\r\n").as_bytes());
    terminal
}

#[tokio::test]
async fn every_form_of_the_code_can_be_scanned() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    // It changes after a minute, and after 20 s from then on.
    let code = daemon.qr().await;
    for (size, margin) in [(200, 1), (300, 4), (777, 10)] {
        let query = format!("size={size}&margin={margin}");
        let png = served(&daemon, &format!("format=png&{query}"), "image/png").await;
        assert_eq!(scanner::png(&png.bytes), (size, Some(code.clone())));

        let svg = served(&daemon, &format!("format=svg&{query}"), "image/svg+xml").await;
        let (width, seen) = scanner::svg(&svg.text, 400);
        assert_eq!((width as usize, seen), (size, Some(code.clone())));
    }
    let png = served(&daemon, "format=png", "image/png").await;
    assert_eq!(scanner::png(&png.bytes).1, Some(code.clone()));
    let svg = served(&daemon, "format=svg", "image/svg+xml").await;
    assert_eq!(scanner::svg(&svg.text, 400).1, Some(code.clone()));

    for margin in ["", "&margin=1", "&margin=4"] {
        let query = format!("format=text{margin}");
        let text = served(&daemon, &query, "text/plain; charset=utf-8").await;
        assert!(text.text.ends_with('\n'));
        let terminal = on_a_terminal(&text.text);
        for (letters, ground) in [(230, 0), (20, 255)] {
            let seen = scanner::terminal(terminal.screen(), letters, ground);
            assert_eq!(seen, Some(code.clone()), "{query} on {ground}");
        }
    }

    let json = served(
        &daemon,
        "format=dataurl&size=400",
        "application/json; charset=utf-8",
    )
    .await;
    let data = &json.json()["data"];
    assert_eq!(data["qrCode"], *code);
    let url = data["dataUrl"].as_str().expect("a text");
    let png = url.strip_prefix("data:image/png;base64,").expect("a PNG");
    assert_eq!(
        scanner::png(&base64(png)),
        (400, Some(code.clone())),
        "{url}"
    );
    let plain = daemon.get("/connection/qr?format=json").await.json();
    assert!(plain["data"]["dataUrl"].is_null());

    // And a phone takes what was seen in a picture.
    let (_, seen) = scanner::png(&png_now(&daemon).await);
    phone.scan(&seen.expect("a code")).await.expect("accepted");
    daemon.until_connected().await;
}

async fn png_now(daemon: &Daemon) -> Vec<u8> {
    let answer = accepting(daemon, "/connection/qr", "image/png").await;
    assert_eq!(answer.headers["content-type"], "image/png");
    answer.bytes.to_vec()
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(text).expect("base64")
}

#[tokio::test]
async fn the_header_decides_where_the_address_does_not() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    const JSON: &str = "application/json; charset=utf-8";
    for (query, accept, media) in [
        ("", "image/png", "image/png"),
        ("", "image/svg+xml, image/*;q=0.5", "image/svg+xml"),
        ("", "image/svg+xml;q=0.1, image/*;q=0.5", "image/png"),
        ("", "text/plain", "text/plain; charset=utf-8"),
        ("", "application/json, text/plain, */*", JSON),
        ("", "text/html", JSON),
        ("?format=json", "image/png", JSON),
        ("?format=svg", "image/png", "image/svg+xml"),
    ] {
        let answer = accepting(&daemon, &format!("/connection/qr{query}"), accept).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["content-type"], media, "{query} {accept}");
        let mut vary = answer.headers.get_all("vary").iter();
        assert!(vary.any(|name| name == "accept"), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn refusals_are_json_whatever_is_asked_for() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    for (query, says) in [
        (
            "format=gif",
            "format is one of json, png, svg, text, dataurl",
        ),
        (
            "format=png&size=63",
            "size is a whole number from 64 to 4096",
        ),
        ("format=png&size=4097", "size is a whole number"),
        ("format=png&size=1e3", "size is a whole number"),
        (
            "format=svg&margin=33",
            "margin is a whole number from 0 to 32",
        ),
        ("format=text&margin=-1", "margin is a whole number"),
        (
            "format=png&size=64",
            "this code needs a picture of at least",
        ),
        ("format=dataurl&size=100&margin=32", "2 for each of its"),
    ] {
        let path = format!("/connection/qr?{query}");
        let answer = accepting(&daemon, &path, "image/png").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let problem = answer.json();
        assert_eq!(problem["code"], "bad_request");
        let error = problem["error"].as_str().expect("a text").to_lowercase();
        assert!(error.contains(says), "{query}: {error}");
    }
    super::link(&daemon, &phone).await;
    for path in ["/connection/qr?format=png", "/connection/qr?wait=0"] {
        let answer = accepting(&daemon, path, "image/png").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.json()["code"], "no_qr_code");
        assert_eq!(
            answer.headers["content-type"],
            "application/json; charset=utf-8"
        );
    }
}

#[tokio::test]
async fn the_pairing_code_comes_alone() {
    let (_sandbox, _phone, home) = world().await;
    home.configure(&format!(
        "[pairing]\nmode = \"code\"\nphone_number = \"{NUMBER}\"\n"
    ));
    let daemon = home.start();
    let code = daemon.code().await;
    let answer = daemon.get("/connection/pairing?format=text").await;
    assert_eq!(answer.text, format!("{code}\n"));
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    let answer = accepting(&daemon, "/connection/pairing", "text/plain").await;
    assert_eq!(answer.text, format!("{code}\n"));
    let answer = accepting(&daemon, "/connection/pairing", "*/*").await;
    assert_eq!(answer.json()["data"]["pairingCode"], *code);
    let answer = daemon.get("/connection/pairing?format=png").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_command_line_writes_pictures() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    let code = daemon.qr().await;
    let folder = tempfile::tempdir().expect("a directory");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();

    let (png, svg) = (file("code.png"), file("code.svg"));
    let output = daemon.cli(&["qr", "--no-wait", "--png", &png]).await;
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with(&format!("Written to {png}. ")), "{said}");
    let seen = scanner::png(&std::fs::read(&png).unwrap()).1;
    assert_eq!(seen, Some(code.clone()));
    let output = daemon.cli(&["qr", "--no-wait", "--svg", &svg]).await;
    assert!(output.status.success(), "{output:?}");
    let seen = scanner::svg(&std::fs::read_to_string(&svg).unwrap(), 400).1;
    assert_eq!(seen, Some(code));
    let output = daemon.cli(&["qr", "--svg", &svg, "--raw"]).await;
    assert_eq!(output.status.code(), Some(2));
    let nowhere = file("none/code.png");
    let output = daemon.cli(&["qr", "--no-wait", "--png", &nowhere]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("name a file that you may write"), "{said}");
}
