//! A part of a hundred.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// From 0 to 100 percent, in steps of a tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "f64")]
pub struct Percent {
    tenths: u16,
}

impl Percent {
    pub const NONE: Self = Self { tenths: 0 };
    pub const ALL: Self = Self { tenths: 1000 };

    /// In tenths of a percent, 0 to 1000.
    pub fn tenths(self) -> u16 {
        self.tenths
    }
}

impl TryFrom<f64> for Percent {
    type Error = BadPercent;

    fn try_from(percent: f64) -> Result<Self, BadPercent> {
        let tenths = (percent * 10.0).round();
        let whole_tenths = (percent * 10.0 - tenths).abs() < 1e-6;
        match (0.0..=1000.0).contains(&tenths) && whole_tenths {
            true => Ok(Self { tenths: tenths as u16 }),
            false => Err(BadPercent),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be from 0 to 100 with at most one decimal")]
pub struct BadPercent;

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        f64::from(percent.tenths) / 10.0
    }
}

impl Serialize for Percent {
    /// A whole number where it is one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.tenths % 10 {
            0 => serializer.serialize_u16(self.tenths / 10),
            _ => serializer.serialize_f64((*self).into()),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(*self))
    }
}
