//! Ways in which banks write the same OFX.

use connections_formats::{AccountType, CorrectionAction, Format};

use crate::support::{Collected, file, investments, ofx};

const ROW: &str = "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20250102<TRNAMT>-1.50<FITID>a1<NAME>Bakery</STMTTRN>";

fn statements(text: &str) -> Collected {
    let collected = file(text).read().unwrap();
    assert_eq!(collected.rejections(), Vec::<String>::new());
    collected
}

#[test]
fn a_whole_file_on_one_line_is_read() {
    let flat = |text: &str| text.lines().collect::<Vec<_>>().join("");
    let spaced = |text: &str| text.lines().collect::<Vec<_>>().join(" ");
    for text in [ofx(ROW), ofx(&ROW.repeat(2)), investments("")] {
        let lines = statements(&text);
        for one_line in [flat(&text), spaced(&text)] {
            assert_eq!(statements(&one_line).booked(), lines.booked(), "{one_line}");
        }
    }
}

#[test]
fn line_ends_of_every_kind_are_read() {
    let text = ofx(&ROW.replace('<', "\n<"));
    let expected = statements(&text);
    for end in ["\r\n", "\r", "\n\n", "\r\r\n"] {
        assert_eq!(statements(&text.replace('\n', end)).booked(), expected.booked(), "{end:?}");
    }
}

#[test]
fn an_xml_file_says_the_same_as_an_sgml_file() {
    let list = "<BUYMF><INVBUY><INVTRAN><FITID>1</FITID><DTTRADE>20250303</DTTRADE></INVTRAN><SECID><UNIQUEID>000000001\
                </UNIQUEID><UNIQUEIDTYPE>CUSIP</UNIQUEIDTYPE></SECID><UNITS>1</UNITS><MARKUP/><TOTAL>-2</TOTAL></INVBUY>\
                <BUYTYPE>BUY</BUYTYPE></BUYMF>";
    let xml =
        format!("<?xml version=\"1.0\"?><?OFX OFXHEADER=\"200\" VERSION=\"220\"?>{}", investments(list));
    assert_eq!(file(&xml).detect().unwrap().format, Format::Ofx2);
    let closed = |tag: &str| format!("</{tag}>");
    let tags = ["FITID", "DTTRADE", "UNIQUEID", "UNIQUEIDTYPE", "UNITS", "TOTAL", "BUYTYPE"];
    let sgml = tags.iter().fold(investments(list), |text, tag| text.replace(&closed(tag), ""));
    assert_eq!(statements(&xml).statements, statements(&sgml).statements);
}

#[test]
fn message_sets_of_every_kind_stand_in_one_file() {
    let card = "<CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>USD<CCACCTFROM><ACCTID>C</CCACCTFROM><BANKTRANLIST>\
                <STMTTRN><DTPOSTED>20250103<TRNAMT>-2<FITID>1</STMTTRN></BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS>\
                </CREDITCARDMSGSRSV1>";
    let loan = "<LOANMSGSRSV1><LOANSTMTTRNRS><LOANSTMTRS><CURDEF>USD<LOANACCTFROM><LOANACCTID>L</LOANACCTFROM>\
                <LOANTRANLIST><LOANSTMTTRN><DTPOSTED>20250104<TRNAMT>3<FITID>1</LOANSTMTTRN></LOANTRANLIST></LOANSTMTRS>\
                </LOANSTMTTRNRS></LOANMSGSRSV1>";
    let income = "<INCOME><INVTRAN><FITID>1<DTTRADE>20250105</INVTRAN><INCOMETYPE>DIV<TOTAL>4</INCOME>";
    let invested = investments(income);
    let invested = invested.strip_prefix("<OFX>").unwrap();
    let text = ofx(ROW).replace("</OFX>", &format!("{card}{loan}{invested}"));
    let collected = statements(&text);
    let types: Vec<_> =
        collected.statements.iter().filter_map(|statement| statement.head.account.account_type).collect();
    use AccountType::{Checking, CreditCard, Investment, Loan};
    assert_eq!(types, [Checking, CreditCard, Loan, Investment]);
    let booked = ["2025-01-02 -1.50", "2025-01-03 -2.00", "2025-01-04 3.00", "2025-01-05 4.00"];
    assert_eq!(collected.booked(), booked);
}

#[test]
fn a_correction_that_does_not_say_what_it_does_replaces() {
    for action in ["", "<CORRECTACTION>REPLACE", "<CORRECTACTION/>"] {
        let row = format!("<STMTTRN><DTPOSTED>20250102<TRNAMT>-1<FITID>b<CORRECTFITID>a{action}</STMTTRN>");
        let collected = statements(&ofx(&row));
        let corrects = collected.rows().next().unwrap().corrects.clone().unwrap();
        assert_eq!((corrects.external_id.as_str(), corrects.action), ("a", CorrectionAction::Replace));
    }
}

#[test]
fn a_file_that_a_refused_investment_statement_is_in_gives_the_others() {
    let refused = "<INVSTMTMSGSRSV1><INVSTMTTRNRS><STATUS><CODE>2003<SEVERITY>ERROR</STATUS></INVSTMTTRNRS>\
                   </INVSTMTMSGSRSV1>";
    let collected = statements(&ofx(ROW).replace("</OFX>", &format!("{refused}</OFX>")));
    assert_eq!((collected.booked().len(), collected.summary.refusals[0].code.as_str()), (1, "2003"));
}

#[test]
fn securities_are_named_in_wide_encodings_and_in_small_letters_too() {
    let list = "<INCOME><INVTRAN><FITID>1<DTTRADE>20250303</INVTRAN><SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP\
                </SECID><INCOMETYPE>DIV<TOTAL>4</INCOME>";
    let text = investments(list);
    let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let small: String = text
        .split('>')
        .map(|piece| match piece.rsplit_once('<') {
            Some((before, tag)) => format!("{before}<{}>", tag.to_ascii_lowercase()),
            None => piece.to_owned(),
        })
        .collect();
    for bytes in [text.into_bytes(), wide, small.into_bytes()] {
        let collected = file(&bytes).read().unwrap();
        let names: Vec<_> = collected.rows().filter_map(|row| row.name.as_deref()).collect();
        assert_eq!(names, ["Dividend Acme Widgets & Co"]);
    }
}

#[test]
fn a_row_with_charges_without_end_is_read_in_little_memory() {
    let charges = "<FEES>1".repeat(100_000);
    let list =
        format!("<BUYMF><INVTRAN><FITID>1<DTTRADE>20250303</INVTRAN><UNITS>1<TOTAL>-2{charges}</BUYMF>");
    let collected = statements(&investments(&list));
    let fees: Vec<_> = collected.rows().map(|row| row.trade.as_ref().unwrap().fees).collect();
    assert_eq!((collected.booked(), fees), (vec!["2025-03-03 -2.00".to_owned()], vec![None]));
}

#[test]
fn a_list_of_securities_is_found_wherever_it_lies_in_a_long_file() {
    let list = "<INCOME><INVTRAN><FITID>1<DTTRADE>20250303</INVTRAN><SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP\
                </SECID><INCOMETYPE>DIV<TOTAL>4</INCOME>";
    let text = investments(list).replace("SECLISTMSGSRSV1", "OTHERMSGSRSV1");
    let (before, after) = text.split_at(text.find("<SECLIST>").unwrap());
    // The reader looks at a quarter of a mebibyte at a time.
    for cut in 0..12 {
        let text = format!("{before}{}{after}", " ".repeat(256 * 1024 - before.len() - cut));
        let collected = statements(&text);
        let name = collected.rows().next().and_then(|row| row.name.clone());
        assert_eq!(name.as_deref(), Some("Dividend Acme Widgets & Co"), "{cut}");
    }
}

#[test]
fn money_that_comes_is_positive_in_accounts_of_every_kind() {
    let bank = |kind: &str, amount: &str| {
        let row = format!("<STMTTRN><DTPOSTED>20250102<TRNAMT>{amount}<FITID>1</STMTTRN>");
        ofx(&row).replace("CHECKING", kind)
    };
    let card =
        |amount: &str| bank("", amount).replace("BANKACCTFROM", "CCACCTFROM").replace("STMTRS>", "CCSTMTRS>");
    let trade = |element: &str, amount: &str| {
        investments(&format!(
            "<{element}><INVTRAN><FITID>1<DTTRADE>20250102</INVTRAN><UNITS>1<TOTAL>{amount}</{element}>"
        ))
    };
    for (what, text, minor) in [
        ("a salary", bank("CHECKING", "100"), 10_000),
        ("a withdrawal", bank("SAVINGS", "-100"), -10_000),
        ("what a credit line is drawn on", bank("CREDITLINE", "-100"), -10_000),
        ("a purchase with a card", card("-100"), -10_000),
        ("a payment of a card", card("+100"), 10_000),
        ("a sale of a security", trade("SELLSTOCK", "100"), 10_000),
        ("a purchase of a security", trade("BUYSTOCK", "-100"), -10_000),
        ("interest on a margin", trade("MARGININTEREST", "-100"), -10_000),
    ] {
        let minors: Vec<_> = statements(&text).rows().map(|row| row.amount.minor()).collect();
        assert_eq!(minors, [minor], "{what}");
    }
}
