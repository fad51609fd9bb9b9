use connections_formats::{Encoding, Format, Mapping, Plan, Securities, csv, read};

use crate::support::{Collected, currency, file, survey};

/// Takes `bytes` where the fuzz target `target` takes them: through all of an upload, or past detection into one reader.
///
/// Whatever the bytes, there is an answer: rows, or an error. A panic or a count that does not add up is the fault.
pub fn run(target: &str, bytes: &[u8]) {
    match target {
        "upload" => drop(file(bytes).currency("EUR").read()),
        "csv_detector" => detect_columns(bytes),
        "csv" => [true, false]
            .map(mapping)
            .into_iter()
            .for_each(|mapping| read_as(Format::Csv, Some(mapping), bytes)),
        "ofx" => [Format::Ofx1, Format::Ofx2].into_iter().for_each(|format| read_as(format, None, bytes)),
        "camt" => read_as(Format::Camt, None, bytes),
        "mt940" => read_as(Format::Mt940, None, bytes),
        "qif" => read_as(Format::Qif, Some(mapping(true)), bytes),
        other => panic!("no fuzz target {other}"),
    }
}

fn read_as(format: Format, mapping: Option<Mapping>, bytes: &[u8]) {
    let (utf8, western) = ("utf-8", "windows-1252");
    for name in [utf8, western] {
        let encoding = Encoding::named(name).expect("a known encoding");
        let securities = Securities::default();
        let plan = Plan {
            format,
            encoding,
            mapping: mapping.clone(),
            default_currency: Some(currency("EUR")),
            securities,
        };
        let mut collected = Collected::default();
        if let Ok(summary) = read(bytes, &plan, &mut collected) {
            assert_eq!(summary.rows, collected.rows().count() as u64, "each row is counted once");
        }
    }
}

fn detect_columns(bytes: &[u8]) {
    let (_, head) = survey(bytes, 4096);
    let encoding = Encoding::named("windows-1252").expect("a known encoding");
    if let Ok(mapping) = csv::suggest(&head, &encoding) {
        let _ = csv::decide(bytes, &encoding, mapping, None);
    }
}

/// The usual columns in their usual order.
fn mapping(has_header: bool) -> Mapping {
    let columns = if has_header {
        r#"{"date": "Date", "name": "Text", "amount": {"signed": "Amount"}, "balance": "Balance"}"#
    } else {
        r#"{"date": 0, "name": 1, "amount": {"signed": 2}, "balance": 3}"#
    };
    let mapping = format!(r#"{{"delimiter": ";", "has_header": {has_header}, "columns": {columns}}}"#);
    serde_json::from_str(&mapping).expect("a mapping")
}
