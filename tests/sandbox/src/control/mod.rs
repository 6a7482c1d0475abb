//! The control API: JSON over HTTP on loopback, for scripts and for people who
//! try a client of walinkd without a phone.

mod faults;
mod passkey;
mod phones;
mod problem;

use crate::sandbox::Core;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use problem::Problem;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) struct Control {
    address: SocketAddr,
    /// Dropped with the sandbox, which tells the API to end.
    _alive: oneshot::Sender<()>,
}

impl Control {
    pub(crate) async fn open(core: Arc<Core>, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (alive, dropped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let ended = async {
                // An error is the news: the sender is gone.
                let _: Result<(), _> = dropped.await;
            };
            let served = axum::serve(listener, router(core)).with_graceful_shutdown(ended);
            if let Err(error) = served.await {
                tracing::warn!(%error, "the control API ended");
            }
        });
        Ok(Self {
            address,
            _alive: alive,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/phones", get(phones::list).post(phones::add))
        .route("/phones/{number}", get(phones::one))
        .route("/phones/{number}/scan", post(phones::scan))
        .route("/phones/{number}/code", post(phones::code))
        .route("/phones/{number}/unlink", post(phones::unlink))
        .route(
            "/phones/{number}/passkey",
            get(passkey::shown)
                .post(passkey::require)
                .delete(passkey::waive),
        )
        .route("/phones/{number}/passkey/answer", post(passkey::answer))
        .route("/phones/{number}/passkey/cancel", post(passkey::cancel))
        .route(
            "/faults",
            get(faults::list).post(faults::inject).delete(faults::clear),
        )
        .route("/refuse", post(refuse))
        .route("/accept", post(accept))
        .route("/rotate", post(rotate))
        .route("/stats", get(stats))
        .route("/state", get(state))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "no such endpoint"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
        })
        .with_state(core)
}

async fn refuse(State(core): State<Arc<Core>>) -> Json<Value> {
    core.listener().refuse().await;
    Json(json!({ "accepting": false }))
}

async fn accept(State(core): State<Arc<Core>>) -> Result<Json<Value>, Problem> {
    core.listener()
        .accept()
        .map_err(|error| Problem::new(StatusCode::CONFLICT, error))?;
    Ok(Json(json!({ "accepting": true })))
}

async fn rotate(State(core): State<Arc<Core>>) -> Result<Json<Value>, Problem> {
    core.rotate_server_key()
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    Ok(Json(json!({ "rotated": true })))
}

async fn stats(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!(core.snapshot().stats))
}

async fn state(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!(core.snapshot()))
}
