//! `GET /admin/webhooks`, and `POST` to `test` and `resume` below it, on the
//! control socket only.

use super::{
    App,
    audit::By,
    body,
    problem::{answer, internal},
    query::{Kind, Parameter, Params},
};
use crate::wire::{Done, Problem, Success, WebhookTested, WebhooksResumed};
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
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.confirm()?;
    let name = params.get(NAME.name).map(str::to_owned);
    // In a task of its own: what is sent is told also when the caller hangs up.
    let tested = tokio::spawn(async move {
        let tested = app.office.test_webhooks(name).await?;
        let names: Vec<&str> = tested.iter().map(|one| &*one.name).collect();
        by.tell("admin.webhook_test", act("tested", &names));
        Ok::<_, Problem>(tested)
    });
    let tested: Vec<WebhookTested> = tested.await.map_err(|_| internal())??;
    Ok(answer(&Success::new(tested)))
}

pub(super) async fn resume(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.confirm()?;
    let name = params.get(NAME.name).map(str::to_owned);
    let resumed = tokio::spawn(async move {
        let resumed = app.office.resume_webhooks(name).await?;
        let names: Vec<&str> = resumed.resumed.iter().map(|name| &**name).collect();
        by.tell("admin.webhook_resume", act("resumed", &names));
        Ok::<_, Problem>(resumed)
    });
    let resumed = resumed.await.map_err(|_| internal())??;
    Ok(answer(&going_on(resumed)))
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
