use std::borrow::Cow;

use super::details::{Details, Memo, is_nothing};
use super::sepa::{Purpose, WHOLE_SUBFIELD};

/// Takes apart `166?00GUTSCHRIFT?20EREF+…?32NAME`: a code of three digits, then subfields of two digits behind a sign
/// of the bank's choice. None if the text is no such thing.
pub(super) fn parse(text: &str) -> Option<Details> {
    let separator = separator(text.as_bytes())?;
    // Lines are cut wherever they are full, amid words and numbers.
    let text = if text.contains('\n') { Cow::Owned(text.replace('\n', "")) } else { Cow::Borrowed(text) };
    Some(Subfields::cut(&text, separator).details())
}

fn separator(text: &[u8]) -> Option<u8> {
    let [code @ .., separator, tens, ones] = text.get(..6)? else { return None };
    let are_digits = code.iter().chain([tens, ones]).all(u8::is_ascii_digit);
    (are_digits && separator.is_ascii_punctuation()).then_some(*separator)
}

struct Subfields<'a> {
    separator: char,
    /// The code of the transaction at the bank.
    code: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Subfields<'a> {
    /// `text` has the shape that `separator` looked for.
    fn cut(text: &'a str, separator: u8) -> Self {
        let bytes = text.as_bytes();
        let begins = |at: usize| {
            let digits = bytes.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
        };
        let mut fields = Vec::with_capacity(16);
        let mut start = 3;
        for at in memchr::memchr_iter(separator, bytes) {
            if at > start && begins(at) {
                fields.push((&text[start + 1..start + 3], &text[start + 3..at]));
                start = at;
            }
        }
        fields.push((&text[start + 1..start + 3], &text[start + 3..]));
        Self { separator: char::from(separator), code: &text[..3], fields }
    }

    fn details(&self) -> Details {
        let purpose = Purpose::parse(self.all(is_purpose));
        let booking = self.joined(&["00"]);
        let other_side = self.joined(&["32", "33"]);
        let (name, booking) =
            if other_side.is_empty() { (booking, String::new()) } else { (other_side, booking) };
        let mut memo = Memo::default();
        let mut reference = None;
        memo.add(&purpose.text);
        for (word, value) in &purpose.values {
            let value = value.trim();
            if *word == "EREF+" && reference.is_none() && !is_nothing(value) {
                reference = Some(value.to_owned());
            } else if !value.is_empty() {
                memo.add(&format!("{word}{value}"));
            }
        }
        memo.add(&booking);
        let account: Vec<_> = self.all(|number| matches!(number, "30" | "31" | "38")).collect();
        memo.add(&account.join(" "));
        memo.add(&self.rest());
        Details { name: (!name.is_empty()).then_some(name), reference, memo }
    }

    fn all(&self, is_wanted: fn(&str) -> bool) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(number, _)| is_wanted(number)).map(|(_, text)| *text)
    }

    /// These subfields as one line, with one blank between words.
    fn joined(&self, numbers: &[&str]) -> String {
        let mut line = String::new();
        for (_, text) in self.fields.iter().filter(|(number, _)| numbers.contains(number)) {
            line.push_str(text);
            if text.chars().count() < WHOLE_SUBFIELD {
                line.push(' ');
            }
        }
        let words: Vec<_> = line.split_whitespace().collect();
        words.join(" ")
    }

    /// The code and the subfields that mean something to the bank alone, as it wrote them.
    fn rest(&self) -> String {
        let is_told =
            |number: &str| is_purpose(number) || matches!(number, "00" | "30" | "31" | "32" | "33" | "38");
        let rest = self.fields.iter().filter(|(number, _)| !is_told(number));
        rest.fold(self.code.to_owned(), |mut line, (number, text)| {
            line.push(' ');
            line.push(self.separator);
            line.push_str(number);
            line.push_str(text);
            line
        })
    }
}

fn is_purpose(number: &str) -> bool {
    matches!(number.as_bytes(), [b'2', _] | [b'6', b'0'..=b'3'])
}
