use chrono::{DateTime, NaiveDate, SubsecRound, Utc};

/// A calendar date as the bank wrote it. It has no time zone and is never shifted through one.
pub type BankDate = NaiveDate;

/// A moment in UTC, cut to microseconds because that is what PostgreSQL keeps.
pub type Instant = DateTime<Utc>;

/// The present moment, in the precision that both databases give back unchanged.
pub fn now() -> Instant {
    Utc::now().trunc_subsecs(6)
}

/// Bank dates from `from` to `to`, both included; either end may be open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateRange {
    /// First date in the range.
    pub from: Option<BankDate>,
    /// Last date in the range.
    pub to: Option<BankDate>,
}

/// The range ends before it begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the range ends ({to}) before it begins ({from})")]
pub struct InvalidRange {
    /// First date asked for.
    pub from: BankDate,
    /// Last date asked for.
    pub to: BankDate,
}

impl DateRange {
    /// A range of dates; one day is a range, an end before the beginning is not.
    pub fn new(from: Option<BankDate>, to: Option<BankDate>) -> Result<Self, InvalidRange> {
        match (from, to) {
            (Some(from), Some(to)) if to < from => Err(InvalidRange { from, to }),
            _ => Ok(Self { from, to }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_is_a_range_and_a_backward_one_is_not() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 1);
        assert!(DateRange::new(day, day).is_ok());
        assert!(DateRange::new(day, day.and_then(|date| date.pred_opt())).is_err());
    }

    #[test]
    fn now_has_no_nanoseconds_to_lose() {
        assert_eq!(now().timestamp_subsec_nanos() % 1_000, 0);
    }
}
