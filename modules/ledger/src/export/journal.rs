//! What the plain-text ledgers have in common: the names of accounts, and the other side of each row.
//!
//! Both keep books in double entry and our ledger does not, so every row gets another side: `Expenses` for what
//! leaves and `Income` for what comes. What is pending stays out, because it would count in their balances.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use kernel::AccountId;
use ledger_api::{Account, AccountKind, Transaction};

use super::sheet::{Sheet, Stated};
use super::text::{account_kind, decimal, one_line};

/// Where the balance before the first row comes from.
pub(super) const OPENING: &str = "Equity:Opening-Balances";

/// More categories than anybody has; what comes after them is not told apart, so that memory stays bounded.
const MOST_OTHERS: usize = 10_000;

/// The names that a file gives to accounts.
#[derive(Default)]
pub(super) struct Names {
    ours: HashMap<AccountId, String>,
    others: BTreeSet<String>,
}

impl Names {
    /// Gives each account a name that both programs take, and that no other has.
    pub(super) fn give(&mut self, accounts: &[Account]) {
        let mut taken = HashSet::new();
        for account in accounts {
            let plain =
                format!("{}:{}", root(account.kind), part(&account.name, &account_kind(account.kind)));
            let numbered = (2..).map(|number| format!("{plain}-{number}"));
            let mut candidates = std::iter::once(plain.clone()).chain(numbered);
            let name = candidates.find(|name| !taken.contains(name)).unwrap_or(plain);
            taken.insert(name.clone());
            self.ours.insert(account.id, name);
        }
    }

    /// What the account is called.
    pub(super) fn of(&self, account: &Account) -> &str {
        self.ours.get(&account.id).map_or("Assets:Unknown", String::as_str)
    }

    /// The other side of a row, part by part: the accounts and what they get. The parts are those of the row's
    /// file where it was divided, and they and the row add up to nothing.
    pub(super) fn other_side(&mut self, transaction: &Transaction) -> Vec<(String, i128)> {
        let (whole, details) = (i128::from(transaction.amount.minor()), &transaction.details);
        let parts: i128 = details.splits.iter().map(|split| i128::from(split.amount.minor())).sum();
        if details.splits.is_empty() || parts != whole {
            return vec![(self.category(transaction.category.as_deref(), whole), -whole)];
        }
        let splits =
            details.splits.iter().map(|split| (split.category.as_deref(), split.amount.minor().into()));
        splits.map(|(category, minor)| (self.category(category, minor), -minor)).collect()
    }

    /// The lines of an entry, indented: what the account itself gets, and what the others get.
    pub(super) fn postings(
        &self,
        out: &mut String,
        indent: &str,
        sheet: &Sheet,
        minor: i128,
        others: &[(String, i128)],
    ) {
        let others = others.iter().map(|(name, minor)| (name.as_str(), *minor));
        for (name, minor) in std::iter::once((self.of(&sheet.account), minor)).chain(others) {
            out.push_str(&format!("{indent}{name}  {}\n", amount(minor, sheet.account.currency)));
        }
        out.push('\n');
    }

    /// The account of a category: `Food:Fruit` of money that leaves is `Expenses:Food:Fruit`. Programs that write
    /// QIF put the other account of a transfer there, in brackets.
    fn category(&mut self, category: Option<&str>, minor: i128) -> String {
        let category = category.map(str::trim).unwrap_or_default();
        let transfer = category.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let (root, category) = match transfer {
            Some(account) => ("Equity:Transfers", account),
            None if minor < 0 => ("Expenses", category),
            None => ("Income", category),
        };
        let parts = category.split(':').filter(|part| part.contains(char::is_alphanumeric));
        let path: String = parts.map(|name| format!(":{}", part(name, "Other"))).collect();
        let path = if path.is_empty() || self.others.len() >= MOST_OTHERS { ":Uncategorized" } else { &path };
        self.used(format!("{root}{path}"))
    }

    /// The other side of the balance before the first row.
    pub(super) fn opening(&mut self) -> String {
        self.used(OPENING.to_owned())
    }

    fn used(&mut self, name: String) -> String {
        if !self.others.contains(&name) {
            self.others.insert(name.clone());
        }
        name
    }

    /// All accounts that are not the household's, as far as they were used.
    pub(super) fn others(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(String::as_str)
    }
}

fn root(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::CreditCard | AccountKind::CreditLine | AccountKind::Loan => "Liabilities",
        _ => "Assets",
    }
}

/// One part of an account's name: letters, digits and hyphens, of which the first is a capital or a digit, as
/// beancount wants it. A name that cannot begin one goes behind `kind`.
fn part(name: &str, kind: &str) -> String {
    let mut part = String::new();
    for c in name.chars() {
        match is_letter(c) || c.is_ascii_digit() {
            true if part.is_empty() => part.extend(c.to_uppercase()),
            true => part.push(c),
            false if part.is_empty() || part.ends_with('-') => {}
            false => part.push('-'),
        }
    }
    let part = part.trim_end_matches('-');
    let begins_well = |c: char| c.is_ascii_digit() || (is_letter(c) && c.is_uppercase());
    match part.chars().next() {
        Some(first) if begins_well(first) => part.to_owned(),
        Some(_) => format!("{}-{part}", self::part(kind, "Account")),
        None => self::part(kind, "Account"),
    }
}

/// Letters that Unicode counts as such (category L) without doubt: beancount refuses numerals and marks, which
/// `char::is_alphabetic` takes for letters too.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (c.is_alphabetic()
            && matches!(c, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{481}'
                | '\u{48a}'..='\u{52f}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
                | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'))
}

/// The day on which an account is opened: no later than what it is first mentioned on.
pub(super) fn opened_on(sheet: &Sheet) -> NaiveDate {
    let first = sheet.days.map(|(first, _)| first).into_iter().chain(sheet.stated_from).min();
    first.unwrap_or(sheet.account.created_at.date_naive())
}

/// An amount with its currency.
pub(super) fn amount(minor: i128, currency: kernel::Currency) -> String {
    format!("{} {currency}", decimal(minor, currency.scale()))
}

/// A comment on a balance of the bank that the rows do not come to.
pub(super) fn difference(stated: &Stated, currency: kernel::Currency) -> String {
    let (says, ours) = (amount(stated.amount.minor().into(), currency), amount(stated.booked, currency));
    format!("; the bank says {says} at the end of {}, these rows add up to {ours}", stated.as_of)
}

/// What a person reads first of a row, in one line: its name, or else its memo.
pub(super) fn title(name: &str, memo: Option<&str>) -> (String, String) {
    match (one_line(name), memo.map(one_line).unwrap_or_default()) {
        (name, memo) if name.is_empty() => (memo, String::new()),
        both => both,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_begins_with_a_capital_or_a_digit_and_has_letters_digits_and_hyphens() {
        for (name, expected) in [
            ("Checking ••••6789", "Checking-6789"),
            ("girokonto Müller & Söhne", "Girokonto-Müller-Söhne"),
            ("ßtraße", "SStraße"),
            ("家計", "Cash-家計"),
            ("2nd", "2nd"),
            ("!!", "Cash"),
            ("", "Cash"),
            ("a:b;c  d", "A-b-c-d"),
            ("Ⅷ", "Cash"),
        ] {
            assert_eq!(part(name, "cash"), expected);
        }
    }
}
