//! Whether a value is as a shape says.

use serde_json::Value;

use uuid::Uuid;

use crate::contract::{Document, choices, largest, resolve, smallest, words};

/// Whose promise is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A writer writes nothing but what its shape names.
    Written,
    /// A reader takes what it does not know, unless its shape says otherwise.
    Read,
}

/// The first place where `value` is not as it may be, and why.
pub(super) fn misfit(
    document: &Document,
    side: Side,
    at: &str,
    value: &Value,
    shape: &Value,
) -> Option<String> {
    let find = |shape: &Value| {
        resolve(shape, |name| match side {
            Side::Written => document.types.get(name),
            Side::Read => document.read(name),
        })
    };
    let offers: Vec<Value> = choices(&find(shape)).iter().map(find).collect();
    match offers.as_slice() {
        [one] => single(document, side, at, value, one),
        several => {
            let mut misfits = several.iter().map(|offer| misfit(document, side, at, value, offer));
            misfits.all(|misfit| misfit.is_some()).then(|| format!("{at} is none of what it may be"))
        }
    }
}

fn single(document: &Document, side: Side, at: &str, value: &Value, shape: &Value) -> Option<String> {
    if let Some(words) = words(shape) {
        return (!words.contains(value)).then(|| format!("{at} is not one of {}", Value::from(words)));
    }
    let kind = shape.get("type").and_then(Value::as_str)?;
    let fits = match (kind, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) => true,
        ("string", Value::String(text)) => {
            shape.get("format").is_none_or(|format| format != "uuid") || Uuid::parse_str(text).is_ok()
        }
        ("integer", Value::Number(number)) => {
            let bounds = smallest(shape, "minimum")..=largest(shape, "maximum");
            !number.is_f64() && bounds.contains(&number.as_f64())
        }
        ("number", Value::Number(_)) => true,
        ("array", Value::Array(list)) => return elements(document, side, at, list, shape),
        ("object", Value::Object(_)) => return fields(document, side, at, value, shape),
        _ => false,
    };
    (!fits).then(|| format!("{at} is not of type {kind}"))
}

fn elements(document: &Document, side: Side, at: &str, list: &[Value], shape: &Value) -> Option<String> {
    let limit = |keyword: &str| shape.get(keyword).and_then(Value::as_u64);
    let count = list.len() as u64;
    if limit("minItems").is_some_and(|least| count < least)
        || limit("maxItems").is_some_and(|most| count > most)
    {
        return Some(format!("{at} has {count} elements"));
    }
    let first = shape.get("prefixItems").and_then(Value::as_array);
    let of = |place: usize| first.and_then(|first| first.get(place)).or(shape.get("items"));
    let mut places = list.iter().enumerate();
    places.find_map(|(place, value)| misfit(document, side, &format!("{at}[{place}]"), value, of(place)?))
}

fn fields(document: &Document, side: Side, at: &str, value: &Value, shape: &Value) -> Option<String> {
    let mut required = shape.get("required").and_then(Value::as_array).into_iter().flatten();
    if let Some(absent) = required.find(|name| name.as_str().is_none_or(|name| value.get(name).is_none())) {
        return Some(format!("{at} lacks {absent}"));
    }
    let known = shape.get("properties").and_then(Value::as_object);
    let rest = shape.get("additionalProperties");
    value.as_object()?.iter().find_map(|(name, value)| {
        let here = format!("{at}.{name}");
        match (known.and_then(|known| known.get(name)), rest) {
            (Some(shape), _) => misfit(document, side, &here, value, shape),
            (None, None | Some(Value::Bool(true))) if side == Side::Read => None,
            (None, None | Some(Value::Bool(_))) => Some(format!("{here} is not known")),
            (None, Some(rest)) => misfit(document, side, &here, value, rest),
        }
    })
}
