use super::details::{Details, Memo, in_one_line, is_nothing};
use super::sepa::{Purpose, WHOLE_SUBFIELD};

/// Takes apart `166?00GUTSCHRIFT?20EREF+…?32NAME`: a code of three digits, then subfields of two digits behind a sign
/// of the bank's choice. None if the text is no such thing.
pub(super) fn parse(text: &str) -> Option<Details> {
    let separator = separator(text.as_bytes())?;
    // Lines are cut wherever they are full, amid words and numbers.
    let text = in_one_line(text);
    Some(Subfields::cut(&text, separator).details())
}

fn separator(text: &[u8]) -> Option<u8> {
    let [code @ .., separator, tens, ones] = text.get(..6)? else { return None };
    let are_digits = code.iter().chain([tens, ones]).all(u8::is_ascii_digit);
    (are_digits && separator.is_ascii_punctuation()).then_some(*separator)
}

struct Subfields<'a> {
    separator: u8,
    /// The code of the transaction at the bank.
    code: &'a str,
    fields: Vec<(u8, &'a str)>,
}

impl<'a> Subfields<'a> {
    /// `text` has the shape that `separator` looked for.
    fn cut(text: &'a str, separator: u8) -> Self {
        let bytes = text.as_bytes();
        let begins = |at: usize| {
            let digits = bytes.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
        };
        let number = |at: usize| (bytes[at + 1] - b'0') * 10 + (bytes[at + 2] - b'0');
        let mut fields = Vec::with_capacity(16);
        let mut start = 3;
        for at in memchr::memchr_iter(separator, bytes) {
            if at > start && begins(at) {
                fields.push((number(start), &text[start + 3..at]));
                start = at;
            }
        }
        fields.push((number(start), &text[start + 3..]));
        Self { separator, code: &text[..3], fields }
    }

    fn details(&self) -> Details {
        let purpose = Purpose::parse(self.all(is_purpose));
        let booking = self.joined(&[0]);
        let other_side = self.joined(&[32, 33]);
        let (name, booking) =
            if other_side.is_empty() { (booking, String::new()) } else { (other_side, booking) };
        let mut memo = Memo::default();
        let mut reference = None;
        memo.add(&purpose.text);
        for (word, value) in purpose.values {
            let value = value.trim();
            if word == "EREF+" && reference.is_none() && !is_nothing(value) {
                reference = Some(value.to_owned());
            } else {
                memo.add_with(word, value);
            }
        }
        memo.add(&booking);
        self.add_account(&mut memo);
        self.add_rest(&mut memo);
        Details { name: (!name.is_empty()).then_some(name), reference, memo }
    }

    fn all(&self, is_wanted: fn(u8) -> bool) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(number, _)| is_wanted(*number)).map(|(_, text)| *text)
    }

    /// These subfields as one line, with one blank between words.
    fn joined(&self, numbers: &[u8]) -> String {
        let mut line = String::new();
        let mut was_whole = true;
        for (_, text) in self.fields.iter().filter(|(number, _)| numbers.contains(number)) {
            let mut goes_on = was_whole && !text.starts_with(' ');
            for word in text.split_whitespace() {
                if !goes_on && !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
                goes_on = false;
            }
            was_whole = text.len() >= WHOLE_SUBFIELD
                && text.chars().count() >= WHOLE_SUBFIELD
                && !text.ends_with(' ');
        }
        line
    }

    /// Bank and account of the other side.
    fn add_account(&self, memo: &mut Memo) {
        let parts = self.all(|number| matches!(number, 30 | 31 | 38));
        let mut parts = parts.map(str::trim).filter(|part| !part.is_empty());
        let Some(first) = parts.next() else { return };
        memo.add(first);
        for part in parts {
            memo.push(" ");
            memo.push(part);
        }
    }

    /// The code and the subfields that mean something to the bank alone, as it wrote them.
    fn add_rest(&self, memo: &mut Memo) {
        let is_told = |number: u8| is_purpose(number) || matches!(number, 0 | 30..=33 | 38);
        memo.add(self.code);
        for (number, text) in self.fields.iter().filter(|(number, _)| !is_told(*number)) {
            let begin = [b' ', self.separator, b'0' + number / 10, b'0' + number % 10];
            // All four are ASCII.
            memo.push(std::str::from_utf8(&begin).unwrap_or_default());
            memo.push(text.trim_end());
        }
    }
}

fn is_purpose(number: u8) -> bool {
    matches!(number, 20..=29 | 60..=63)
}
