use connections_formats::EncodingEvidence::{ByteOrderMark, DeclarationWrong, Declared, Guessed};
use connections_formats::SurveyReport;

use crate::support::{file, ofx, survey};

const ROW: &str = "<STMTTRN><DTPOSTED>20250102<TRNAMT>-1.50<FITID>1<NAME>Café Zürich €</STMTTRN>";

fn name(bytes: &[u8]) -> String {
    file(bytes).currency("EUR").read().unwrap().rows().next().unwrap().name.clone().unwrap()
}

fn evidence(bytes: &[u8]) -> (String, connections_formats::EncodingEvidence, Option<String>) {
    let encoding = file(bytes).detect().unwrap().encoding;
    (encoding.used, encoding.decided_by, encoding.declared)
}

/// `text` in windows-1252.
fn cp1252(text: &str) -> Vec<u8> {
    text.chars().map(|c| if c == '€' { 0x80 } else { u8::try_from(u32::from(c)).unwrap() }).collect()
}

#[test]
fn the_declared_encoding_is_used_where_it_is_true() {
    let windows = cp1252(&ofx(ROW));
    assert_eq!(name(&windows), "Café Zürich €");
    assert_eq!(evidence(&windows), ("windows-1252".into(), Declared, Some("1252".into())));
    let utf8 = ofx(ROW).replace("ENCODING:USASCII\nCHARSET:1252", "ENCODING:UTF-8\nCHARSET:NONE");
    assert_eq!(name(utf8.as_bytes()), "Café Zürich €");
    assert_eq!(evidence(utf8.as_bytes()), ("UTF-8".into(), Declared, Some("UTF-8".into())));
    // The byte that is ± in windows-1252 is ą in ISO 8859-2.
    let latin2 = ofx(&ROW.replace("é Zürich €", "±")).replace("CHARSET:1252", "CHARSET:8859-2");
    let latin2 = cp1252(&latin2);
    assert_eq!(name(&latin2), "Cafą");
}

#[test]
fn utf8_bytes_under_a_declaration_of_1252_are_utf8() {
    let text = ofx(ROW);
    assert_eq!(name(text.as_bytes()), "Café Zürich €");
    assert_eq!(evidence(text.as_bytes()), ("UTF-8".into(), DeclarationWrong, Some("1252".into())));
}

#[test]
fn windows_bytes_under_a_declaration_of_utf8_are_windows_1252() {
    let text = ofx(ROW).replace("ENCODING:USASCII\nCHARSET:1252", "ENCODING:UTF-8\nCHARSET:NONE");
    let bytes = cp1252(&text);
    assert_eq!(name(&bytes), "Café Zürich €");
    assert_eq!(evidence(&bytes), ("windows-1252".into(), DeclarationWrong, Some("UTF-8".into())));
    let xml = ofx(ROW);
    let xml = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{}", &xml[xml.find("<OFX>").unwrap()..]);
    assert_eq!(name(&cp1252(&xml)), "Café Zürich €");
}

#[test]
fn tables_are_utf8_if_valid_and_windows_1252_if_not() {
    let table = "Date,Description,Amount\n2025-01-02,Café Zürich €,-1.50\n";
    assert_eq!(name(table.as_bytes()), "Café Zürich €");
    assert_eq!(evidence(table.as_bytes()), ("UTF-8".into(), Guessed, None));
    assert_eq!(name(&cp1252(table)), "Café Zürich €");
    assert_eq!(evidence(&cp1252(table)), ("windows-1252".into(), Guessed, None));
}

#[test]
fn byte_order_marks_and_utf16_are_understood() {
    let table = "Date,Description,Amount\r\n2025-01-02,Café Zürich €,-1.50\r\n";
    let marked = format!("\u{feff}{table}");
    assert_eq!(name(marked.as_bytes()), "Café Zürich €");
    assert_eq!(evidence(marked.as_bytes()).1, ByteOrderMark);
    for text in [marked.as_str(), table] {
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((name(&little), evidence(&little).0.as_str()), ("Café Zürich €".into(), "UTF-16LE"));
        assert_eq!((name(&big), evidence(&big).0.as_str()), ("Café Zürich €".into(), "UTF-16BE"));
    }
}

#[test]
fn large_utf16_files_are_read_to_their_end() {
    let rows = "2025-01-02,Café Zürich €,-1.50\r\n".repeat(20_000);
    let table = format!("\u{feff}Date,Description,Amount\r\n{rows}");
    let bytes: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let collected = file(&bytes).currency("EUR").read().unwrap();
    assert_eq!((collected.summary.rows, collected.summary.rejected), (20_000, 0));
}

#[test]
fn a_survey_does_not_depend_on_how_the_upload_is_cut() {
    let texts: [&[u8]; 5] = ["a€ü𝄞z".as_bytes(), b"abc\xff", b"ab\xe2\x82", b"\xe2\x28\xa1", b"plain\0"];
    for bytes in texts {
        let whole = survey(bytes, bytes.len());
        for chunk in 1..bytes.len() {
            assert_eq!(survey(bytes, chunk), whole, "{bytes:?} in chunks of {chunk}");
        }
        assert_eq!(whole.0.valid_utf8, std::str::from_utf8(bytes).is_ok(), "{bytes:?}");
    }
}

#[test]
fn a_survey_can_be_stored() {
    let (report, head) = survey(&[b'x'; 200_000], 1000);
    assert_eq!(head.len(), connections_formats::HEAD_BYTES);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<SurveyReport>(&json).unwrap(), report);
}

#[test]
fn utf16_without_a_mark_is_told_by_its_zero_bytes_whatever_letters_it_begins_with() {
    let table = "Überschrift;Größe\r\nBuchungstag;Empfänger;Betrag\r\n02.01.2026;Café Zürich €;-1,50\r\n";
    let little: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = table.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!((name(&little), evidence(&little).0.as_str()), ("Café Zürich €".into(), "UTF-16LE"));
    assert_eq!((name(&big), evidence(&big).0.as_str()), ("Café Zürich €".into(), "UTF-16BE"));
}

#[test]
fn the_bytes_of_the_old_macintosh_are_told_by_its_line_ends() {
    // é is 8E there and Ž in windows-1252.
    let table = b"Date,Description,Amount\r2025-01-02,Caf\x8e Z\x9frich,-1.50\r";
    assert_eq!(name(table), "Café Zürich");
    assert_eq!(evidence(table), ("macintosh".into(), Guessed, None));
    let windows: Vec<u8> = table
        .iter()
        .flat_map(|byte| if *byte == b'\r' { &b"\r\n"[..] } else { std::slice::from_ref(byte) })
        .copied()
        .collect();
    assert_eq!((name(&windows).as_str(), evidence(&windows).0.as_str()), ("CafŽ ZŸrich", "windows-1252"));
}

#[test]
fn the_euro_of_iso_8859_15_does_not_spoil_its_amount() {
    let table = b"Datum;Text;Betrag\n02.01.2025;B\xe4cker;-1.234,50 \xa4\n";
    let collected = file(table).currency("EUR").read().unwrap();
    assert_eq!(collected.booked(), ["2025-01-02 -1234.50"]);
}
