use std::collections::BTreeMap;
use std::fmt;

use figment::value::{Dict, Value};

/// Every setting by its dotted key, to tell what has changed. Some hold passwords, so it is never shown.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Values(BTreeMap<String, Value>);

impl Values {
    pub(super) fn of(dict: &Dict) -> Self {
        let mut values = Self::default();
        values.add("", dict);
        values
    }

    fn add(&mut self, prefix: &str, dict: &Dict) {
        for (key, value) in dict {
            let key = format!("{prefix}{key}");
            match value {
                Value::Dict(_, deeper) => self.add(&format!("{key}."), deeper),
                value => drop(self.0.insert(key, value.clone())),
            }
        }
    }

    /// The keys that are not the same in both.
    pub(super) fn differences<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(|(key, value)| other.0.get(*key) != Some(*value)).map(|(key, _)| key.as_str())
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values({})", self.0.len())
    }
}
