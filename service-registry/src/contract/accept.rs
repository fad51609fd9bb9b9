//! Whether everything that one side writes can be read by the other, shape by shape.
//!
//! A shape is JSON Schema as schemars makes it of serde types. What this does not know must be the same on both sides.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::document::{Document, name_of};

/// Who writes and who reads, and what to call them.
pub(crate) struct Sides<'a> {
    pub writer: &'a Document,
    pub reader: &'a Document,
    pub names: (&'static str, &'static str),
}

/// The places where the reader may fail on what the writer writes, and why.
pub(crate) fn misfits(sides: &Sides<'_>, at: &str, written: &Value, read: &Value) -> Vec<(String, String)> {
    let mut check = Check { sides, seen: HashSet::new(), found: Vec::new() };
    check.shape(at, written, read);
    check.found
}

struct Check<'a> {
    sides: &'a Sides<'a>,
    /// Pairs of named types that are compared already, or just being compared: types may hold themselves.
    seen: HashSet<(String, String)>,
    found: Vec<(String, String)>,
}

/// Keywords that are compared by what they mean.
const KNOWN: [&str; 14] = [
    "type",
    "enum",
    "const",
    "format",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "properties",
    "required",
];
/// And two that stand for shapes.
const CHOICE: [&str; 2] = ["oneOf", "anyOf"];

impl Check<'_> {
    fn shape(&mut self, at: &str, written: &Value, read: &Value) {
        if let (Some(one), Some(other)) = (name_of(written), name_of(read))
            && !self.seen.insert((one.to_owned(), other.to_owned()))
        {
            return;
        }
        let (written, read) = (self.written(written), self.read(read));
        if is_anything(&read) {
            return;
        }
        for choice in choices(&written) {
            self.choice(at, &self.written(&choice), &read);
        }
    }

    /// One of the shapes that the writer may choose, against all that the reader takes.
    fn choice(&mut self, at: &str, written: &Value, read: &Value) {
        let offers: Vec<Value> = choices(read).iter().map(|offer| self.read(offer)).collect();
        let mut nearest: Option<Vec<(String, String)>> = None;
        for offer in &offers {
            if offers.len() > 1 && !alike(written, offer) {
                continue;
            }
            let mut trial = Check { sides: self.sides, seen: self.seen.clone(), found: Vec::new() };
            trial.single(at, written, offer);
            if trial.found.is_empty() {
                self.seen = trial.seen;
                return;
            }
            if nearest.as_ref().is_none_or(|found| trial.found.len() < found.len()) {
                nearest = Some(trial.found);
            }
        }
        match nearest {
            Some(found) => self.found.extend(found),
            None => self.say(at, |writer, reader| {
                format!("the {writer} may write {}, which the {reader} does not know", outline(written))
            }),
        }
    }

    fn single(&mut self, at: &str, written: &Value, read: &Value) {
        self.unknown_keywords(at, written, read);
        if let Some(words) = words(written) {
            return self.words(at, &words, read);
        }
        let (kind, other) = (kind(written), kind(read));
        let fits = kind == other || (kind == "integer" && other == "number") || other == "anything";
        if !fits || words(read).is_some() {
            return self.say(at, |writer, reader| {
                format!("the {writer} writes {}, the {reader} reads {}", outline(written), outline(read))
            });
        }
        match kind {
            "object" => self.record(at, written, read),
            "array" => self.list(at, written, read),
            "string" | "integer" | "number" => self.bounds(at, written, read),
            _ => {}
        }
    }

    fn words(&mut self, at: &str, written: &[Value], read: &Value) {
        let takes = |word: &Value| match words(read) {
            Some(known) => known.contains(word),
            None => kind(read) == kind_of(word) && read.get("format").is_none(),
        };
        for word in written.iter().filter(|word| !takes(word)) {
            self.say(at, |writer, reader| {
                format!("the {writer} may write {word}, which the {reader} does not know")
            });
        }
    }

    fn record(&mut self, at: &str, written: &Value, read: &Value) {
        let (given, taken) = (fields(written), fields(read));
        for name in required(read) {
            let here = format!("{at}.{name}");
            if !given.contains_key(name) {
                self.say(&here, |writer, reader| {
                    format!("the {reader} needs it, the {writer} does not write it")
                });
            } else if !required(written).any(|always| always == name) {
                self.say(&here, |writer, reader| {
                    format!("the {reader} needs it, the {writer} may leave it out")
                });
            }
        }
        let rest = read.get("additionalProperties").unwrap_or(&Value::Bool(true));
        for (name, shape) in &given {
            let here = format!("{at}.{name}");
            match (taken.get(name), rest) {
                (Some(known), _) => self.shape(&here, shape, known),
                (None, Value::Bool(false)) => self.say(&here, |writer, reader| {
                    format!("the {writer} writes it, the {reader} does not know it and takes nothing unknown")
                }),
                (None, Value::Bool(true)) => {}
                (None, rest) => self.shape(&here, shape, rest),
            }
        }
        match (written.get("additionalProperties"), read.get("additionalProperties")) {
            (Some(values @ (Value::Object(_) | Value::Bool(true))), Some(taken)) => {
                self.shape(&format!("{at}.*"), values, taken);
            }
            _ => {}
        }
    }

    fn list(&mut self, at: &str, written: &Value, read: &Value) {
        self.bounds(at, written, read);
        let (given, taken) = (items(written, "prefixItems"), items(read, "prefixItems"));
        let any = Value::Bool(true);
        let (more_given, more_taken) =
            (written.get("items").unwrap_or(&any), read.get("items").unwrap_or(&any));
        for place in 0..given.len().max(taken.len()) {
            let here = format!("{at}[{place}]");
            let shape = given.get(place).unwrap_or(more_given);
            self.shape(&here, shape, taken.get(place).unwrap_or(more_taken));
        }
        if given.is_empty() && taken.is_empty() && largest(written, "maxItems") > Some(0.0) {
            self.shape(&format!("{at}[]"), more_given, more_taken);
        }
    }

    /// Length, size and format: what the writer keeps within, the reader must take.
    fn bounds(&mut self, at: &str, written: &Value, read: &Value) {
        for (low, high) in [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")] {
            let too_low = smallest(read, low) > smallest(written, low);
            let too_high = largest(read, high) < largest(written, high);
            if too_low || too_high {
                self.say(at, |writer, reader| {
                    format!(
                        "the {writer} writes {}, the {reader} reads {} only",
                        outline(written),
                        outline(read)
                    )
                });
            }
        }
        let format = read.get("format").filter(|_| kind(read) == "string");
        if format.is_some() && format != written.get("format") {
            self.say(at, |writer, reader| {
                format!("the {writer} writes {}, the {reader} reads {} only", outline(written), outline(read))
            });
        }
    }

    fn unknown_keywords(&mut self, at: &str, written: &Value, read: &Value) {
        let known =
            |word: &str| KNOWN.contains(&word) || CHOICE.contains(&word) || word == "additionalProperties";
        let rest = |shape: &Value| -> Map<String, Value> {
            let fields = shape.as_object().into_iter().flatten();
            fields
                .filter(|(word, _)| !known(word))
                .map(|(word, value)| (word.clone(), value.clone()))
                .collect()
        };
        let (one, other) = (rest(written), rest(read));
        if !other.is_empty() && one != other {
            let words: Vec<String> = other.into_iter().map(|(word, _)| word).collect();
            self.say(at, |_, reader| {
                format!("the {reader} asks for {}, which cannot be compared", words.join(", "))
            });
        }
    }

    fn say(&mut self, at: &str, what: impl FnOnce(&str, &str) -> String) {
        let (writer, reader) = self.sides.names;
        self.found.push((at.to_owned(), what(writer, reader)));
    }

    fn written(&self, shape: &Value) -> Value {
        resolve(shape, |name| self.sides.writer.types.get(name))
    }

    fn read(&self, shape: &Value) -> Value {
        resolve(shape, |name| self.sides.reader.read(name))
    }
}

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

fn is_anything(shape: &Value) -> bool {
    *shape == Value::Bool(true) || *shape == json!({})
}

fn kind(shape: &Value) -> &str {
    match shape.get("type").and_then(Value::as_str) {
        Some(kind) => kind,
        None => words(shape).and_then(|words| words.first().map(kind_of)).unwrap_or("anything"),
    }
}

fn kind_of(value: &Value) -> &'static str {
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
fn alike(written: &Value, read: &Value) -> bool {
    let tag = |shape: &Value| match (required(shape).count(), fields(shape).len()) {
        (1, 1) => required(shape).next().map(str::to_owned),
        _ => None,
    };
    let numbers = kind(written) == "integer" && kind(read) == "number";
    let kinds = kind(written) == kind(read) || numbers || kind(read) == "anything";
    kinds && (tag(read).is_none() || tag(written) == tag(read))
}

fn fields(shape: &Value) -> Map<String, Value> {
    shape.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn required(shape: &Value) -> impl Iterator<Item = &str> {
    shape.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn items<'a>(shape: &'a Value, keyword: &str) -> &'a [Value] {
    shape.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn smallest(shape: &Value, keyword: &str) -> Option<f64> {
    let stated = shape.get(keyword).and_then(Value::as_f64);
    let implied = if keyword == "minimum" { integer_range(shape).0 } else { 0.0 };
    Some(stated.unwrap_or(implied))
}

fn largest(shape: &Value, keyword: &str) -> Option<f64> {
    let stated = shape.get(keyword).and_then(Value::as_f64);
    let implied = if keyword == "maximum" { integer_range(shape).1 } else { f64::INFINITY };
    Some(stated.unwrap_or(implied))
}

/// What the Rust type behind an integer holds; exact enough to tell the types apart.
fn integer_range(shape: &Value) -> (f64, f64) {
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
fn outline(shape: &Value) -> String {
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
