//! The rules: plain types and functions.

mod bounds;
mod fingerprint;
mod names;
mod sums;

pub(crate) use bounds::Bound;
pub(crate) use fingerprint::fingerprint;
pub(crate) use names::may_be_one;
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

/// Whether a character may stand in a text: control characters and the two that Unicode has set aside may not, but
/// for white space. XML 1.0 §2.2 leaves out the same ones and most control characters that are white space.
pub(crate) fn is_text(c: char) -> bool {
    (!c.is_control() || c.is_whitespace()) && !matches!(c, '\u{fffe}' | '\u{ffff}')
}
