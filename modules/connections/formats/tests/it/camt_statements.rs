//! Statements, their accounts, balances and reversals.

use connections_formats::{AccountType, BalanceKind, FormatError, Row};

use crate::camt_support::{balance, camt, camt_with, entry};
use crate::support::{Collected, file, money};

fn read(balances: &[String], entries: &[String]) -> Collected {
    file(&camt_with(&balances.concat(), &entries.join("\n"))).read().unwrap()
}

/// Kind and amount of each balance.
fn balances(kinds: &[(&str, &str)]) -> Vec<(BalanceKind, String)> {
    let written: Vec<_> = kinds.iter().map(|(kind, amount)| balance(kind, amount)).collect();
    let collected = read(&written, &[entry("CRDT", "1.00", "")]);
    let stated = &collected.statements[0].balances;
    assert!(stated.iter().all(|balance| balance.as_of.unwrap().to_string() == "2026-03-31"));
    stated.iter().map(|balance| (balance.kind, balance.amount.amount())).collect()
}

fn reversal(direction: &str, amount: &str) -> String {
    entry(
        direction,
        amount,
        "<NtryDtls><TxDtls><RltdPties><Dbtr><Nm>Debtor</Nm></Dbtr><Cdtr><Nm>Creditor</Nm></Cdtr>\
        </RltdPties></TxDtls></NtryDtls>",
    )
    .replace("<Sts>", "<RvslInd>true</RvslInd><Sts>")
}

fn told(row: &Row) -> String {
    format!("{} {}", row.amount.amount(), row.name.as_deref().unwrap_or("-"))
}

#[test]
fn booked_balances_are_opening_and_ledger_and_the_others_available() {
    use BalanceKind::{Available, Ledger, Opening};
    assert_eq!(
        balances(&[("OPBD", "1.00"), ("CLBD", "-2.00"), ("CLAV", "3.00"), ("FWAV", "9.00")]),
        [(Opening, "1.00".into()), (Ledger, "-2.00".into()), (Available, "3.00".into())]
    );
    assert_eq!(
        balances(&[("ITBD", "5.00"), ("ITAV", "6.00")]),
        [(Ledger, "5.00".into()), (Available, "6.00".into())]
    );
    assert_eq!(balances(&[("ITBD", "5.00"), ("CLBD", "7.00"), ("ITAV", "6.00")])[0], (Ledger, "7.00".into()));
    assert_eq!(balances(&[]), []);
}

#[test]
fn the_previous_closing_balance_opens_where_no_other_does() {
    assert_eq!(balances(&[("PRCD", "1.00")]), [(BalanceKind::Opening, "1.00".into())]);
    assert_eq!(balances(&[("PRCD", "1.00"), ("OPBD", "2.00")]), [(BalanceKind::Opening, "2.00".into())]);
}

#[test]
fn a_balance_that_cannot_be_read_is_counted() {
    for bad in [
        balance("CLBD", "much"),
        balance("CLBD", "1.00").replace("\"EUR\"", "\"USD\""),
        balance("CLBD", "1.00").replace("CRDT", "?"),
    ] {
        let collected = read(std::slice::from_ref(&bad), &[]);
        assert_eq!(
            (collected.summary.unreadable_balances, collected.statements[0].balances.len()),
            (1, 0),
            "{bad}"
        );
    }
}

#[test]
fn a_reversal_without_balances_takes_back_what_its_indicator_says() {
    let collected = read(&[], &[reversal("DBIT", "5.00"), reversal("CRDT", "7.00")]);
    let rows: Vec<_> = collected.rows().map(told).collect();
    assert_eq!(rows, ["5.00 Creditor", "-7.00 Debtor"]);
    assert!(collected.rows().all(|row| row.memo.as_deref() == Some("(reversal)")));
}

#[test]
fn the_balances_tell_which_way_a_bank_writes_its_reversals() {
    let entries = [entry("DBIT", "100.00", ""), reversal("DBIT", "30.00"), entry("CRDT", "1.00", "")];
    let read = |closing: &str| {
        let collected = read(&[balance("OPBD", "500.00"), balance("CLBD", closing)], &entries);
        collected.rows().map(told).collect::<Vec<_>>()
    };
    // 500 − 100 + 1 + 30: the debit was taken back.
    assert_eq!(read("431.00"), ["-100.00 -", "1.00 -", "30.00 Creditor"]);
    // 500 − 100 + 1 − 30: the reversal is the debit, so a credit was taken back and its debtor got the money.
    assert_eq!(read("371.00"), ["-100.00 -", "1.00 -", "-30.00 Debtor"]);
    // Neither: as if there were no balances.
    assert_eq!(read("1.00"), ["-100.00 -", "1.00 -", "30.00 Creditor"]);
}

#[test]
fn a_row_that_was_rejected_leaves_the_balances_without_a_say() {
    let bad = entry("CRDT", "lots", "");
    let closing = [balance("OPBD", "500.00"), balance("CLBD", "470.00")];
    let collected = read(&closing, &[bad, reversal("DBIT", "30.00")]);
    assert_eq!(collected.rows().map(told).collect::<Vec<_>>(), ["30.00 Creditor"]);
    let information = entry("CRDT", "999.00", "").replace("BOOK", "INFO");
    let collected = read(&closing, &[information, reversal("DBIT", "30.00")]);
    assert_eq!(collected.rows().map(told).collect::<Vec<_>>(), ["-30.00 Debtor"], "it moved nothing");
}

#[test]
fn reversals_of_batches_are_flipped_detail_by_detail() {
    let detail = |amount: &str| format!("<TxDtls><Amt Ccy=\"EUR\">{amount}</Amt></TxDtls>");
    let details = format!("<NtryDtls>{}{}</NtryDtls>", detail("1.00"), detail("2.00"));
    let text = entry("DBIT", "3.00", &details).replace("<Sts>", "<RvslInd>1</RvslInd><Sts>");
    assert_eq!(read(&[], &[text]).booked(), ["2026-03-02 1.00", "2026-03-02 2.00"]);
}

#[test]
fn more_reversals_than_can_wait_are_flipped() {
    let text = reversal("DBIT", "1.00").replace("Creditor", &"c".repeat(30_000));
    let collected = read(&[], &vec![text; 1_200]);
    assert!(collected.rows().all(|row| row.amount == money("1.00", "EUR")));
    assert_eq!(collected.summary.rows, 1_200);
}

#[test]
fn every_statement_of_a_file_is_one() {
    let one = camt(&entry("DBIT", "1.00", ""));
    let (start, end) = (one.find("<Stmt>").unwrap(), one.find("</Stmt>").unwrap() + "</Stmt>".len());
    let other = one[start..end].replace("12345678", "87654321").replace("EUR", "CHF").replace("1.00", "2.00");
    let both = format!("{}{other}{}", &one[..end], &one[end..]);
    let collected = file(&both).read().unwrap();
    let told: Vec<_> = collected
        .statements
        .iter()
        .map(|statement| (statement.head.account.account_number.clone().unwrap(), statement.rows[0].amount))
        .collect();
    assert_eq!(
        told,
        [
            ("DE00999000000012345678".into(), money("-1.00", "EUR")),
            ("DE00999000000087654321".into(), money("-2.00", "CHF")),
        ]
    );
}

#[test]
fn the_account_is_known_by_its_number_its_bank_and_its_kind() {
    let account = |account: &str| {
        let text = camt("").replace("<Id><IBAN>DE00999000000012345678</IBAN></Id>", account);
        file(&text).read().unwrap().statements.remove(0).head.account
    };
    let iban = account(
        "<Id><IBAN>X1</IBAN></Id><Tp><Cd>SVGS</Cd></Tp><Svcr><FinInstnId><BIC>TESTXX</BIC></FinInstnId></Svcr>",
    );
    assert_eq!((iban.account_number.as_deref(), iban.bank_id.as_deref()), (Some("X1"), Some("TESTXX")));
    assert_eq!(iban.account_type, Some(AccountType::Savings));
    let other = account(
        "<Id><Othr><Id>77</Id></Othr></Id><Svcr><FinInstnId><ClrSysMmbId><MmbId>0210</MmbId></ClrSysMmbId><BICFI>TESTYY\
         </BICFI><Nm>Bank</Nm></FinInstnId></Svcr>",
    );
    assert_eq!((other.account_number.as_deref(), other.bank_id.as_deref()), (Some("77"), Some("TESTYY")));
    let clearing = account(
        "<Id><IBAN>X1</IBAN></Id><Svcr><FinInstnId><ClrSysMmbId><MmbId>0210</MmbId></ClrSysMmbId></FinInstnId></Svcr>",
    );
    assert_eq!(clearing.bank_id.as_deref(), Some("0210"));
    assert_eq!(account("").account_number, None);
}

#[test]
fn a_currency_that_the_account_does_not_name_is_that_of_its_amounts() {
    let bare = |text: String| text.replace("<Ccy>EUR</Ccy>", "");
    let currency = |text: &str| file(text).read().unwrap().statements[0].head.currency.code();
    assert_eq!(currency(&bare(camt(&entry("DBIT", "1", "")))), "EUR");
    assert_eq!(currency(&bare(camt_with(&balance("CLBD", "1").replace("\"EUR\"", "\"CHF\""), ""))), "CHF");
    let nowhere = bare(camt(&entry("DBIT", "1", "").replace(" Ccy=\"EUR\"", "")));
    assert_eq!(file(&nowhere).refusal(), "needs_currency");
    assert_eq!(file(&nowhere).currency("USD").read().unwrap().statements[0].head.currency.code(), "USD");
    match file(&camt("").replace("<Ccy>EUR</Ccy>", "<Ccy>EURO</Ccy>")).read() {
        Err(FormatError::UnknownCurrency { code }) => assert_eq!(code, "EURO"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_notification_of_nothing_is_read() {
    let text = camt("").replace("<Ccy>EUR</Ccy>", "");
    assert_eq!(file(&text).read().unwrap().summary.statements, 0);
    assert_eq!(file(&camt("")).read().unwrap().summary.statements, 1);
}

#[test]
fn the_period_of_a_statement_is_kept() {
    let text = camt("").replace(
        "<Acct>",
        "<FrToDt><FrDtTm>2026-03-01T00:00:00+01:00</FrDtTm><ToDtTm>2026-03-31T23:59:59+02:00</ToDtTm></FrToDt><Acct>",
    );
    let head = file(&text).read().unwrap().statements.remove(0).head;
    assert_eq!(head.starts_on.unwrap().to_string(), "2026-03-01");
    assert_eq!(head.ends_on.unwrap().to_string(), "2026-03-31");
}

#[test]
fn names_that_mean_something_elsewhere_only_change_nothing() {
    let more = "<RltdAcct><Id><IBAN>OTHER</IBAN></Id><Ccy>USD</Ccy></RltdAcct><Intrst><Amt Ccy=\"USD\">9</Amt></Intrst>\
        <TxsSummry><TtlNtries><Sum>9</Sum><CdtDbtInd>DBIT</CdtDbtInd></TtlNtries></TxsSummry>";
    let card = "<CardTx><Card><Amt Ccy=\"USD\">9</Amt></Card></CardTx><Avlbty><Amt Ccy=\"USD\">9</Amt><CdtDbtInd>CRDT\
        </CdtDbtInd></Avlbty><Intrst><CdtDbtInd>CRDT</CdtDbtInd></Intrst>";
    let text = camt(&entry("DBIT", "1.00", card)).replace("</Acct>", &format!("</Acct>{more}"));
    let collected = file(&text).read().unwrap();
    assert_eq!(collected.booked(), ["2026-03-02 -1.00"]);
    assert_eq!(
        collected.statements[0].head.account.account_number.as_deref(),
        Some("DE00999000000012345678")
    );
}
