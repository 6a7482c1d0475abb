//! `GET /connection/status`, as fast as it is answered, beside the floors.

use crate::{
    Pace,
    daemon::{Daemon, Home},
    floor::{self, Running},
    http::{self, Door},
    load::{Load, Outcome},
    nginx::Nginx,
    table::{Report, Samples},
    whatsapp::WhatsApp,
};
use anyhow::Result;
use std::path::Path;

const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];
/// At which the promises are judged.
const JUDGED: usize = 64;

/// A server under load, and what came of it.
struct Subject {
    door: Door,
    pids: Vec<i32>,
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    per_second: Samples,
    p50: Samples,
    p99: Samples,
    cpu: Samples,
    own_cpu: Samples,
}

impl Seen {
    fn add(&mut self, outcome: Outcome) {
        self.per_second.add(outcome.per_second);
        self.p50.add(outcome.p50);
        self.p99.add(outcome.p99);
        self.cpu.add(outcome.cpu);
        self.own_cpu.add(outcome.own_cpu);
    }

    fn cells(&self) -> [String; 4] {
        [
            format!(
                "{:.0} ±{:.0} %",
                self.per_second.median(),
                self.per_second.spread() / 2.0
            ),
            format!("{:.0}", self.p50.median()),
            format!("{:.0}", self.p99.median()),
            format!("{:.1}", self.cpu.median()),
        ]
    }
}

impl Subject {
    fn new(door: &Door, pids: Vec<i32>) -> Self {
        Self {
            door: door.clone(),
            pids,
            seen: Seen::default(),
        }
    }
}

pub(crate) async fn measure(whatsapp: &WhatsApp, pace: &Pace, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (certificate, key) = floor::certificate(folder.path())?;
    let secure = (certificate.as_path(), key.as_path());
    let homes = [
        Home::new(&whatsapp.url())?,
        Home::with(&whatsapp.url(), Some(secure))?,
    ];
    let (plain, tls) = (homes[0].start().await?, homes[1].start().await?);
    for daemon in [&plain, &tls] {
        whatsapp.link(daemon).await?;
    }
    let answer = http::call(&plain.home.tcp(), "GET", "/connection/status").await?;
    let hyper = Running::start(&answer, folder.path(), secure).await?;
    let nginx = Nginx::start(&answer, folder.path()).await?;

    let about = format!(
        "Closed loop: each connection asks for the next answer, of {} bytes and {} headers, \
         when it has the last one whole; {} rounds of {} s, the servers in turn; medians, \
         ± half of the range. walinkd is linked, checks the key and counts against the rate \
         limit; on the Unix socket it knows the user. The floor is hyper, HTTP/1.1 with \
         keep-alive, that gives the same bytes from as many threads. {}. CPU is the server's, \
         in µs for one answer. Server and load share the processors, so that the load's own \
         work, in the last column, levels the rates.",
        answer.body().len(),
        answer.headers().count(),
        pace.rounds,
        pace.seconds,
        nginx
            .as_ref()
            .map_or("nginx is not installed", |nginx| &nginx.about),
    );
    report.section("Status", &about);
    let doors = [
        ("TCP", plain.home.tcp(), &hyper.tcp, &plain),
        ("TLS", tls.home.tcp(), &hyper.tls, &tls),
        ("Unix socket", plain.home.control(), &hyper.unix, &plain),
    ];
    let mut rows = Vec::new();
    for (name, door, floor, daemon) in doors {
        for connections in CONNECTIONS {
            let mut subjects = vec![
                ("hyper", Subject::new(floor, vec![hyper.pid()])),
                ("walinkd", Subject::new(&door, vec![daemon.pid()])),
            ];
            if let (Some(nginx), "TCP") = (&nginx, name) {
                subjects.push(("nginx", Subject::new(&nginx.door, nginx.pids()?)));
            }
            for _ in 0..pace.rounds {
                for (_, subject) in &mut subjects {
                    let load = load(subject, connections, pace.seconds, &certificate);
                    subject.seen.add(load.outcome().await?);
                }
            }
            let floor = &subjects[0].1.seen;
            let ratio = |of: &Subject, what: fn(&Seen) -> &Samples| {
                what(&of.seen).median() / what(floor).median()
            };
            for (server, subject) in &subjects {
                let [rate, p99, cpu] = [
                    ratio(subject, |seen| &seen.per_second),
                    ratio(subject, |seen| &seen.p99),
                    ratio(subject, |seen| &seen.cpu),
                ];
                let mut row = vec![
                    name.to_owned(),
                    connections.to_string(),
                    (*server).to_owned(),
                ];
                row.extend(subject.seen.cells());
                row.extend([rate, p99, cpu].map(|ratio| format!("{ratio:.2}")));
                row.push(format!("{:.1}", subject.seen.own_cpu.median()));
                rows.push(row);
                if (name, connections, *server) == ("TCP", JUDGED, "walinkd") {
                    let of = format!("status at {JUDGED} connections, ");
                    report.at_least(&format!("{of}rate, of hyper's"), rate, 0.85, "");
                    report.at_most(&format!("{of}p99, of hyper's"), p99, 1.3, "");
                    report.at_most(&format!("{of}CPU for one, of hyper's"), cpu, 1.3, "");
                }
            }
        }
    }
    let head = [
        "door",
        "connections",
        "server",
        "per second",
        "p50 µs",
        "p99 µs",
        "CPU µs",
        "rate/hyper",
        "p99/hyper",
        "CPU/hyper",
        "load's CPU µs",
    ];
    report.table(&head, &rows);
    plain.stop().await?;
    tls.stop().await
}

fn load(subject: &Subject, connections: usize, seconds: f64, certificate: &Path) -> Load {
    Load {
        door: subject.door.clone(),
        connections,
        seconds,
        pid: subject.pids.clone(),
        certificate: certificate.to_owned(),
    }
}

/// A daemon at work for so long, while `meanwhile` looks at it.
pub(crate) async fn under_load<T>(
    daemon: &Daemon<'_>,
    seconds: f64,
    meanwhile: impl Future<Output = Result<T>>,
) -> Result<T> {
    let folder = tempfile::tempdir()?;
    let (certificate, _) = floor::certificate(folder.path())?;
    let subject = Subject::new(&daemon.home.tcp(), vec![daemon.pid()]);
    let load = load(&subject, JUDGED, seconds, &certificate);
    let (_, seen) = tokio::try_join!(load.outcome(), meanwhile)?;
    Ok(seen)
}
