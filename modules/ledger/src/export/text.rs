//! Words and numbers as several formats have them.

use ledger_api::{AccountKind, TransactionKind};

use crate::domain::is_text;

/// Whole minor units as a plain decimal with all digits of the currency.
pub(super) fn decimal(minor: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The text in one line: each run of white space is a blank, and what is no character of a text is gone.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split_whitespace().map(|word| word.chars().filter(|c| is_text(*c)).collect::<String>());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The word for a kind of transaction, as the API has it.
pub(super) fn kind(kind: TransactionKind) -> String {
    crate::store::word(kind).unwrap_or_default()
}

/// The word for a kind of account, as the API has it.
pub(super) fn account_kind(kind: AccountKind) -> String {
    crate::store::word(kind).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit_and_a_sum_may_be_larger_than_any_amount() {
        for (minor, scale, text) in [
            (-5, 2, "-0.05"),
            (1234, 0, "1234"),
            (0, 3, "0.000"),
            (i128::from(i64::MIN) * 2, 2, "-184467440737095516.16"),
        ] {
            assert_eq!(decimal(minor, scale), text);
        }
    }

    #[test]
    fn one_line_has_no_breaks_and_no_controls() {
        assert_eq!(one_line(" a\r\n\tb\u{0}\u{1b}c \u{2028}d\u{ffff} "), "a bc d");
    }
}
