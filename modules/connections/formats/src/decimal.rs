use std::fmt;

/// A decimal number of any scale: units and prices of securities, which no currency's scale fits.
///
/// Shown without what does not count: `+00100.500` is `100.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    digits: i128,
    scale: u32,
}

/// Significant digits that are kept: ample for any security, and sums of two still fit.
const MOST_DIGITS: usize = 36;

impl Decimal {
    /// Reads an optional sign, digits, and a point or comma before the decimals. Where both marks stand in a number,
    /// the last one is before the decimals and the other one groups thousands.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = match unsigned.rfind(['.', ',']) {
            Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
            None => (unsigned, ""),
        };
        let mark = unsigned[whole.len()..].chars().next();
        let group = if mark == Some('.') { ',' } else { '.' };
        let whole: String = whole.chars().filter(|&c| mark.is_none() || c != group).collect();
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{}{fraction}", whole.trim_start_matches('0'));
        let is_number = !unsigned.is_empty()
            && unsigned.bytes().any(|byte| byte.is_ascii_digit())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.len() <= MOST_DIGITS
            && fraction.len() <= MOST_DIGITS;
        if !is_number {
            return None;
        }
        let value: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        let digits = if text.starts_with('-') { -value } else { value };
        Some(Self { digits, scale: fraction.len() as u32 })
    }

    pub(crate) fn is_negative(self) -> bool {
        self.digits < 0
    }

    pub(crate) fn negated(self) -> Self {
        Self { digits: -self.digits, ..self }
    }

    pub(crate) fn abs(self) -> Self {
        Self { digits: self.digits.abs(), ..self }
    }

    /// The difference, unless it has too many digits.
    pub(crate) fn checked_sub(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let at_scale = |number: Self| number.digits.checked_mul(10i128.checked_pow(scale - number.scale)?);
        let difference = at_scale(self)?.checked_sub(at_scale(other)?)?;
        Self::parse(&Self { digits: difference, scale }.to_string())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.scale as usize;
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.digits.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Decimal::parse(text).map(|number| number.to_string())
    }

    #[test]
    fn numbers_are_shown_without_what_does_not_count() {
        for (written, told) in [
            ("+0000000000100.00000", "100"),
            ("000000025.635000000", "25.635"),
            ("-.5", "-0.5"),
            ("-9.060702", "-9.060702"),
            ("8,846699", "8.846699"),
            ("1,234.56", "1234.56"),
            ("1.234,56", "1234.56"),
            ("-0.00", "0"),
            ("7.", "7"),
        ] {
            assert_eq!(shown(written).as_deref(), Some(told), "{written}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        let long = "9".repeat(37);
        for text in ["", "-", ".", "+,", "1e3", "NaN", "--1", "1 000", "1.2.3", "½", "١", &long] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn differences_are_exact() {
        let difference = |a: &str, b: &str| {
            Decimal::parse(a)
                .unwrap()
                .checked_sub(Decimal::parse(b).unwrap())
                .map(|number| number.to_string())
        };
        assert_eq!(difference("200", "100.5").as_deref(), Some("99.5"));
        assert_eq!(difference("0.3", "0.30").as_deref(), Some("0"));
        assert_eq!(difference(&"9".repeat(36), "0.000000001"), None);
    }
}
