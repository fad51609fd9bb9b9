//! The comparison against what really happens to values: random shapes, random changes, the same ones every time.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::sample::Sampler;
use super::valid::{Side, misfit};
use crate::contract::{Agreement, Class, Document, MethodShape, compare};
use crate::policy::Dice;

const CASES: u64 = 2_000;
const SAMPLES: usize = 300;

/// A contract of one method that answers with `shape`.
fn answering(shape: &Value) -> Document {
    let method = MethodShape {
        class: Class::Read,
        dedupe: false,
        optional: false,
        fingerprint: shape.to_string(),
        arguments: Vec::new(),
        answer: shape.clone(),
        refusal: json!({ "type": "null" }),
    };
    let methods = BTreeMap::from([("ask".to_owned(), method)]);
    Document { service: "toy".to_owned(), version: 1, methods, types: BTreeMap::new(), read: BTreeMap::new() }
}

/// Whether the comparison lets `reader` hear what `writer` answers.
fn agree(writer: &Value, reader: &Value) -> bool {
    compare(&answering(reader), &answering(writer)) == Agreement::Compatible
}

/// Whether any value that `writer` may write is one that `reader` cannot read.
fn clash(writer: &Value, reader: &Value, seed: u64) -> Option<Value> {
    let (callee, caller) = (answering(writer), answering(reader));
    let mut sampler = Sampler::new(&callee, Side::Written, seed);
    let mut values = (0..SAMPLES).map(|_| sampler.value(writer));
    values.find(|value| misfit(&caller, Side::Read, "answer", value, reader).is_some())
}

fn shape(dice: &mut Dice, depth: usize) -> Value {
    let kinds = if depth == 0 { 6 } else { 10 };
    match dice.below(kinds) {
        0 => json!({ "type": "string" }),
        1 => json!({ "type": "string", "format": "uuid" }),
        2 => json!({ "type": "integer", "format": "uint8" }),
        3 => json!({ "type": "integer", "format": "int64" }),
        4 => json!({ "type": "boolean" }),
        5 => json!({ "type": "string", "enum": words(dice) }),
        6 => json!({ "type": "array", "items": shape(dice, depth - 1) }),
        7 => json!({ "anyOf": [shape(dice, depth - 1), { "type": "null" }] }),
        8 => {
            json!({ "oneOf": [variant("Left", shape(dice, depth - 1)), variant("Right", shape(dice, depth - 1))] })
        }
        _ => record(dice, depth - 1),
    }
}

fn words(dice: &mut Dice) -> Vec<&'static str> {
    let all = ["booked", "held", "pending"];
    all[..=dice.below(all.len())].to_vec()
}

fn variant(name: &str, shape: Value) -> Value {
    json!({ "type": "object", "properties": { name: shape }, "required": [name], "additionalProperties": false })
}

fn record(dice: &mut Dice, depth: usize) -> Value {
    let mut fields = Map::new();
    let mut required = Vec::new();
    for name in ["amount", "kind", "name"] {
        if dice.below(4) > 0 {
            fields.insert(name.to_owned(), shape(dice, depth));
            if dice.below(2) > 0 {
                required.push(name);
            }
        }
    }
    let mut record = json!({ "type": "object", "properties": fields, "required": required });
    if dice.below(3) == 0 {
        record["additionalProperties"] = false.into();
    }
    record
}

/// The same shape with one thing changed somewhere.
fn changed(of: &Value, dice: &mut Dice) -> Value {
    let mut now = of.clone();
    if let Some(items) = now.get("items").cloned() {
        now["items"] = changed(&items, dice);
    } else if let Some(Value::Array(choices)) = now.get_mut("oneOf") {
        let at = dice.below(choices.len());
        let name = if at == 0 { "Left" } else { "Right" };
        let inner = changed(&choices[at]["properties"][name], dice);
        choices[at] = variant(name, inner);
    } else if let Some(Value::Array(choices)) = now.get_mut("anyOf") {
        match dice.below(2) {
            0 => return choices[0].clone(),
            _ => choices[0] = changed(&choices[0].clone(), dice),
        }
    } else if now["type"] == "object" {
        change_record(&mut now, dice);
    } else {
        return shape(dice, 0);
    }
    now
}

fn change_record(record: &mut Value, dice: &mut Dice) {
    let names: Vec<String> =
        record["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
    let one = names.get(dice.below(names.len()));
    match (dice.below(5), one) {
        (0, _) => record["properties"]["added"] = shape(dice, 0),
        (1, _) => record["additionalProperties"] = (dice.below(2) == 0).into(),
        (2, Some(name)) => {
            record["required"].as_array_mut().unwrap().retain(|required| required != name.as_str());
        }
        (3, Some(name)) => {
            record["required"].as_array_mut().unwrap().retain(|required| required != name.as_str());
            record["properties"].as_object_mut().unwrap().remove(name);
        }
        (_, Some(name)) => {
            let inner = changed(&record["properties"][name].clone(), dice);
            record["properties"][name] = inner;
        }
        (_, None) => record["properties"]["added"] = shape(dice, 0),
    }
}

#[test]
fn what_is_compatible_is_read_and_what_is_refused_could_not_have_been() {
    let (mut agreed, mut refused) = (0, 0);
    for seed in 0..CASES {
        let mut dice = Dice::seeded(seed);
        let before = shape(&mut dice, 3);
        let now = changed(&before, &mut dice);
        for (writer, reader) in [(&before, &now), (&now, &before)] {
            let clash = clash(writer, reader, seed);
            match agree(writer, reader) {
                true => {
                    agreed += 1;
                    assert_eq!(clash, None, "seed {seed}: {writer} is read as {reader}");
                }
                false => {
                    refused += 1;
                    assert!(clash.is_some(), "seed {seed}: no {writer} fails to be read as {reader}");
                }
            }
        }
    }
    assert!(agreed > 500 && refused > 500, "{agreed} agreed, {refused} refused: one side is hardly tested");
}

#[test]
fn every_shape_agrees_with_itself() {
    for seed in 0..CASES {
        let shape = shape(&mut Dice::seeded(seed), 4);
        assert!(agree(&shape, &shape), "seed {seed}: {shape}");
    }
}

#[test]
fn a_type_that_holds_itself_is_compared_to_an_end() {
    let tree = |leaf: &str| {
        let shape = json!({ "$ref": "#/$defs/Tree" });
        let mut document = answering(&shape);
        let node = json!({
            "type": "object",
            "properties": { "leaf": { "type": leaf }, "below": { "type": "array", "items": shape } },
            "required": ["below"]
        });
        document.types.insert("Tree".to_owned(), node);
        document.methods.get_mut("ask").unwrap().fingerprint = leaf.to_owned();
        document
    };
    assert_eq!(compare(&tree("string"), &tree("string")), Agreement::Compatible);
    let Agreement::Refused(found) = compare(&tree("string"), &tree("integer")) else { panic!("agreed") };
    assert_eq!(found[0].field, "answer.leaf");
}
