//! `POST /admin/backup`, on the control socket only.

use super::{
    App,
    audit::By,
    body,
    problem::{internal, spoken},
};
use crate::wire::Problem;
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{
        HeaderValue,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use std::sync::Arc;
use tokio::{fs::File, io::AsyncReadExt as _};

pub(super) const MEDIA: &str = "application/vnd.sqlite3";
/// Read and sent in one piece.
const CHUNK: usize = 64 << 10;

pub(super) async fn make(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.record("admin.backup", "copying the state with its keys")?;
    let file = app.office.backup().await.map_err(spoken)?;
    let length = file.metadata().map_err(|error| {
        tracing::error!("the copy of the state cannot be read: {error}");
        internal()
    })?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(MEDIA)),
        (CONTENT_LENGTH, length.len().into()),
    ];
    let chunks = stream::try_unfold(File::from_std(file), |mut file| async move {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(chunk), file)))
    });
    Ok((headers, Body::from_stream(chunks)).into_response())
}
