//! hledger's journal: every account and currency declared, so that its strict checks pass too.

use std::fmt::Write;

use ledger_api::{Account, Transaction};

use super::facts::{self, Named};
use super::journal::{Names, amount, difference, opened_on, title};
use super::sheet::{Balances, Entry, Sheet, Stated, Writer};
use super::text::{decimal, one_line};

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
        facts::of_account(account).for_each(|fact| tag(out, &fact));
        out.push('\n');
        if sheet.held != 0 {
            writeln!(out, "{} * Opening balance", opened_on(sheet)).expect(GROWS);
            let others = [(self.names.opening(), -sheet.held)];
            self.names.postings(out, "    ", sheet, sheet.held, &others);
        }
    }

    fn row(&mut self, out: &mut String, sheet: &Sheet, Entry { transaction, .. }: Entry<'_>) {
        writeln!(out, "{} * {}", transaction.posted_on, description(transaction)).expect(GROWS);
        // The number of a cheque stands in the line above.
        facts::of_row(transaction).filter(|(name, _)| *name != "check").for_each(|fact| tag(out, &fact));
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
            writeln!(out, "{}\n", difference(stated, currency))
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

/// A tag on a line of its own.
fn tag(out: &mut String, (name, fact): &Named) {
    writeln!(out, "    ; {name}: {}", fact.plain()).expect(GROWS);
}
