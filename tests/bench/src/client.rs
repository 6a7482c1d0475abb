//! The floor for the link: a bare client of the library, from nothing to its first
//! QR code. In a process of its own.

use anyhow::{Context, Result};
use std::path::PathBuf;
use tokio::sync::mpsc::channel;
use whatsapp_rust::{
    bot::Bot, store::SqliteStore, transport::TokioWebSocketTransportFactory, types::events::Event,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Client {
    #[arg(long)]
    url: String,
    /// Where its database lies.
    #[arg(long)]
    folder: PathBuf,
}

impl Client {
    /// Until there is a QR code.
    pub(crate) async fn run(self) -> Result<()> {
        let store = self.folder.join("session.db");
        let store = SqliteStore::new(store.to_str().context("UTF-8")?).await?;
        let (sender, mut codes) = channel(1);
        let bot = Bot::builder()
            .with_backend(store)
            .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(self.url))
            // One that need not be fetched.
            .with_version((2, 3000, 1_027_000_000))
            .skip_history_sync()
            .on_event(move |event, _| {
                let sender = sender.clone();
                async move {
                    if matches!(*event, Event::PairingQrCode(_)) {
                        // Only the first one is waited for.
                        let _ = sender.try_send(());
                    }
                }
            })
            .build()
            .await?
            .spawn();
        codes.recv().await.context("it ended before a QR code")?;
        drop(bot);
        Ok(())
    }
}
