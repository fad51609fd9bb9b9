use chrono::NaiveDate;
use connections_formats::{AccountType, BalanceKind, CorrectionAction, Format, RowKind, RowStatus};

use crate::support::{Collected, file, money, ofx};

const ROW: &str = "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20250102<TRNAMT>-1.50<FITID>a1<NAME>Bakery</STMTTRN>";

fn only_row(transactions: &str) -> connections_formats::Row {
    let collected = file(&ofx(transactions)).read().unwrap();
    assert_eq!(collected.rejections(), Vec::<String>::new());
    let mut rows: Vec<_> = collected.rows().cloned().collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

/// A row with this value for `TRNAMT`.
fn with_amount(amount: &str) -> Collected {
    let row = format!("<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20250102<TRNAMT>{amount}<FITID>1</STMTTRN>");
    file(&ofx(&row)).read().unwrap()
}

/// A row with this value for `DTPOSTED`.
fn with_date(date: &str) -> Collected {
    let row = format!("<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{date}<TRNAMT>-1<FITID>1</STMTTRN>");
    file(&ofx(&row)).read().unwrap()
}

#[test]
fn headers_of_every_kind_are_read() {
    let body = ofx(ROW);
    let body = &body[body.find("<OFX>").unwrap()..];
    let one_line = "OFXHEADER:100 DATA:OFXSGML VERSION:102 SECURITY:NONE ENCODING:USASCII CHARSET:1252 ";
    let glued =
        "OFXHEADER:100DATA:OFXSGMLVERSION:102SECURITY:NONEENCODING:USASCIICHARSET:1252COMPRESSION:NONE";
    let spaced = "OFXHEADER: 100\r\nDATA: OFXSGML\r\nENCODING: USASCII\r\nCHARSET: 1252\r\n";
    let no_blank_line = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n";
    let doubled_returns = "OFXHEADER:100\r\r\nENCODING:USASCII\r\r\nCHARSET:1252\r\r\n\r\r\n";
    let late = "\n\n\n\n   OFXHEADER:100\nENCODING:UTF-8\nCHARSET:NONE\n\n";
    for header in ["", "\n\n", "\u{feff}", one_line, glued, spaced, no_blank_line, doubled_returns, late] {
        let text = format!("{header}{body}");
        assert_eq!(file(&text).detect().unwrap().format, Format::Ofx1, "{header:?}");
        assert_eq!(file(&text).read().unwrap().booked(), ["2025-01-02 -1.50"], "{header:?}");
    }
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?OFX OFXHEADER=\"200\" VERSION=\"211\"?>\n";
    for header in [xml, &xml[..xml.find('\n').unwrap()], &xml[xml.find('\n').unwrap()..]] {
        let text = format!("{header}{body}");
        assert_eq!(file(&text).detect().unwrap().format, Format::Ofx2, "{header:?}");
        assert_eq!(file(&text).read().unwrap().booked(), ["2025-01-02 -1.50"], "{header:?}");
    }
}

#[test]
fn every_way_to_close_a_leaf_gives_the_same_row() {
    let open =
        only_row("<STMTTRN><TRNTYPE>POS<DTPOSTED>20250102<TRNAMT>-1.50<FITID>a1<NAME>Bakery</STMTTRN>");
    let closed = only_row(
        "<STMTTRN><TRNTYPE>POS</TRNTYPE><DTPOSTED>20250102</DTPOSTED><TRNAMT>-1.50</TRNAMT><FITID>a1</FITID>\
         <CHECKNUM/><REFNUM></REFNUM><NAME>Bakery</NAME><MEMO></MEMO></STMTTRN>",
    );
    let small =
        only_row("<stmttrn><trntype>pos<dtposted>20250102<trnamt>-1.50<fitid>a1<name>Bakery</stmttrn>");
    let prefixed = only_row(
        "<o:STMTTRN><o:TRNTYPE>POS</o:TRNTYPE><o:DTPOSTED>20250102</o:DTPOSTED><o:TRNAMT>-1.50</o:TRNAMT>\
         <o:FITID>a1</o:FITID><o:NAME>Bakery</o:NAME></o:STMTTRN>",
    );
    assert_eq!(
        (open.kind, open.name.as_deref(), open.memo.as_deref()),
        (RowKind::PointOfSale, Some("Bakery"), None)
    );
    assert_eq!(open, closed);
    assert_eq!(open, small);
    assert_eq!(open, prefixed);
}

#[test]
fn a_row_without_its_end_tag_ends_where_the_next_thing_begins() {
    let rows = "<STMTTRN><DTPOSTED>20250102<TRNAMT>-1<FITID>1\n<STMTTRN><DTPOSTED>20250103<TRNAMT>-2<FITID>2";
    let collected = file(&ofx(rows)).read().unwrap();
    assert_eq!(collected.booked(), ["2025-01-02 -1.00", "2025-01-03 -2.00"]);
}

#[test]
fn text_with_stray_ampersands_entities_and_brackets_is_kept() {
    let name = |written: &str| {
        only_row(&format!("<STMTTRN><DTPOSTED>20250102<TRNAMT>-1<NAME>{written}\n<MEMO>m</STMTTRN>"))
            .name
            .unwrap()
    };
    assert_eq!(name("Marks & Spencer"), "Marks & Spencer");
    assert_eq!(name("AT&T &amp; Co &lt;1&gt; &#8364;5 &#x20AC;"), "AT&T & Co <1> €5 €");
    assert_eq!(name("K&ouml;ln &unknown; &"), "Köln &unknown; &");
    assert_eq!(name("a < b <3 c"), "a < b <3 c");
    assert_eq!(name("<![CDATA[Caf\u{e9} & <b>bold</b>]]>"), "Caf\u{e9} & <b>bold</b>");
    assert_eq!(name("A <![CDATA[& B]]> C"), "A & B C");
}

#[test]
fn vendor_elements_change_nothing() {
    let row = only_row(
        "<STMTTRN><INTU.X><DTPOSTED>20250102<TRNAMT>-1<FITID>1<NAME>Shop<X.Y>z<VEND.INFO><NAME>other</VEND.INFO>\
         <!-- <NAME>comment --></STMTTRN>",
    );
    assert_eq!(row.name.as_deref(), Some("Shop"));
}

#[test]
fn payee_aggregate_names_the_counterparty() {
    let row = only_row(
        "<STMTTRN><DTPOSTED>20250102<TRNAMT>-1<FITID>1<PAYEE><NAME>Landlord<ADDR1>Street 1<CITY>Ulm</PAYEE>\
         <BANKACCTTO><BANKID>9<ACCTID>123<ACCTTYPE>SAVINGS</BANKACCTTO><MEMO>rent</STMTTRN>",
    );
    assert_eq!((row.name.as_deref(), row.memo.as_deref()), (Some("Landlord"), Some("rent")));
}

#[test]
fn amounts_keep_their_value_in_every_notation() {
    for (written, minor) in [
        ("-12.34", -1234),
        ("12,34", 1234),
        ("+5", 500),
        ("-00000000001500.0000", -150_000),
        ("1.234,56", 123_456),
        ("1,234.56", 123_456),
        ("1,234,567.89", 123_456_789),
        ("1.234.567", 123_456_700),
        (".5", 50),
        ("-.05", -5),
        ("0", 0),
        ("92233720368547758.07", i64::MAX),
    ] {
        let collected = with_amount(written);
        let minors: Vec<_> = collected.rows().map(|row| row.amount.minor()).collect();
        assert_eq!(minors, [minor], "{written}: {:?}", collected.rejections());
    }
}

#[test]
fn amounts_that_are_none_are_rejected_by_their_fault() {
    for (written, code) in [
        ("", "missing_amount"),
        ("$120", "malformed_amount"),
        ("1e3", "malformed_amount"),
        ("NaN", "malformed_amount"),
        ("12.3.4", "malformed_amount"),
        ("1,234", "amount_too_precise"),
        ("0.001", "amount_too_precise"),
        ("92233720368547758.08", "amount_out_of_range"),
        ("99999999999999999999999999999999", "amount_out_of_range"),
    ] {
        assert_eq!(with_amount(written).rejections(), [format!("16 {code}")], "{written}");
    }
}

#[test]
fn regression_spaces_between_thousands_and_brackets_for_a_minus_are_understood() {
    for (written, minor) in [
        ("1 500,00", 150_000),
        ("-1\u{a0}500.00", -150_000),
        ("1\u{202f}234\u{202f}567,8", 123_456_780),
        ("1 500", 150_000),
        ("(15.00)", -1500),
        ("( 1 500,00 )", -150_000),
        ("(92233720368547758.08)", i64::MIN),
    ] {
        let collected = with_amount(written);
        let minors: Vec<_> = collected.rows().map(|row| row.amount.minor()).collect();
        assert_eq!(minors, [minor], "{written}: {:?}", collected.rejections());
    }
    for written in
        ["15 00", "1 500 00", "1,5 00", "1 500.000,00", "(-15.00)", "(15.00", "15.00)", "()", "1 (5)"]
    {
        assert_eq!(with_amount(written).rejections(), ["16 malformed_amount"], "{written}");
    }
}

#[test]
fn the_day_stays_the_one_that_the_bank_wrote() {
    for (written, instant) in [
        ("20250131", None),
        ("20250131000000", None),
        ("20250131235959.999", None),
        ("20250131202000.000[-5:EST]", Some("2025-02-01 01:20:00 UTC")),
        ("20250131202000[-5]", Some("2025-02-01 01:20:00 UTC")),
        ("20250131002000[+5.30:IST]", Some("2025-01-30 18:50:00 UTC")),
        ("20250131002000[5.5]", Some("2025-01-30 18:50:00 UTC")),
        ("20250131120000[0:GMT]", Some("2025-01-31 12:00:00 UTC")),
        ("20250131[-5:EST]", None),
        ("20250131120000.000[-:EST]", None),
        ("20250131093914:014", None),
        ("20250131 12:00", None),
        ("2025-01-31", None),
        ("2025-01-31T10:00:00", None),
        ("2025-01-31 10:00", None),
        ("2025-01-31T10:00:00Z", Some("2025-01-31 10:00:00 UTC")),
        ("2025-01-31T23:30:00.000-05:00", Some("2025-02-01 04:30:00 UTC")),
    ] {
        let collected = with_date(written);
        let row = collected.rows().next().unwrap_or_else(|| panic!("{written} {:?}", collected.rejections()));
        assert_eq!(row.posted_on, NaiveDate::from_ymd_opt(2025, 1, 31).unwrap(), "{written}");
        assert_eq!(row.posted_at.map(|at| at.to_string()).as_deref(), instant, "{written}");
    }
}

#[test]
fn days_that_are_none_are_rejected() {
    for (written, code) in [
        ("", "missing_date"),
        ("20250229", "malformed_date"),
        ("201120000000", "malformed_date"),
        ("2025-02-29T10:00:00Z", "malformed_date"),
        ("2025-01-311", "malformed_date"),
        ("soon", "malformed_date"),
    ] {
        assert_eq!(with_date(written).rejections(), [format!("16 {code}")], "{written}");
    }
}

#[test]
fn a_bad_row_is_rejected_with_its_line_and_the_others_are_read() {
    let rows = "<STMTTRN>\n<DTPOSTED>20250102\n<TRNAMT>-1\n<FITID>1\n</STMTTRN>\n\
                <STMTTRN>\n<DTPOSTED>20250199\n<TRNAMT>-2\n<FITID>2\n</STMTTRN>\n\
                <STMTTRN>\n<DTPOSTED>20250104\n<TRNAMT>-3\n<FITID>3\n</STMTTRN>";
    let collected = file(&ofx(rows)).read().unwrap();
    assert_eq!(collected.booked(), ["2025-01-02 -1.00", "2025-01-04 -3.00"]);
    let lines: Vec<_> = collected.rows().map(|row| row.line).collect();
    assert_eq!((lines, collected.rejections()), (vec![16, 26], vec!["21 malformed_date".to_owned()]));
    assert_eq!(collected.statements[0].rejected[0].reason, "\"20250199\" is not a date");
}

#[test]
fn rows_that_share_an_id_or_everything_are_all_given() {
    let collected = file(&ofx(&ROW.repeat(3))).read().unwrap();
    assert_eq!(collected.booked(), ["2025-01-02 -1.50"; 3]);
}

#[test]
fn corrections_name_the_row_they_correct() {
    let row = only_row(
        "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20250102<TRNAMT>-1<FITID>new<CORRECTFITID>old\
         <CORRECTACTION>DELETE</STMTTRN>",
    );
    let corrects = row.corrects.unwrap();
    assert_eq!((corrects.external_id.as_str(), corrects.action), ("old", CorrectionAction::Delete));
}

#[test]
fn currency_of_a_row_is_that_of_its_amount_and_the_original_one_is_kept_beside_it() {
    let own = only_row(
        "<STMTTRN><DTPOSTED>20250102<TRNAMT>-3.65<FITID>1<CURRENCY><CURRATE>1.06<CURSYM>USD</CURRENCY></STMTTRN>",
    );
    assert_eq!((own.amount, own.original), (money("-3.65", "USD"), None));
    let converted = only_row(
        "<STMTTRN><DTPOSTED>20250102<TRNAMT>-3.65<FITID>1<ORIGCURRENCY><CURRATE>0.93<CURSYM>CHF</ORIGCURRENCY></STMTTRN>",
    );
    let original = converted.original.unwrap();
    assert_eq!(converted.amount, money("-3.65", "EUR"));
    assert_eq!((original.currency.code(), original.rate.as_deref()), ("CHF", Some("0.93")));
}

#[test]
fn dates_of_the_owner_check_numbers_and_kinds_are_kept() {
    let row = only_row(
        "<STMTTRN><TRNTYPE>CHECK<DTPOSTED>20250106<DTUSER>20250102<TRNAMT>-80<FITID>1<CHECKNUM>1001</STMTTRN>",
    );
    assert_eq!(row.occurred_on, NaiveDate::from_ymd_opt(2025, 1, 2));
    assert_eq!((row.kind, row.check_number.as_deref()), (RowKind::Check, Some("1001")));
}

#[test]
fn value_date_and_reference_are_kept() {
    let row = only_row(
        "<STMTTRN><TRNTYPE>DEP<DTPOSTED>20250106<DTAVAIL>20250108<TRNAMT>80<FITID>1<REFNUM>RF18</STMTTRN>",
    );
    assert_eq!(row.value_on, NaiveDate::from_ymd_opt(2025, 1, 8));
    assert_eq!(row.reference.as_deref(), Some("RF18"));
}

#[test]
fn an_extended_name_stands_in_where_there_is_no_other() {
    let name = |names: &str| {
        only_row(&format!("<STMTTRN><DTPOSTED>20250106<TRNAMT>80<FITID>1{names}</STMTTRN>")).name.unwrap()
    };
    assert_eq!(name("<EXTDNAME>Municipal Waterworks of Ulm"), "Municipal Waterworks of Ulm");
    assert_eq!(name("<NAME>Waterworks<EXTDNAME>Municipal Waterworks of Ulm"), "Waterworks");
}

#[test]
fn several_accounts_of_a_file_are_several_statements() {
    let text = "<OFX><BANKMSGSRSV1>\
        <STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>10<BRANCHID>2<ACCTID>A<ACCTTYPE>SAVINGS</BANKACCTFROM>\
        <BANKTRANLIST><DTSTART>20250101<DTEND>20250131<STMTTRN><DTPOSTED>20250102<TRNAMT>-1<FITID>1</STMTTRN>\
        </BANKTRANLIST><LEDGERBAL><BALAMT>10.00<DTASOF>20250131</LEDGERBAL><AVAILBAL><BALAMT>9.50<DTASOF>20250131\
        </AVAILBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1><CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>USD\
        <CCACCTFROM><ACCTID>B</CCACCTFROM><BANKTRANLIST><STMTTRN><DTPOSTED>20250103<TRNAMT>-2<FITID>1</STMTTRN>\
        </BANKTRANLIST><LEDGERBAL><BALAMT>-2<DTASOF>20250131</LEDGERBAL></CCSTMTRS></CCSTMTTRNRS>\
        </CREDITCARDMSGSRSV1></OFX>";
    let collected = file(text).read().unwrap();
    assert_eq!(collected.summary.statements, 2);
    let [savings, card] = &collected.statements[..] else { panic!("{collected:?}") };
    assert_eq!(savings.head.account.account_type, Some(AccountType::Savings));
    assert_eq!(savings.head.account.branch_id.as_deref(), Some("2"));
    assert_eq!(savings.head.starts_on, NaiveDate::from_ymd_opt(2025, 1, 1));
    assert_eq!(savings.head.ends_on, NaiveDate::from_ymd_opt(2025, 1, 31));
    let balances: Vec<_> = savings.balances.iter().map(|balance| (balance.kind, balance.amount)).collect();
    assert_eq!(
        balances,
        [(BalanceKind::Ledger, money("10", "EUR")), (BalanceKind::Available, money("9.5", "EUR"))]
    );
    assert_eq!(card.head.account.account_type, Some(AccountType::CreditCard));
    assert_eq!(card.head.account.account_number.as_deref(), Some("B"));
    assert_eq!((card.rows.len(), card.balances[0].amount), (1, money("-2", "USD")));
}

#[test]
fn a_missing_end_tag_of_a_row_does_not_swallow_the_balance() {
    let text = "<OFX><STMTRS><CURDEF>EUR<BANKTRANLIST><STMTTRN><DTPOSTED>20250102<TRNAMT>-1<FITID>1\
        <LEDGERBAL><BALAMT>7<DTASOF>20250131</LEDGERBAL></STMTRS></OFX>";
    let collected = file(text).read().unwrap();
    assert_eq!(collected.booked(), ["2025-01-02 -1.00"]);
    assert_eq!(collected.statements[0].balances[0].amount, money("7", "EUR"));
}

#[test]
fn stray_text_and_missing_end_tags_lose_no_row() {
    let text = "<OFX>x<STMTTRNRS><STATUS>ok<CODE>0<SEVERITY>INFO<STMTRS>y<CURDEF>EUR<BANKTRANLIST>z\
        <STMTTRN>?<DTPOSTED>20250102<TRNAMT>-1<FITID>1</STMTTRN> and <STMTTRN> <DTPOSTED>20250103<TRNAMT>-2</OFX>";
    let collected = file(text).read().unwrap();
    assert_eq!(collected.booked(), ["2025-01-02 -1.00", "2025-01-03 -2.00"]);
}

#[test]
fn an_unreadable_balance_is_counted_and_an_empty_one_is_none() {
    let text = |balance: &str| {
        format!(
            "<OFX><STMTRS><CURDEF>EUR<LEDGERBAL><BALAMT>{balance}<DTASOF>20250131</LEDGERBAL></STMTRS></OFX>"
        )
    };
    let unreadable = file(&text("much")).read().unwrap();
    assert_eq!((unreadable.summary.unreadable_balances, unreadable.statements[0].balances.len()), (1, 0));
    let empty = file(&text("")).read().unwrap();
    assert_eq!((empty.summary.unreadable_balances, empty.statements[0].balances.len()), (0, 0));
}

#[test]
fn pending_rows_are_pending_and_of_the_day_of_their_transaction() {
    let pending = "</BANKTRANLIST><BANKTRANLISTP><DTASOF>20250104<STMTTRNP><TRNTYPE>HOLD<DTTRAN>20250103\
                   <DTEXPIRE>20250110<TRNAMT>-60.00<REFNUM>R1<NAME>Petrol station</STMTTRNP></BANKTRANLISTP>";
    let collected = file(&ofx(&format!("{ROW}{pending}"))).read().unwrap();
    assert_eq!(collected.booked(), ["2025-01-02 -1.50", "2025-01-03 -60.00"]);
    let rows: Vec<_> = collected.rows().collect();
    assert_eq!((rows[0].status, rows[1].status), (RowStatus::Booked, RowStatus::Pending));
    assert_eq!((rows[1].kind, rows[1].external_id.as_deref()), (RowKind::Hold, None));
    assert_eq!((rows[1].name.as_deref(), rows[1].reference.as_deref()), (Some("Petrol station"), Some("R1")));
}

#[test]
fn a_pending_row_without_a_day_or_amount_is_rejected() {
    let collected = file(&ofx("<STMTTRNP><TRNAMT>-1</STMTTRNP><STMTTRNP><DTTRAN>20250103</STMTTRNP>")).read();
    assert_eq!(collected.unwrap().rejections(), ["16 missing_date", "16 missing_amount"]);
}

#[test]
fn a_statement_that_the_bank_refused_leaves_the_others() {
    let good = ofx(ROW);
    let refused =
        "<STMTTRNRS><STATUS><CODE>2003<SEVERITY>ERROR<MESSAGE>Account not found</STATUS></STMTTRNRS>";
    let both = good.replace("</BANKMSGSRSV1>", &format!("{refused}</BANKMSGSRSV1>"));
    let collected = file(&both).read().unwrap();
    assert_eq!(collected.booked().len(), 1);
    assert_eq!(
        collected.summary.refusals[0].to_string(),
        "the bank refused with code 2003: Account not found"
    );
}

#[test]
fn values_longer_than_any_bank_writes_reject_their_row_only() {
    let long = "x".repeat(200_000);
    let rows = format!("<STMTTRN><DTPOSTED>20250102<TRNAMT>-1<FITID>1<MEMO>{long}</STMTTRN>{ROW}");
    let collected = file(&ofx(&rows)).read().unwrap();
    assert_eq!((collected.rejections(), collected.booked().len()), (vec!["16 row_too_long".to_owned()], 1));
}

#[test]
fn a_sink_can_stop_the_reading() {
    let text = ofx(&ROW.repeat(10));
    let collected = Collected { stop_after: Some(3), ..Collected::default() };
    assert_eq!(file(&text).read_with(collected).unwrap_err().code(), "stopped");
}

#[test]
fn progress_ends_at_the_size_of_the_file() {
    let text = ofx(&ROW.repeat(20_000));
    let collected = file(&text).read().unwrap();
    assert!(collected.progress.len() > 3 && collected.progress.is_sorted());
    assert_eq!(collected.progress.last(), Some(&(text.len() as u64)));
}
