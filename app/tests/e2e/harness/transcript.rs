use std::collections::BTreeMap;
use std::fmt::Write;

use super::Answer;

/// Headers of the connection, and of the moment.
const NOT_COMPARED: [&str; 5] = ["connection", "content-length", "date", "transfer-encoding", "ratelimit"];

/// What was answered to a script of requests, with ids, times and tokens masked in the order of their first
/// appearance: two installations that answer alike have equal transcripts.
#[derive(Default)]
pub struct Transcript {
    names: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
    steps: Vec<String>,
}

impl Transcript {
    /// Writes down what came back when `what` was asked.
    pub fn note(&mut self, what: &str, answer: &Answer) {
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", in_order(value.to_str().unwrap_or("no text"))))
            .collect();
        headers.sort();
        let mut step = String::new();
        for line in [what, &answer.status.to_string()]
            .into_iter()
            .chain(headers.iter().map(String::as_str))
            .chain([&*answer.text])
        {
            writeln!(step, "{}", self.masked(line)).expect("a string can be written");
        }
        self.steps.push(step);
    }

    /// Fails at the first step where `other` was answered differently.
    #[track_caller]
    pub fn assert_same(&self, name: &str, other: &Self, other_name: &str) {
        for (ours, theirs) in self.steps.iter().zip(&other.steps) {
            assert!(ours == theirs, "answers differ\n--- {name}\n{ours}\n--- {other_name}\n{theirs}");
        }
        assert_eq!(self.steps.len(), other.steps.len());
    }

    fn masked(&mut self, text: &str) -> String {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.:+".contains(c);
        let mut masked = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(is_part) {
            let (between, from) = rest.split_at(start);
            let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
            masked += between;
            masked += &self.name(word);
            rest = after;
        }
        masked + rest
    }

    /// The word itself, or what stands for it.
    fn name(&mut self, word: &str) -> String {
        // `urn:uuid:…` of problem documents.
        if let Some(id) = word.strip_prefix("urn:uuid:") {
            return format!("urn:uuid:{}", self.name(id));
        }
        let Some(kind) = kind(word) else { return word.to_owned() };
        if let Some(name) = self.names.get(word) {
            return name.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("{kind}-{count}");
        self.names.insert(word.to_owned(), name.clone());
        name
    }
}

/// A header's list as a set: a hash set of methods or header names comes in another order in each process.
fn in_order(value: &str) -> String {
    let mut parts: Vec<_> = value.split(", ").collect();
    parts.sort_unstable();
    parts.join(", ")
}

/// What a word is an instance of, if it differs from run to run.
fn kind(word: &str) -> Option<&'static str> {
    if uuid::Uuid::try_parse(word).is_ok() {
        return Some("id");
    }
    if word.parse::<kernel::Instant>().is_ok() {
        return Some("time");
    }
    // Access and refresh tokens, cursors, thumbprints of keys: long and without meaning.
    let opaque = word.len() >= 40 && word.chars().any(|c| c.is_ascii_digit()) && !word.contains(':');
    opaque.then_some("token")
}
