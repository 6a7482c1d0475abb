//! Several instances on one machine.

use crate::{Pace, daemon::Home, figures::Memory, table::Report, whatsapp::WhatsApp};
use anyhow::Result;
use std::time::Instant;
use tokio::time::sleep;

pub(crate) async fn measure(whatsapp: &WhatsApp, pace: &Pace, report: &mut Report) -> Result<()> {
    let most = pace.crowds.iter().copied().max().unwrap_or_default();
    let mut homes = Vec::new();
    for _ in 0..most {
        let home = Home::new(&whatsapp.url())?;
        let daemon = home.start().await?;
        whatsapp.link(&daemon).await?;
        daemon.stop().await?;
        homes.push(home);
    }
    let mut rows = Vec::new();
    let mut alone = None;
    let mut dearest: f64 = 0.0;
    for &many in pace.crowds {
        let began = Instant::now();
        let starting: Result<Vec<_>> = homes[..many].iter().map(Home::spawn).collect();
        let mut daemons = Vec::new();
        for starting in starting? {
            daemons.push(starting.ready().await?);
        }
        let ready = began.elapsed();
        for daemon in &daemons {
            daemon.until_connected().await?;
        }
        let connected = began.elapsed();
        sleep(pace.settle).await;
        let memory: Result<Vec<_>> = daemons.iter().map(|of| Memory::of(of.pid())).collect();
        let total: u64 = memory?.iter().map(|memory| memory.proportional).sum();
        let total = total as f64 / 1024.0;
        let alone = *alone.get_or_insert(total);
        let further = if many > 1 {
            let further = (total - alone) / (many - 1) as f64;
            dearest = dearest.max(further);
            format!("{further:.1}")
        } else {
            String::new()
        };
        rows.push(vec![
            many.to_string(),
            format!("{:.0}", ready.as_secs_f64() * 1e3),
            format!("{:.0}", connected.as_secs_f64() * 1e3),
            format!("{total:.1}"),
            further,
        ]);
        for daemon in daemons {
            daemon.stop().await?;
        }
    }
    report.section(
        "Instances",
        "Linked ones, started all at once, each on its own state directory.",
    );
    let head = [
        "instances",
        "all READY, ms",
        "all connected, ms",
        "PSS of all, MiB",
        "each further one",
    ];
    report.table(&head, &rows);
    report.at_most("each further instance, proportional", dearest, 5.0, "MiB");
    Ok(())
}
