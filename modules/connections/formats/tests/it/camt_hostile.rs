//! CAMT files that are cut, malformed or made to hurt.

use std::fmt::Write;

use connections_formats::FormatError;

use crate::camt_support::{camt, camt_plan, entry};
use crate::damage::assert_same_in_pieces;
use crate::support::{Collected, file};

fn name(bytes: &(impl AsRef<[u8]> + ?Sized)) -> String {
    file(bytes).read().unwrap().rows().next().unwrap().name.clone().unwrap()
}

/// A debit to this creditor.
fn to(name: &str) -> String {
    entry(
        "DBIT",
        "1.00",
        &format!("<NtryDtls><TxDtls><RltdPties><Cdtr><Nm>{name}</Nm></Cdtr></RltdPties></TxDtls></NtryDtls>"),
    )
}

#[test]
fn every_truncation_of_a_camt_file_is_told() {
    let text = camt(&to("Caf\u{e9} <![CDATA[& more]]> &amp; <!-- x --> &#8364;"));
    let end = text.trim_end().len();
    for length in 1..end {
        let code = match file(&text.as_bytes()[..length]).read() {
            Ok(collected) => panic!("{length} bytes were read as {collected:?}"),
            Err(error) => error.code(),
        };
        // Up to its namespace it could be any XML.
        let is_known = length >= text.find("001.08").unwrap();
        let expected: &[_] =
            if is_known { &["truncated_file"] } else { &["unsupported_format", "unknown_format"] };
        assert!(expected.contains(&code), "{length}: {code}");
    }
    assert_eq!(file(&text[..end]).read().unwrap().summary.rows, 1);
}

#[test]
fn a_document_type_is_refused_whatever_it_says() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>";
    let external = "<!DOCTYPE Document SYSTEM \"file:///etc/passwd\">";
    for declaration in ["<!DOCTYPE Document>", laughs, external] {
        let text = camt(&to("&c;")).replace("<Document", &format!("{declaration}<Document"));
        match file(&text).read() {
            Err(FormatError::MalformedFile { line: 2, what }) => {
                assert!(what.contains("document type"), "{what}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn elements_that_do_not_fit_into_each_other_are_told_with_their_line() {
    for (written, broken) in [("</Stmt>", "</Ntry>"), ("</Stmt>", ""), ("</Document>", "</Document></x>")] {
        let text = camt(&to("A")).replace(written, broken);
        match file(&text).read() {
            Err(FormatError::MalformedFile { line: 5, .. }) => {}
            other => panic!("{broken}: {other:?}"),
        }
    }
    for markup in ["<!ELEMENT x>", "<![CDAT[x]]>"] {
        let text = camt(&to("A")).replace("</Stmt>", &format!("{markup}</Stmt>"));
        assert_eq!(file(&text).refusal(), "malformed_file", "{markup}");
    }
}

#[test]
fn nesting_deeper_than_any_bank_nests_is_refused() {
    let deep = "<a>".repeat(1_000_000);
    let text = camt("<Ntry>").replace("<Ntry>", &deep);
    assert_eq!(file(&text).refusal(), "malformed_file");
    let closed = format!("{}{}", "<a>".repeat(50), "</a>".repeat(50));
    assert_eq!(file(&camt(&format!("{closed}{}", to("A")))).read().unwrap().summary.rows, 1);
}

#[test]
fn texts_longer_than_any_bank_writes_reject_their_row_only() {
    let good = to("A");
    for long in [
        "x".repeat(10_000_000),
        "é".repeat(40_000),
        format!("{} &amp; more", "y".repeat(70_000)),
        "&amp;".repeat(70_000),
    ] {
        let collected = file(&camt(&format!("{}\n{good}", to(&long)))).read().unwrap();
        assert_eq!(
            (collected.rejections(), collected.booked().len()),
            (vec!["4 row_too_long".to_owned()], 1)
        );
    }
    let many = "<Ustrd>1234567890</Ustrd>".repeat(10_000);
    let text = entry("DBIT", "1", &format!("<NtryDtls><TxDtls><RmtInf>{many}</RmtInf></TxDtls></NtryDtls>"));
    assert_eq!(file(&camt(&text)).read().unwrap().rejections(), ["4 row_too_long"]);
    let digits = to("A").replace(">1.00<", &format!(">{}<", "1".repeat(100_000)));
    assert_eq!(file(&camt(&digits)).read().unwrap().rejections(), ["4 row_too_long"]);
}

#[test]
fn long_texts_that_mean_nothing_to_us_are_passed_over() {
    let blob = format!("<SplmtryData><Envlp>{}</Envlp></SplmtryData>", "QUJD".repeat(500_000));
    let collected = file(&camt(&format!("{}{}", entry("DBIT", "2", &blob), to("A")))).read().unwrap();
    assert_eq!(collected.booked(), ["2026-03-02 -2.00", "2026-03-02 -1.00"]);
}

#[test]
fn tags_longer_than_any_bank_writes_are_refused_and_hide_nothing() {
    let long = "x".repeat(100_000);
    for markup in [
        format!("<!-- {long} -->"),
        format!("<![CDATA[{long}]]>"),
        format!("<{long}/>"),
        format!("<?{long}?>"),
        format!("<Amt Ccy=\"{long}\">1</Amt>"),
    ] {
        let text = camt(&format!("{markup}{}", to("A")));
        assert_eq!(file(&text).refusal(), "malformed_file", "{:.20}", markup);
    }
}

#[test]
fn encodings_are_decided_from_the_bytes() {
    let text = camt(&to("Café Zürich"));
    assert_eq!(name(&text), "Café Zürich");
    assert_eq!(name(&format!("\u{feff}{text}")), "Café Zürich");
    let latin: Vec<u8> = text.replace("UTF-8", "ISO-8859-1").chars().map(|c| c as u8).collect();
    assert_eq!(name(&latin), "Café Zürich");
    let lying: Vec<u8> = text.chars().map(|c| c as u8).collect();
    assert_eq!(name(&lying), "Café Zürich", "declared as UTF-8, but it is not");
    let wide = text.replace("UTF-8", "UTF-16");
    let little: Vec<u8> =
        "\u{feff}".encode_utf16().chain(wide.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!((name(&little), name(&big)), ("Café Zürich".into(), "Café Zürich".into()));
}

#[test]
fn control_characters_are_spaces_and_nul_bytes_are_refused() {
    let text = camt(&to("A\u{0}B"));
    assert_eq!(file(&text).refusal(), "binary_file");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(name(&wide), "A B");
}

#[test]
fn lines_are_right_however_the_tags_are_broken() {
    let spread = to("A").replace("<Ntry>", "<Ntry\n  x=\"1\"\n>");
    let text = camt(&format!("{spread}\n\n<!--\n\n-->\n{}", to("B")));
    let expected: Vec<u64> = [text.find("<Ntry\n").unwrap(), text.find("<Ntry>").unwrap()]
        .map(|at| 1 + text[..at].matches('\n').count() as u64)
        .to_vec();
    let lines: Vec<_> = file(&text).read().unwrap().rows().map(|row| row.line).collect();
    assert_eq!(lines, expected);
}

/// The statements of a file of that many entries are the same in pieces of each of these sizes.
fn assert_read_alike(entries: usize, sizes: &[usize]) {
    let mut text = String::new();
    for n in 0..entries {
        writeln!(text, "{}", to(&format!("Café &amp; Söhne {n}"))).unwrap();
    }
    let text = camt(&text);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (encoding, bytes) in [("utf-8", text.as_bytes()), ("utf-16le", &wide)] {
        let plan = camt_plan(encoding, None);
        sizes.iter().for_each(|size| assert_same_in_pieces(bytes, &plan, *size));
    }
}

#[test]
fn how_the_bytes_arrive_changes_nothing() {
    assert_read_alike(10, &[1, 2, 3, 7]);
    assert_read_alike(1_500, &[4_096, 65_537]);
}

#[test]
fn a_sink_can_stop_the_reading_and_sees_its_progress() {
    let text = camt(&to("A").repeat(10_000));
    let stopped = file(&text).read_with(Collected { stop_after: Some(3), ..Collected::default() });
    assert_eq!(stopped.unwrap_err().code(), "stopped");
    let collected = file(&text).read().unwrap();
    assert!(collected.progress.len() > 3 && collected.progress.is_sorted());
    assert_eq!(collected.progress.last(), Some(&(text.len() as u64)));
}
