//! Values drawn from a shape: what a writer may write, or what a reader must take.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::valid::Side;
use crate::contract::{Document, choices, resolve, words};
use crate::policy::Dice;

/// How deep a value may go before it takes the shortest way out.
const DEEP: usize = 12;

pub(super) struct Sampler<'a> {
    document: &'a Document,
    side: Side,
    dice: Dice,
    depth: usize,
}

impl<'a> Sampler<'a> {
    /// Draws what may be written or read; the same values every time for the same seed.
    pub(super) fn new(document: &'a Document, side: Side, seed: u64) -> Self {
        Self { document, side, dice: Dice::seeded(seed), depth: 0 }
    }

    pub(super) fn value(&mut self, shape: &Value) -> Value {
        self.depth += 1;
        let document = self.document;
        let side = self.side;
        let find = |shape: &Value| {
            resolve(shape, |name| match side {
                Side::Written => document.types.get(name),
                Side::Read => document.read(name),
            })
        };
        let offers = choices(&find(shape));
        let chosen = match self.depth > DEEP {
            true => offers.len() - 1,
            false => self.dice.below(offers.len()),
        };
        let value = self.single(&find(&offers[chosen]));
        self.depth -= 1;
        value
    }

    fn single(&mut self, shape: &Value) -> Value {
        if let Some(words) = words(shape) {
            return self.one_of(&words);
        }
        match shape.get("type").and_then(Value::as_str) {
            Some("object") => self.record(shape),
            Some("array") => self.list(shape),
            Some("string") => self.text(shape),
            Some("integer") => self.integer(shape),
            Some("number") => self.one_of(&[json!(0.5), json!(-3.25), json!(2)]),
            Some("boolean") => self.one_of(&[json!(true), json!(false)]),
            Some("null") => Value::Null,
            _ if choices(shape).len() > 1 => self.value(shape),
            _ => self.one_of(&[Value::Null, json!({ "anything": [1, "two"] })]),
        }
    }

    fn record(&mut self, shape: &Value) -> Value {
        let required = shape.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut record = Map::new();
        for (name, field) in shape.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let needed = required.iter().any(|required| required == name.as_str());
            if needed || (self.depth < DEEP && self.coin()) {
                record.insert(name.clone(), self.value(field));
            }
        }
        match shape.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            // A field from tomorrow.
            None | Some(Value::Bool(true)) if self.side == Side::Read && self.coin() => {
                record.insert("unheard_of".to_owned(), json!({ "so": "it is ignored" }));
            }
            Some(values @ Value::Object(_)) => {
                record.insert("key".to_owned(), self.value(values));
            }
            _ => {}
        }
        record.into()
    }

    fn list(&mut self, shape: &Value) -> Value {
        let first = shape.get("prefixItems").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut list: Vec<Value> = first.iter().map(|shape| self.value(shape)).collect();
        let limit = |keyword: &str| shape.get(keyword).and_then(Value::as_u64).map(|limit| limit as usize);
        let least = limit("minItems").unwrap_or(0);
        let most = limit("maxItems").unwrap_or(if self.depth < DEEP { least.max(2) } else { least });
        let length = least + self.dice.below(most.saturating_sub(least) + 1);
        if let Some(items) = shape.get("items") {
            while list.len() < length {
                list.push(self.value(items));
            }
        }
        list.into()
    }

    fn text(&mut self, shape: &Value) -> Value {
        match shape.get("format").and_then(Value::as_str) {
            Some("uuid") => Uuid::from_u64_pair(self.dice.throw(), self.dice.throw()).to_string().into(),
            Some("date") => self.one_of(&[json!("2026-02-28"), json!("1999-12-31")]),
            Some("date-time") => {
                self.one_of(&[json!("2026-03-01T12:00:00Z"), json!("1999-12-31T23:59:59.123456Z")])
            }
            Some("decimal") => self.one_of(&[json!("-7"), json!("120000"), json!("0")]),
            Some("currency") => self.one_of(&[json!("EUR"), json!("JPY"), json!("KWD")]),
            Some("cursor") => self.one_of(&[json!("61"), json!("617c62")]),
            _ if shape.get("maxLength") == Some(&json!(1)) => self.one_of(&[json!(";"), json!("ü")]),
            _ => self.one_of(&[json!(""), json!("plain"), json!("ü \" \\ \n 😀")]),
        }
    }

    fn integer(&mut self, shape: &Value) -> Value {
        let (least, most) = match shape.get("format").and_then(Value::as_str) {
            Some("uint8") => (json!(0), json!(u8::MAX)),
            Some("uint16") => (json!(0), json!(u16::MAX)),
            Some("uint32") => (json!(0), json!(u32::MAX)),
            Some("uint" | "uint64") => (json!(0), json!(u64::MAX)),
            Some("int8") => (json!(i8::MIN), json!(i8::MAX)),
            Some("int16") => (json!(i16::MIN), json!(i16::MAX)),
            Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
            _ => (json!(i64::MIN), json!(i64::MAX)),
        };
        self.one_of(&[least, json!(1), most])
    }

    fn one_of(&mut self, values: &[Value]) -> Value {
        values[self.dice.below(values.len())].clone()
    }

    fn coin(&mut self) -> bool {
        self.dice.below(2) == 1
    }
}
