//! docs/formats.md: what the readers make of the files that the tests have. Written by this test and held against it,
//! so that it says nothing that was not seen.

use std::collections::BTreeSet;
use std::path::Path;

use connections_formats::{Format, RowStatus};
use kernel::Money;

use crate::corpus::{Compared, Difference, explained, files};
use crate::support::{Statement, file};
use crate::{bank_tables, mt940_corpus, ofx_corpus};

/// Set to 1, it has the test write the page.
const BLESS: &str = "TRIBUTARY_BLESS";

/// A sample of ours that has no expected file.
struct Sample {
    format: &'static str,
    dialect: &'static str,
    file: &'static str,
    /// The rows of each statement, and what those that are booked add up to by other means.
    statements: &'static [(usize, &'static str)],
}

#[rustfmt::skip] // A table, not code.
const SAMPLES: &[Sample] = &[
    Sample { format: "CAMT", dialect: "camt.052.001.08", file: "camt052-v08.xml", statements: &[(2, "-10.00 EUR")] },
    Sample { format: "CAMT", dialect: "camt.053.001.02", file: "camt053-v02.xml",
        statements: &[(4, "-196.79 EUR"), (1, "100.00 CHF")] },
    Sample { format: "CAMT", dialect: "camt.053.001.08", file: "camt053-v08.xml", statements: &[(8, "4563.45 CHF")] },
    Sample { format: "CAMT", dialect: "camt.053.001.13", file: "camt053-v13.xml", statements: &[(1, "0.42 USD")] },
    Sample { format: "CAMT", dialect: "camt.054.001.08", file: "camt054-v08.xml", statements: &[(2, "250.00 CHF")] },
    Sample { format: "QIF", dialect: "bank with splits, card, investments", file: "household.qif",
        statements: &[(5, "651.40 USD"), (3, "-12.00 USD"), (3, "204.80 USD")] },
];

/// A file, and how many of its rows are right.
struct Line {
    format: &'static str,
    dialect: String,
    file: String,
    rows: usize,
    right: usize,
    /// Why something is not as its expected file has it.
    why: String,
}

#[test]
fn the_page_of_formats_says_what_the_tests_find() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/formats.md");
    let shown = std::fs::read_to_string(&path).unwrap_or_default();
    let ours: Vec<Line> = samples().chain(tables()).collect();
    let Some(corpus) = ofx().zip(mt940()) else {
        // What needs no corpus is held against the page in any case.
        return totals(&ours)
            .iter()
            .for_each(|line| assert!(shown.contains(line), "docs/formats.md lacks {line}"));
    };
    let page = page(&corpus.0, &corpus.1, &ours);
    if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
        return std::fs::write(path, page).unwrap();
    }
    assert_eq!(shown, page, "docs/formats.md is stale; with {BLESS}=1 this test writes it");
}

fn page(ofx: &[Line], mt940: &[Line], ours: &[Line]) -> String {
    let head = "# Formats of bank files\n\nWhat the readers of `modules/connections/formats` make of the files that their tests \
        have. A test writes this page and\nfails where it is stale: `TRIBUTARY_BLESS=1 cargo test -p connections-formats --test it \
        formats_page`, with `TRIBUTARY_CORPUS`\nset to the folder of the corpus. What each reader understands beyond these files stands \
        in\n[the module's page](../modules/connections/README.md).\n\nThe OFX and MT940 files come from the test suites of other \
        readers, and a row is right if every field that the other\nreader tells of it is the same with us. The others are our own \
        samples, and a row is right if its statement has as many\nrows as it should have, and they add up to what it should come \
        to, both found by other means.\n";
    let totals = totals(ofx.iter().chain(mt940).chain(ours)).join("\n");
    format!(
        "{head}\n| format | dialects | files | rows | rows right | files that differ for a written reason |\n\
         |---|---|---:|---:|---:|---:|\n{totals}\n\n## OFX, file by file\n\n{}\n\n## MT940, file by file\n\n{}\n",
        file_by_file(ofx),
        file_by_file(mt940)
    )
}

/// A line of the first table for each format.
fn totals<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Vec<String> {
    let lines: Vec<_> = lines.into_iter().collect();
    let mut formats: Vec<_> = lines.iter().map(|line| line.format).collect();
    formats.dedup();
    let of_format = |format| {
        let lines = || lines.iter().filter(move |line| line.format == format);
        let dialects: BTreeSet<_> = lines().map(|line| line.dialect.as_str()).collect();
        let dialects = dialects.into_iter().collect::<Vec<_>>().join(", ");
        let (rows, right) =
            lines().fold((0, 0), |(rows, right), line| (rows + line.rows, right + line.right));
        let reasons = lines().filter(|line| !line.why.is_empty()).count();
        format!("| {format} | {dialects} | {} | {rows} | {right} | {reasons} |", lines().count())
    };
    formats.into_iter().map(of_format).collect()
}

fn file_by_file(lines: &[Line]) -> String {
    let of_file = |Line { file, dialect, rows, right, why, .. }: &Line| {
        format!("| `{file}` | {dialect} | {rows} | {right} | {why} |")
    };
    let rows = lines.iter().map(of_file).collect::<Vec<_>>().join("\n");
    format!(
        "| file | dialect | rows | rows right | what differs, and why ours is right |\n|---|---|---:|---:|---|\n{rows}"
    )
}

fn ofx() -> Option<Vec<Line>> {
    let files = files("ofx")?;
    let dialect = |name: &str| {
        let bytes = &files.iter().find(|file| file.name == name).unwrap().bytes;
        match file(bytes).detect().unwrap().format {
            Format::Ofx2 => "2.x (XML)",
            _ => "1.x (SGML)",
        }
    };
    Some(lines("OFX", &ofx_corpus::compared()?, ofx_corpus::DIFFERENCES, |name| dialect(name).to_owned()))
}

fn mt940() -> Option<Vec<Line>> {
    // One of the suites has a file for each bank; the others have one for each field.
    let dialect = |name: &str| match name.split_once('/').unwrap() {
        ("jejik", bank) => bank.to_owned(),
        (suite, _) => suite.to_owned(),
    };
    Some(lines("MT940", &mt940_corpus::compared()?, mt940_corpus::DIFFERENCES, dialect))
}

fn lines(
    format: &'static str,
    compared: &[Compared],
    differences: &'static [Difference],
    dialect: impl Fn(&str) -> String,
) -> Vec<Line> {
    let reasons = explained(compared, differences);
    let line = |Compared { name, rows, right, refused, .. }: &Compared| {
        let differences = reasons.get(name).into_iter().flatten();
        let why: Vec<_> =
            [refused].into_iter().chain(differences).copied().filter(|why| !why.is_empty()).collect();
        Line {
            format,
            dialect: dialect(name),
            file: name.clone(),
            rows: *rows,
            right: *right,
            why: why.join("; "),
        }
    };
    compared.iter().map(line).collect()
}

fn samples() -> impl Iterator<Item = Line> {
    SAMPLES.iter().map(|sample| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample.file);
        let collected = file(&std::fs::read(path).unwrap()).currency("USD").read().unwrap();
        let told: Vec<_> = collected.statements.iter().map(told).collect();
        let expected = sample.statements.iter().map(|(rows, sum)| (*rows, (*sum).to_owned()));
        assert_eq!(told, expected.collect::<Vec<_>>(), "{}", sample.file);
        own(sample.format, sample.dialect.to_owned(), sample.file, collected.rows().count())
    })
}

/// Rows of a statement, and what those that are booked add up to.
fn told(statement: &Statement) -> (usize, String) {
    let booked = statement.rows.iter().filter(|row| row.status == RowStatus::Booked);
    let sum = booked.map(|row| row.amount.minor()).sum();
    (statement.rows.len(), Money::from_minor(sum, statement.head.currency).to_string())
}

fn tables() -> impl Iterator<Item = Line> {
    let tables = bank_tables::all_right();
    let dialect = format!("{} layouts of banks", tables.len());
    tables.into_iter().map(move |(layout, rows)| own("CSV", dialect.clone(), layout, rows))
}

/// A file of which it was seen that all of it is right.
fn own(format: &'static str, dialect: String, file: &str, rows: usize) -> Line {
    Line { format, dialect, file: file.to_owned(), rows, right: rows, why: String::new() }
}
