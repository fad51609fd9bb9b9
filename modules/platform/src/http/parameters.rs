use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use kernel::{Code, FieldError, MAX_LIMIT, PageRequest, Problem};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ApiError;

/// Query parameters, read strictly: what cannot be read is 422 and named.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = web::Query::<T>::from_query(request.query_string());
        ready(parsed.map(|query| Self(query.into_inner())).map_err(|error| {
            let detail = match error {
                actix_web::error::QueryPayloadError::Deserialize(error) => error.to_string(),
                other => other.to_string(),
            };
            Problem::new(Code::ValidationFailed).error(FieldError::new("?", "invalid", detail)).into()
        }))
    }
}

/// The parts of the path. An id that is none names nothing, so it is 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parsed = web::Path::<T>::from_request(request, payload).into_inner();
        ready(parsed.map(|path| Self(path.into_inner())).map_err(|_| Problem::new(Code::NotFound).into()))
    }
}

/// `cursor`, `limit` and `with_total` of every list. Put into a list's own query with `#[serde(flatten)]`-free
/// composition: lists that filter repeat these three fields and convert with [`PageQuery::request`].
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Goes on after this position: the `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// Also count the whole list.
    pub with_total: Option<bool>,
}

impl PageQuery {
    /// The page asked for, or which of the three is wrong.
    pub fn request(self) -> Result<PageRequest, ApiError> {
        let default = PageRequest::default();
        let limit = self.limit.unwrap_or(default.limit);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(invalid("?limit", format!("limit is 1 to {MAX_LIMIT}")));
        }
        let cursor = self.cursor.map(|cursor| cursor.parse()).transpose();
        let cursor = cursor.map_err(|error: kernel::InvalidCursor| invalid("?cursor", error.to_string()))?;
        Ok(PageRequest { cursor, limit, with_total: self.with_total.unwrap_or_default() })
    }
}

fn invalid(pointer: &str, detail: String) -> ApiError {
    Problem::new(Code::ValidationFailed).error(FieldError::new(pointer, "invalid", detail)).into()
}
