//! Too much of everything.

use crate::{
    all,
    support::Daemon,
    tally,
    wire::{PATIENCE, connect, send, statuses, talk},
};
use nix::sys::signal::Signal;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream, UnixStream},
    time::{sleep, timeout},
};

/// A byte of a header now and then.
pub(crate) async fn slow_headers(daemon: &Daemon) -> String {
    let address = daemon.address();
    let outcomes = all(500, move |_| Box::pin(drip(address))).await;
    let fine = |outcome: &String| ["408", "closed"].contains(&&**outcome);
    assert!(outcomes.iter().all(fine), "{}", tally(outcomes));
    tally(outcomes)
}

async fn drip(address: SocketAddr) -> String {
    let Ok(mut stream) = connect(address).await else {
        return "not let in".to_owned();
    };
    let head = b"GET /connection/status HTTP/1.1\r\nHost: x\r\nx-slow: ";
    if stream.write_all(head).await.is_err() {
        return "closed".to_owned();
    }
    let mut said = [0; 512];
    for _ in 0..PATIENCE.as_secs() * 2 {
        match timeout(Duration::from_millis(500), stream.read(&mut said)).await {
            Ok(Ok(0) | Err(_)) => return "closed".to_owned(),
            Ok(Ok(count)) => return statuses(&String::from_utf8_lossy(&said[..count])),
            Err(_) => drop(stream.write_all(b"x").await),
        }
    }
    "still open".to_owned()
}

/// Half a body and no more, with and without a key.
pub(crate) async fn slow_bodies(daemon: &Daemon) -> String {
    let address = daemon.address();
    let half = |key: &str| {
        format!(
            "POST /connection/pairing HTTP/1.1\r\nHost: x\r\n{key}Content-Type: application/json\r\n\
             Connection: close\r\nContent-Length: 400\r\n\r\n{{\"phoneNumber\":"
        )
    };
    let bodies = [half(""), half(&crate::keys::attackers_key())];
    let outcomes = all(200, move |number| {
        let body = bodies[number % 2].clone();
        Box::pin(async move { statuses(&send(address, body.as_bytes()).await) })
    });
    let outcomes = tally(outcomes.await);
    assert_eq!(outcomes, "403 × 100, 408 × 100");
    outcomes
}

const CROWD: usize = 10_000;

/// Opened and left alone.
pub(crate) async fn idle_connections(daemon: &Daemon) -> String {
    let address = daemon.address();
    let mut crowd = Vec::new();
    let mut refused = 0;
    for number in 0..CROWD {
        match connect(address).await {
            Ok(stream) => crowd.push(stream),
            Err(_) => refused += 1,
        }
        if number % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let opened = crowd.len();
    sleep(Duration::from_secs(2)).await;
    let closed = crowd.iter().filter(|stream| is_closed(stream)).count();
    assert!(
        closed + refused >= CROWD - 1_024,
        "{closed} closed, {refused} refused"
    );
    format!("{opened} opened, {refused} refused, {closed} of them closed by the daemon after 2 s")
}

pub(crate) async fn idle_beside_the_bystander(daemon: &Daemon) -> String {
    idle_connections(daemon).await
}

fn is_closed(stream: &TcpStream) -> bool {
    !matches!(
        stream.try_read(&mut [0]),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock
    )
}

/// Requests in a row on each connection, and not one answer read.
pub(crate) async fn pipelining(daemon: &Daemon) -> String {
    let address = daemon.address();
    let request = "GET /connection/status HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200);
    let outcomes = all(50, move |_| {
        let request = request.clone();
        Box::pin(async move {
            // So that the system does not take all answers in its place.
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.set_recv_buffer_size(4_096).expect("a size");
            let mut stream = socket.connect(address).await.expect("let in");
            let fill = async {
                for _ in 0..5_000 {
                    if stream.write_all(request.as_bytes()).await.is_err() {
                        return "closed";
                    }
                }
                "taken"
            };
            let filled = timeout(Duration::from_secs(3), fill).await;
            filled.unwrap_or("held back").to_owned()
        })
    });
    let outcomes = outcomes.await;
    assert!(
        outcomes.iter().all(|outcome| outcome != "taken"),
        "{}",
        tally(outcomes)
    );
    tally(outcomes)
}

/// By the same user as the bystander's.
pub(crate) async fn control_socket(daemon: &Daemon) -> String {
    let socket = daemon.home.socket();
    let mut crowd = Vec::new();
    let mut refused = 0;
    for _ in 0..5_000 {
        match UnixStream::connect(&socket).await {
            Ok(stream) => crowd.push(stream),
            // The queue is full for a moment.
            Err(_) => {
                refused += 1;
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
    let asked = all(200, {
        let socket = socket.clone();
        move |_| {
            let socket = socket.clone();
            Box::pin(async move {
                match UnixStream::connect(socket).await {
                    Ok(stream) => statuses(
                        &talk(
                            stream,
                            b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                        )
                        .await,
                    ),
                    Err(_) => "full".to_owned(),
                }
            })
        }
    });
    let asked = tally(asked.await);
    assert_eq!(asked, "200 × 200");
    format!("{} opened, {refused} refused; then {asked}", crowd.len())
}

/// More than anybody's log rotation.
pub(crate) async fn hangups(daemon: &Daemon) -> String {
    for _ in 0..2_000 {
        daemon.signal(Signal::SIGHUP);
        sleep(Duration::from_millis(1)).await;
    }
    let reloads = daemon.log().matches("configuration reloaded").count();
    assert!(reloads > 0, "none was heard");
    format!("2000 sent, {reloads} reloads")
}
