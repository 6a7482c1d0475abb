//! What is in force, changed while everything runs: the configuration is read
//! anew, keys are made and removed.

use super::{keys::Keys, logging::LevelHandle, notify, setup, webhooks};
use crate::{
    api,
    auth::Rules,
    backup,
    config::{self, Config, Sources},
    journal::{Entry, Keeper, Recorder},
    link, server,
    webhook::Desk,
    wire::{
        Code, ConfigReport, KeyInfo, KeyRemoved, KeyRequest, LogLevel, NewKey, Problem,
        ReloadReport, SettingSource, Severity, Timestamp, WebhookInfo, WebhookTested,
        WebhooksResumed,
    },
};
use std::{fs::File, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::spawn_blocking,
};

/// Orders waiting for their turn: each caller waits for its report.
const QUEUE: usize = 16;

type Report<T> = oneshot::Sender<Result<T, Problem>>;

/// What is done one after the other, since each changes what is in force.
enum Order {
    Reload(Report<ReloadReport>),
    Keys(Report<Vec<KeyInfo>>),
    AddKey(KeyRequest, Report<NewKey>),
    RemoveKey(String, Report<KeyRemoved>),
    Config(Report<ConfigReport>),
    LogLevel(String, Report<LogLevel>),
    Backup(Report<File>),
}

/// Gives orders and waits for their reports.
#[derive(Clone)]
pub(super) struct Reloads {
    orders: mpsc::Sender<Order>,
    webhooks: Desk,
}

impl Reloads {
    pub(super) async fn ask(&self) -> Result<ReloadReport, Problem> {
        self.order(Order::Reload).await
    }

    async fn order<T>(&self, order: impl FnOnce(Report<T>) -> Order) -> Result<T, Problem> {
        let (report, reported) = oneshot::channel();
        let gone = || Problem::from(link::Stopping);
        self.orders.send(order(report)).await.map_err(|_| gone())?;
        reported.await.map_err(|_| gone())?
    }
}

impl api::Office for Reloads {
    fn reload(&self) -> api::Work<'_, ReloadReport> {
        Box::pin(self.ask())
    }

    fn keys(&self) -> api::Work<'_, Vec<KeyInfo>> {
        Box::pin(self.order(Order::Keys))
    }

    fn add_key(&self, request: KeyRequest) -> api::Work<'_, NewKey> {
        Box::pin(self.order(|report| Order::AddKey(request, report)))
    }

    fn remove_key(&self, name: String) -> api::Work<'_, KeyRemoved> {
        Box::pin(self.order(|report| Order::RemoveKey(name, report)))
    }

    fn config(&self) -> api::Work<'_, ConfigReport> {
        Box::pin(self.order(Order::Config))
    }

    fn set_log_level(&self, level: String) -> api::Work<'_, LogLevel> {
        Box::pin(self.order(|report| Order::LogLevel(level, report)))
    }

    fn backup(&self) -> api::Work<'_, File> {
        Box::pin(self.order(Order::Backup))
    }

    fn webhooks(&self) -> api::Work<'_, Vec<WebhookInfo>> {
        Box::pin(async { Ok(self.webhooks.list().await?) })
    }

    fn test_webhooks(&self, name: Option<String>) -> api::Work<'_, Vec<WebhookTested>> {
        Box::pin(async move { webhooks::test(&self.webhooks, name.as_deref()).await })
    }

    fn resume_webhooks(&self, name: Option<String>) -> api::Work<'_, WebhooksResumed> {
        Box::pin(async move { webhooks::resume(&self.webhooks, name.as_deref()) })
    }

    fn warnings(&self) -> Vec<String> {
        self.webhooks.warnings()
    }
}

/// Everything that changes with a reload.
pub(super) struct Reloader {
    pub(super) sources: Sources,
    pub(super) running: Config,
    pub(super) keys: Keys,
    pub(super) rules: watch::Sender<Arc<Rules>>,
    pub(super) api: watch::Sender<Arc<api::Settings>>,
    pub(super) terms: watch::Sender<Arc<server::Terms>>,
    pub(super) level: LevelHandle,
    /// Instead of the configured one, until the next reload.
    pub(super) ordered_level: Option<String>,
    pub(super) keeper: Keeper,
    pub(super) recorder: Recorder,
    pub(super) link: link::Handle,
    pub(super) webhooks: Desk,
}

impl Reloader {
    /// Serves one order after the other until nobody can give any more. A
    /// caller that hung up has its order carried out all the same.
    pub(super) fn spawn(mut self) -> Reloads {
        let (give, mut given) = mpsc::channel(QUEUE);
        let webhooks = self.webhooks.clone();
        tokio::spawn(async move {
            while let Some(order) = given.recv().await {
                match order {
                    Order::Reload(report) => {
                        notify::reloading();
                        let result = self.reload().await;
                        // Also when the file is refused: the daemon is as ready
                        // as before.
                        notify::ready();
                        tell(&self.recorder, &result);
                        let _ = report.send(result);
                    }
                    Order::Keys(report) => {
                        let _ = report.send(self.keys.list(&self.running));
                    }
                    Order::AddKey(request, report) => {
                        let made = self.keys.add(&self.running, &request);
                        let _ = report.send(made.map(|made| self.put_in_force(made)));
                    }
                    Order::RemoveKey(name, report) => {
                        let removed = self.keys.remove(&self.running, &name);
                        let _ = report.send(removed.map(|removed| self.put_in_force(removed)));
                    }
                    Order::Config(report) => {
                        let _ = report.send(Ok(self.config()));
                    }
                    Order::LogLevel(level, report) => {
                        let _ = report.send(self.set_log_level(&level));
                    }
                    // Here, so that no key is made meanwhile.
                    Order::Backup(report) => {
                        let _ = report.send(self.back_up().await);
                    }
                }
            }
        });
        Reloads {
            orders: give,
            webhooks,
        }
    }

    async fn back_up(&self) -> Result<File, Problem> {
        let dir = self.running.storage.state_dir.clone();
        let made = spawn_blocking(move || backup::make_beside(&dir, Timestamp::now)).await;
        let made = made.map_err(|error| error.to_string());
        let made = made.and_then(|made| made.map_err(|error| error.to_string()));
        made.map_err(|why| {
            tracing::error!("the state cannot be copied: {why}");
            Problem::new(Code::Internal, format!("the state cannot be copied: {why}"))
        })
    }

    fn put_in_force<T>(&self, (done, rules): (T, Rules)) -> T {
        self.rules.send_replace(Arc::new(rules));
        done
    }

    /// The configuration, with the log level that was ordered since.
    fn config(&self) -> ConfigReport {
        let mut report = config::report(&self.running);
        if let Some(level) = &self.ordered_level
            && let Some(setting) = report.settings.get_mut("log.level")
        {
            setting.value = level.as_str().into();
            setting.source = SettingSource::Order;
            setting.place = None;
        }
        report
    }

    fn set_log_level(&mut self, level: &str) -> Result<LogLevel, Problem> {
        let level = config::checked_log_level(level)
            .map_err(|wrong| Problem::new(Code::BadRequest, wrong))?;
        self.level.set(&level);
        self.ordered_level = Some(level.clone());
        Ok(LogLevel {
            level,
            configured: self.running.log.level.clone(),
        })
    }

    async fn reload(&mut self) -> Result<ReloadReport, Problem> {
        let refused = |faults: &dyn std::fmt::Display| {
            Problem::new(
                Code::BadConfig,
                format!("the configuration is refused and the running one stays:\n{faults}"),
            )
        };
        let new = config::load_for_reload(&self.sources, &self.running)
            .map_err(|faults| refused(&faults))?;
        let rules = self.keys.rules(&new);
        let rules = rules.map_err(|error| refused(&format!("{error:#}")))?;
        let diff = config::diff(&self.running, &new);
        let in_force = config::in_force(&self.running, &new);

        self.rules.send_replace(Arc::new(rules));
        self.api.send_replace(Arc::new(setup::api(&in_force)));
        if self.running.http.identity.is_some() && in_force.http.identity.is_none() {
            for address in &in_force.http.listen {
                server::warn_if_exposed(*address);
            }
        }
        self.terms.send_replace(Arc::new(setup::terms(&in_force)));
        self.level.set(&in_force.log.level);
        self.ordered_level = None;
        self.keeper.set(in_force.storage.keep_events);
        self.webhooks.configure(&in_force.webhook);
        let pairing_for = self
            .link
            .reload(setup::pairing(&in_force.pairing))
            .await
            .map_err(Problem::from)?;
        self.running = in_force;
        let names = |keys: Vec<&'static str>| keys.into_iter().map(str::to_owned).collect();
        Ok(ReloadReport {
            applied: names(diff.applied),
            needs_restart: names(diff.needs_restart),
            pairing_for: pairing_for.map(|phone| phone.to_string()),
        })
    }
}

fn tell(recorder: &Recorder, result: &Result<ReloadReport, Problem>) {
    match result {
        Ok(report) => {
            let applied = if report.applied.is_empty() {
                "nothing changed".to_owned()
            } else {
                format!("changed: {}", report.applied.join(", "))
            };
            let told = format!("configuration reloaded; {applied}");
            recorder.record(Entry::new("admin.reload", Severity::Info, told));
            if !report.needs_restart.is_empty() {
                let keys = report.needs_restart.join(", ");
                let told = format!("these keys need a restart to change: {keys}");
                recorder.record(Entry::new("admin.reload", Severity::Warning, told));
            }
        }
        Err(problem) => {
            let told = problem.error.as_str();
            recorder.record(Entry::new("admin.reload_refused", Severity::Error, told));
        }
    }
}
