use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use kernel::{Problem, ToProblem};

/// A problem document on its way out (RFC 9457). The edge adds the request id.
#[derive(Debug)]
pub struct ApiError(Box<Problem>);

impl ApiError {
    /// The problem that the client will see.
    pub fn problem(&self) -> &Problem {
        &self.0
    }
}

impl<E: ToProblem> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(Box::new(error.to_problem()))
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.code)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json").insert_header((CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.0.retry_after {
            response.insert_header((RETRY_AFTER, HeaderValue::from(seconds)));
        }
        response.json(&*self.0)
    }
}
