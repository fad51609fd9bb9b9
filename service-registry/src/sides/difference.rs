//! Where two answers differ, told without what they say.

use serde_json::Value;

use crate::transport::Reply;

/// Places told of one pair of answers.
const MOST: usize = 10;

/// Where two replies differ, each place as a JSON pointer with the types of both: `/balance: number, string`.
/// Empty if they say the same.
pub(super) fn differences(one: &Reply, other: &Reply) -> Vec<String> {
    let (one, other) = match (one, other) {
        (Reply::Answer(one), Reply::Answer(other)) | (Reply::Refusal(one), Reply::Refusal(other)) => {
            (one, other)
        }
        (Reply::Answer(_), Reply::Refusal(_)) => return vec![": answer, refusal".to_owned()],
        (Reply::Refusal(_), Reply::Answer(_)) => return vec![": refusal, answer".to_owned()],
    };
    if one == other {
        return Vec::new();
    }
    let mut found = Vec::new();
    match (serde_json::from_slice(one), serde_json::from_slice(other)) {
        (Ok(one), Ok(other)) => compare(&one, &other, &mut String::new(), &mut found),
        _ => found.push(": not JSON on one side".to_owned()),
    }
    found
}

fn compare(one: &Value, other: &Value, pointer: &mut String, found: &mut Vec<String>) {
    match (one, other) {
        _ if one == other || found.len() == MOST => {}
        (Value::Object(left), Value::Object(right)) => {
            let only_right = right.keys().filter(|key| !left.contains_key(*key));
            for key in left.keys().chain(only_right) {
                let (one, other) = (left.get(key), right.get(key));
                descend(masked(key), one, other, pointer, found);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for at in 0..left.len().max(right.len()) {
                descend(&at.to_string(), left.get(at), right.get(at), pointer, found);
            }
        }
        _ => tell(pointer, type_of(one), type_of(other), found),
    }
}

fn descend(
    step: &str,
    one: Option<&Value>,
    other: Option<&Value>,
    pointer: &mut String,
    found: &mut Vec<String>,
) {
    let end = pointer.len();
    pointer.push('/');
    pointer.push_str(step);
    match (one, other) {
        (Some(one), Some(other)) => compare(one, other, pointer, found),
        (one, other) => tell(pointer, one.map_or("absent", type_of), other.map_or("absent", type_of), found),
    }
    pointer.truncate(end);
}

fn tell(pointer: &str, one: &str, other: &str, found: &mut Vec<String>) {
    if found.len() < MOST {
        found.push(format!("{pointer}: {one}, {other}"));
    }
}

/// A key that looks like the name of a field. What does not may be a user's word.
fn masked(key: &str) -> &str {
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if key.len() <= 40 && key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(name) {
        key
    } else {
        "*"
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &'static str) -> Reply {
        Reply::Answer(json.into())
    }

    #[test]
    fn places_and_types_are_told_and_no_value() {
        let one = answer(r#"{"id":7,"rows":[{"amount":"12.50"},{"amount":"1"}],"Uncle Bob":1,"gone":null}"#);
        let other = answer(r#"{"id":7,"rows":[{"amount":12.5}],"Uncle Bob":2}"#);
        let told = differences(&one, &other);
        assert_eq!(
            told,
            [
                "/*: number, number",
                "/gone: null, absent",
                "/rows/0/amount: string, number",
                "/rows/1: object, absent"
            ]
        );
    }

    #[test]
    fn the_order_of_fields_says_nothing() {
        assert!(differences(&answer(r#"{"a":1,"b":2}"#), &answer(r#"{"b":2, "a":1}"#)).is_empty());
    }

    #[test]
    fn an_answer_and_a_refusal_differ_and_long_lists_are_cut() {
        assert_eq!(differences(&answer("1"), &Reply::Refusal("1".into())), [": answer, refusal"]);
        assert_eq!(differences(&answer("[1,1,1,1,1,1,1,1,1,1,1,1]"), &answer("[]")).len(), MOST);
    }
}
