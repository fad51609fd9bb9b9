//! Defaults, mode, file, environment and command line laid over one another; each stronger than the last.

use std::path::PathBuf;

use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::values::Values;
use super::{Faults, Settings};

const DEFAULT: &str = include_str!("../../config/default.toml");
const MODES: [(&str, &str); 3] = [
    ("monolith", include_str!("../../config/monolith.toml")),
    ("hybrid", include_str!("../../config/hybrid.toml")),
    ("microservices", include_str!("../../config/microservices.toml")),
];
const PREFIX: &str = "TRIBUTARY_";
/// Variables with our prefix that are not settings: who imports and where, and what tests run against.
const NOT_SETTINGS: [&str; 12] = [
    "EMAIL",
    "PASSWORD",
    "TOKEN",
    "SERVER",
    "TEST_POSTGRES_URL",
    "REQUIRE_SERVERS",
    "REQUIRE_TOOLS",
    "CORPUS",
    "BLESS",
    "ADVISORIES",
    "DRILL",
    "DRILL_SEED",
];

/// What the command line says: the strongest layer, and the file that stands two layers below it.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub file: Option<PathBuf>,
    /// Dotted key and value, `("edge.deadline_ms", "5000")`; a list is separated by commas.
    pub values: Vec<(String, String)>,
}

impl Overrides {
    /// Sets `key` if there is a value for it.
    pub fn set(&mut self, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.values.push((key.to_owned(), value.to_string()));
        }
    }
}

/// Merges all layers and notes every fault on the way.
///
/// A value that cannot be read is noted and then replaced by its default, so that one look finds all faults.
pub(super) fn merge(
    overrides: &Overrides,
    env: impl IntoIterator<Item = (String, String)>,
    faults: &mut Faults,
) -> Option<Settings> {
    let defaults = dict_of(&Figment::from(Toml::string(DEFAULT)));
    let env = Words::new("environment", env_words(env), &defaults);
    let flags = Words::new("command line", overrides.values.clone(), &defaults);
    let file = overrides.file.as_deref().map(|path| read_file(path, faults));

    let below_mode = Figment::from(Toml::string(DEFAULT));
    let above_mode = |figment: Figment| {
        let figment = match &file {
            Some(text) => figment.merge(Toml::string(text)),
            None => figment,
        };
        figment.merge(&env).merge(&flags)
    };
    let mode: String = above_mode(below_mode.clone()).extract_inner("mode").unwrap_or_default();
    let mode_file = MODES.iter().find(|(name, _)| *name == mode).map_or("", |(_, text)| text);
    let merged = above_mode(below_mode.merge(Toml::string(mode_file)));
    if let Err(error) = merged.data() {
        error.into_iter().for_each(|error| faults.add(place(&error), error.kind));
        return None;
    }
    find_unknown("", &defaults, &dict_of(&merged), faults);
    let values = Values::of(&dict_of(&merged));
    extract(merged, &defaults, faults).map(|settings| Settings { values, ..settings })
}

fn read_file(path: &std::path::Path, faults: &mut Faults) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| {
        faults.add(format_args!("--config {}", path.display()), error);
        String::new()
    })
}

fn dict_of(figment: &Figment) -> Dict {
    figment.extract().unwrap_or_default()
}

/// Names every key that the defaults do not have.
fn find_unknown(prefix: &str, known: &Dict, given: &Dict, faults: &mut Faults) {
    for (key, value) in given {
        let path = format!("{prefix}{key}");
        match (known.get(key), value) {
            (None, _) => faults.add(path, "there is no such setting"),
            (Some(Value::Dict(_, known)), Value::Dict(_, given)) => {
                find_unknown(&format!("{path}."), known, given, faults);
            }
            _ => {}
        }
    }
}

/// Figment stops at the first value it cannot read, so we put the default in its place and go on.
fn extract(mut figment: Figment, defaults: &Dict, faults: &mut Faults) -> Option<Settings> {
    loop {
        let error = match figment.extract::<Settings>() {
            Ok(settings) => return Some(settings),
            Err(error) => error,
        };
        let before = figment.clone();
        for error in error {
            // Figment quotes what is quoted already.
            faults.add(place(&error), error.kind.to_string().replace("``", "`"));
            let (path, default) = leaf(defaults, &error.path)?;
            figment = figment.merge(Serialized::global(&path, default));
        }
        // Mending the same place twice would never end.
        if dict_of(&before) == dict_of(&figment) {
            return None;
        }
    }
}

/// The nearest key with a default at or above `path`: an element of a list is mended by the whole list.
fn leaf(defaults: &Dict, path: &[String]) -> Option<(String, Value)> {
    let mut here = defaults;
    for (depth, key) in path.iter().enumerate() {
        match here.get(key)? {
            Value::Dict(_, deeper) if depth + 1 < path.len() => here = deeper,
            value => return Some((path[..=depth].join("."), value.clone())),
        }
    }
    None
}

fn place(error: &figment::Error) -> String {
    let layer = error.metadata.as_ref().map(|metadata| metadata.name.as_ref());
    match (error.path.join("."), layer) {
        (path, Some(layer @ ("environment" | "command line"))) => format!("{path} ({layer})"),
        (path, _) if path.is_empty() => "configuration file".to_owned(),
        (path, _) => path,
    }
}

/// Our variables as dotted keys: `TRIBUTARY_EDGE__DEADLINE_MS` is `edge.deadline_ms`.
fn env_words(env: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    env.into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
        .filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()))
        .map(|(name, value)| (name.to_lowercase().replace("__", "."), value))
        .collect()
}

/// A layer of plain words. Each is read as the type of its default, so that `12345` may be a password.
struct Words {
    name: &'static str,
    dict: Dict,
}

impl Words {
    fn new(name: &'static str, words: Vec<(String, String)>, defaults: &Dict) -> Self {
        let mut dict = Dict::new();
        for (key, word) in words {
            let path: Vec<String> = key.split('.').map(str::to_owned).collect();
            let value = typed(word, leaf(defaults, &path).map(|(_, default)| default));
            insert(&mut dict, &path, value);
        }
        Self { name, dict }
    }
}

fn typed(word: String, default: Option<Value>) -> Value {
    match default {
        Some(Value::Array(..)) => {
            Value::from(word.split(',').map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>())
        }
        Some(Value::Bool(..)) => word.parse::<bool>().map_or_else(|_| word.into(), Value::from),
        Some(Value::Num(..)) => number(&word).unwrap_or_else(|| word.into()),
        _ => word.into(),
    }
}

fn number(word: &str) -> Option<Value> {
    word.parse::<i64>().map(Value::from).or_else(|_| word.parse::<f64>().map(Value::from)).ok()
}

fn insert(dict: &mut Dict, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            dict.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let entry = dict.entry(key.clone()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, deeper) = entry {
                insert(deeper, rest, value);
            }
        }
    }
}

impl Provider for &Words {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}
