//! hledger's journal: every account and currency declared, so that its strict checks pass too.

use std::fmt::Write;

use ledger_api::{Account, Transaction};

use super::journal::{Names, amount, opened_on, title, trade};
use super::sheet::{Balances, Entry, Sheet, Stated, Writer};
use super::text::{self, account_kind, decimal, one_line};

#[derive(Default)]
pub(super) struct Hledger {
    names: Names,
}

const GROWS: &str = "a String takes all that is written";

impl Writer for Hledger {
    fn balances(&self) -> Balances {
        Balances::AmongRows
    }

    fn begin(&mut self, out: &mut String, accounts: &[Account]) {
        self.names.give(accounts);
        out.push_str("; Tributary\ndecimal-mark .\n\n");
        let mut currencies: Vec<_> = accounts.iter().map(|account| account.currency).collect();
        currencies.sort_by_key(|currency| currency.code());
        currencies.dedup();
        for currency in currencies {
            // A commodity is shown as its example is: a point at the end means that there are no decimals.
            let example = decimal(1000 * 10_i128.pow(currency.scale().into()), currency.scale());
            let point = if currency.scale() == 0 { "." } else { "" };
            writeln!(out, "commodity {example}{point} {currency}").expect(GROWS);
        }
    }

    fn begin_account(&mut self, out: &mut String, sheet: &Sheet) {
        let account = &sheet.account;
        writeln!(out, "\naccount {}", self.names.of(account)).expect(GROWS);
        comment(out, "name", &account.name);
        comment(out, "account-id", &account.id.to_string());
        comment(out, "kind", &account_kind(account.kind));
        comment(out, "bank-id", account.bank_id.as_deref().unwrap_or_default());
        comment(out, "number", account.number_mask.as_deref().unwrap_or_default());
        out.push('\n');
        if sheet.held != 0 {
            writeln!(out, "{} * Opening balance", opened_on(sheet)).expect(GROWS);
            let others = [(self.names.opening(), -sheet.held)];
            self.names.postings(out, "    ", sheet, sheet.held, &others);
        }
    }

    fn row(&mut self, out: &mut String, sheet: &Sheet, Entry { transaction, .. }: Entry<'_>) {
        writeln!(out, "{} * {}", transaction.posted_on, description(transaction)).expect(GROWS);
        details(out, transaction);
        let others = self.names.other_side(transaction);
        self.names.postings(out, "    ", sheet, transaction.amount.minor().into(), &others);
    }

    fn stated(&mut self, out: &mut String, sheet: &Sheet, stated: &Stated) {
        let (name, currency) = (self.names.of(&sheet.account), sheet.account.currency);
        let says = amount(stated.amount.minor().into(), currency);
        if stated.holds() {
            let nothing = amount(0, currency);
            writeln!(out, "{} * Balance of the bank\n    {name}  {nothing} = {says}\n", stated.as_of)
        } else {
            let ours = amount(stated.booked, currency);
            writeln!(
                out,
                "; the bank says {says} at the end of {}, these rows add up to {ours}\n",
                stated.as_of
            )
        }
        .expect(GROWS);
    }

    fn end(&mut self, out: &mut String) {
        for name in self.names.others() {
            writeln!(out, "account {name}").expect(GROWS);
        }
    }
}

/// `(check number) name | memo`, where a semicolon would begin a comment.
fn description(transaction: &Transaction) -> String {
    let (name, memo) = title(&transaction.name, transaction.memo.as_deref());
    let check = transaction.check_number.as_deref().map(one_line).unwrap_or_default();
    let mut line = String::new();
    // A name in brackets would be taken for the number that is not there.
    if !check.is_empty() || name.starts_with('(') {
        write!(line, "({}) ", check.replace([')', ';'], "")).expect(GROWS);
    }
    line.push_str(&name);
    if !memo.is_empty() {
        write!(line, " | {memo}").expect(GROWS);
    }
    line.replace(';', ",")
}

/// What has no place of its own, as tags.
fn details(out: &mut String, transaction: &Transaction) {
    comment(out, "transaction-id", &transaction.id.to_string());
    comment(out, "external-id", transaction.external_id.as_deref().unwrap_or_default());
    comment(out, "kind", &text::kind(transaction.kind));
    if let Some(day) = transaction.occurred_on {
        comment(out, "occurred-on", &day.to_string());
    }
    if let Some(day) = transaction.details.value_on {
        comment(out, "value-on", &day.to_string());
    }
    comment(out, "reference", transaction.details.reference.as_deref().unwrap_or_default());
    if let Some(done) = &transaction.details.trade {
        trade(done).into_iter().for_each(|(tag, value)| comment(out, tag, value));
    }
    if let Some(original) = transaction.original {
        comment(out, "original", &original.to_string());
    }
}

/// A tag on a line of its own; none for an empty text.
fn comment(out: &mut String, tag: &str, value: &str) {
    let value = one_line(value);
    if !value.is_empty() {
        writeln!(out, "    ; {tag}: {value}").expect(GROWS);
    }
}
