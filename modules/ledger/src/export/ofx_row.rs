//! One `STMTTRN` of an OFX file.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kernel::Money;
use ledger_api::TransactionKind;

use super::sheet::Entry;
use crate::domain::is_text;

/// Writes the elements in the order of the standard.
pub(super) fn write(out: &mut String, Entry { transaction, own_external_id }: Entry<'_>) {
    out.push_str("<STMTTRN>");
    element(out, "TRNTYPE", kind(transaction.kind));
    element(out, "DTPOSTED", &posted(transaction.posted_on, transaction.posted_at));
    if let Some(day) = transaction.occurred_on {
        element(out, "DTUSER", &day.format("%Y%m%d").to_string());
    }
    if let Some(day) = transaction.details.value_on {
        element(out, "DTAVAIL", &day.format("%Y%m%d").to_string());
    }
    element(out, "TRNAMT", &transaction.amount.amount());
    match own_external_id {
        Some(id) => text(out, "FITID", id),
        // Programs drop the second row of an id, so an id that the bank gave twice is none.
        None => element(out, "FITID", &transaction.id.to_string()),
    }
    text(out, "CHECKNUM", transaction.check_number.as_deref().unwrap_or_default());
    text(out, "REFNUM", transaction.details.reference.as_deref().unwrap_or_default());
    text(out, "NAME", transaction.bank_name.as_ref().unwrap_or(&transaction.name));
    text(out, "MEMO", transaction.memo.as_deref().unwrap_or_default());
    if let Some((rate, code)) = transaction.original.and_then(|original| rate(transaction.amount, original)) {
        out.push_str("<ORIGCURRENCY>");
        element(out, "CURRATE", &rate);
        element(out, "CURSYM", code);
        out.push_str("</ORIGCURRENCY>");
    }
    out.push_str("</STMTTRN>\n");
}

fn element(out: &mut String, name: &str, value: &str) {
    write!(out, "<{name}>{value}</{name}>").expect("a String takes all that is written");
}

/// An element with the text of somebody else; none where there is no text.
fn text(out: &mut String, name: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    write!(out, "<{name}>").expect("a String takes all that is written");
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Readers of XML make a line feed of it otherwise.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            // White space that XML does not have.
            c if c.is_control() && c.is_whitespace() => out.push(' '),
            c if is_text(c) => out.push(c),
            _ => {}
        }
    }
    write!(out, "</{name}>").expect("a String takes all that is written");
}

/// The day as the bank wrote it; and the moment, in the zone nearest to Greenwich where it is of that day.
fn posted(day: NaiveDate, at: Option<DateTime<Utc>>) -> String {
    let offsets = (0..=14).flat_map(|hours| [-hours, hours]);
    let local = at.and_then(|at| {
        let local = |hours| Some((at.naive_utc().checked_add_signed(TimeDelta::hours(hours))?, hours));
        offsets.filter_map(local).find(|(local, _)| local.date() == day)
    });
    match local {
        Some((local, hours)) => format!("{}[{hours}]", local.format("%Y%m%d%H%M%S%.3f")),
        None => day.format("%Y%m%d").to_string(),
    }
}

/// How much of the account's currency one of the original's was, with so many digits that the original amount can
/// be told from it.
fn rate(amount: Money, original: Money) -> Option<(String, &'static str)> {
    let (over, under) = (i128::from(amount.minor()), i128::from(original.minor()));
    if over.signum() * under.signum() != 1 || amount.currency() == original.currency() {
        return None;
    }
    let (over, under) = (over.abs(), under.abs());
    let shift = i32::from(original.currency().scale()) - i32::from(amount.currency().scale());
    let rate = (0..=17_u32).rev().find_map(|decimals| {
        let power = shift + decimals as i32;
        let scaled = over.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)?;
        let rate = scaled.checked_add(under / 2)? / under;
        // 18 digits are what readers take, our own among them.
        (1..10_i128.pow(17)).contains(&rate).then(|| super::text::decimal(rate, decimals as u8))
    });
    rate.map(|rate| (rate, original.currency().code()))
}

/// OFX `TRNTYPE`.
fn kind(kind: TransactionKind) -> &'static str {
    match kind {
        TransactionKind::Credit => "CREDIT",
        TransactionKind::Debit => "DEBIT",
        TransactionKind::Interest => "INT",
        TransactionKind::Dividend => "DIV",
        TransactionKind::Fee => "FEE",
        TransactionKind::ServiceCharge => "SRVCHG",
        TransactionKind::Deposit => "DEP",
        TransactionKind::Atm => "ATM",
        TransactionKind::PointOfSale => "POS",
        TransactionKind::Transfer => "XFER",
        TransactionKind::Check => "CHECK",
        TransactionKind::Payment => "PAYMENT",
        TransactionKind::Cash => "CASH",
        TransactionKind::DirectDeposit => "DIRECTDEP",
        TransactionKind::DirectDebit => "DIRECTDEBIT",
        TransactionKind::RepeatPayment => "REPEATPMT",
        TransactionKind::Hold => "HOLD",
        TransactionKind::Other => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    #[test]
    fn text_is_escaped_and_what_xml_cannot_hold_is_left_out() {
        let mut out = String::new();
        text(&mut out, "NAME", "A & B <c>\r\n\u{1}\u{b}d\u{fffe}");
        assert_eq!(out, "<NAME>A &amp; B &lt;c&gt;&#13;\n d</NAME>");
        out.clear();
        text(&mut out, "MEMO", " \u{a0}");
        assert_eq!(out, "");
    }

    #[test]
    fn the_day_is_the_banks_whatever_the_moment_is() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
        for (moment, written) in [
            (at("2026-03-02T10:00:00Z"), "20260302100000.000[0]"),
            (at("2026-03-03T02:30:00Z"), "20260302233000.000[-3]"),
            (at("2026-03-01T23:00:00.250Z"), "20260302000000.250[1]"),
            (at("2026-05-01T00:00:00Z"), "20260302"),
            (None, "20260302"),
        ] {
            assert_eq!(posted(day, moment), written);
        }
    }

    #[test]
    fn a_rate_tells_the_original_amount() {
        let money = |text: &str, code: &str| Money::parse(text, Currency::parse(code).unwrap()).unwrap();
        for (amount, original, expected) in [
            (money("-108.25", "USD"), money("-100.00", "EUR"), Some("1.0825000000000000")),
            (money("65.40", "EUR"), money("10000", "JPY"), Some("0.00654000000000000")),
            (money("1.00", "EUR"), money("-1.00", "USD"), None),
            (money("0.00", "EUR"), money("0.00", "USD"), None),
        ] {
            assert_eq!(rate(amount, original).map(|(rate, _)| rate).as_deref(), expected);
        }
    }
}
