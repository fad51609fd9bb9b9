//! What a shape says: JSON Schema as schemars makes it of serde types.

use serde_json::{Map, Value, json};

use super::document::name_of;

/// The keywords that stand for several shapes.
pub(crate) const CHOICE: [&str; 2] = ["oneOf", "anyOf"];

/// Follows references to a shape that is none.
pub(crate) fn resolve<'a>(shape: &Value, find: impl Fn(&str) -> Option<&'a Value>) -> Value {
    let mut shape = shape;
    // A type that stands for itself alone would go round for ever; no Rust type does.
    for _ in 0..16 {
        match name_of(shape).and_then(&find) {
            Some(named) => shape = named,
            None => break,
        }
    }
    shape.clone()
}

/// What a shape leaves to choose: its alternatives, or one for each of its types, or itself.
pub(crate) fn choices(shape: &Value) -> Vec<Value> {
    for choice in CHOICE {
        if let Some(Value::Array(list)) = shape.get(choice) {
            return list.iter().flat_map(choices).collect();
        }
    }
    match shape.get("type") {
        Some(Value::Array(types)) => {
            let one = |kind: &Value| {
                let mut shape = shape.clone();
                shape["type"] = kind.clone();
                if let Some(Value::Array(words)) = shape.get_mut("enum") {
                    words.retain(|word| kind_of(word) == kind);
                }
                shape
            };
            types.iter().map(one).collect()
        }
        _ => vec![shape.clone()],
    }
}

pub(crate) fn is_anything(shape: &Value) -> bool {
    *shape == Value::Bool(true) || *shape == json!({})
}

pub(crate) fn kind(shape: &Value) -> &str {
    match shape.get("type").and_then(Value::as_str) {
        Some(kind) => kind,
        None => words(shape).and_then(|words| words.first().map(kind_of)).unwrap_or("anything"),
    }
}

pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The values that a shape is limited to, if it is.
pub(crate) fn words(shape: &Value) -> Option<Vec<Value>> {
    match (shape.get("const"), shape.get("enum")) {
        (Some(one), _) => Some(vec![one.clone()]),
        (None, Some(Value::Array(words))) => Some(words.clone()),
        _ => None,
    }
}

/// Whether two shapes could be the same alternative: of one kind, and the same variant where they are variants.
pub(crate) fn alike(written: &Value, read: &Value) -> bool {
    // A variant is one field, and nothing may stand beside it.
    let tag = |shape: &Value| match (required(shape).count(), fields(shape).len()) {
        (1, 1) if shape.get("additionalProperties") == Some(&Value::Bool(false)) => {
            required(shape).next().map(str::to_owned)
        }
        _ => None,
    };
    let numbers = kind(written) == "integer" && kind(read) == "number";
    let kinds = kind(written) == kind(read) || numbers || kind(read) == "anything";
    kinds && (tag(read).is_none() || tag(written) == tag(read))
}

pub(crate) fn fields(shape: &Value) -> Map<String, Value> {
    shape.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

pub(crate) fn required(shape: &Value) -> impl Iterator<Item = &str> {
    shape.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

pub(crate) fn items<'a>(shape: &'a Value, keyword: &str) -> &'a [Value] {
    shape.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn smallest(shape: &Value, keyword: &str) -> Option<f64> {
    let stated = shape.get(keyword).and_then(Value::as_f64);
    let implied = if keyword == "minimum" { integer_range(shape).0 } else { 0.0 };
    Some(stated.unwrap_or(implied))
}

pub(crate) fn largest(shape: &Value, keyword: &str) -> Option<f64> {
    let stated = shape.get(keyword).and_then(Value::as_f64);
    let implied = if keyword == "maximum" { integer_range(shape).1 } else { f64::INFINITY };
    Some(stated.unwrap_or(implied))
}

/// What the Rust type behind an integer holds; exact enough to tell the types apart.
pub(crate) fn integer_range(shape: &Value) -> (f64, f64) {
    match shape.get("format").and_then(Value::as_str) {
        Some("uint8") => (0.0, u8::MAX.into()),
        Some("uint16") => (0.0, u16::MAX.into()),
        Some("uint32") => (0.0, u32::MAX.into()),
        Some("uint" | "uint64") => (0.0, u64::MAX as f64),
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int" | "int64") => (i64::MIN as f64, i64::MAX as f64),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

/// A shape in a few words, for people.
pub(crate) fn outline(shape: &Value) -> String {
    if let Some(words) = words(shape) {
        let words: Vec<String> = words.iter().map(Value::to_string).collect();
        return format!("one of {}", words.join(", "));
    }
    let tag = fields(shape).keys().next().cloned();
    match (kind(shape), shape.get("format").and_then(Value::as_str)) {
        ("object", _) if required(shape).count() == 1 => format!("{:?}", tag.unwrap_or_default()),
        ("object", _) => "a record".to_owned(),
        ("array", _) => "a list".to_owned(),
        ("string", Some(format)) => format!("text ({format})"),
        ("string", None) => "text".to_owned(),
        (kind, Some(format)) => format!("{kind} ({format})"),
        (kind, None) => kind.to_owned(),
    }
}
