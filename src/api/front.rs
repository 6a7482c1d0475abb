//! The way in for every request.

use super::{App, guard, seal, status, table};
use crate::{auth::Scope, metrics::Often};
use axum::{
    Router,
    extract::Request,
    http::{
        HeaderValue, Method,
        header::{ORIGIN, VARY},
    },
    response::{IntoResponse, Response},
    routing::future::RouteFuture,
};
use futures_util::future::Either;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tower::Service;

/// Answers at once what most callers ask, many times a second; all else goes the
/// way of the table of calls. The answer is the same on either way.
#[derive(Clone)]
pub struct Front {
    desk: Arc<Desk>,
    calls: Router,
}

/// What answers at once.
struct Desk {
    app: Arc<App>,
    /// What the table asks for the status.
    right: Scope,
    /// Whether pages of other origins may come, and caches must know.
    varies: bool,
    often: Often,
}

impl Front {
    pub(super) fn new(app: Arc<App>, varies: bool, calls: Router) -> Self {
        let desk = Desk {
            often: app.meter.often(status::PATH, Method::GET.as_str()),
            app,
            right: table::right_to(status::PATH),
            varies,
        };
        Self {
            desk: Arc::new(desk),
            calls,
        }
    }
}

impl Desk {
    /// The status, when the request asks for nothing more, and no page asks.
    fn at_once(&self, request: &Request) -> Option<Response> {
        let plain = request.uri().path() == status::PATH
            && request.uri().query().is_none()
            && request.method() == Method::GET
            && !request.headers().contains_key(ORIGIN);
        if !plain {
            return None;
        }
        let began = Instant::now();
        let answer = guard::admit(&self.app, self.right, request).and_then(|caller| {
            self.app.link.asked();
            Ok((caller.scope, status::now(&self.app)?))
        });
        let mut response = match answer {
            Ok((scope, mut response)) => {
                guard::tell_right(&mut response, scope);
                self.often.answered(began);
                response
            }
            Err(problem) => {
                let response = problem.into_response();
                let call = self.app.meter.begin(Some(status::PATH), "GET");
                call.answered(response.status().as_u16());
                response
            }
        };
        seal(response.headers_mut());
        if self.varies {
            let origin = HeaderValue::from_static("origin");
            response.headers_mut().insert(VARY, origin);
        }
        Some(response)
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.desk.at_once(&request) {
            Some(response) => Either::Left(ready(Ok(response))),
            None => Either::Right(self.calls.call(request)),
        }
    }
}
