//! The memory: one file per table or two, each with its rows and its queries.

pub(crate) mod refresh_tokens;
pub(crate) mod sessions;
pub(crate) mod spaces;
pub(crate) mod users;

use kernel::{Cursor, FieldError, Instant};
use sea_orm::DbErr;
use uuid::Uuid;

use identity_api::IdentityError;

/// Whether the database refused a row because there is one like it.
pub(crate) fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}

/// A position in a list that is ordered by time and then id.
pub(crate) fn by_time(at: Instant, id: Uuid) -> Cursor {
    Cursor::new([at.to_rfc3339(), id.to_string()])
}

/// Reads back what `by_time` wrote.
pub(crate) fn time_and_id(cursor: &Cursor) -> Result<(Instant, Uuid), IdentityError> {
    let at = cursor.part(0).map_err(|_| foreign_cursor())?;
    let id = cursor.part(1).map_err(|_| foreign_cursor())?;
    Ok((at, id))
}

/// Reads back the id of a list that is ordered by id alone.
pub(crate) fn id_alone(cursor: &Cursor) -> Result<Uuid, IdentityError> {
    cursor.part(0).map_err(|_| foreign_cursor())
}

fn foreign_cursor() -> IdentityError {
    IdentityError::Invalid(vec![FieldError::new("?cursor", "invalid", "not a cursor of this list")])
}
