//! What only HTTP/2 lets a client do.

use crate::{
    all, keys, secure,
    support::Daemon,
    tally,
    wire::{PATIENCE, connect},
};
use axum::http::Request;
use h2::client::{self, SendRequest};
use std::{net::SocketAddr, time::Duration};
use tokio::{task::JoinHandle, time::timeout};
use tokio_rustls::TlsConnector;

/// The daemon gives up on an answer that nobody takes after 30 s.
const UNTAKEN: Duration = Duration::from_secs(45);

/// A connection, and what ends with it.
async fn open(
    address: SocketAddr,
    secure: &TlsConnector,
    window: u32,
) -> (SendRequest<bytes::Bytes>, JoinHandle<()>) {
    let stream = connect(address).await.expect("let in");
    let name = "localhost".try_into().expect("a name");
    let stream = secure.connect(name, stream).await.expect("TLS");
    let (sender, connection) = client::Builder::new()
        .initial_window_size(window)
        .handshake(stream)
        .await
        .expect("HTTP/2");
    let ended = tokio::spawn(async move { drop(connection.await) });
    (sender, ended)
}

fn request(path: &str, key: bool) -> Request<()> {
    let mut request = Request::get(format!("https://localhost{path}"));
    if key {
        request = request.header("x-api-key", keys::ATTACKERS);
    }
    request.body(()).expect("a request")
}

/// Whether a connection ends in time.
async fn end(ended: JoinHandle<()>, within: Duration) -> String {
    let ended = timeout(within, ended).await.is_ok();
    if ended { "closed" } else { "still open" }.to_owned()
}

fn all_closed(outcomes: Vec<String>) -> String {
    let open = outcomes
        .iter()
        .filter(|outcome| *outcome != "closed")
        .count();
    assert_eq!(open, 0, "{}", tally(outcomes));
    tally(outcomes)
}

/// Asks for much, and gives no leave to send any of it.
pub(crate) async fn nothing_taken(daemon: &Daemon) -> String {
    let (address, secure) = (daemon.address(), secure::http2(daemon));
    let outcomes = all(30, move |_| {
        let secure = secure.clone();
        Box::pin(async move {
            let (mut sender, ended) = open(address, &secure, 0).await;
            let mut answers = Vec::new();
            for _ in 0..60 {
                let ready = timeout(Duration::from_secs(1), sender.clone().ready()).await;
                let Ok(Ok(_)) = ready else { break };
                let request = request("/connection/log?limit=1000", true);
                match sender.send_request(request, true) {
                    Ok((answer, _)) => answers.push(answer),
                    Err(_) => break,
                }
            }
            // Its streams stand until the daemon ends the connection.
            end(ended, UNTAKEN).await
        })
    });
    all_closed(outcomes.await)
}

/// Requests that are taken back at once.
pub(crate) async fn rapid_reset(daemon: &Daemon) -> String {
    let (address, secure) = (daemon.address(), secure::http2(daemon));
    let outcomes = all(20, move |number| {
        let secure = secure.clone();
        Box::pin(async move {
            let (mut sender, ended) = open(address, &secure, 65_535).await;
            for _ in 0..5_000 {
                let request = request("/connection/status", number % 2 == 0);
                match sender.send_request(request, false) {
                    Ok((_, mut stream)) => stream.send_reset(h2::Reason::CANCEL),
                    Err(_) => break,
                }
                tokio::task::yield_now().await;
            }
            drop(sender);
            end(ended, PATIENCE).await
        })
    });
    all_closed(outcomes.await)
}

/// As many requests at once as a connection takes, without a key.
pub(crate) async fn streams(daemon: &Daemon) -> String {
    let (address, secure) = (daemon.address(), secure::http2(daemon));
    let outcomes = all(10, move |_| {
        let secure = secure.clone();
        Box::pin(async move {
            let (mut sender, _ended) = open(address, &secure, 65_535).await;
            let mut refused = 0;
            for _ in 0..20 {
                let mut answers = Vec::new();
                for _ in 0..32 {
                    let ready = sender.clone().ready().await;
                    sender = ready.expect("the connection stands");
                    let request = request("/connection/status", false);
                    let (answer, _) = sender.send_request(request, true).expect("taken");
                    answers.push(answer);
                }
                for answer in answers {
                    let answer = timeout(PATIENCE, answer).await.expect("in time");
                    refused += usize::from(answer.expect("an answer").status() == 403);
                }
            }
            format!("403 × {refused}")
        })
    });
    let outcomes = outcomes.await;
    assert!(
        outcomes.iter().all(|outcome| outcome == "403 × 640"),
        "{}",
        tally(outcomes)
    );
    tally(outcomes)
}
