//! `GET /admin/webhooks`, and `POST` to `test` and `resume` below it, on the
//! control socket only.

use super::{
    App, Work,
    audit::By,
    body,
    problem::{answer, internal},
    query::{Kind, Parameter, Params},
};
use crate::wire::{Done, Problem, Success, WebhooksResumed};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use std::sync::Arc;

pub(super) const NAME: Parameter = Parameter {
    name: "name",
    required: false,
    kind: Kind::Text,
    about: "The name of one webhook; without it, all.",
};

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let webhooks = app.office.webhooks().await?;
    Ok(answer(&Success::new(webhooks)))
}

pub(super) async fn test(
    Extension(by): Extension<By>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let tested = carry_out(
        by,
        params,
        request,
        |app, name| app.office.test_webhooks(name),
        |by, tested| {
            let names: Vec<&str> = tested.iter().map(|one| &*one.name).collect();
            by.tell("admin.webhook_test", act("tested", &names));
        },
    );
    Ok(answer(&Success::new(tested.await?)))
}

pub(super) async fn resume(
    Extension(by): Extension<By>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let resumed = carry_out(
        by,
        params,
        request,
        |app, name| app.office.resume_webhooks(name),
        |by, done| {
            let names: Vec<&str> = done.resumed.iter().map(|name| &**name).collect();
            by.tell("admin.webhook_resume", act("resumed", &names));
        },
    );
    Ok(answer(&going_on(resumed.await?)))
}

/// Does `work` for the one that is named, or for all, in a task of its own: what
/// was done is told also when the caller hangs up.
async fn carry_out<T: Send + 'static>(
    by: By,
    params: Params,
    request: Request,
    work: fn(&App, Option<String>) -> Work<'_, T>,
    tell: fn(&By, &T),
) -> Result<T, Problem> {
    body::none(request, by.app.settings().max_body).await?;
    by.confirm()?;
    let name = params.get(NAME.name).map(str::to_owned);
    let done = tokio::spawn(async move {
        let done = work(&by.app, name).await?;
        tell(&by, &done);
        Ok(done)
    });
    done.await.map_err(|_| internal())?
}

pub(super) fn going_on(resumed: WebhooksResumed) -> Done<WebhooksResumed> {
    let message = if resumed.resumed.is_empty() {
        "Nothing was paused, and nothing waits after a failure.".to_owned()
    } else {
        format!("Trying again now: {}.", resumed.resumed.join(", "))
    };
    Done {
        success: true,
        message,
        data: Some(resumed),
    }
}

fn act(what: &str, names: &[&str]) -> String {
    match names {
        [] => format!("{what} no webhook"),
        [name] => format!("{what} the webhook {name}"),
        names => format!("{what} the webhooks {}", names.join(", ")),
    }
}
