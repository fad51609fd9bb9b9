//! MT940 customer statements and MT942 interim reports, bare or in SWIFT envelopes, in the dialects of the banks.
//!
//! `field` makes tagged fields of lines, `reader` walks them and knows which statement it is in, `entry` takes
//! `:61:` apart, `details` the free or structured text of `:86:`, `balance` and `date` what their names say.
//!
//! What is not a statement's, row's or balance's own is passed over: `:86:` behind the closing balance (a word of the
//! bank about the statement), `:65:` (what will be available on a later day), sums of `:90D:` and `:90C:`.

mod balance;
mod date;
mod details;
mod entry;
mod field;
mod reader;
mod sepa;
mod slashes;
mod statement;
mod subfields;

pub(crate) use reader::read;

/// Whether the head of a file is that of an MT940: it begins with a tag or an envelope, or has the tags of a
/// statement at the beginning of its lines.
pub(crate) fn looks_like_mt940(text: &str) -> bool {
    let is_junk = |c: char| c.is_whitespace() || c.is_control() || "\u{feff}ï»¿".contains(c);
    let start = text.trim_start_matches(is_junk).as_bytes();
    if start.starts_with(b"{1:F01") || field::tag_of(start).is_some() {
        return true;
    }
    let has = |tags: &[field::Tag]| {
        let mut lines = text.lines().take(200);
        lines.any(|line| field::tag_of(line.as_bytes()).is_some_and(|(tag, _)| tags.contains(&tag)))
    };
    use field::Tag::{Account, Entry, FloorLimit, Opening, OpeningPage};
    has(&[Account]) && has(&[Opening, OpeningPage, FloorLimit, Entry])
}
