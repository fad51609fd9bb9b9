use kernel::{Currency, Money, MoneyError};
use serde::{Deserialize, Serialize};

use crate::RejectCode;

/// How a file writes the decimal point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

impl DecimalMark {
    fn byte(self) -> u8 {
        match self {
            Self::Point => b'.',
            Self::Comma => b',',
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }
}

/// An OFX amount (OFX § 3.2.9.1): optional sign, no sign means plus, point or comma for the decimals. Signed as the
/// customer sees it (§ 3.2.9.2): a purchase is negative, a sale positive.
///
/// A lone separator is the decimal mark, as the specification has it; groups of thousands, which it forbids,
/// are understood where both separators, several of one kind or spaces leave no doubt. So are brackets for a minus.
pub(crate) fn ofx_amount(text: &str, currency: Currency) -> Result<Money, RejectCode> {
    // The common case first: it is what every row of a correct file takes.
    if let Ok(money) = Money::parse(text, currency) {
        return Ok(money);
    }
    let text = &plain_signed(text)?;
    let separators = |mark: DecimalMark| text.bytes().filter(|&byte| byte == mark.byte()).count();
    let (points, commas) = (separators(DecimalMark::Point), separators(DecimalMark::Comma));
    let last = text.bytes().rev().find(|byte| matches!(byte, b'.' | b','));
    let mark = match (points, commas) {
        (1, 1) if last == Some(b',') => DecimalMark::Comma,
        (0 | 1, 0) | (1, 1) | (0 | 1, 2..) => DecimalMark::Point,
        (0, 1) | (2.., 0 | 1) => DecimalMark::Comma,
        (2.., 2..) => return Err(RejectCode::MalformedAmount),
    };
    parse_number(text, mark, currency)
}

/// `-1_500,00` of `-1 500,00`, whatever kind of space it is, and of `(1 500,00)`.
fn plain_signed(text: &str) -> Result<String, RejectCode> {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).map(str::trim);
    if inside.is_some_and(|inside| inside.starts_with(['-', '+'])) {
        return Err(RejectCode::MalformedAmount);
    }
    let sign = inside.map_or("", |_| "-");
    let digits = inside.unwrap_or(text).chars().map(|c| if c.is_whitespace() { '_' } else { c });
    Ok(sign.chars().chain(digits).collect())
}

/// An amount as people write it in tables. `None` in place of money where the cell is empty or a dash.
///
/// Understood are brackets `(12.00)`, signs before and after, also U+2212 and its kin, `CR` and `DR`, currency
/// symbols, groups of thousands by any kind of space, apostrophe or the other separator. An ISO code beside the
/// number must be that of `currency`.
pub(crate) fn table_amount(
    text: &str,
    mark: DecimalMark,
    currency: Currency,
) -> Result<Option<Money>, RejectCode> {
    if text.is_empty() {
        return Ok(None);
    }
    // The common case first, as in `ofx_amount`.
    if let Some(money) = plain_amount(text, mark, currency) {
        return Ok(Some(money));
    }
    let bare = Bare::of(text);
    if bare.number.is_empty() && bare.code.is_empty() {
        return Ok(None);
    }
    if !bare.code.is_empty() && !bare.code.eq_ignore_ascii_case(currency.code()) {
        let is_currency = Currency::parse(&bare.code).is_ok();
        return Err(if is_currency { RejectCode::CurrencyConflict } else { RejectCode::MalformedAmount });
    }
    if bare.signs > 1 {
        return Err(RejectCode::MalformedAmount);
    }
    // The sign goes in first: the least amount of all has no positive counterpart.
    let signed = if bare.is_negative { format!("-{}", bare.number) } else { bare.number };
    parse_number(&signed, mark, currency).map(Some)
}

/// Sign, digits, groups of thousands and decimals, and nothing else; without a detour through the heap.
fn plain_amount(text: &str, mark: DecimalMark, currency: Currency) -> Option<Money> {
    let other = mark.other().byte();
    if mark == DecimalMark::Point && !text.as_bytes().contains(&other) {
        return Money::parse(text, currency).ok();
    }
    let (whole, fraction) = text.split_once(char::from(mark.byte())).unwrap_or((text, ""));
    if !are_groups(whole.trim_start_matches(['-', '+']).as_bytes(), other) || fraction.contains('.') {
        return None;
    }
    let mut plain = [0u8; 40];
    let mut length = 0;
    let digits = whole.bytes().filter(|byte| *byte != other);
    for byte in digits.chain([b'.']).chain(fraction.bytes()) {
        *plain.get_mut(length)? = byte;
        length += 1;
    }
    Money::parse(std::str::from_utf8(&plain[..length]).ok()?, currency).ok()
}

/// A number and what stood around it.
#[derive(Default)]
pub(crate) struct Bare {
    /// Digits, points and commas; `_` for any other separator of thousands.
    pub(crate) number: String,
    /// Letters beside the number: perhaps a currency code.
    code: String,
    is_negative: bool,
    signs: u8,
}

impl Bare {
    pub(crate) fn of(text: &str) -> Self {
        let mut bare = Self::default();
        let text = text.trim();
        let is_in_brackets = is_in_brackets(text);
        if is_in_brackets {
            bare.sign(true);
        }
        let mut letters = String::new();
        for c in text.chars() {
            match c {
                '(' | ')' if is_in_brackets => {}
                '0'..='9' | '.' | ',' => bare.number.push(c),
                '-' | '\u{2212}' | '\u{2013}' | '\u{2012}' | '\u{fe63}' | '\u{ff0d}' => bare.sign(true),
                '+' => bare.sign(false),
                '\'' | '\u{2019}' | '\u{2bc}' => bare.separator('_'),
                c if c.is_whitespace() => bare.separator('_'),
                '$' | '€' | '£' | '¥' | '₹' | '₩' | '₽' | '₺' | '₴' | '₪' | '฿' | '₫' | '₱' | '₦'
                // What the euro of ISO 8859-15 is in windows-1252.
                | '¤' => {}
                c => letters.push(c),
            }
        }
        // Before the number, `C` and `D` are of a currency: `C$ 5`.
        let is_behind = text.ends_with(|c: char| c.is_alphabetic());
        match letters.to_ascii_uppercase().as_str() {
            "CR" | "H" => bare.sign(false),
            "DR" | "S" => bare.sign(true),
            "C" if is_behind => bare.sign(false),
            "D" if is_behind => bare.sign(true),
            // Symbols made of letters that are no ISO codes.
            "KR" | "R" | "ZŁ" | "Zł" | "KČ" | "Kč" | "FT" => {}
            _ => bare.code = letters,
        }
        // What came after the last digit separated it from nothing.
        bare.number.truncate(bare.number.trim_end_matches(['_', '?']).len());
        // A dash or a sign alone stands for "nothing" in a debit or credit column.
        if bare.number.is_empty() && bare.code.is_empty() {
            return Self::default();
        }
        bare
    }

    fn separator(&mut self, c: char) {
        if !self.number.is_empty() {
            self.number.push(c);
        }
    }

    fn sign(&mut self, is_negative: bool) {
        // A sign between digits makes it no number, and so it will be refused.
        self.separator('?');
        self.signs = self.signs.saturating_add(1);
        self.is_negative |= is_negative;
    }
}

/// Whether a pair of brackets stands around the digits, as in `(12.00)` and `$ (12.00)`.
fn is_in_brackets(text: &str) -> bool {
    let Some((before, rest)) = text.split_once('(') else { return false };
    let Some((inside, behind)) = rest.split_once(')') else { return false };
    let is_beside =
        |part: &str| !part.contains(['(', ')']) && !part.bytes().any(|byte| byte.is_ascii_digit());
    !inside.contains('(') && is_beside(before) && is_beside(behind)
}

/// Whether the digits of a cell have the form of an amount under some decimal mark, or there are none. How many
/// decimals they have and how large they are is not asked.
pub(crate) fn is_amount_or_empty(text: &str) -> bool {
    let number = Bare::of(text).number;
    let is_form_of = |mark: DecimalMark| {
        let (whole, fraction) = number.split_once(char::from(mark.byte())).unwrap_or((&number, ""));
        let separator = separator_of(whole, mark);
        are_groups(whole.as_bytes(), separator)
            && whole.bytes().all(|byte| byte.is_ascii_digit() || byte == separator)
            && fraction.bytes().all(|byte| byte.is_ascii_digit())
    };
    number.is_empty() || is_form_of(DecimalMark::Point) || is_form_of(DecimalMark::Comma)
}

/// Whether a cell of a table holds an amount with a minus, however that is written.
pub(crate) fn is_negative(text: &str) -> bool {
    let bare = Bare::of(text);
    bare.is_negative && !bare.number.is_empty()
}

/// What a row of a table says of the way that its money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A plus, `CR`, or a word for money that came.
    Came,
    /// A minus, `DR`, brackets, or a word for money that left.
    Left,
    /// A word that says neither.
    Unknown,
    /// Nothing.
    Bare,
}

/// What the sign of an amount says, if there is an amount and it is not zero.
pub(crate) fn way_of(text: &str) -> Option<Way> {
    if !text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        return None;
    }
    if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b',')) {
        return Some(Way::Bare);
    }
    let bare = Bare::of(text);
    Some(match (bare.signs, bare.is_negative) {
        (0, _) => Way::Bare,
        (_, true) => Way::Left,
        (_, false) => Way::Came,
    })
}

/// What stands between groups of thousands, if anything does.
fn separator_of(whole: &str, mark: DecimalMark) -> u8 {
    if whole.contains('_') { b'_' } else { mark.other().byte() }
}

/// Digits with `mark` before the decimals and perhaps one kind of separator between groups of thousands.
fn parse_number(text: &str, mark: DecimalMark, currency: Currency) -> Result<Money, RejectCode> {
    let (whole, fraction) = text.split_once(char::from(mark.byte())).unwrap_or((text, ""));
    let separator = separator_of(whole, mark);
    if !are_groups(whole.trim_start_matches(['-', '+']).as_bytes(), separator) {
        return Err(RejectCode::MalformedAmount);
    }
    let mut plain: String = whole.chars().filter(|&c| c != char::from(separator)).collect();
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(fraction);
    }
    Money::parse(&plain, currency).map_err(reject)
}

/// `1,234,567` and the Indian `12,34,567`, but not `12,50` nor `1,2345`.
fn are_groups(whole: &[u8], separator: u8) -> bool {
    let mut groups = whole.split(|&byte| byte == separator).peekable();
    let first = groups.next().unwrap_or_default();
    if groups.peek().is_none() {
        return true;
    }
    let mut last = 0;
    let all = groups.all(|group| {
        last = group.len();
        matches!(last, 2 | 3)
    });
    all && last == 3 && matches!(first.len(), 1..=3)
}

pub(crate) fn reject(error: MoneyError) -> RejectCode {
    match error {
        MoneyError::TooPrecise { .. } => RejectCode::AmountTooPrecise,
        MoneyError::Overflow => RejectCode::AmountOutOfRange,
        MoneyError::UnknownCurrency(_) => RejectCode::UnknownCurrency,
        MoneyError::NotANumber(_) | MoneyError::CurrencyMismatch(..) => RejectCode::MalformedAmount,
    }
}

/// What an amount says about the decimal mark of its file; `None` if it could be either.
///
/// `1.234,56` and `0,5` decide. One separator before exactly three digits is taken for thousands by the caller
/// only where no row decides: no currency with two decimals is written so.
pub(crate) fn decimal_mark_of(number: &str) -> Option<DecimalMark> {
    let position = number.rfind(['.', ','])?;
    let mark = if number.as_bytes()[position] == b'.' { DecimalMark::Point } else { DecimalMark::Comma };
    let before = &number[..position];
    if before.contains(char::from(mark.byte())) {
        return Some(mark.other());
    }
    if before.contains(char::from(mark.other().byte())) || number.len() - position - 1 != 3 {
        return Some(mark);
    }
    None
}
