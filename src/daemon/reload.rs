//! Re-reads the configuration while everything runs.

use super::{logging::LevelHandle, notify, setup};
use crate::{
    api,
    auth::Rules,
    config::{self, Config, Sources},
    link, server,
    wire::{Code, Problem, ReloadReport},
};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::{mpsc, oneshot, watch};

/// Reloads waiting for their turn: each caller waits for its report.
const QUEUE: usize = 16;

type Report = Result<ReloadReport, Problem>;

/// Asks for a reload and waits for its report.
#[derive(Clone)]
pub(super) struct Reloads(mpsc::Sender<oneshot::Sender<Report>>);

impl Reloads {
    pub(super) async fn ask(&self) -> Report {
        let (report, reported) = oneshot::channel();
        let gone = || Problem::new(Code::Stopping, "the daemon is shutting down");
        self.0.send(report).await.map_err(|_| gone())?;
        reported.await.map_err(|_| gone())?
    }
}

/// Everything that changes with a reload.
pub(super) struct Reloader {
    pub(super) sources: Sources,
    pub(super) running: Config,
    pub(super) state_dir: PathBuf,
    pub(super) rules: watch::Sender<Arc<Rules>>,
    pub(super) api: watch::Sender<Arc<api::Settings>>,
    pub(super) terms: watch::Sender<Arc<server::Terms>>,
    pub(super) level: LevelHandle,
    pub(super) link: link::Handle,
}

impl Reloader {
    /// Serves reloads one after the other until nobody can ask any more.
    pub(super) fn spawn(mut self) -> Reloads {
        let (ask, mut asked) = mpsc::channel::<oneshot::Sender<Report>>(QUEUE);
        tokio::spawn(async move {
            while let Some(report) = asked.recv().await {
                notify::reloading();
                let result = self.reload().await;
                // Also when the file is refused: the daemon is as ready as before.
                notify::ready();
                tell(&result);
                // A caller that hung up has the same reload all the same.
                let _ = report.send(result);
            }
        });
        Reloads(ask)
    }

    async fn reload(&mut self) -> Report {
        let refused = |faults: &dyn std::fmt::Display| {
            Problem::new(
                Code::BadConfig,
                format!("the configuration is refused and the running one stays:\n{faults}"),
            )
        };
        let new = config::load_for_reload(&self.sources, &self.running)
            .map_err(|faults| refused(&faults))?;
        let rules =
            setup::rules(&new, &self.state_dir).map_err(|error| refused(&format!("{error:#}")))?;
        let diff = config::diff(&self.running, &new);
        let in_force = config::in_force(&self.running, &new);

        self.rules.send_replace(Arc::new(rules));
        self.api.send_replace(Arc::new(setup::api(&in_force)));
        self.terms.send_replace(Arc::new(setup::terms(&in_force)));
        self.level.set(&in_force.log.level);
        let pairing_for = self
            .link
            .reload(setup::pairing(&in_force.pairing))
            .await
            .map_err(|stopping| Problem::new(Code::Stopping, stopping.to_string()))?;
        self.running = in_force;
        let names = |keys: Vec<&'static str>| keys.into_iter().map(str::to_owned).collect();
        Ok(ReloadReport {
            applied: names(diff.applied),
            needs_restart: names(diff.needs_restart),
            pairing_for: pairing_for.map(|phone| phone.to_string()),
        })
    }
}

fn tell(result: &Report) {
    match result {
        Ok(report) => {
            let applied = if report.applied.is_empty() {
                "nothing changed".to_owned()
            } else {
                format!("changed: {}", report.applied.join(", "))
            };
            tracing::info!(
                walinkd_event = "admin.reload",
                "configuration reloaded; {applied}"
            );
            if !report.needs_restart.is_empty() {
                tracing::warn!(
                    walinkd_event = "admin.reload",
                    "these keys need a restart to change: {}",
                    report.needs_restart.join(", ")
                );
            }
        }
        Err(problem) => {
            tracing::error!(walinkd_event = "admin.reload_refused", "{}", problem.error);
        }
    }
}
