//! Whether everything that one side writes can be read by the other, shape by shape.
//!
//! A shape is JSON Schema as schemars makes it of serde types. What this does not know must be the same on both sides.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::document::{Document, name_of};
use super::shape::{
    CHOICE, alike, choices, fields, is_anything, items, kind, kind_of, largest, outline, required, resolve,
    smallest, words,
};

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
            (Some(Value::Object(_)), Some(Value::Bool(false))) => {
                self.say(at, |writer, reader| {
                    format!("the {writer} writes any name, the {reader} knows a few")
                });
            }
            (Some(values @ Value::Object(_)), Some(taken)) => {
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
