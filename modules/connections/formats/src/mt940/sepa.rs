use std::borrow::Cow;

/// The lines of purpose of a row, with the words that SEPA puts into them taken apart.
#[derive(Debug, Default)]
pub(super) struct Purpose<'a> {
    /// What is written for people: `SVWZ+`, and what stands under no word.
    pub(super) text: Cow<'a, str>,
    /// The other words and their values, in the order of the file.
    pub(super) values: Vec<(&'static str, Cow<'a, str>)>,
}

/// `SVWZ` is text; under the others stand references and names.
const WORDS: [&str; 14] = [
    "SVWZ+", "EREF+", "KREF+", "MREF+", "CRED+", "DEBT+", "COAM+", "OAMT+", "ABWA+", "ABWE+", "PURP+",
    "ANAM+", "IBAN+", "BIC+",
];

/// Characters in a subfield; the text of one that has as many goes on in the next one without a break.
pub(super) const WHOLE_SUBFIELD: usize = 27;

impl<'a> Purpose<'a> {
    pub(super) fn parse(parts: impl Iterator<Item = &'a str>) -> Self {
        let mut purpose = Self::default();
        let (mut is_value, mut was_whole) = (false, true);
        for part in parts {
            let mut rest = part;
            if let Some(word) = word_at(rest) {
                is_value = purpose.open(word);
                rest = &rest[word.len()..];
            } else if !was_whole {
                // A reference ends with its subfield unless it filled it.
                is_value = false;
                if !part.starts_with(' ') {
                    purpose.part_text();
                }
            }
            while let Some((at, word)) = inner_word(rest) {
                purpose.push(is_value, &rest[..at]);
                is_value = purpose.open(word);
                rest = &rest[at + word.len()..];
            }
            purpose.push(is_value, rest);
            was_whole = part.len() >= WHOLE_SUBFIELD && part.chars().count() >= WHOLE_SUBFIELD;
        }
        purpose
    }

    /// Begins the value of a word; true if it is one of its own, false if it is text.
    fn open(&mut self, word: &'static str) -> bool {
        if word == WORDS[0] {
            self.part_text();
            return false;
        }
        self.values.push((word, Cow::Borrowed("")));
        true
    }

    fn push(&mut self, is_value: bool, piece: &'a str) {
        let into = match self.values.last_mut().filter(|_| is_value) {
            Some((_, value)) => value,
            None => &mut self.text,
        };
        // Most are of one piece, and stay a part of the file.
        if into.is_empty() {
            *into = Cow::Borrowed(piece);
        } else if !piece.is_empty() {
            into.to_mut().push_str(piece);
        }
    }

    fn part_text(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.to_mut().push(' ');
        }
    }
}

fn word_at(text: &str) -> Option<&'static str> {
    // Words have three or four letters before their plus.
    let has_plus = matches!(text.as_bytes(), [_, _, _, b'+', ..] | [_, _, _, _, b'+', ..]);
    WORDS.into_iter().find(|word| has_plus && text.starts_with(word))
}

/// A word behind a blank, and where it stands.
fn inner_word(text: &str) -> Option<(usize, &'static str)> {
    if !text.contains('+') {
        return None;
    }
    let mut blanks = text.match_indices(' ').map(|(at, _)| at + 1);
    blanks.find_map(|at| Some((at, word_at(&text[at..])?)))
}
