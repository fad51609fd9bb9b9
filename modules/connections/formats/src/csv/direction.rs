use super::headers::normal;

/// Words for money that came.
#[rustfmt::skip] // A table, not code.
const IN: [&str; 22] = [
    "credit", "cr", "c", "h", "haben", "bij", "in", "deposit", "+", "crdt", "credito", "eingang", "gutschrift",
    "accredito", "avere", "abono", "entrada", "income", "incoming", "money in", "paid in", "received",
];

/// Words for money that left.
#[rustfmt::skip] // A table, not code.
const OUT: [&str; 24] = [
    "debit", "dr", "d", "s", "soll", "af", "out", "withdrawal", "-", "dbit", "debito", "debet", "ausgang",
    "lastschrift", "belastung", "addebito", "dare", "cargo", "saida", "expense", "outgoing", "money out",
    "paid out", "spent",
];

/// Whether a word of a direction column says that money came (`true`) or left; `None` if it says neither.
pub(super) fn direction(word: &str) -> Option<bool> {
    let word = word.trim();
    let is_one_of = |words: &[&str], word: &str| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    let known = |word: &str| match (is_one_of(&IN, word), is_one_of(&OUT, word)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    // `Débito`, `Crédit`
    if word.is_ascii() { known(word) } else { known(&normal(word)) }
}
