//! A proxy covers everything that goes out, the version fetch too; and linking
//! does not wait long for that fetch.

use crate::support::{Home, SOON};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};

/// Takes CONNECT requests and keeps them open without an answer, or refuses.
struct Proxy {
    port: u16,
    seen: Arc<Mutex<Vec<(Instant, String)>>>,
    news: Arc<Notify>,
}

impl Proxy {
    async fn start(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen: Arc<Mutex<Vec<(Instant, String)>>> = Arc::default();
        let news = Arc::new(Notify::new());
        let (kept, bell) = (Arc::clone(&seen), Arc::clone(&news));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (kept, bell) = (Arc::clone(&kept), Arc::clone(&bell));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    kept.lock().unwrap().push((Instant::now(), head));
                    bell.notify_one();
                    if answers {
                        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
                    } else {
                        // Held open: a proxy that hangs.
                        let _ = stream.read_u8().await;
                    }
                });
            }
        });
        Self { port, seen, news }
    }

    async fn requests(&self, count: usize) -> Vec<(Instant, String)> {
        let all = async {
            loop {
                let seen = self.seen.lock().unwrap().clone();
                if seen.len() >= count {
                    return seen;
                }
                self.news.notified().await;
            }
        };
        tokio::time::timeout(SOON, all)
            .await
            .expect("the proxy is asked")
    }
}

fn home(port: u16) -> Arc<Home> {
    let home = Home::new("wss://web.whatsapp.com/ws/chat");
    let text = std::fs::read_to_string(home.config()).unwrap().replace(
        "[whatsapp]\n",
        &format!("[whatsapp]\nproxy = \"http://user:s3cret%21@127.0.0.1:{port}\"\n"),
    );
    std::fs::write(home.config(), text).unwrap();
    home.keep_secret("s3cret");
    home
}

#[tokio::test]
async fn both_the_socket_and_the_version_go_through_it() {
    let proxy = Proxy::start(true).await;
    let daemon = home(proxy.port).start();
    let requests = proxy.requests(2).await;
    for (_, head) in &requests {
        assert!(head.starts_with("CONNECT web.whatsapp.com:443 "), "{head}");
        // user:s3cret!
        assert!(head.contains("dXNlcjpzM2NyZXQh"), "{head}");
    }
    let status = daemon
        .until("a reason", |status| status["reason"]["code"] == "proxy")
        .await;
    assert!(
        status["reason"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("proxy"))
    );
    daemon.until_logged("going on with 2.3000.").await;
}

#[tokio::test]
async fn a_version_fetch_that_hangs_holds_linking_up_for_seconds_only() {
    let proxy = Proxy::start(false).await;
    let _daemon = home(proxy.port).start();
    let requests = proxy.requests(2).await;
    let waited = requests[1].0 - requests[0].0;
    assert!(
        waited >= Duration::from_secs(2),
        "the fetch gets its chance: {waited:?}"
    );
    assert!(waited < Duration::from_secs(8), "{waited:?}");
}
