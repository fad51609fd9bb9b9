//! A contract as data: what a file keeps, what a handshake carries, what two sides compare.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Class;
use super::shapes::text;

/// Shapes by the name of their type, as JSON Schema.
pub type Types = BTreeMap<String, Value>;

/// One service in one version: its methods, and the types that cross the wire with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub service: String,
    pub version: u32,
    pub methods: BTreeMap<String, MethodShape>,
    /// Types as they are written.
    pub types: Types,
    /// Those that are read otherwise than they are written: an absent field may have a default.
    pub read: Types,
}

/// What two sides must agree on of one method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodShape {
    pub class: Class,
    #[serde(default, skip_serializing_if = "is_false")]
    pub dedupe: bool,
    /// Whether callers go on where a callee lacks it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// Of everything else here and every type within reach of it; see [`Document::fingerprint`].
    pub fingerprint: String,
    pub arguments: Vec<Argument>,
    pub answer: Value,
    pub refusal: Value,
}

/// One argument. They travel by position: the name is for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    pub name: String,
    pub shape: Value,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Document {
    /// The shape that a type has when it is read.
    pub(crate) fn read(&self, name: &str) -> Option<&Value> {
        self.read.get(name).or_else(|| self.types.get(name))
    }

    /// The contract as its file has it: sorted, and the same text for the same contract.
    pub fn to_text(&self) -> String {
        text(&serde_json::to_value(self).expect("strings, numbers and their like are JSON"))
    }

    /// See [`super::Offer::mark`].
    pub fn mark(&self) -> String {
        mark(self.methods.iter().map(|(name, method)| (name, &method.fingerprint)))
    }

    /// What changes when, and only when, one of two sides could misunderstand the other about `method`: its name,
    /// its class, and all shapes within reach.
    pub(crate) fn fingerprint(&self, name: &str, method: &MethodShape) -> String {
        let mut hash = Fnv::new();
        hash.add(&format!("{name} {:?} {}", method.class, method.dedupe));
        let mut next: Vec<Value> = method.arguments.iter().map(|argument| argument.shape.clone()).collect();
        next.extend([method.answer.clone(), method.refusal.clone()]);
        let mut reached = BTreeMap::new();
        while let Some(shape) = next.pop() {
            hash.add(&shape.to_string());
            for name in names_in(&shape) {
                if !reached.contains_key(name) {
                    let both = [self.types.get(name), self.read.get(name)];
                    let both: Vec<Value> = both.into_iter().flatten().cloned().collect();
                    next.extend(both.iter().cloned());
                    reached.insert(name.to_owned(), both);
                }
            }
        }
        for (name, shapes) in &reached {
            hash.add(&format!("{name} {}", Value::from(shapes.clone())));
        }
        format!("{:016x}", hash.0)
    }
}

/// One word for what a process offers of one version: two processes with the same word offer the same.
pub(crate) fn mark<'a>(fingerprints: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let mut hash = Fnv::new();
    for (method, fingerprint) in fingerprints {
        hash.add(method);
        hash.add(fingerprint);
    }
    format!("{:016x}", hash.0)
}

/// The name of the type that a shape refers to, if it does nothing else.
pub(crate) fn name_of(shape: &Value) -> Option<&str> {
    shape.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn names_in(shape: &Value) -> Vec<&str> {
    let inner = match shape {
        Value::Array(list) => list.iter().flat_map(names_in).collect(),
        Value::Object(fields) => fields.values().flat_map(names_in).collect(),
        _ => Vec::new(),
    };
    name_of(shape).into_iter().chain(inner).collect()
}

/// FNV-1a with 64 bits: the same number in every build, and nobody gains by making two contracts collide.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
}
