//! Whether a caller and a callee understand each other, decided from their two contracts alone.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Class;
use super::accept::{Sides, misfits};
use super::document::{Document, MethodShape};

/// What comes of comparing a caller's contract with a callee's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Whatever one writes, the other reads.
    Compatible,
    /// As much, but the callee lacks these methods, without which the caller goes on.
    Degraded { missing: Vec<String> },
    /// One could misunderstand the other. Never empty.
    Refused(Vec<Difference>),
}

/// One thing that two contracts do not agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    pub service: String,
    /// Empty where the whole service is meant.
    pub method: String,
    /// Where in the method: `arguments.account.name`, `answer.data[].amount`. Empty where all of it is meant.
    pub field: String,
    pub problem: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, method, field, problem } = self;
        f.write_str(service)?;
        for part in [method, field] {
            if !part.is_empty() {
                write!(f, " {part}")?;
            }
        }
        write!(f, ": {problem}")
    }
}

impl Agreement {
    /// The word for it, as in JSON and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Degraded { .. } => "degraded",
            Self::Refused(_) => "refused",
        }
    }
}

/// Whether calls by `caller` to `callee` arrive as they were meant, and their answers too.
pub fn compare(caller: &Document, callee: &Document) -> Agreement {
    let mut missing = Vec::new();
    let mut differences = Vec::new();
    for (name, wanted) in &caller.methods {
        let difference = |field: &str, problem: String| Difference {
            service: caller.service.clone(),
            method: name.clone(),
            field: field.to_owned(),
            problem,
        };
        match callee.methods.get(name) {
            None if wanted.optional => missing.push(name.clone()),
            None => differences.push(difference("", "the callee does not have it".to_owned())),
            Some(offered) if offered.fingerprint == wanted.fingerprint => {}
            Some(offered) => {
                let found = method_misfits(caller, wanted, callee, offered);
                differences.extend(found.into_iter().map(|(field, problem)| difference(&field, problem)));
            }
        }
    }
    match (differences.is_empty(), missing.is_empty()) {
        (true, true) => Agreement::Compatible,
        (true, false) => Agreement::Degraded { missing },
        (false, _) => Agreement::Refused(differences),
    }
}

fn method_misfits(
    caller: &Document,
    wanted: &MethodShape,
    callee: &Document,
    offered: &MethodShape,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if promise(offered) < promise(wanted) {
        let (wanted, offered) = (class_word(wanted), class_word(offered));
        found.push((
            "class".to_owned(),
            format!("the caller repeats it as {wanted}, the callee promises {offered}"),
        ));
    }
    let there = Sides { writer: caller, reader: callee, names: ("caller", "callee") };
    let back = Sides { writer: callee, reader: caller, names: ("callee", "caller") };
    let (given, taken) = (&wanted.arguments, &offered.arguments);
    if given.len() != taken.len() {
        let (given, taken) = (given.len(), taken.len());
        found.push(("arguments".to_owned(), format!("the caller gives {given}, the callee takes {taken}")));
    } else {
        for (given, taken) in given.iter().zip(taken) {
            found.extend(misfits(&there, &format!("arguments.{}", given.name), &given.shape, &taken.shape));
        }
    }
    found.extend(misfits(&back, "answer", &offered.answer, &wanted.answer));
    found.extend(misfits(&back, "refusal", &offered.refusal, &wanted.refusal));
    found
}

/// What a repeat may do, from what promises least: a callee must promise what its caller counts on.
fn promise(method: &MethodShape) -> u8 {
    match (method.class, method.dedupe) {
        (Class::Once, false) => 0,
        (Class::Once, true) => 1,
        (Class::Idempotent, _) => 2,
        (Class::Read, _) => 3,
    }
}

fn class_word(method: &MethodShape) -> &'static str {
    match (method.class, method.dedupe) {
        (Class::Once, false) => "once",
        (Class::Once, true) => "once(dedupe)",
        (Class::Idempotent, _) => "idempotent",
        (Class::Read, _) => "read",
    }
}
