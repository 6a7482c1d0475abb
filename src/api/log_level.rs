//! `PUT /admin/log-level`, on the control socket only.

use super::{
    App,
    audit::By,
    body,
    problem::{answer, internal, spoken},
    query::bad,
};
use crate::wire::{Done, LogLevel, LogLevelRequest, Problem};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use std::sync::Arc;

pub(super) async fn set(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::json(request, app.settings().max_body).await?;
    let LogLevelRequest { level } = serde_json::from_value(body).map_err(|error| {
        bad(format!(
            r#"The body is no log level: {error}. Send {{"level":"info"}}."#
        ))
    })?;
    by.confirm()?;
    // In a task of its own: what is done is told also when the caller hangs up.
    let done = tokio::spawn(async move {
        let now = app.office.set_log_level(level).await.map_err(spoken)?;
        let act = format!("set the log level to {}", now.level.escape_debug());
        by.tell("admin.log_level", act);
        Ok::<_, Problem>(now)
    });
    let now = done.await.map_err(|_| internal())??;
    Ok(answer(&changed(now)))
}

pub(super) fn changed(now: LogLevel) -> Done<LogLevel> {
    let LogLevel { level, configured } = &now;
    Done {
        success: true,
        message: format!(
            "The log level is {level} until the next reload or restart; the configuration says {configured}."
        ),
        data: Some(now),
    }
}
