//! The way in for every request.

use super::{App, guard, problem::JSON, seal, status, table};
use crate::{
    auth::{Guest, Scope},
    metrics::Often,
    wire::Problem,
};
use axum::{
    BoxError, Router,
    body::{Body, Bytes, HttpBody},
    http::{
        HeaderMap, HeaderValue, Method, Request,
        header::{CONTENT_TYPE, ORIGIN, VARY},
    },
    response::{IntoResponse, Response},
    routing::future::RouteFuture,
};
use futures_util::{
    FutureExt,
    future::{Either, Map},
};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
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
    /// What stands on every answer.
    seal: HeaderMap,
    /// The head of a status, for those who may read.
    reads: HeaderMap,
    /// And for those who manage.
    manages: HeaderMap,
    often: Often,
}

/// Answers the requests of one connection.
pub struct Clerk {
    front: Front,
    guest: Guest,
}

/// The body of an answer: there already, or still to come.
pub type Reply = http_body_util::Either<Full<Bytes>, Body>;

/// There already, or still to come.
pub type Answer = Either<
    Ready<Response<Reply>>,
    Map<RouteFuture<Infallible>, fn(Result<Response, Infallible>) -> Response<Reply>>,
>;

impl Front {
    /// `varies`: pages of other origins may come, and caches must know.
    pub(super) fn new(app: Arc<App>, varies: bool, calls: Router) -> Self {
        let mut sealed = HeaderMap::new();
        seal(&mut sealed);
        if varies {
            sealed.insert(VARY, HeaderValue::from_static("origin"));
        }
        let head = |scope| {
            let mut head = sealed.clone();
            head.insert(CONTENT_TYPE, JSON);
            guard::tell_right(&mut head, scope);
            head
        };
        let desk = Desk {
            often: app.meter.often(status::PATH, Method::GET.as_str()),
            app,
            right: table::right_to(status::PATH),
            reads: head(Scope::Read),
            manages: head(Scope::Manage),
            seal: sealed,
        };
        Self {
            desk: Arc::new(desk),
            calls,
        }
    }

    /// Somebody has come: here is who answers.
    pub fn welcome(&self, guest: Guest) -> Clerk {
        let front = self.clone();
        Clerk { front, guest }
    }
}

impl Desk {
    /// The status, when the request asks for nothing more, and no page asks.
    fn at_once<B>(&self, request: &Request<B>, guest: &Guest) -> Option<Response<Reply>> {
        let plain = request.uri().path() == status::PATH
            && request.uri().query().is_none()
            && request.method() == Method::GET
            && !request.headers().contains_key(ORIGIN);
        if !plain {
            return None;
        }
        let began = Instant::now();
        let answered = self.status(request.headers(), guest);
        Some(match answered {
            Ok(response) => {
                self.often.answered(began);
                response.map(Reply::Left)
            }
            Err(problem) => {
                let mut response = problem.into_response();
                response.headers_mut().extend(self.seal.clone());
                let call = self.app.meter.begin(Some(status::PATH), "GET");
                call.answered(response.status().as_u16());
                response.map(Reply::Right)
            }
        })
    }

    fn status(&self, headers: &HeaderMap, guest: &Guest) -> Result<Response<Full<Bytes>>, Problem> {
        let now = (self.app.now)();
        let caller = guard::admit(&self.app, self.right, guest, headers, now)?;
        self.app.link.asked();
        let mut response = Response::new(Full::new(status::at(now, &self.app)?));
        response.headers_mut().clone_from(match caller.scope {
            Scope::Read => &self.reads,
            Scope::Manage => &self.manages,
        });
        Ok(response)
    }
}

impl Clerk {
    pub fn answer<B>(&self, mut request: Request<B>) -> Answer
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        if let Some(response) = self.front.desk.at_once(&request, &self.guest) {
            return Either::Left(ready(response));
        }
        request.extensions_mut().insert(self.guest.clone());
        let answer = self.front.calls.clone().call(request);
        Either::Right(answer.map(|response| match response {
            Ok(response) => response.map(Reply::Right),
            Err(never) => match never {},
        }))
    }
}
