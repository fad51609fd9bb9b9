//! The rules: plain types and functions.

mod bounds;
mod fingerprint;
mod sums;

pub(crate) use bounds::Bound;
pub(crate) use fingerprint::fingerprint;
pub(crate) use sums::Sum;

use kernel::FieldError;

const NAME_LIMIT: usize = 100;

/// The name without blanks around it; refused where nothing is left or it is too long.
pub(crate) fn account_name(name: &str) -> Result<String, FieldError> {
    let name = name.trim();
    let length = name.chars().count();
    if !(1..=NAME_LIMIT).contains(&length) || name.chars().any(char::is_control) {
        return Err(FieldError::new(
            "/name",
            "invalid",
            format!("a name has 1 to {NAME_LIMIT} printable characters"),
        ));
    }
    Ok(name.to_owned())
}
