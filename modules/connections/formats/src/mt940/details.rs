use std::borrow::Cow;

use super::{slashes, subfields};

/// What `:86:` tells of a row. What has no place of its own is in the memo: nothing is lost.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) name: Option<String>,
    /// The end-to-end reference.
    pub(super) reference: Option<String>,
    pub(super) memo: Memo,
}

impl Details {
    /// Takes the text of one row apart, lines parted by `\n`.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        subfields::parse(text).or_else(|| slashes::parse(text)).unwrap_or_else(|| {
            let mut memo = Memo::default();
            memo.add(&joined(text));
            Self { memo, ..Self::default() }
        })
    }
}

/// A memo of several parts, one on each line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Memo(String);

impl Memo {
    pub(super) fn add(&mut self, part: &str) {
        self.add_with("", part);
    }

    /// A part with what it is called before it.
    pub(super) fn add_with(&mut self, word: &str, part: &str) {
        let part = part.trim();
        if !part.is_empty() {
            self.begin();
            self.push(word);
            self.push(part);
        }
    }

    /// Begins a part that `push` makes.
    pub(super) fn begin(&mut self) {
        if self.0.is_empty() {
            self.0.reserve(USUAL_MEMO);
        } else {
            self.0.push('\n');
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(super) fn finish(self) -> Option<String> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

/// Room for a usual memo.
const USUAL_MEMO: usize = 128;

/// Characters in a line of `:86:`; the text of a line that has as many goes on in the next one without a break.
const WHOLE_LINE: usize = 65;

/// Free text, its lines joined.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut was_whole = true;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if !was_whole && !line.starts_with(' ') && !out.ends_with(' ') {
            out.push(' ');
        }
        out.push_str(line);
        was_whole = line.len() >= WHOLE_LINE && line.chars().count() >= WHOLE_LINE;
    }
    out
}

/// Text without its line ends, for forms in which lines are cut wherever they are full.
pub(super) fn in_one_line(text: &str) -> Cow<'_, str> {
    let mut ends = memchr::memchr_iter(b'\n', text.as_bytes()).peekable();
    if ends.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    let mut start = 0;
    for end in ends {
        line.push_str(&text[start..end]);
        start = end + 1;
    }
    line.push_str(&text[start..]);
    Cow::Owned(line)
}

/// A value that is none.
pub(super) fn is_nothing(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("NOTPROVIDED") || text.eq_ignore_ascii_case("NONREF")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Option<String>, Option<String>, Option<String>) {
        let Details { name, reference, memo } = Details::parse(text);
        (name, reference, memo.finish())
    }

    fn some(text: &str) -> Option<String> {
        Some(text.into())
    }

    #[test]
    fn german_subfields_give_name_reference_and_purpose_and_lose_nothing() {
        let text = "166?00GUTSCHRIFT?10931?20EREF+R-2024-001?21MREF+M1?22SVWZ+Rechnung 17 vom 3. ?23Mai\n\
                    ?30BANKDEFFXXX?31DE02120300000000202051?32Erika Muster?33mann?34011";
        let memo = "Rechnung 17 vom 3. Mai\nMREF+M1\nGUTSCHRIFT\nBANKDEFFXXX DE02120300000000202051\n166 ?10931 ?34011";
        assert_eq!(told(text), (some("Erika Muster mann"), some("R-2024-001"), some(memo)));
    }

    #[test]
    fn a_full_subfield_goes_on_in_the_next_without_a_blank() {
        let text = "177?00UEBERWEISUNG?20EREF+1234567890123456789012?2134?22SVWZ+Danke?32Anna";
        assert_eq!(told(text).1, some("123456789012345678901234"));
        let text = "177?20EREF+ABC?21MTLG:no part of it?32Anna";
        assert_eq!((told(text).1, told(text).2), (some("ABC"), some("MTLG:no part of it\n177")));
    }

    #[test]
    fn without_a_name_the_booking_text_stands_for_it() {
        let text = "079?00SAMMLER?109800?2009059001";
        assert_eq!(told(text), (some("SAMMLER"), None, some("09059001\n079 ?109800")));
    }

    #[test]
    fn subfields_may_be_parted_by_another_sign() {
        let text = "000>100987654321\n>20RENT OF THE>21 OFFICE>310390123456";
        assert_eq!(told(text), (None, None, some("RENT OF THE OFFICE\n0390123456\n000 >100987654321")));
    }

    #[test]
    fn slashes_give_name_reference_and_remittance_and_lose_nothing() {
        let text = "/EREF/E-17/BENM//NAME/CONTRA ACCOUN\nT HOLDER/REMI/Invoice 3/ISDT/2013-07-11";
        let memo = "Invoice 3\n/BENM//ISDT/2013-07-11";
        assert_eq!(told(text), (some("CONTRA ACCOUNT HOLDER"), some("E-17"), some(memo)));
        let text = "/CNTP/NL00BANK0123456789/BANKNL2A/J. Jansen/UTRECHT///REMI/USTD//Rent/EREF/NOTPROVIDED";
        let memo = "Rent\n/CNTP/NL00BANK0123456789/BANKNL2A/J. Jansen/UTRECHT///EREF/NOTPROVIDED";
        assert_eq!(told(text), (some("J. Jansen"), None, some(memo)));
    }

    #[test]
    fn free_text_is_kept_and_whole_lines_are_joined_without_a_blank() {
        assert_eq!(told("Card 17\nTHANK YOU\n"), (None, None, some("Card 17 THANK YOU")));
        let line = "x".repeat(WHOLE_LINE);
        assert_eq!(told("yz\nend").2, some("yz end"));
        assert_eq!(told(&format!("{line}\nyz")).2, some(&format!("{line}yz")));
        assert_eq!(told("091").2, some("091"));
        assert_eq!(told(" \n "), (None, None, None));
    }
}
