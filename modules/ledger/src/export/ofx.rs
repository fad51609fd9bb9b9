//! OFX 2.2 (XML): a statement for each account, in the message set of its kind.
//!
//! Accounts are named by ids of ours, because the ledger does not keep their numbers: `BANKID` is `TRIBUTARY` and
//! `ACCTID` the id in 22 characters (base64url), as much as the standard has room for. Our own importer
//! finds the account again by them. A card has no `BANKID`, and an investment account comes as its cash, in a bank
//! statement. Names are never cut, although the standard has room for 32 characters of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use kernel::{AccountId, Instant};
use ledger_api::{Account, AccountKind};

use super::ofx_row;
use super::sheet::{Balances, Entry, Sheet, Stated, Writer};
use super::text::decimal;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n\
     <?OFX OFXHEADER=\"200\" VERSION=\"220\" SECURITY=\"NONE\" OLDFILEUID=\"NONE\" NEWFILEUID=\"NONE\"?>\n<OFX>\n";
const DONE: &str = "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>";

/// The message sets, in the order that the standard has them in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Set {
    Bank,
    Card,
}

impl Set {
    fn of(kind: AccountKind) -> Self {
        if kind == AccountKind::CreditCard { Self::Card } else { Self::Bank }
    }

    /// Message set, transaction, statement.
    fn names(self) -> [&'static str; 3] {
        match self {
            Self::Bank => ["BANKMSGSRSV1", "STMTTRNRS", "STMTRS"],
            Self::Card => ["CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS"],
        }
    }
}

pub(super) struct Ofx {
    at: Instant,
    /// The message set that is open.
    open: Option<Set>,
    statements: u32,
    booked: i128,
    stated: Option<Stated>,
}

impl Ofx {
    /// A file that says it was made `at` this moment.
    pub(super) fn new(at: Instant) -> Self {
        Self { at, open: None, statements: 0, booked: 0, stated: None }
    }

    fn open(&mut self, out: &mut String, set: Option<Set>) {
        if self.open != set {
            if let Some(open) = self.open {
                out.push_str(&format!("</{}>\n", open.names()[0]));
            }
            if let Some(set) = set {
                out.push_str(&format!("<{}>\n", set.names()[0]));
            }
            self.open = set;
        }
    }
}

impl Writer for Ofx {
    fn balances(&self) -> Balances {
        Balances::AmongRows
    }

    fn arrange(&self, accounts: &mut [Account]) {
        accounts.sort_by_key(|account| Set::of(account.kind));
    }

    fn begin(&mut self, out: &mut String, _: &[Account]) {
        let at = self.at.format("%Y%m%d%H%M%S");
        out.push_str(HEAD);
        out.push_str(&format!(
            "<SIGNONMSGSRSV1><SONRS>{DONE}<DTSERVER>{at}[0:GMT]</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>\n"
        ));
    }

    fn begin_account(&mut self, out: &mut String, sheet: &Sheet) {
        let set = Set::of(sheet.account.kind);
        self.open(out, Some(set));
        self.statements += 1;
        (self.booked, self.stated) = (sheet.held, None);
        let [_, transaction, statement] = set.names();
        out.push_str(&format!(
            "<{transaction}><TRNUID>{}</TRNUID>{DONE}<{statement}><CURDEF>{}</CURDEF>{}\n",
            self.statements,
            sheet.account.currency,
            account_from(&sheet.account)
        ));
        if let Some((first, last)) = sheet.days {
            let (first, last) = (first.format("%Y%m%d"), last.format("%Y%m%d"));
            out.push_str(&format!("<BANKTRANLIST><DTSTART>{first}</DTSTART><DTEND>{last}</DTEND>\n"));
        }
    }

    fn row(&mut self, out: &mut String, _: &Sheet, entry: Entry<'_>) {
        self.booked += i128::from(entry.transaction.amount.minor());
        ofx_row::write(out, entry);
    }

    fn stated(&mut self, _: &mut String, _: &Sheet, stated: &Stated) {
        self.stated = Some(*stated);
    }

    fn end_account(&mut self, out: &mut String, sheet: &Sheet) {
        if sheet.days.is_some() {
            out.push_str("</BANKTRANLIST>");
        }
        // What the bank said where it said anything: a balance of ours would come back as the bank's own.
        let (minor, day) = match self.stated {
            Some(stated) => (i128::from(stated.amount.minor()), stated.as_of),
            None => (self.booked, last_day(sheet)),
        };
        let [_, transaction, statement] = Set::of(sheet.account.kind).names();
        out.push_str(&format!(
            "<LEDGERBAL><BALAMT>{}</BALAMT><DTASOF>{}</DTASOF></LEDGERBAL></{statement}></{transaction}>\n",
            decimal(minor, sheet.account.currency.scale()),
            day.format("%Y%m%d")
        ));
    }

    fn end(&mut self, out: &mut String) {
        self.open(out, None);
        out.push_str("</OFX>\n");
    }
}

fn last_day(sheet: &Sheet) -> NaiveDate {
    sheet.days.map_or(sheet.account.created_at.date_naive(), |(_, last)| last)
}

fn account_from(account: &Account) -> String {
    let id = short(account.id);
    let kind = match account.kind {
        AccountKind::CreditCard => return format!("<CCACCTFROM><ACCTID>{id}</ACCTID></CCACCTFROM>"),
        AccountKind::Savings => "SAVINGS",
        AccountKind::MoneyMarket => "MONEYMRKT",
        AccountKind::CreditLine | AccountKind::Loan => "CREDITLINE",
        AccountKind::CertificateOfDeposit => "CD",
        AccountKind::Checking | AccountKind::Investment | AccountKind::Cash | AccountKind::Other => {
            "CHECKING"
        }
    };
    format!(
        "<BANKACCTFROM><BANKID>TRIBUTARY</BANKID><ACCTID>{id}</ACCTID><ACCTTYPE>{kind}</ACCTTYPE></BANKACCTFROM>"
    )
}

/// An id in 22 characters: base64url without padding (RFC 4648 §5).
fn short(id: AccountId) -> String {
    URL_SAFE_NO_PAD.encode(id.0.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_fits_the_account_number_of_the_standard() {
        let id = uuid::Uuid::from_u128(0x0192_f3a0_1234_7abc_8def_0123_4567_89ab);
        assert_eq!(short(AccountId(id)), "AZLzoBI0eryN7wEjRWeJqw");
    }
}
