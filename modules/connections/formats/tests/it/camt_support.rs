//! Statements in camt.053, made of their entries.

use connections_formats::{Encoding, Format, Plan, Securities};
use kernel::Currency;

/// A plan to read CAMT in this encoding.
pub fn camt_plan(encoding: &str, default_currency: Option<Currency>) -> Plan {
    let encoding = Encoding::named(encoding).unwrap();
    Plan {
        format: Format::Camt,
        encoding,
        mapping: None,
        default_currency,
        securities: Securities::default(),
    }
}

/// An account statement in camt.053.001.08 with these entries. They begin on line 4.
pub fn camt(entries: &str) -> String {
    camt_with("", entries)
}

/// The same with these balances before the entries.
pub fn camt_with(balances: &str, entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\
         <BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr>\n<Stmt><Id>1</Id><Acct><Id><IBAN>DE00999000000012345678</IBAN>\
         </Id><Ccy>EUR</Ccy></Acct>{balances}\n{entries}\n</Stmt></BkToCstmrStmt></Document>\n"
    )
}

/// A booked entry of that day with this sign (`CRDT`, `DBIT`) and amount, and whatever else it holds.
pub fn entry(direction: &str, amount: &str, more: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>2026-03-02</Dt></BookgDt>{more}</Ntry>"
    )
}

/// A balance of this type, in euros.
pub fn balance(kind: &str, amount: &str) -> String {
    let (direction, amount) = amount.strip_prefix('-').map_or(("CRDT", amount), |amount| ("DBIT", amount));
    format!(
        "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}\
         </CdtDbtInd><Dt><Dt>2026-03-31</Dt></Dt></Bal>"
    )
}
