//! Files that nobody means well with, in the formats that are read line by line.

use std::io::Read;

use connections_formats::csv::DateOrder;
use connections_formats::{Encoding, Format, Mapping, Plan, Securities, qif, read};

use crate::support::{Collected, currency, file};

const ENDLESS: u64 = 100 * 1024 * 1024;

/// What is before and behind a value that cannot be true.
const MT940: (&str, &str) = (
    ":20:X\n:25:1/2\n:60F:C240101EUR0,00\n:61:240102C1,00NTRFNONREF\n:86:",
    "\n:61:240103C2,00NTRFNONREF\n:62F:C240103EUR3,00\n-\n",
);
const QIF: (&str, &str) = ("!Type:Bank\nD2/13/2025\nT1.00\nP", "\n^\nD2/14/2025\nT2.00\n^\n");

fn plan(format: Format) -> Plan {
    let mapping = Mapping { date_order: Some(DateOrder::MonthFirst), ..qif::mapping() };
    let (encoding, default_currency) = (Encoding::named("utf-8").unwrap(), Some(currency("EUR")));
    Plan { format, encoding, mapping: Some(mapping), default_currency, securities: Securities::default() }
}

#[test]
fn a_line_of_a_hundred_megabytes_costs_its_row_alone() {
    for (format, (before, behind)) in [(Format::Mt940, MT940), (Format::Qif, QIF)] {
        let line = std::io::repeat(b'x').take(ENDLESS);
        let input = before.as_bytes().chain(line).chain(behind.as_bytes());
        let mut collected = Collected::default();
        let summary = read(input, &plan(format), &mut collected).unwrap();
        assert_eq!((summary.rows, summary.rejected), (1, 1), "{format:?}");
        assert_eq!(collected.rejections()[0].split(' ').nth(1), Some("row_too_long"));
        assert!(summary.bytes_read > ENDLESS);
    }
}

#[test]
fn a_hundred_megabytes_without_a_line_end_are_truncated() {
    for (format, (before, _)) in [(Format::Mt940, MT940), (Format::Qif, QIF)] {
        let input = before.as_bytes().chain(std::io::repeat(b'x').take(ENDLESS));
        let error = read(input, &plan(format), &mut Collected::default()).unwrap_err();
        assert_eq!(error.code(), "truncated_file", "{format:?}");
    }
}

#[test]
fn zero_bytes_make_a_file_binary_and_its_reader_does_not_mind() {
    for (format, (before, behind)) in [(Format::Mt940, MT940), (Format::Qif, QIF)] {
        let text = format!("{before}a\0b\0{behind}");
        assert_eq!(file(&text).currency("EUR").refusal(), "binary_file");
        assert_eq!(read(text.as_bytes(), &plan(format), &mut Collected::default()).unwrap().rows, 2);
    }
}

#[test]
fn halves_of_characters_become_a_mark_and_cost_nothing_else() {
    for (before, behind) in [MT940, QIF] {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let units = [wide(before), vec![u16::from(b'a'), 0xd800, u16::from(b'b')], wide(behind)].concat();
        let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
        let collected = file(&bytes).currency("EUR").read().unwrap();
        let first = collected.rows().next().unwrap();
        assert_eq!(first.name.as_ref().or(first.memo.as_ref()).unwrap(), "a\u{fffd}b");
        // In UTF-8 such a half is no character; the file is none in UTF-8 then.
        let bytes = [before.as_bytes(), b"a\xed\xa0\x80b", behind.as_bytes()].concat();
        let given = file(&bytes).currency("EUR");
        assert_eq!(given.detect().unwrap().encoding.used, "windows-1252");
        assert_eq!(given.read().unwrap().summary.rows, 2);
    }
}
