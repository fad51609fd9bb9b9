use std::fmt;

/// Everything that is wrong with a configuration, each with the key it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Notes one fault: the key, and what is wrong with it.
    pub fn add(&mut self, key: impl fmt::Display, what: impl fmt::Display) {
        self.0.push(format!("{key}: {what}"));
    }

    /// `value` if there is no fault.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} fault", self.0.len())?;
        if self.0.len() != 1 {
            f.write_str("s")?;
        }
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
