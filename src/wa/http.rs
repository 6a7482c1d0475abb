//! HTTP for the library, over the one dialer.

use crate::dial::Dialer;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, body::Bytes};
use whatsapp_rust::{
    async_trait,
    http::{HttpClient, HttpRequest, HttpResponse},
};

/// The page with the version has some 100 KB; nothing else is fetched here.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// A client that makes one connection per request.
#[derive(Debug, Clone)]
pub(super) struct Http(pub(super) Dialer);

#[async_trait]
impl HttpClient for Http {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let mut builder = Request::builder()
            .method(Method::from_bytes(request.method.as_bytes())?)
            .uri(request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let body: Bytes = request.body.unwrap_or_default();
        let mut exchange = self.0.exchange(builder.body(Full::new(body))?).await?;
        let status_code = exchange.response.status().as_u16();
        let body = Limited::new(exchange.response.body_mut(), MAX_BODY)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?
            .to_bytes()
            .to_vec();
        Ok(HttpResponse { status_code, body })
    }
}
