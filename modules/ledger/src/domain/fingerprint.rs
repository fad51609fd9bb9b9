use aws_lc_rs::digest::{Context, SHA256};
use ledger_api::Row;

use super::is_text;

/// What makes two rows of one account and one date the same movement: amount, name and check number.
///
/// The bank's own id is left out, because banks change it between downloads and give it twice; the kind is
/// left out, because one bank's OFX and CSV of the same movement differ in it. Rows that still look alike are
/// counted, never merged, so leaving things out cannot lose a row. 64 bits of SHA-256 are ample within one date.
pub(crate) fn fingerprint(row: &Row) -> i64 {
    let mut hash = Context::new(&SHA256);
    hash.update(&row.amount.minor().to_be_bytes());
    let name = normalised(&row.name);
    let told = if name.is_empty() { normalised(row.memo.as_deref().unwrap_or_default()) } else { name };
    hash.update(told.as_bytes());
    hash.update(b"\0");
    hash.update(words(row.check_number.as_deref().unwrap_or_default(), std::iter::once).as_bytes());
    let digest = hash.finish();
    let first = digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes");
    i64::from_be_bytes(*first)
}

/// Banks change case and spacing of a name between downloads.
fn normalised(name: &str) -> String {
    words(name, char::to_lowercase)
}

/// The words of a text, without characters that not every format can hold.
fn words<Folded: Iterator<Item = char>>(text: &str, fold: impl Fn(char) -> Folded) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let before = words.len();
        if before > 0 {
            words.push(' ');
        }
        let start = words.len();
        words.extend(word.chars().filter(|c| is_text(*c)).flat_map(&fold));
        if words.len() == start {
            words.truncate(before);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Money};

    use super::*;

    fn row(minor: i64, name: &str) -> Row {
        Row::new(chrono::NaiveDate::MIN, Money::from_minor(minor, Currency::parse("EUR").unwrap()), name)
    }

    #[test]
    fn case_and_spacing_of_a_name_do_not_matter_but_its_words_and_the_amount_do() {
        assert_eq!(fingerprint(&row(-5, "Café  ROMA ")), fingerprint(&row(-5, "café roma")));
        assert_ne!(fingerprint(&row(-5, "Café Roma")), fingerprint(&row(5, "Café Roma")));
        assert_ne!(fingerprint(&row(-5, "Café Roma")), fingerprint(&row(-5, "Café Milano")));
    }

    #[test]
    fn characters_that_no_text_has_do_not_matter() {
        let odd = Row { check_number: Some("1\u{0}7".into()), ..row(-5, "Ca\u{1}fé \u{0} Ro\u{ffff}ma") };
        let plain = Row { check_number: Some("17".into()), ..row(-5, "Café Roma") };
        assert_eq!(fingerprint(&odd), fingerprint(&plain));
    }

    #[test]
    fn the_memo_tells_a_row_that_has_no_name() {
        let told = Row { memo: Some("ATM 17".into()), ..row(-5, "") };
        let other = Row { memo: Some("ATM 18".into()), ..row(-5, " ") };
        assert_ne!(fingerprint(&told), fingerprint(&other));
    }
}
