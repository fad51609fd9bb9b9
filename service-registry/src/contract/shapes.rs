//! From Rust types to shapes: schemars reads the serde attributes, and what is for people only is taken out.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::document::{Argument, Document, MethodShape, Types};
use super::{Contract, Method};

/// Gathers the methods of one contract.
pub struct Shapes {
    written: SchemaGenerator,
    read: SchemaGenerator,
    methods: BTreeMap<String, MethodShape>,
    /// Shapes without a name that differ between writing and reading, under one made for them.
    named: [Types; 2],
}

impl Shapes {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12;
        Self {
            written: settings().for_serialize().into_generator(),
            read: settings().for_deserialize().into_generator(),
            methods: BTreeMap::new(),
            named: Default::default(),
        }
    }

    /// Adds a method whose arguments are the tuple `A`.
    pub fn add<A, R, E>(&mut self, method: &Method)
    where
        A: JsonSchema,
        R: JsonSchema,
        E: JsonSchema,
    {
        let tuple = self.both::<A>(method.name, "arguments");
        let shapes = tuple.get("prefixItems").and_then(Value::as_array).cloned().unwrap_or_default();
        let arguments = method.arguments.iter().zip(shapes);
        let shape = MethodShape {
            class: method.class,
            dedupe: method.dedupe,
            optional: method.optional,
            fingerprint: String::new(),
            arguments: arguments.map(|(name, shape)| Argument { name: (*name).into(), shape }).collect(),
            answer: self.both::<R>(method.name, "answer"),
            refusal: self.both::<E>(method.name, "refusal"),
        };
        self.methods.insert(method.name.to_owned(), shape);
    }

    /// The shape of `T`, which is a reference where it is read otherwise than it is written.
    fn both<T: JsonSchema>(&mut self, method: &str, part: &str) -> Value {
        let (written, read) = (tidy(self.written.subschema_for::<T>()), tidy(self.read.subschema_for::<T>()));
        if written == read {
            return written;
        }
        let name = format!("{method}.{part}");
        let reference = json!({ "$ref": format!("#/$defs/{name}") });
        self.named[0].insert(name.clone(), written);
        self.named[1].insert(name, read);
        reference
    }

    fn finish(mut self, service: &str, version: u32) -> Document {
        let tidied = |definitions: Map<String, Value>, named: Types| -> Types {
            let tidied = definitions.into_iter().map(|(name, shape)| match Schema::try_from(shape) {
                Ok(schema) => (name, tidy(schema)),
                Err(_) => (name, Value::Bool(true)),
            });
            tidied.chain(named).collect()
        };
        let [named_written, named_read] = self.named;
        let types = tidied(self.written.take_definitions(false), named_written);
        let mut read = tidied(self.read.take_definitions(false), named_read);
        read.retain(|name, shape| types.get(name) != Some(shape));
        let mut document =
            Document { service: service.to_owned(), version, methods: self.methods, types, read };
        let fingerprints: Vec<String> =
            document.methods.iter().map(|(name, method)| document.fingerprint(name, method)).collect();
        for (method, fingerprint) in document.methods.values_mut().zip(fingerprints) {
            method.fingerprint = fingerprint;
        }
        document
    }
}

/// The contract of `T` as data.
pub(crate) fn describe<T: Contract + ?Sized>(add: impl FnOnce(&mut Shapes)) -> Document {
    let mut shapes = Shapes::new();
    add(&mut shapes);
    shapes.finish(T::NAME, T::VERSION)
}

/// Takes out what nobody's serde looks at, so that a better comment is no other contract.
fn tidy(mut schema: Schema) -> Value {
    RecursiveTransform(|schema: &mut Schema| {
        for remark in ["$schema", "title", "description", "default", "examples", "deprecated"] {
            schema.remove(remark);
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.sort_by_key(ToString::to_string);
        }
        gather_words(schema);
    })
    .transform(&mut schema);
    schema.to_value()
}

/// Writes words that schemars lists one by one (those with a comment) as one list.
fn gather_words(schema: &mut Schema) {
    let Some(Value::Array(choices)) = schema.remove("oneOf") else { return };
    let (words, mut others): (Vec<Value>, Vec<Value>) =
        choices.into_iter().map(closed).partition(|choice| choice["type"] == "string");
    let word = |choice: &Value| match (&choice["const"], &choice["enum"]) {
        (Value::Null, Value::Array(several)) => several.clone(),
        (one, _) => vec![one.clone()],
    };
    let mut words: Vec<Value> = words.iter().flat_map(word).collect();
    words.sort_by_key(ToString::to_string);
    let words = json!({ "type": "string", "enum": words });
    if others.is_empty() {
        schema.ensure_object().extend(words.as_object().cloned().unwrap_or_default());
        return;
    }
    if words["enum"].as_array().is_some_and(|words| !words.is_empty()) {
        others.insert(0, words);
    }
    schema.insert("oneOf".to_owned(), others.into());
}

/// A variant is one field and nothing beside it. schemars says so of all enums but `Result`.
fn closed(mut choice: Value) -> Value {
    let fields = choice["properties"].as_object().map_or(0, Map::len);
    if fields == 1 && choice["required"].as_array().is_some_and(|required| required.len() == 1) {
        choice["additionalProperties"] = false.into();
    }
    choice
}

const LINE: usize = 110;

/// JSON for people: sorted, and on one line what fits there.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, 0, &mut out);
    out.push('\n');
    out
}

fn write(value: &Value, indent: usize, before: usize, out: &mut String) {
    let flat = flat(value);
    if indent > 0 && indent + before + flat.len() <= LINE {
        return out.push_str(&flat);
    }
    let pad = " ".repeat(indent + 2);
    let end = format!("\n{}", " ".repeat(indent));
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (at, (name, value)) in fields.iter().enumerate() {
                let key = format!("{}: ", Value::from(name.as_str()));
                out.push_str(if at == 0 { "{\n" } else { ",\n" });
                out.push_str(&pad);
                out.push_str(&key);
                write(value, indent + 2, key.len() + 1, out);
            }
            out.push_str(&format!("{end}}}"));
        }
        Value::Array(list) if !list.is_empty() => {
            for (at, value) in list.iter().enumerate() {
                out.push_str(if at == 0 { "[\n" } else { ",\n" });
                out.push_str(&pad);
                write(value, indent + 2, 1, out);
            }
            out.push_str(&format!("{end}]"));
        }
        _ => out.push_str(&flat),
    }
}

fn flat(value: &Value) -> String {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let fields =
                fields.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), flat(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(flat).collect::<Vec<_>>().join(", ")),
        plain => plain.to_string(),
    }
}
