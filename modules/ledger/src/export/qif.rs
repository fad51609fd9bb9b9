//! QIF: the accounts, and then the register of each, as Quicken writes files of several accounts.
//!
//! The format has no place for ids, currencies and exact kinds of accounts, and no two programs agree on dates and
//! decimals. So dates begin with their year, decimals have a point, and the description of an account tells its id and
//! its currency: by them our own importer knows the file again. An investment account comes as its cash.

use std::fmt::Write;

use kernel::Money;
use ledger_api::{Account, AccountKind, Split, Transaction};

use super::journal::opened_on;
use super::sheet::{Entry, Sheet, Writer};
use super::text::{account_kind, decimal, one_line};

pub(super) struct Qif;

const GROWS: &str = "a String takes all that is written";

impl Writer for Qif {
    fn begin(&mut self, out: &mut String, accounts: &[Account]) {
        out.push_str("!Option:AutoSwitch\n!Account\n");
        accounts.iter().for_each(|account| announce(out, account));
        out.push_str("!Clear:AutoSwitch\n!Option:AutoSwitch\n");
    }

    fn begin_account(&mut self, out: &mut String, sheet: &Sheet) {
        out.push_str("!Account\n");
        announce(out, &sheet.account);
        writeln!(out, "!Type:{}", kind(sheet.account.kind)).expect(GROWS);
        if sheet.held != 0 {
            let held = decimal(sheet.held, sheet.account.currency.scale());
            writeln!(out, "D{}\nT{held}", opened_on(sheet)).expect(GROWS);
            line(out, 'P', "Opening Balance");
            // A transfer from the account to itself is what it held before its first row.
            line(out, 'L', &format!("[{}]", name(&sheet.account)));
            out.push_str("^\n");
        }
    }

    fn row(&mut self, out: &mut String, sheet: &Sheet, Entry { transaction, .. }: Entry<'_>) {
        writeln!(out, "D{}\nT{}", transaction.posted_on, transaction.amount.amount()).expect(GROWS);
        line(out, 'N', transaction.check_number.as_deref().unwrap_or_default());
        line(out, 'P', transaction.bank_name.as_ref().unwrap_or(&transaction.name));
        line(out, 'M', transaction.memo.as_deref().unwrap_or_default());
        line(out, 'L', &category(transaction, &sheet.account));
        splits(transaction).iter().for_each(|split| part(out, split));
        out.push_str("^\n");
    }
}

/// A record of `!Account`.
fn announce(out: &mut String, account: &Account) {
    line(out, 'N', &name(account));
    line(out, 'D', &format!("TRIBUTARY {} {}", account.id, account.currency));
    line(out, 'T', kind(account.kind));
    out.push_str("^\n");
}

/// The name in one line; never none, as an account without a name is none.
fn name(account: &Account) -> String {
    let name = one_line(&account.name);
    if name.is_empty() { account_kind(account.kind) } else { name }
}

/// A line of a record; none for an empty text. Whatever breaks lines is gone, so that no text can begin another.
fn line(out: &mut String, letter: char, text: &str) {
    let text = one_line(text);
    if !text.is_empty() {
        writeln!(out, "{letter}{text}").expect(GROWS);
    }
}

/// What the row is filed under. The account's own name in brackets would make an opening balance of the row.
fn category(transaction: &Transaction, account: &Account) -> String {
    let category = one_line(transaction.category.as_deref().unwrap_or_default());
    match category.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(other) if other.trim().eq_ignore_ascii_case(&name(account)) => other.to_owned(),
        _ => category,
    }
}

/// The parts of a row; none where they do not add up to it, as no program would know what to do with them.
fn splits(transaction: &Transaction) -> &[Split] {
    let splits = &transaction.details.splits;
    let zero = Money::zero(transaction.amount.currency());
    let sum = splits.iter().try_fold(zero, |sum, split| sum.checked_add(split.amount));
    if sum.is_ok_and(|sum| sum == transaction.amount) { splits } else { &[] }
}

fn part(out: &mut String, split: &Split) {
    // It begins the part, so it is there even where it says nothing.
    writeln!(out, "S{}", one_line(split.category.as_deref().unwrap_or_default())).expect(GROWS);
    line(out, 'E', split.memo.as_deref().unwrap_or_default());
    line(out, '$', &split.amount.amount());
}

/// The word for a kind of account; most kinds have none.
fn kind(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::CreditCard => "CCard",
        AccountKind::Cash => "Cash",
        AccountKind::Loan | AccountKind::CreditLine => "Oth L",
        AccountKind::Checking
        | AccountKind::Savings
        | AccountKind::MoneyMarket
        | AccountKind::CertificateOfDeposit
        | AccountKind::Investment
        | AccountKind::Other => "Bank",
    }
}
