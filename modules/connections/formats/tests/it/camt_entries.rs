//! One entry of a CAMT statement as one row.

use chrono::NaiveDate;
use connections_formats::{Row, RowKind, RowStatus};

use crate::camt_support::{camt, entry};
use crate::support::{Collected, file, money};

fn read(entries: &str) -> Collected {
    file(&camt(entries)).read().unwrap()
}

fn only_row(entry: &str) -> Row {
    let collected = read(entry);
    assert_eq!(collected.rejections(), Vec::<String>::new());
    let mut rows: Vec<_> = collected.rows().cloned().collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

/// A debit of 10.00 whose only detail holds this.
fn with_detail(detail: &str) -> Row {
    only_row(&entry("DBIT", "10.00", &format!("<NtryDtls><TxDtls>{detail}</TxDtls></NtryDtls>")))
}

#[test]
fn the_indicator_gives_the_amount_its_sign() {
    assert_eq!(only_row(&entry("CRDT", "12.34", "")).amount, money("12.34", "EUR"));
    assert_eq!(only_row(&entry("DBIT", "12.34", "")).amount, money("-12.34", "EUR"));
}

#[test]
fn an_entry_is_booked_pending_or_for_information() {
    let with_status = |status: &str| entry("DBIT", "5", "").replace("<Sts><Cd>BOOK</Cd></Sts>", status);
    for (status, expected) in [
        ("<Sts>BOOK</Sts>", RowStatus::Booked),
        ("<Sts> <Cd>BOOK</Cd> </Sts>", RowStatus::Booked),
        ("", RowStatus::Booked),
        ("<Sts>PDNG</Sts>", RowStatus::Pending),
        ("<Sts><Cd>PDNG</Cd></Sts>", RowStatus::Pending),
        ("<Sts><Cd>FUTR</Cd></Sts>", RowStatus::Pending),
    ] {
        assert_eq!(only_row(&with_status(status)).status, expected, "{status}");
    }
    for (status, code) in [
        ("<Sts>INFO</Sts>", "information_only"),
        ("<Sts><Cd>INFO</Cd></Sts>", "information_only"),
        ("<Sts><Prtry>MAYBE</Prtry></Sts>", "unknown_status"),
    ] {
        assert_eq!(read(&with_status(status)).rejections(), [format!("4 {code}")], "{status}");
    }
}

#[test]
fn the_day_stays_the_one_that_the_bank_wrote() {
    for (written, instant) in [
        ("<Dt>2026-03-31</Dt>", None),
        ("2026-03-31", None),
        ("<Dt>2026-03-31+02:00</Dt>", None),
        ("<Dt>20260331</Dt>", None),
        ("<DtTm>2026-03-31T23:30:00</DtTm>", None),
        ("<DtTm>2026-03-31T23:30:00-05:00</DtTm>", Some("2026-04-01 04:30:00 UTC")),
        ("<DtTm>2026-03-31T00:30:00.000+02:00</DtTm>", Some("2026-03-30 22:30:00 UTC")),
        ("<DtTm>2026-03-31T12:00:00Z</DtTm>", Some("2026-03-31 12:00:00 UTC")),
    ] {
        let row = only_row(&entry("DBIT", "5", "").replace("<Dt>2026-03-02</Dt>", written));
        assert_eq!(row.posted_on, NaiveDate::from_ymd_opt(2026, 3, 31).unwrap(), "{written}");
        assert_eq!(row.posted_at.map(|at| at.to_string()).as_deref(), instant, "{written}");
    }
}

#[test]
fn value_dates_are_kept_and_stand_in_for_a_booking_date_that_is_to_come() {
    let value = "<ValDt><Dt>2026-03-05</Dt></ValDt>";
    let both = only_row(&entry("DBIT", "5", value));
    assert_eq!(
        (both.posted_on.to_string(), both.value_on.unwrap().to_string()),
        ("2026-03-02".into(), "2026-03-05".into())
    );
    let alone = only_row(&entry("DBIT", "5", value).replace("<BookgDt><Dt>2026-03-02</Dt></BookgDt>", ""));
    assert_eq!(alone.posted_on.to_string(), "2026-03-05");
}

#[test]
fn entries_that_cannot_be_rows_are_rejected_with_their_line_and_the_others_are_read() {
    let good = entry("DBIT", "5", "");
    for (bad, code) in [
        (good.replace("<BookgDt><Dt>2026-03-02</Dt></BookgDt>", ""), "missing_date"),
        (good.replace("2026-03-02", "2026-02-30"), "malformed_date"),
        (good.replace("2026-03-02", "soon"), "malformed_date"),
        (good.replace(">5</Amt>", "></Amt>"), "missing_amount"),
        (good.replace("<Amt Ccy=\"EUR\">5</Amt>", ""), "missing_amount"),
        (good.replace(">5</Amt>", ">five</Amt>"), "malformed_amount"),
        (good.replace(">5</Amt>", ">-5</Amt>"), "malformed_amount"),
        (good.replace(">5</Amt>", ">(5)</Amt>"), "malformed_amount"),
        (good.replace(">5</Amt>", ">1e3</Amt>"), "malformed_amount"),
        (good.replace(">5</Amt>", ">0.001</Amt>"), "amount_too_precise"),
        (good.replace(">5</Amt>", ">92233720368547758.08</Amt>"), "amount_out_of_range"),
        (good.replace("\"EUR\"", "\"XXQ\""), "unknown_currency"),
        (good.replace("DBIT", "DEBIT"), "unknown_direction"),
        (good.replace("<CdtDbtInd>DBIT</CdtDbtInd>", ""), "unknown_direction"),
        ("<Ntry/>".to_owned(), "missing_date"),
    ] {
        let collected = read(&format!("{good}\n{bad}\n{good}"));
        assert_eq!(collected.rejections(), [format!("5 {code}")], "{bad}");
        let lines: Vec<_> = collected.rows().map(|row| row.line).collect();
        assert_eq!(lines, [4, 6], "{bad}");
    }
}

#[test]
fn decimals_beyond_the_currency_may_be_zeros() {
    assert_eq!(only_row(&entry("CRDT", "12.30000", "")).amount, money("12.30", "EUR"));
    assert_eq!(only_row(&entry("CRDT", "007", "")).amount, money("7.00", "EUR"));
}

#[test]
fn a_row_is_in_the_currency_of_its_amount() {
    let row = only_row(&entry("DBIT", "5", "").replace("\"EUR\"", "\"USD\""));
    assert_eq!(row.amount, money("-5", "USD"));
    let unnamed = only_row(&entry("DBIT", "5", "").replace(" Ccy=\"EUR\"", ""));
    assert_eq!(unnamed.amount, money("-5", "EUR"));
}

#[test]
fn the_counterparty_is_the_creditor_of_a_debit_and_the_debtor_of_a_credit() {
    let parties = "<NtryDtls><TxDtls><RltdPties><Dbtr><Nm>Payer</Nm></Dbtr><Cdtr><Pty><Nm>Payee</Nm></Pty></Cdtr>\
        </RltdPties></TxDtls></NtryDtls>";
    assert_eq!(only_row(&entry("DBIT", "5", parties)).name.as_deref(), Some("Payee"));
    assert_eq!(only_row(&entry("CRDT", "5", parties)).name.as_deref(), Some("Payer"));
}

#[test]
fn ultimate_parties_and_banks_stand_in_for_a_name_that_is_missing() {
    let named = |parties: &str| with_detail(&format!("<RltdPties>{parties}</RltdPties>")).name;
    assert_eq!(named("<UltmtCdtr><Nm>Shop</Nm></UltmtCdtr>").as_deref(), Some("Shop"));
    assert_eq!(
        named("<Cdtr><Nm>Agency</Nm></Cdtr><UltmtCdtr><Nm>Shop</Nm></UltmtCdtr>").as_deref(),
        Some("Agency")
    );
    assert_eq!(
        named("<Cdtr><Agt><FinInstnId><Nm>Bank</Nm></FinInstnId></Agt></Cdtr>").as_deref(),
        Some("Bank")
    );
    assert_eq!(named("<Cdtr><Nm></Nm></Cdtr><Dbtr><Nm>Owner</Nm></Dbtr>"), None);
    // Names that stand elsewhere are not the party's.
    assert_eq!(named("<Cdtr><CtctDtls><Nm>Clerk</Nm></CtctDtls></Cdtr>"), None);
}

#[test]
fn a_payment_that_came_back_is_named_by_the_other_party_not_by_the_owner() {
    let details = "<NtryDtls><TxDtls><RltdPties><Dbtr><Nm>Owner</Nm></Dbtr><DbtrAcct><Id><IBAN>de00 9990 0000 0012 3456 78\
        </IBAN></Id></DbtrAcct><Cdtr><Nm>Landlord</Nm></Cdtr></RltdPties></TxDtls></NtryDtls>";
    assert_eq!(only_row(&entry("CRDT", "5", details)).name.as_deref(), Some("Landlord"));
}

#[test]
fn the_memo_is_what_the_payer_wrote_or_else_what_the_bank_wrote() {
    let remittance = "<RmtInf><Ustrd>Invoice 12,</Ustrd><Ustrd>thank you</Ustrd><Strd><AddtlRmtInf>2nd floor</AddtlRmtInf>\
        </Strd></RmtInf>";
    let information = "<AddtlTxInf>Standing order</AddtlTxInf>";
    assert_eq!(
        with_detail(&format!("{remittance}{information}")).memo.as_deref(),
        Some("Invoice 12, thank you 2nd floor")
    );
    assert_eq!(with_detail(information).memo.as_deref(), Some("Standing order"));
    let entry = entry("DBIT", "1", "<NtryDtls><TxDtls></TxDtls></NtryDtls><AddtlNtryInf>Fee</AddtlNtryInf>");
    assert_eq!(only_row(&entry).memo.as_deref(), Some("Fee"));
}

#[test]
fn references_are_the_parties_own_and_words_for_none_are_none() {
    let reference = |refs: &str| with_detail(refs).reference;
    assert_eq!(reference("<Refs><EndToEndId>INV-7</EndToEndId></Refs>").as_deref(), Some("INV-7"));
    assert_eq!(reference("<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"), None);
    let structured = "<Refs><EndToEndId>notprovided</EndToEndId></Refs><RmtInf><Strd><CdtrRefInf><Ref>RF18539007547034\
        </Ref></CdtrRefInf></Strd></RmtInf>";
    assert_eq!(reference(structured).as_deref(), Some("RF18539007547034"));
    assert_eq!(with_detail("<Refs><ChqNb>1001</ChqNb></Refs>").check_number.as_deref(), Some("1001"));
}

#[test]
fn the_id_is_the_banks_reference_of_the_detail_or_else_of_the_entry() {
    let own = "<AcctSvcrRef>E1</AcctSvcrRef>";
    let detail = |refs: &str| format!("{own}<NtryDtls><TxDtls><Refs>{refs}</Refs></TxDtls></NtryDtls>");
    let id = |more: &str| only_row(&entry("DBIT", "5", more)).external_id;
    assert_eq!(id(own).as_deref(), Some("E1"));
    assert_eq!(id(&detail("<AcctSvcrRef>D1</AcctSvcrRef>")).as_deref(), Some("D1"));
    assert_eq!(id(&detail("<EndToEndId>X</EndToEndId>")).as_deref(), Some("E1"));
    assert_eq!(id("<AcctSvcrRef>NONREF</AcctSvcrRef>"), None);
    assert_eq!(id("<NtryRef>1</NtryRef>"), None);
}

#[test]
fn converted_amounts_keep_what_they_were() {
    let row = with_detail(
        "<AmtDtls><InstdAmt><Amt Ccy=\"USD\">11.00</Amt></InstdAmt><TxAmt><Amt Ccy=\"EUR\">10.00</Amt><CcyXchg><SrcCcy>USD\
         </SrcCcy><TrgtCcy>EUR</TrgtCcy><UnitCcy>USD</UnitCcy><XchgRate>0.90909</XchgRate></CcyXchg></TxAmt></AmtDtls>",
    );
    let original = row.original.unwrap();
    assert_eq!((row.amount, original.amount), (money("-10", "EUR"), Some(money("-11", "USD"))));
    assert_eq!((original.currency.code(), original.rate.as_deref()), ("USD", Some("0.90909")));
    // A rate for one euro is not the one that is kept.
    let counter = with_detail(
        "<AmtDtls><InstdAmt><Amt Ccy=\"EUR\">10</Amt></InstdAmt><CntrValAmt><Amt Ccy=\"JPY\">1600</Amt><CcyXchg><SrcCcy>EUR\
         </SrcCcy><TrgtCcy>JPY</TrgtCcy><UnitCcy>EUR</UnitCcy><XchgRate>160</XchgRate></CcyXchg></CntrValAmt></AmtDtls>",
    );
    let original = counter.original.unwrap();
    assert_eq!((original.amount, original.rate), (Some(money("-1600", "JPY")), None));
    let same = with_detail("<AmtDtls><InstdAmt><Amt Ccy=\"EUR\">10.00</Amt></InstdAmt></AmtDtls>");
    assert_eq!(same.original, None);
}

#[test]
fn charges_within_an_entry_are_told_in_its_memo() {
    let charges = |charges: &str| {
        let row = with_detail(&format!("<Chrgs>{charges}</Chrgs><RmtInf><Ustrd>Tea</Ustrd></RmtInf>"));
        assert_eq!(row.amount, money("-10.00", "EUR"), "the entry is what was booked");
        row.memo.unwrap()
    };
    let record = "<Amt Ccy=\"EUR\">1.25</Amt><CdtDbtInd>DBIT</CdtDbtInd>";
    assert_eq!(charges(record), "Tea (charges 1.25 EUR)", "version 02");
    assert_eq!(charges(&format!("<Rcrd>{record}</Rcrd><Rcrd>{record}</Rcrd>")), "Tea (charges 2.50 EUR)");
    let total = "<TtlChrgsAndTaxAmt Ccy=\"EUR\">3</TtlChrgsAndTaxAmt>";
    assert_eq!(charges(total), "Tea (charges 3.00 EUR)");
    assert_eq!(charges(&format!("{total}<Rcrd>{record}</Rcrd>")), "Tea (charges 1.25 EUR)");
    assert_eq!(charges("<Rcrd><Amt Ccy=\"EUR\">0</Amt></Rcrd>"), "Tea");
}

#[test]
fn kinds_come_from_the_bank_transaction_code() {
    for (domain, family, sub_family, kind) in [
        ("PMNT", "CCRD", "POSD", RowKind::PointOfSale),
        ("PMNT", "CCRD", "CWDL", RowKind::Atm),
        ("PMNT", "RCDT", "SALA", RowKind::DirectDeposit),
        ("PMNT", "RCDT", "ESCT", RowKind::Credit),
        ("PMNT", "ICDT", "ESCT", RowKind::Payment),
        ("PMNT", "ICDT", "STDO", RowKind::RepeatPayment),
        ("PMNT", "ICDT", "BOOK", RowKind::Transfer),
        ("PMNT", "RDDT", "ESDD", RowKind::DirectDebit),
        ("PMNT", "CNTR", "CWDL", RowKind::Cash),
        ("PMNT", "RCHQ", "CCHQ", RowKind::Check),
        ("ACMT", "MDOP", "CHRG", RowKind::ServiceCharge),
        ("ACMT", "MCOP", "INTR", RowKind::Interest),
        ("PMNT", "ICDT", "COMM", RowKind::Fee),
        ("SECU", "CORP", "DVCA", RowKind::Dividend),
        ("XTND", "NTAV", "NTAV", RowKind::Other),
        ("PMNT", "A very long code", "NTAV", RowKind::Other),
    ] {
        let code = format!(
            "<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub_family}</SubFmlyCd></Fmly></Domn></BkTxCd>"
        );
        assert_eq!(only_row(&entry("DBIT", "5", &code)).kind, kind, "{domain} {family} {sub_family}");
        let in_detail = format!("<NtryDtls><TxDtls>{code}</TxDtls></NtryDtls>");
        assert_eq!(only_row(&entry("DBIT", "5", &in_detail)).kind, kind, "in the detail");
    }
    let own = "<BkTxCd><Prtry><Cd>NTRF+166</Cd><Issr>DK</Issr></Prtry></BkTxCd>";
    assert_eq!(only_row(&entry("DBIT", "5", own)).kind, RowKind::Other);
}

#[test]
fn the_day_of_the_owner_is_kept() {
    let row = with_detail("<RltdDts><AccptncDtTm>2026-02-27T23:59:00-08:00</AccptncDtTm></RltdDts>");
    assert_eq!(row.occurred_on, NaiveDate::from_ymd_opt(2026, 2, 27));
}

#[test]
fn text_is_unescaped_and_nothing_else_expands() {
    let name = |written: &str| {
        with_detail(&format!("<RltdPties><Cdtr><Nm>{written}</Nm></Cdtr></RltdPties>")).name.unwrap()
    };
    assert_eq!(
        name("Marks &amp; Spencer &lt;1&gt; &apos;a&apos; &quot;b&quot;"),
        "Marks & Spencer <1> 'a' \"b\""
    );
    assert_eq!(name("&#8364;5 &#x20AC;6"), "€5 €6");
    assert_eq!(name("K&ouml;ln &unknown; &"), "K&ouml;ln &unknown; &");
    assert_eq!(name("Marks & Spencer"), "Marks & Spencer");
    assert_eq!(name("<![CDATA[Caf\u{e9} & <b>bold</b>]]>"), "Café & <b>bold</b>");
    assert_eq!(name("A<!-- not this --> B"), "A B");
    assert_eq!(name("\n   two\tlines\n"), "two lines");
    assert_eq!(name("bell&#7; and nul&#0;"), "bell  and nul&#0;");
}
