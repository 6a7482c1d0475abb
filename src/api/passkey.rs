//! `/connection/passkey`: the step that WhatsApp may demand before it links.

use super::{
    App,
    audit::By,
    body,
    problem::answer,
    query::{Params, bad},
};
use crate::{
    link::PasskeyOrder,
    wire::{Done, PasskeyBody, PasskeyStage, Problem, Success},
};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// WhatsApp and the phone take a moment to check; a caller need not hang on
/// for longer than for a pairing code.
const PATIENCE: Duration = Duration::from_secs(8);

/// `?wait=` waits until a person is asked something: for the challenge, and
/// after the answer for the code.
pub(super) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    let wait = params.wait()?.unwrap_or_default();
    app.link.asked();
    // A step that ends meanwhile is an answer too.
    let under_way = app.link.passkey((app.now)()).is_ok();
    app.until(wait, |snapshot| match &snapshot.passkey {
        Some(step) => step.stage != PasskeyStage::Checking,
        None => under_way,
    })
    .await;
    Ok(answer(&Success::new(app.link.passkey((app.now)())?)))
}

pub(super) async fn answer_challenge(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    let credential = body::json(request, app.settings().max_body).await?;
    let order = match credential.get("error") {
        Some(error) => PasskeyOrder::BrowserFailed(name_of(error)?),
        None => PasskeyOrder::Answer(credential),
    };
    by.record("admin.passkey", "the passkey's answer")?;
    further(&app, order).await
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.record("admin.passkey", "confirming the passkey step's code")?;
    further(&app, PasskeyOrder::Confirm).await
}

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.record("admin.passkey", "ending the passkey step")?;
    app.link.order_passkey(PasskeyOrder::Cancel).await?;
    Ok(answer(&cancelled()))
}

pub(super) fn cancelled() -> Done<()> {
    Done {
        success: true,
        message: "The passkey step has ended. Nothing is linked by it; start again with a new QR code or pairing code.".to_owned(),
        data: None,
    }
}

/// What the script prints when the browser gives no answer: `{"error":
/// {"name","message"}}`.
fn name_of(error: &Value) -> Result<String, Problem> {
    let name = error.get("name").unwrap_or(error).as_str();
    name.map(str::to_owned).ok_or_else(|| {
        bad(r#"error is what the script prints: {"error":{"name":"NotAllowedError"}}."#.to_owned())
    })
}

/// Takes the step further, and waits for what comes of it.
async fn further(app: &App, order: PasskeyOrder) -> Result<Response, Problem> {
    let limit = PATIENCE.min(app.settings().request_timeout.mul_f32(0.9));
    let next = match timeout(limit, app.link.order_passkey(order)).await {
        Ok(next) => next?,
        // Not refused, and not over: the next GET tells.
        Err(_) => {
            let step = app.link.passkey((app.now)());
            return Ok(answer(&told(
                step.unwrap_or_else(|_| PasskeyBody::linking()),
            )));
        }
    };
    let body = next.map(|step| step.body((app.now)()));
    Ok(answer(&told(body.unwrap_or_else(PasskeyBody::linking))))
}

pub(super) fn told(body: PasskeyBody) -> Done<PasskeyBody> {
    let message = match body.stage {
        PasskeyStage::Challenge { .. } => "Answer the challenge.",
        PasskeyStage::Checking => {
            "WhatsApp and the phone are checking the passkey's answer. Keep WhatsApp open on the phone, and ask again."
        }
        PasskeyStage::Confirm { .. } => {
            "The phone shows a code. If it is this one, confirm it with POST /connection/passkey/confirm."
        }
        PasskeyStage::Linking => "Accepted. The device is being linked.",
    };
    Done {
        success: true,
        message: message.to_owned(),
        data: Some(body),
    }
}
