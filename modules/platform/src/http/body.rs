use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::StreamExt;
use kernel::{Code, FieldError, Problem};
use serde::de::DeserializeOwned;

use super::ApiError;

/// Largest JSON body, in bytes.
const LIMIT: usize = 256 * 1024;

/// A JSON body, read strictly: a wrong content type is 415, too long 413, not JSON 400, not acceptable 422.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request.content_type().eq_ignore_ascii_case("application/json");
        let payload = payload.take();
        Box::pin(async move {
            if !is_json {
                let detail = "send the body as application/json";
                return Err(Problem::new(Code::UnsupportedMediaType).detail(detail).into());
            }
            Ok(Self(parse(&collect(payload).await?)?))
        })
    }
}

async fn collect(mut payload: Payload) -> Result<web::BytesMut, ApiError> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(unreadable)?;
        if body.len() + chunk.len() > LIMIT {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unreadable(error: PayloadError) -> ApiError {
    match error {
        PayloadError::Overflow => too_large(),
        _ => Problem::new(Code::MalformedRequest).detail("the body broke off").into(),
    }
}

fn too_large() -> ApiError {
    Problem::new(Code::BodyTooLarge).detail(format!("a JSON body may have {LIMIT} bytes")).into()
}

/// JSON that is broken is 400; JSON that says something unacceptable is 422 and names the place.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let value: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| Problem::new(Code::MalformedJson).detail(error.to_string()))?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer = pointer(error.path());
        let detail = error.into_inner().to_string();
        let code = if detail.starts_with("unknown field") { "unknown_field" } else { "invalid" };
        Problem::new(Code::ValidationFailed).error(FieldError::new(pointer, code, detail)).into()
    })
}

/// The path as a JSON Pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { variant } => Some(format!("/{variant}")),
            Segment::Unknown => None,
        })
        .collect()
}
