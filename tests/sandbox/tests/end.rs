//! A sandbox leaves nothing behind.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use walinkd_sandbox::{Options, Sandbox};

#[tokio::test]
async fn all_ends_with_the_handle() {
    let sandbox = Sandbox::start(Options {
        control: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        ..Options::default()
    })
    .await
    .expect("it starts");
    let address = sandbox.address();
    let mut client = TcpStream::connect(address).await.expect("it listens");
    sandbox
        .wait_for(
            |state| state.connections.len() == 1,
            Duration::from_secs(10),
        )
        .await
        .expect("the connection is taken");

    drop(sandbox);
    // The end of the connection is the end of the task that had it.
    let ended = tokio::time::timeout(Duration::from_secs(10), client.read(&mut [0; 1])).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
    assert!(TcpStream::connect(address).await.is_err());
}
