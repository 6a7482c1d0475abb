//! Many at once.

use crate::companion::{Companion, SOON, sandbox};
use tokio::task::JoinSet;

const MANY: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_clients_at_once() {
    let sandbox = sandbox().await;
    let mut clients = JoinSet::new();
    for at in 0..MANY {
        let phone = sandbox.add_phone(format!("6281200{at:05}"));
        let store = tempfile::tempdir().expect("a directory");
        let mut companion = Companion::start(&sandbox, store.path()).await;
        clients.spawn(async move {
            companion.link(&phone).await;
            companion.connected().await;
            (companion, store)
        });
    }
    let clients = clients.join_all().await;
    let state = sandbox
        .wait_for(|state| state.online() == MANY, SOON)
        .await
        .expect("all are online");
    assert_eq!(state.stats.pairings, MANY as u64);
    assert_eq!(state.stats.bad_frames, 0);
    drop(sandbox);
    for (companion, _store) in clients {
        companion.shutdown().await;
    }
}
