//! `GET` and `POST /connection/pairing`.

use super::{
    App,
    audit::By,
    body,
    format::{self, Format, varying},
    problem::answer,
    query::{Kind, Parameter, Params, bad},
};
use crate::{
    link::PairOrder,
    wire::{
        Code, PairingCode, PairingRequest, PairingStarted, PhoneNumber, Problem, Success,
        custom_code,
    },
};
use axum::{
    Extension,
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// The original API tells its clients to give up after 10 s.
const DEADLINE: Duration = Duration::from_secs(9);

pub(super) const FORMAT: Parameter = Parameter {
    name: "format",
    required: false,
    kind: Kind::Word(&["json", "text"]),
    about: "The form of the answer: json, or text, the code alone. Left out, the header Accept decides, and without one it is json.",
};

pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    params: Params,
) -> Response {
    let format = Format::asked(&[Format::Json, Format::Text], &params, &headers);
    varying(format.and_then(|format| {
        app.link.asked();
        let code = app.link.pairing((app.now)()).ok_or_else(none)?;
        Ok(match format {
            Format::Text => format::text(&code.pairing_code),
            _ => answer(&Success::new(code)),
        })
    }))
}

pub(super) fn none() -> Problem {
    Problem::new(
        Code::NoPairingCode,
        "No pairing code available. Start server with pairing mode enabled.",
    )
}

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    let settings = app.settings();
    let order = order(request_of(body::json(request, settings.max_body).await?)?)?;
    by.record(
        "admin.pairing",
        format_args!(
            "pairing for {}{}",
            order.phone,
            if order.replace { ", replacing" } else { "" }
        ),
    )?;
    // Before the whole request's time is up, so that the answer says why.
    let limit = DEADLINE.min(settings.request_timeout.mul_f32(0.9));
    match timeout(limit, app.link.pair(order)).await {
        Ok(paired) => Ok(answer(&started(paired?))),
        Err(_) => Err(Problem::new(
            Code::Unreachable,
            "WhatsApp did not give a pairing code in time. Ask again: a code that came meanwhile is given then.",
        )
        .retry_after(1)),
    }
}

pub(super) fn started(code: PairingCode) -> PairingStarted {
    PairingStarted {
        success: true,
        message: format!(
            "Pairing code created. Enter it on the phone within {}.",
            code.expires_in
        ),
        instruction: format!(
            "On the phone with number {}: WhatsApp > Linked devices > Link a device > Link with phone number instead, then enter {}.",
            code.phone_number, code.pairing_code
        ),
        data: code,
    }
}

/// Reads the body field by field: a wrong type gets a sentence about that
/// field, where a derived reader would complain in its own words.
fn request_of(body: Value) -> Result<PairingRequest, Problem> {
    let Value::Object(mut fields) = body else {
        return Err(bad(
            r#"The body must be a JSON object: {"phoneNumber":"628123456789"}."#.to_owned(),
        ));
    };
    let phone_number = text(&mut fields, "phoneNumber", "628123456789")?.ok_or_else(|| {
        bad(r#"phoneNumber is missing: send {"phoneNumber":"628123456789"}."#.to_owned())
    })?;
    let replace = match fields.remove("replace") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(replace)) => replace,
        Some(_) => return Err(bad("replace is true or false, without quotes.".to_owned())),
    };
    Ok(PairingRequest {
        phone_number,
        custom_code: text(&mut fields, "customCode", "ABCD-EFGH")?,
        replace,
    })
}

fn text(
    fields: &mut Map<String, Value>,
    name: &str,
    example: &str,
) -> Result<Option<String>, Problem> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(format!(
            r#"{name} is a text: put it in quotes, for example "{name}":"{example}"."#
        ))),
    }
}

fn order(request: PairingRequest) -> Result<PairOrder, Problem> {
    Ok(PairOrder {
        phone: PhoneNumber::parse(&request.phone_number)?,
        custom_code: request
            .custom_code
            .as_deref()
            .map(custom_code)
            .transpose()?,
        replace: request.replace,
    })
}
