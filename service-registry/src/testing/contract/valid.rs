//! Whether a value is as a shape says.

use serde_json::Value;

use crate::contract::{Document, choices, resolve, words};

/// The first place where `value` is not as it may be written, and why.
pub(super) fn misfit(document: &Document, at: &str, value: &Value, shape: &Value) -> Option<String> {
    let find = |shape: &Value| resolve(shape, |name| document.types.get(name));
    let offers: Vec<Value> = choices(&find(shape)).iter().map(find).collect();
    match offers.as_slice() {
        [one] => single(document, at, value, one),
        several => {
            let mut misfits = several.iter().map(|offer| misfit(document, at, value, offer));
            misfits.all(|misfit| misfit.is_some()).then(|| format!("{at} is none of what it may be"))
        }
    }
}

fn single(document: &Document, at: &str, value: &Value, shape: &Value) -> Option<String> {
    if let Some(words) = words(shape) {
        return (!words.contains(value)).then(|| format!("{at} is not one of {}", Value::from(words)));
    }
    let kind = shape.get("type").and_then(Value::as_str)?;
    let fits = match (kind, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("string", Value::String(_)) => true,
        ("integer", Value::Number(number)) => !number.is_f64(),
        ("number", Value::Number(_)) => true,
        ("array", Value::Array(list)) => return elements(document, at, list, shape),
        ("object", Value::Object(_)) => return fields(document, at, value, shape),
        _ => false,
    };
    (!fits).then(|| format!("{at} is not of type {kind}"))
}

fn elements(document: &Document, at: &str, list: &[Value], shape: &Value) -> Option<String> {
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
    places.find_map(|(place, value)| misfit(document, &format!("{at}[{place}]"), value, of(place)?))
}

fn fields(document: &Document, at: &str, value: &Value, shape: &Value) -> Option<String> {
    let mut required = shape.get("required").and_then(Value::as_array).into_iter().flatten();
    if let Some(absent) = required.find(|name| name.as_str().is_none_or(|name| value.get(name).is_none())) {
        return Some(format!("{at} lacks {absent}"));
    }
    let known = shape.get("properties").and_then(Value::as_object);
    let rest = shape.get("additionalProperties");
    value.as_object()?.iter().find_map(|(name, value)| {
        let here = format!("{at}.{name}");
        match (known.and_then(|known| known.get(name)), rest) {
            (Some(shape), _) => misfit(document, &here, value, shape),
            // A shape that is open says so for the reader; the writer writes what it knows.
            (None, None | Some(Value::Bool(_))) => Some(format!("{here} is not known")),
            (None, Some(rest)) => misfit(document, &here, value, rest),
        }
    })
}
