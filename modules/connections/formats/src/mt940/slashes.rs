use super::details::{Details, Memo, in_one_line, is_nothing};

/// Words between slashes that begin a part.
const WORDS: [&str; 31] = [
    "EREF", "KREF", "PREF", "IREF", "MARF", "MREF", "CSID", "NAME", "IBAN", "BIC", "REMI", "TRTP", "ORDP",
    "BENM", "ADDR", "ISDT", "TRCD", "RTRN", "CNTP", "PURP", "SVCL", "ULTB", "ULTD", "EXCH", "CHGS", "CHGP",
    "OCMT", "OAMT", "COAM", "CREF", "SWOC",
];

/// Takes apart `/EREF/…/NAME/…/REMI/…`, as Dutch banks write it. None if the text is no such thing.
pub(super) fn parse(text: &str) -> Option<Details> {
    // Lines are cut wherever they are full, amid words and numbers.
    let text = in_one_line(text);
    let (_, first) = next_word(&text, 0).filter(|(at, _)| *at == 0)?;
    let mut details = Details::default();
    let (mut remittance, mut rest) = (Memo::default(), String::new());
    let mut part = Some((0, first));
    while let Some((start, word)) = part {
        let value_at = start + word.len() + 2;
        part = next_word(&text, value_at);
        let end = part.map_or(text.len(), |(at, _)| at);
        let value = text[value_at..end].trim();
        match word {
            "NAME" if details.name.is_none() && !value.is_empty() => details.name = Some(value.to_owned()),
            "EREF" if details.reference.is_none() && !is_nothing(value) => {
                details.reference = Some(value.to_owned());
            }
            "REMI" => remittance.add(value.strip_prefix("USTD//").unwrap_or(value)),
            _ => rest.push_str(text[start..end].trim_end()),
        }
        // The other side in one part: account, bank, name, town.
        if let ("CNTP", None) = (word, &details.name) {
            let name = value.split('/').nth(2).map(str::trim).filter(|name| !name.is_empty());
            details.name = name.map(str::to_owned);
        }
    }
    details.memo.add(&remittance.finish().unwrap_or_default());
    details.memo.add(&rest);
    Some(details)
}

/// The next `/WORD/` from `from` on, and where its first slash stands.
fn next_word(text: &str, from: usize) -> Option<(usize, &'static str)> {
    memchr::memchr_iter(b'/', &text.as_bytes()[from..]).find_map(|at| {
        let behind = text.as_bytes().get(from + at + 1..)?;
        let length = behind.iter().take(5).position(|byte| *byte == b'/')?;
        let word = WORDS.into_iter().find(|word| word.as_bytes() == &behind[..length])?;
        Some((from + at, word))
    })
}
