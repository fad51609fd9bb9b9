use kernel::Currency;

use super::headers::normal;
use crate::{AccountHint, AccountType};

/// What the lines before the header row say about the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preamble {
    pub(super) account_number: Option<String>,
    pub(super) account_type: Option<AccountType>,
    pub(super) currency: Option<Currency>,
}

const ACCOUNT_LABELS: [&str; 16] = [
    "account",
    "account number",
    "account no",
    "account id",
    "iban",
    "konto",
    "kontonummer",
    "konto iban",
    "rekening",
    "rekeningnummer",
    "compte",
    "numero de compte",
    "cuenta",
    "conto",
    "auftragskonto",
    "girokonto",
];
const CURRENCY_LABELS: [&str; 10] = [
    "currency",
    "wahrung",
    "waehrung",
    "kontowahrung",
    "devise",
    "divisa",
    "moneda",
    "valuta",
    "munt",
    "ccy",
];

const TYPE_LABELS: [&str; 5] =
    ["account type", "kontoart", "type de compte", "tipo de cuenta", "rekeningsoort"];

fn account_type(words: &str) -> Option<AccountType> {
    let says = |known: &[&str]| known.iter().any(|known| words.contains(known));
    if says(&["saving", "sparkonto", "tagesgeld", "epargne", "livret", "ahorro", "spaar"]) {
        Some(AccountType::Savings)
    } else if says(&["credit card", "kreditkarte", "carte de credit", "tarjeta"]) {
        Some(AccountType::CreditCard)
    } else if says(&["checking", "current", "giro", "courant", "corriente", "betaal"]) {
        Some(AccountType::Checking)
    } else {
        None
    }
}

impl Preamble {
    /// What it says of the account.
    pub(super) fn account(&self) -> AccountHint {
        let Self { account_number, account_type, .. } = self.clone();
        AccountHint { account_number, account_type, ..AccountHint::default() }
    }

    /// Takes one line: a label and its value, in two cells or in one with a colon.
    pub(super) fn read(&mut self, cells: &[String]) {
        let mut filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        let Some(first) = filled.next() else { return };
        let (label, value) = match first.split_once(':') {
            Some((label, value)) if !value.trim().is_empty() => (label, value.trim()),
            _ => (first, filled.next().unwrap_or_default()),
        };
        let label = normal(label);
        if CURRENCY_LABELS.contains(&label.as_str()) {
            self.currency = self.currency.or_else(|| Currency::parse(value).ok());
        }
        if TYPE_LABELS.contains(&label.as_str()) {
            self.account_type = self.account_type.or_else(|| account_type(&normal(value)));
        }
        // DKB writes the kind of account behind the number.
        let value = value.split(" / ").next().unwrap_or_default();
        let is_number = value.chars().filter(char::is_ascii_digit).count() >= 4 && value.len() <= 64;
        if ACCOUNT_LABELS.contains(&label.as_str()) && is_number && self.account_number.is_none() {
            self.account_number = Some(value.to_owned());
        }
    }

    /// Takes the name of the amount column: `Betrag (EUR)`, `Amount USD`.
    pub(super) fn read_amount_name(&mut self, name: &str) {
        // In a header all in capitals a word of three letters proves nothing: ALL and TOP are currencies.
        let is_shouting = !name.contains(char::is_lowercase);
        let mut words = name.split(|c: char| !c.is_alphanumeric());
        let is_code = |word: &&str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        let code = words.find(is_code).filter(|code| !is_shouting || name.contains(&format!("({code})")));
        self.currency = self.currency.or_else(|| Currency::parse(code?).ok());
    }
}
