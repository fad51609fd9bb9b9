use connections_formats::{Format, FormatError};

use crate::support::{file, investments, ofx};

const ROW: &str = "<STMTTRN><DTPOSTED>20250102<TRNAMT>-1.50<FITID>a1<NAME>Bakery</STMTTRN>";

#[test]
fn empty_files_are_refused() {
    for bytes in ["", " \r\n\t\n", "\u{feff}\n"] {
        assert_eq!(file(bytes).refusal(), "empty_file");
    }
}

#[test]
fn binary_junk_is_refused() {
    let junk: Vec<u8> = (0..4000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert_eq!(file(&junk).refusal(), "binary_file");
    let without_nul: Vec<u8> = junk.into_iter().filter(|byte| *byte != 0).collect();
    assert_eq!(file(&without_nul).refusal(), "binary_file");
}

#[test]
fn formats_that_we_know_but_do_not_read_are_named() {
    let cases: [(&[u8], &str); 9] = [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "pdf"),
        (b"\n\n%PDF-1.4 text,with,commas\n", "pdf"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml", "xlsx"),
        (b"PK\x03\x04\x14\0\0\0\x08\0statement.ofx", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
        (
            b"<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">",
            "iso20022",
        ),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "html"),
        (b"{\"transactions\": [1, 2]}", "json"),
        (b"<?xml version=\"1.0\"?><note/>", "xml"),
    ];
    for (bytes, format) in cases {
        match file(bytes).detect() {
            Err(FormatError::UnsupportedFormat { what }) => assert_eq!(what, format),
            other => panic!("{format}: {other:?}"),
        }
    }
}

#[test]
fn prose_is_no_statement() {
    assert_eq!(file("Dear customer\nplease find attached\nyour statement\n").refusal(), "unknown_format");
    assert_eq!(file("just words").refusal(), "unknown_format");
}

#[test]
fn content_decides_and_a_misleading_extension_is_told() {
    let text = ofx(ROW);
    let detection = file(&text).named("export.csv").detect().unwrap();
    assert_eq!((detection.format, detection.misleading_extension.as_deref()), (Format::Ofx1, Some("csv")));
    let table = "Date,Amount\n2025-01-02,-1.50\n";
    let detection = file(table).named("Statement.QFX").detect().unwrap();
    assert_eq!((detection.format, detection.misleading_extension.as_deref()), (Format::Csv, Some("qfx")));
    for honest in ["a.ofx", "a.QFX", "a", "a.txt", "a.2025"] {
        assert_eq!(file(&text).named(honest).detect().unwrap().misleading_extension, None, "{honest}");
    }
}

#[test]
fn every_truncation_of_an_ofx_file_is_told() {
    let text = ofx(&ROW.repeat(2));
    let end = text.find("</OFX>").unwrap() + "</OFX>".len();
    for length in 1..end {
        let code = match file(&text[..length]).read() {
            Ok(collected) => panic!("{length} bytes were read as {collected:?}"),
            Err(error) => error.code(),
        };
        // Up to the end of its first header line it could be any text.
        let expected: &[_] =
            if length < "OFXHEADER".len() { &["unknown_format"] } else { &["truncated_file"] };
        assert!(expected.contains(&code), "{length}: {code}");
    }
    assert_eq!(file(&text[..end]).read().unwrap().booked().len(), 2);
}

#[test]
fn every_truncation_of_an_investment_file_is_told() {
    let text = investments(
        "<BUYMF><INVBUY><INVTRAN><FITID>1<DTTRADE>20250303</INVTRAN><SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP\
         </SECID><UNITS>1<TOTAL>-2</INVBUY><BUYTYPE>BUY</BUYMF>",
    );
    let end = text.find("</OFX>").unwrap() + "</OFX>".len();
    for length in 1..end {
        let code = match file(&text[..length]).read() {
            Ok(collected) => panic!("{length} bytes were read as {collected:?}"),
            Err(error) => error.code(),
        };
        // Up to the end of its first tag it could be any text.
        let expected = if length < "<OFX>".len() { "unknown_format" } else { "truncated_file" };
        assert_eq!(code, expected, "{length}");
    }
    assert_eq!(file(&text[..end]).read().unwrap().booked().len(), 1);
}

#[test]
fn a_refused_sign_on_is_told_in_the_banks_words_without_its_markup() {
    let text = "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500</CODE><SEVERITY>ERROR</SEVERITY>\
        <MESSAGE>Wrong &lt;script&gt;alert(1)&lt;/script&gt;\u{7}\npassword</MESSAGE></STATUS></SONRS>\
        </SIGNONMSGSRSV1></OFX>";
    match file(text).read() {
        Err(FormatError::StatementRefusedByBank(refusal)) => {
            assert_eq!(refusal.code, "15500");
            assert_eq!(refusal.message, "Wrong script alert(1) /script password");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn unknown_currencies_refuse_the_file_and_name_the_code() {
    for code in ["XXQ", "EURO", "XXX"] {
        let text = ofx(ROW).replace("<CURDEF>EUR", &format!("<CURDEF>{code}"));
        match file(&text).read() {
            Err(FormatError::UnknownCurrency { code: told }) => assert_eq!(told, code),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn unknown_currencies_of_a_row_reject_the_row() {
    let row = "<STMTTRN><DTPOSTED>20250102<TRNAMT>-1<CURRENCY><CURRATE>1<CURSYM>XXQ</CURRENCY></STMTTRN>";
    let collected = file(&ofx(&format!("{row}{ROW}"))).read().unwrap();
    assert_eq!(
        (collected.rejections(), collected.booked().len()),
        (vec!["16 unknown_currency".to_owned()], 1)
    );
}

#[test]
fn a_file_without_currency_asks_for_it() {
    let text = ofx(ROW).replace("<CURDEF>EUR", "<CURDEF>");
    assert_eq!(file(&text).refusal(), "needs_currency");
    assert_eq!(file(&text).currency("CHF").read().unwrap().statements[0].head.currency.code(), "CHF");
}
