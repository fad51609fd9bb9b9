//! CSV (RFC 4180): one table of all accounts, one row per transaction. Splits and trades have no place in it.

use ledger_api::{Account, TransactionStatus};

use super::sheet::{Entry, Sheet, Writer};
use super::text;
use crate::domain::is_text;

/// The columns, named as in the API. Our own importer knows the table by them.
const HEADER: &str = "id,account_id,account_name,posted_on,occurred_on,posted_at,amount,currency,original_amount,\
                      original_currency,kind,name,memo,check_number,external_id,\
                      status,value_on,reference,category\r\n";

pub(super) struct Csv;

impl Writer for Csv {
    fn takes_pending(&self) -> bool {
        true
    }

    fn begin(&mut self, out: &mut String, _: &[Account]) {
        out.push_str(HEADER);
    }

    fn row(&mut self, out: &mut String, sheet: &Sheet, Entry { transaction, .. }: Entry<'_>) {
        let mut row = Row { out, is_first: true };
        row.value(&transaction.id.to_string());
        row.value(&transaction.account_id.to_string());
        row.text(&sheet.account.name);
        row.value(&transaction.posted_on.to_string());
        row.value(&transaction.occurred_on.map(|day| day.to_string()).unwrap_or_default());
        row.value(&transaction.posted_at.map(|at| at.to_rfc3339()).unwrap_or_default());
        row.value(&transaction.amount.amount());
        row.value(transaction.amount.currency().code());
        row.value(&transaction.original.map(|money| money.amount()).unwrap_or_default());
        row.value(transaction.original.map_or("", |money| money.currency().code()));
        row.value(&text::kind(transaction.kind));
        row.text(transaction.bank_name.as_ref().unwrap_or(&transaction.name));
        row.text(transaction.memo.as_deref().unwrap_or_default());
        row.text(transaction.check_number.as_deref().unwrap_or_default());
        row.text(transaction.external_id.as_deref().unwrap_or_default());
        row.value(match transaction.status {
            TransactionStatus::Booked => "booked",
            TransactionStatus::Pending => "pending",
        });
        let details = &transaction.details;
        row.value(&details.value_on.map(|day| day.to_string()).unwrap_or_default());
        row.text(details.reference.as_deref().unwrap_or_default());
        row.text(details.category.as_deref().unwrap_or_default());
        out.push_str("\r\n");
    }
}

struct Row<'a> {
    out: &'a mut String,
    is_first: bool,
}

impl Row<'_> {
    /// A cell whose text is ours: an id, a date, a number, a code.
    fn value(&mut self, value: &str) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(',');
        }
        self.out.push_str(value);
    }

    /// A cell whose text somebody else wrote.
    fn text(&mut self, text: &str) {
        let text = &clean(text);
        let guard = if is_formula(text) { "'" } else { "" };
        let is_plain = !text.contains([',', '"', '\r', '\n']) && text.trim_ascii() == text;
        match is_plain {
            true => self.value(&format!("{guard}{text}")),
            false => self.value(&format!("\"{guard}{}\"", text.replace('"', "\"\""))),
        }
    }
}

/// The text without what no text has: a table with control characters in it is taken for no table.
fn clean(text: &str) -> String {
    let blank = |c: char| if c.is_control() && !matches!(c, '\t' | '\r' | '\n') { ' ' } else { c };
    text.chars().filter(|c| is_text(*c)).map(blank).collect()
}

/// Whether a spreadsheet could run the text (OWASP, "CSV Injection"): then an apostrophe goes before it, which
/// makes it a text. Apostrophes that stand there already do not count, so that whoever reads the table can take
/// exactly ours off again; nor does white space at the end, which readers take off before they look.
fn is_formula(text: &str) -> bool {
    let bare = text.trim_end().trim_start_matches('\'');
    bare.starts_with(['\t', '\r', '\n'])
        || bare.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = String::new();
        Row { out: &mut out, is_first: true }.text(text);
        out
    }

    #[test]
    fn what_a_spreadsheet_could_run_begins_with_an_apostrophe() {
        for text in ["=1+1", "+49 30", "-5", "@sum", "\t=1", "\rx", "＝1", "  =1", "'=1", "'''@a"] {
            let cell = cell(text);
            assert!(cell.trim_start_matches('"').starts_with('\''), "{cell:?}");
            assert!(cell.contains(&format!("'{text}")), "{cell:?}");
        }
        for text in ["a=1", "O'Neil", "'tis", "", "1-2", "'"] {
            assert!(!cell(text).trim_matches('"').starts_with("''"), "{text}");
            assert!(cell(text).contains(text), "{text}");
        }
    }

    #[test]
    fn regression_white_space_alone_gets_no_apostrophe_that_would_come_back_as_a_text() {
        for text in ["\t", "'\t", "\r\n", " "] {
            assert_eq!(cell(text), format!("\"{text}\""));
        }
    }

    #[test]
    fn quotes_are_doubled_and_breaks_are_quoted() {
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("a\nb"), "\"a\nb\"");
        assert_eq!(cell("=a,b"), "\"'=a,b\"");
        assert_eq!(cell(" a"), "\" a\"");
    }
}
