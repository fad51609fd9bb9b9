//! Whether a contract may change as it did, and whether its shapes tell the truth.

mod sample;
#[cfg(test)]
mod tests;
mod valid;

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use self::sample::Sampler;
use self::valid::{Side, misfit};
use crate::contract::{Agreement, Contract, Difference, Document, Part, compare};

/// Set to `write`, it lets [`contract_holds`] bring the file up to date with what it finds good.
pub const WRITE: &str = "SERVICE_CONTRACTS";

/// What became of a contract since its file was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The two do not differ.
    None,
    /// Callers of before can go on. Where there are differences, callers of now cannot work with a callee of before:
    /// the callee must be brought up to date first.
    Additive { callee_first: Vec<Difference> },
    /// Callers of before could be misunderstood.
    Breaking(Vec<Difference>),
}

/// What it means that `before` became `now`.
pub fn change(before: &Document, now: &Document) -> Change {
    if before == now {
        return Change::None;
    }
    match (compare(before, now), compare(now, before)) {
        (Agreement::Refused(differences), _) => Change::Breaking(differences),
        (Agreement::Degraded { missing }, _) => Change::Breaking(gone(before, missing)),
        (Agreement::Compatible, Agreement::Refused(callee_first)) => Change::Additive { callee_first },
        (Agreement::Compatible, _) => Change::Additive { callee_first: Vec::new() },
    }
}

fn gone(before: &Document, methods: Vec<String>) -> Vec<Difference> {
    let gone = |method| Difference {
        service: before.service.clone(),
        method,
        field: String::new(),
        problem: "it is gone".to_owned(),
    };
    methods.into_iter().map(gone).collect()
}

/// Holds the contract of `T` to its file in `directory`, `contract.v{version}.json`.
///
/// # Panics
/// When the contract has changed, saying how and what to do. A change that breaks no caller is written with
/// `SERVICE_CONTRACTS=write`; one that does needs a new version.
#[track_caller]
pub fn contract_holds<T: Contract + ?Sized>(directory: &str) {
    let now = T::document();
    let file = Path::new(directory).join(format!("contract.v{}.json", T::VERSION));
    let kept = match std::fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("cannot read {}: {error}", file.display()),
    };
    let before = kept.as_ref().map(|text| match serde_json::from_str::<Document>(text) {
        Ok(before) => before,
        Err(error) => panic!("{} is no contract: {error}", file.display()),
    });
    let may_write = std::env::var(WRITE).is_ok_and(|word| word == "write");
    let verdict = before.as_ref().map(|before| change(before, now));
    match verdict {
        Some(Change::None) if kept == Some(now.to_text()) => {}
        Some(Change::Breaking(differences)) => panic!("{}", breaking(now, &differences)),
        _ if may_write => {
            std::fs::write(&file, now.to_text())
                .unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
        }
        Some(Change::Additive { callee_first }) => panic!("{}", additive(now, &callee_first)),
        Some(Change::None) | None => {
            panic!("{} is not written yet; {}", file.display(), how_to_write())
        }
    }
}

fn breaking(now: &Document, differences: &[Difference]) -> String {
    let Document { service, version, .. } = now;
    let next = version + 1;
    let mut said = format!("this would break those who call {service} v{version}:\n");
    list(&mut said, differences);
    let _ = write!(
        said,
        "Keep v{version} as it is and make a v{next} beside it: a second trait under `#[service(name = \"{service}\", \
         version = {next})]`. One process may provide both, until nobody calls v{version} any more; then v{version} \
         goes, with contract.v{version}.json. (If nobody has v{version} yet, delete that file and {}.)",
        how_to_write()
    );
    said
}

fn additive(now: &Document, callee_first: &[Difference]) -> String {
    let Document { service, version, .. } = now;
    let mut said = format!("the contract of {service} v{version} has changed, and its callers can go on; ");
    said.push_str(&how_to_write());
    if !callee_first.is_empty() {
        said.push_str(".\nBut callers with this change refuse a callee without it, so the callee must be rolled out before them:\n");
        list(&mut said, callee_first);
        said.push_str("A new method can be marked `#[optional]` until no callee lacks it.");
    }
    said
}

fn how_to_write() -> String {
    format!("run this test with {WRITE}=write to write it again")
}

fn list(said: &mut String, differences: &[Difference]) {
    for difference in differences {
        let _ = writeln!(said, "  {difference}");
    }
}

/// Holds the shapes in the contract of `T` to what its types do: whatever a shape says can be read is read, and whatever
/// is written then is as the shape says.
///
/// # Panics
/// With the first value for which that is not so.
#[track_caller]
pub fn shapes_are_true<T: Contract + ?Sized>(rounds: usize) {
    let document = T::document();
    let mut sampler = Sampler::new(document, Side::Read, 6);
    for (index, method) in T::METHODS.iter().enumerate() {
        let shape = &document.methods[method.name];
        for _ in 0..rounds {
            let arguments: Vec<Value> =
                shape.arguments.iter().map(|argument| sampler.value(&argument.shape)).collect();
            let parts = [
                (Part::Arguments, Value::from(arguments)),
                (Part::Answer, sampler.value(&shape.answer)),
                (Part::Refusal, sampler.value(&shape.refusal)),
            ];
            for (part, value) in parts {
                let written = match T::recode(index, part, value.to_string().as_bytes()) {
                    Ok(written) => written,
                    Err(error) => {
                        panic!("{part:?} of {}: {error}, though its shape says so: {value}", method.name)
                    }
                };
                let written: Value = serde_json::from_slice(&written).expect("what serde wrote is JSON");
                if let Some(problem) = part_misfit(document, method.name, part, &written) {
                    panic!("{part:?} of {}: {problem}, says its shape: {written}", method.name);
                }
            }
        }
    }
}

/// What is wrong with one part of a call by the contract's own words, if anything is.
pub(super) fn part_misfit(document: &Document, method: &str, part: Part, json: &Value) -> Option<String> {
    let shape = document.methods.get(method)?;
    match part {
        Part::Answer => misfit(document, Side::Written, "answer", json, &shape.answer),
        Part::Refusal => misfit(document, Side::Written, "refusal", json, &shape.refusal),
        Part::Arguments => {
            let given = json.as_array().map_or(&[][..], Vec::as_slice);
            let mut pairs = given.iter().zip(&shape.arguments);
            pairs.find_map(|(value, argument)| {
                misfit(document, Side::Written, &argument.name, value, &argument.shape)
            })
        }
    }
}
