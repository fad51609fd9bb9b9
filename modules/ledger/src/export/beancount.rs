//! beancount: directives with their dates, so that their order in the file does not matter.

use std::fmt::Write;

use chrono::NaiveDate;
use kernel::Money;
use ledger_api::{Account, Transaction};

use super::journal::{Names, amount, opened_on, title, trade};
use super::sheet::{Balances, Entry, Sheet, Stated, Writer};
use super::text::{self, account_kind, one_line};

#[derive(Default)]
pub(super) struct Beancount {
    names: Names,
    /// The earliest day of all: on it the accounts of the other side are opened.
    begins_on: Option<NaiveDate>,
}

const GROWS: &str = "a String takes all that is written";

impl Writer for Beancount {
    fn balances(&self) -> Balances {
        Balances::AmongRows
    }

    fn begin(&mut self, out: &mut String, accounts: &[Account]) {
        self.names.give(accounts);
        out.push_str("option \"title\" \"Tributary\"\n\n");
    }

    fn begin_account(&mut self, out: &mut String, sheet: &Sheet) {
        let account = &sheet.account;
        let opened_on = opened_on(sheet);
        self.begins_on = Some(self.begins_on.map_or(opened_on, |day| day.min(opened_on)));
        writeln!(out, "{opened_on} open {} {}", self.names.of(account), account.currency).expect(GROWS);
        meta(out, "name", &account.name);
        meta(out, "account-id", &account.id.to_string());
        meta(out, "kind", &account_kind(account.kind));
        meta(out, "bank-id", account.bank_id.as_deref().unwrap_or_default());
        meta(out, "number", account.number_mask.as_deref().unwrap_or_default());
        out.push('\n');
        if sheet.held != 0 {
            writeln!(out, "{opened_on} * \"Opening balance\"").expect(GROWS);
            let others = [(self.names.opening(), -sheet.held)];
            self.names.postings(out, "  ", sheet, sheet.held, &others);
        }
    }

    fn row(&mut self, out: &mut String, sheet: &Sheet, Entry { transaction, .. }: Entry<'_>) {
        let (name, memo) = title(&transaction.name, transaction.memo.as_deref());
        writeln!(out, "{} * {} {}", transaction.posted_on, quoted(&name), quoted(&memo)).expect(GROWS);
        details(out, transaction);
        let others = self.names.other_side(transaction);
        self.names.postings(out, "  ", sheet, transaction.amount.minor().into(), &others);
    }

    fn stated(&mut self, out: &mut String, sheet: &Sheet, stated: &Stated) {
        let (name, currency) = (self.names.of(&sheet.account), sheet.account.currency);
        let says = amount(stated.amount.minor().into(), currency);
        // beancount compares at the beginning of a day, the bank at its end.
        match stated.as_of.succ_opt().filter(|_| stated.holds()) {
            Some(day) => writeln!(out, "{day} balance {name}  {says}\n"),
            None => {
                let ours = amount(stated.booked, currency);
                writeln!(
                    out,
                    "; the bank says {says} at the end of {}, these rows add up to {ours}\n",
                    stated.as_of
                )
            }
        }
        .expect(GROWS);
    }

    fn end(&mut self, out: &mut String) {
        let Some(day) = self.begins_on else { return };
        for name in self.names.others() {
            writeln!(out, "{day} open {name}").expect(GROWS);
        }
    }
}

/// What has no place of its own, as metadata.
fn details(out: &mut String, transaction: &Transaction) {
    meta(out, "transaction-id", &transaction.id.to_string());
    meta(out, "external-id", transaction.external_id.as_deref().unwrap_or_default());
    meta(out, "kind", &text::kind(transaction.kind));
    meta(out, "check", transaction.check_number.as_deref().unwrap_or_default());
    if let Some(day) = transaction.occurred_on {
        writeln!(out, "  occurred-on: {day}").expect(GROWS);
    }
    if let Some(day) = transaction.details.value_on {
        writeln!(out, "  value-on: {day}").expect(GROWS);
    }
    meta(out, "reference", transaction.details.reference.as_deref().unwrap_or_default());
    if let Some(done) = &transaction.details.trade {
        trade(done).into_iter().for_each(|(key, value)| meta(out, key, value));
    }
    if let Some(original) = transaction.original {
        writeln!(out, "  original: {}", original_amount(original)).expect(GROWS);
    }
}

fn original_amount(money: Money) -> String {
    amount(money.minor().into(), money.currency())
}

/// A line of metadata; none for an empty text.
fn meta(out: &mut String, key: &str, value: &str) {
    let value = one_line(value);
    if !value.is_empty() {
        writeln!(out, "  {key}: {}", quoted(&value)).expect(GROWS);
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
