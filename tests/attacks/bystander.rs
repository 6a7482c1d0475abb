//! A client with a good key that only wants to know the status.

use crate::{
    memory,
    support::{Daemon, KEY, SOON},
    wire::connect_from,
};
use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::UnixStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

/// Between two requests: under the rate that a key has.
const PAUSE: Duration = Duration::from_millis(30);

/// Asks again and again, until stopped: on a connection that it keeps, on a fresh
/// one, and on the control socket.
pub(crate) struct Bystander {
    stop: CancellationToken,
    task: JoinHandle<Seen>,
}

/// What it saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) asked: usize,
    pub(crate) p99: Duration,
    /// What was no status of a connected daemon.
    pub(crate) refused: Vec<String>,
    /// Of the daemon, in KiB.
    pub(crate) most_memory: u64,
}

impl Bystander {
    /// `beside`: from the attackers' own address.
    pub(crate) fn start(daemon: &Daemon, secure: Option<TlsConnector>, beside: bool) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let host = if beside { 1 } else { 2 };
        let (address, pid) = (daemon.address(), daemon.pid());
        let socket = daemon.home.socket();
        // In a thread of its own, so that it does not wait for the attackers' turns.
        let watch = async move {
            let mut seen = Seen::default();
            let mut took = Vec::new();
            let mut kept = None;
            while !stopped.is_cancelled() {
                let began = Instant::now();
                let answer = match seen.asked % 3 {
                    0 => ask_again(&mut kept, host, address, secure.as_ref()).await,
                    1 => match reach(host, address, secure.as_ref()).await {
                        Ok(mut stream) => ask(&mut stream).await,
                        Err(error) => Err(error.to_string()),
                    },
                    _ => match UnixStream::connect(&socket).await {
                        Ok(mut stream) => ask(&mut stream).await,
                        Err(error) => Err(error.to_string()),
                    },
                };
                took.push(began.elapsed());
                seen.asked += 1;
                seen.refused.extend(answer.err());
                seen.most_memory = seen.most_memory.max(memory(pid));
                tokio::time::sleep(PAUSE).await;
            }
            took.sort_unstable();
            seen.p99 = took[took.len() * 99 / 100];
            seen
        };
        let task = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(watch)
        });
        Self { stop, task }
    }

    pub(crate) async fn stop(self) -> Seen {
        self.stop.cancel();
        self.task.await.expect("no panic")
    }
}

/// On the connection that is kept. One that the daemon closed between two
/// requests is opened anew, as every client does.
async fn ask_again(
    kept: &mut Option<Box<dyn Wire>>,
    host: u8,
    address: SocketAddr,
    secure: Option<&TlsConnector>,
) -> Result<(), String> {
    if let Some(stream) = kept
        && ask(stream).await.is_ok()
    {
        return Ok(());
    }
    let stream = reach(host, address, secure).await;
    let stream = kept.insert(stream.map_err(|error| error.to_string())?);
    ask(stream).await
}

/// A connection, whatever is below HTTP.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}

async fn reach(
    host: u8,
    address: SocketAddr,
    secure: Option<&TlsConnector>,
) -> io::Result<Box<dyn Wire>> {
    let stream = connect_from(host, address).await?;
    let Some(secure) = secure else {
        return Ok(Box::new(stream));
    };
    let name = "localhost".try_into().expect("a name");
    Ok(Box::new(secure.connect(name, stream).await?))
}

async fn ask(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) -> Result<(), String> {
    let request = format!("GET /connection/status HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\n\r\n");
    let exchange = async {
        let sent = stream.write_all(request.as_bytes()).await;
        sent.map_err(|error| error.to_string())?;
        let mut said = String::new();
        let mut chunk = [0; 4096];
        while !said.ends_with("}}") {
            let count = stream.read(&mut chunk).await;
            match count.map_err(|error| error.to_string())? {
                0 => return Err(format!("closed after {said:?}")),
                count => said += &String::from_utf8_lossy(&chunk[..count]),
            }
            if !said.starts_with("HTTP/1.1 200") {
                return Err(said);
            }
        }
        if said.contains(r#""isConnected":true"#) {
            Ok(())
        } else {
            Err(said)
        }
    };
    timeout(SOON, exchange)
        .await
        .map_err(|_| "no answer".to_owned())?
}
