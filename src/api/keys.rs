//! `GET`, `POST` and `DELETE /admin/keys`, on the control socket only.

use super::{
    App,
    audit::By,
    body,
    problem::{answer, internal, spoken},
    query::{Kind, Parameter, Params, bad},
};
use crate::wire::{Done, KeyRemoved, KeyRequest, NewKey, Problem, Success, is_key_name};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

/// A body may name the key too, for those who can send one with `DELETE`; the
/// description does not tell of that, since many cannot.
pub(super) const NAME: Parameter = Parameter {
    name: "name",
    required: true,
    kind: Kind::Text,
    about: "The name of the key.",
};

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let keys = app.office.keys().await.map_err(spoken)?;
    Ok(answer(&Success::new(keys)))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::json(request, app.settings().max_body).await?;
    let request: KeyRequest = serde_json::from_value(body).map_err(|error| {
        bad(format!(
            r#"The body is no key: {error}. Send {{"name":"dashboard","scope":"read"}}, and expires, "2027-01-01", if it is to end."#
        ))
    })?;
    name_only(&app, &request.name)?;
    by.confirm()?;
    // In a task of its own: what is made is told also when the caller hangs up.
    let made = tokio::spawn(async move {
        let made = app.office.add_key(request).await.map_err(spoken)?;
        let until = made.expires.map(|at| format!(" until {at}"));
        let until = until.unwrap_or_default();
        let act = format!("made the API key {}, {}{until}", made.name, made.scope);
        by.tell("admin.key_add", act);
        Ok::<_, Problem>(made)
    });
    let made = made.await.map_err(|_| internal())??;
    Ok(answer(&added(made)))
}

pub(super) fn added(made: NewKey) -> Done<NewKey> {
    Done {
        success: true,
        message: format!(
            "The key {} may {}. It is shown only now: keep it.",
            made.name, made.scope
        ),
        data: Some(made),
    }
}

/// A body that names a key.
#[derive(Deserialize)]
struct Named {
    name: String,
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let limit = app.settings().max_body;
    let name = match params.get(NAME.name) {
        Some(name) => {
            body::none(request, limit).await?;
            name.to_owned()
        }
        None => {
            let body = body::json(request, limit).await?;
            let named: Named = serde_json::from_value(body)
                .map_err(|_| bad("Say which key: ?name=NAME.".to_owned()))?;
            named.name
        }
    };
    name_only(&app, &name)?;
    by.confirm()?;
    let removed = tokio::spawn(async move {
        let removed = app.office.remove_key(name).await.map_err(spoken)?;
        let act = format!("removed the API key {}", removed.name);
        by.tell("admin.key_remove", act);
        Ok::<_, Problem>(removed)
    });
    let removed = removed.await.map_err(|_| internal())??;
    Ok(answer(&gone(removed)))
}

pub(super) fn gone(removed: KeyRemoved) -> Done<KeyRemoved> {
    let left = match removed.remaining {
        0 => " It was the last one: nobody gets in over TCP until there is another.",
        _ => "",
    };
    Done {
        success: true,
        message: format!("The key {} is removed.{left}", removed.name),
        data: Some(removed),
    }
}

/// Before a name is told to the journal: people paste the key itself here.
fn name_only(app: &App, name: &str) -> Result<(), Problem> {
    if is_key_name(name) && !app.gate.is_key(name) {
        return Ok(());
    }
    Err(bad(
        "This is no name of a key: a name has 1 to 63 letters, digits and - _ . @, and is not the key itself. walinkd key list shows them."
            .to_owned(),
    ))
}
