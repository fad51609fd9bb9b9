use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use kernel::{Code, Problem};
use service_registry::CallContext;

use super::ApiError;

/// The context of the request, put there by the listener that took it in.
#[derive(Clone, Debug)]
pub struct Cx(pub CallContext);

impl Deref for Cx {
    type Target = CallContext;
    fn deref(&self) -> &CallContext {
        &self.0
    }
}

impl FromRequest for Cx {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let context = request.extensions().get::<CallContext>().cloned();
        // A listener that forgot to put it there is our fault, not the client's.
        ready(context.map(Cx).ok_or_else(|| ApiError::from(Problem::new(Code::Internal))))
    }
}
