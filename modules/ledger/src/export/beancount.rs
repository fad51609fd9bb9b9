//! beancount: directives with their dates, so that their order in the file does not matter.

use std::fmt::Write;

use chrono::NaiveDate;
use ledger_api::Account;

use super::facts::{self, Fact, Named};
use super::journal::{Names, amount, difference, opened_on, title};
use super::sheet::{Balances, Entry, Sheet, Stated, Writer};

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
        facts::of_account(account).for_each(|fact| meta(out, &fact));
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
        facts::of_row(transaction).for_each(|fact| meta(out, &fact));
        let others = self.names.other_side(transaction);
        self.names.postings(out, "  ", sheet, transaction.amount.minor().into(), &others);
    }

    fn stated(&mut self, out: &mut String, sheet: &Sheet, stated: &Stated) {
        let (name, currency) = (self.names.of(&sheet.account), sheet.account.currency);
        let says = amount(stated.amount.minor().into(), currency);
        // beancount compares at the beginning of a day, the bank at its end.
        match stated.as_of.succ_opt().filter(|_| stated.holds()) {
            Some(day) => writeln!(out, "{day} balance {name}  {says}\n"),
            None => writeln!(out, "{}\n", difference(stated, currency)),
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

/// A line of metadata.
fn meta(out: &mut String, (name, fact): &Named) {
    let value = if let Fact::Text(text) = fact { quoted(text) } else { fact.plain() };
    writeln!(out, "  {name}: {value}").expect(GROWS);
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
