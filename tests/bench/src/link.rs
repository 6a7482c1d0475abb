//! How soon it is ready, shows a code, is linked, and is back.

use crate::{
    Pace,
    daemon::{Daemon, Home},
    table::{Report, Samples},
    whatsapp::{Begun, WhatsApp},
};
use anyhow::Result;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// A loss that nobody notices.
const SHORT: Duration = Duration::from_millis(300);
/// Long enough that the next try of its own is some way off.
const LONGER: Duration = Duration::from_secs(4);

/// What a start shows.
#[derive(Default)]
struct Starts {
    ready: Samples,
    dialled: Samples,
    qr: Samples,
}

impl Starts {
    fn add(&mut self, begun: &Begun) {
        self.dialled.add_time(begun.dialled);
        self.qr.add_time(begun.qr);
    }

    fn rows(&self, of: &str) -> Vec<Vec<String>> {
        vec![
            row(&format!("{of}: exec to the TCP connection"), &self.dialled),
            row(&format!("{of}: exec to the first QR code"), &self.qr),
        ]
    }
}

fn row(what: &str, samples: &Samples) -> Vec<String> {
    let mut row = vec![what.to_owned()];
    row.extend(samples.times());
    row
}

const TIMES: [&str; 4] = ["ms", "median", "least", "most"];

/// From exec. Each round is one start of each, in turn.
pub(crate) async fn starts(whatsapp: &WhatsApp, pace: &Pace, report: &mut Report) -> Result<()> {
    let [mut new, mut old, mut bare_new, mut bare_old] = [(); 4].map(|()| Starts::default());
    let (mut linked, mut online) = (Samples::default(), Samples::default());
    let mut scans = Samples::default();
    for _ in 0..pace.starts {
        let home = Home::new(&whatsapp.url())?;
        for starts in [&mut new, &mut old] {
            let (daemon, begun) = whatsapp.begin(&home).await?;
            starts.ready.add_time(daemon.ready);
            starts.add(&begun);
            daemon.stop().await?;
        }
        let folder = tempfile::tempdir()?;
        bare_new.add(&whatsapp.begin_bare(folder.path()).await?);
        bare_old.add(&whatsapp.begin_bare(folder.path()).await?);

        let daemon = home.start().await?;
        scans.add_time(whatsapp.link(&daemon).await?);
        daemon.stop().await?;
        let daemon = home.start().await?;
        linked.add_time(daemon.ready);
        daemon.until_connected().await?;
        online.add_time(daemon.age());
        daemon.stop().await?;
    }
    report.section(
        "Starts",
        "`READY=1` comes when listeners, control socket and store are open. The bare client \
         is whatsapp-rust on its own store and web socket, with a version that need not be \
         fetched; a pairing of walinkd always begins on a fresh store.",
    );
    let mut rows = vec![
        row("exec to READY, new state directory", &new.ready),
        row("exec to READY, existing one, unlinked", &old.ready),
        row("exec to READY, existing one, linked", &linked),
        row("exec to connected, linked", &online),
    ];
    rows.extend(new.rows("new state"));
    rows.extend(bare_new.rows("bare client, new store"));
    rows.extend(old.rows("existing state"));
    rows.extend(bare_old.rows("bare client, existing store"));
    rows.push(row("scan of the QR code to connected", &scans));
    report.table(&TIMES, &rows);
    report.at_most("exec to READY, existing state", linked.median(), 25.0, "ms");
    report.at_most("exec to READY, new state", new.ready.median(), 100.0, "ms");
    let over = new.qr.median() - bare_new.qr.median();
    report.at_most("first QR code after a bare client's", over, 20.0, "ms");
    report.at_most("scan to connected", scans.median(), 350.0, "ms");
    Ok(())
}

/// Each loss is the first one of a daemon's life: later ones are waited out longer.
pub(crate) async fn losses(whatsapp: &WhatsApp, pace: &Pace, report: &mut Report) -> Result<()> {
    let home = Home::new(&whatsapp.url())?;
    let daemon = home.start().await?;
    whatsapp.link(&daemon).await?;
    daemon.stop().await?;

    let [mut cut, mut short, mut ordered] = [(); 3].map(|()| Samples::default());
    for _ in 0..pace.losses {
        let daemon = connected(&home).await?;
        let began = Instant::now();
        whatsapp.cut()?;
        lost(&daemon).await?;
        cut.add_time(back(&daemon, began).await?);
        daemon.stop().await?;

        let daemon = connected(&home).await?;
        whatsapp.vanish().await?;
        lost(&daemon).await?;
        sleep(SHORT).await;
        whatsapp.come_back()?;
        short.add_time(back(&daemon, Instant::now()).await?);
        daemon.stop().await?;

        let daemon = connected(&home).await?;
        whatsapp.vanish().await?;
        lost(&daemon).await?;
        sleep(LONGER).await;
        whatsapp.come_back()?;
        let began = Instant::now();
        daemon.post("/connection/reconnect").await?;
        ordered.add_time(back(&daemon, began).await?);
        daemon.stop().await?;
    }
    report.section(
        "Losses",
        "The TCP connection ends without a word, and meanwhile connecting is refused; from \
         the network's return to connected.",
    );
    let rows = [
        row("back at once", &cut),
        row("back after 300 ms", &short),
        row("back after 4 s, and `reconnect` called then", &ordered),
    ];
    report.table(&TIMES, &rows);
    let short = short.median();
    report.at_most("back after a short loss", short, 1500.0, "ms");
    report.at_most("back at once on `reconnect`", ordered.median(), 200.0, "ms");
    Ok(())
}

async fn connected(home: &Home) -> Result<Daemon<'_>> {
    let daemon = home.start().await?;
    daemon.until_connected().await?;
    Ok(daemon)
}

async fn lost(daemon: &Daemon<'_>) -> Result<()> {
    let lost = daemon.until("a loss", |status| status["isConnected"] == false);
    lost.await.map(drop)
}

async fn back(daemon: &Daemon<'_>, since: Instant) -> Result<Duration> {
    daemon.until_connected().await?;
    Ok(since.elapsed())
}
