//! HTTP for the library, over the one dialer.

use super::dial::Dialer;
use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Uri, body::Bytes, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
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
        let uri: Uri = request.url.parse().context("not a URL")?;
        let host = uri.host().context("a URL without a host")?.to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => bail!("neither http nor https"),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let stream = self.0.dial(&host, port, tls).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the sender below; its error is also the request's.
        let driver = tokio::spawn(connection);

        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut builder = Request::builder()
            .method(Method::from_bytes(request.method.as_bytes())?)
            .uri(path)
            .header(HOST, uri.authority().map_or(host.as_str(), |a| a.as_str()));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let body: Bytes = request.body.unwrap_or_default();
        let response = sender.send_request(builder.body(Full::new(body))?).await?;
        let status_code = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_BODY)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?
            .to_bytes()
            .to_vec();
        driver.abort();
        Ok(HttpResponse { status_code, body })
    }
}
