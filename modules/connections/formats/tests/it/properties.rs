use std::io::Read;

use chrono::NaiveDate;
use connections_formats::{Encoding, Format, Mapping, Plan, Securities, read, securities};
use kernel::Money;
use proptest::prelude::*;

use crate::damage::{almost_a_file, change, changed};
use crate::support::{Collected, currency, file, investments, ofx, survey};

/// A mapping whose columns are in their usual order.
fn mapping(has_header: bool) -> Mapping {
    let columns = if has_header {
        r#"{"date": "Date", "name": "Text", "amount": {"signed": "Amount"}, "balance": "Balance"}"#
    } else {
        r#"{"date": 0, "name": 1, "amount": {"signed": 2}, "balance": 3}"#
    };
    serde_json::from_str(&format!(
        r#"{{"delimiter": ";", "has_header": {has_header}, "columns": {columns}}}"#
    ))
    .unwrap()
}

fn read_as(format: Format, encoding: &str, bytes: &[u8]) {
    for has_header in [true, false] {
        let plan = Plan {
            format,
            encoding: Encoding::named(encoding).unwrap(),
            mapping: Some(mapping(has_header)),
            default_currency: Some(currency("EUR")),
            securities: Securities::default(),
        };
        let _ = read(bytes, &plan, &mut Collected::default());
    }
}

/// What stands in files.
const PIECES: &[&str] = &[
    "<OFX>",
    "</OFX>",
    "<STMTRS>",
    "</STMTRS>",
    "<STMTTRN>",
    "</STMTTRN>",
    "<TRNAMT>",
    "-12.34",
    "<DTPOSTED>",
    "20250102",
    "<CURDEF>",
    "EUR",
    "<NAME>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<",
    ">",
    "</",
    "/>",
    "&",
    "&#x41;",
    "&#",
    ";",
    "\"",
    "\"\"",
    ",",
    "\n",
    "\r",
    "Date",
    "Text",
    "Amount",
    "Balance",
    "(",
    ")",
    "[-5:EST]",
    "é",
    "\u{feff}",
    " as of ",
    "<LEDGERBAL>",
    "<BALAMT>",
    "<INVTRANLIST>",
    "<BUYMF>",
    "<INVTRAN>",
    "<CURRENCY>",
    "<CURSYM>",
    "02/03/2025",
    "<STATUS>",
    "<SEVERITY>ERROR",
    "?",
    "<?",
    "1.234,56",
    "\u{2212}",
    "<INVSTMTRS>",
    "</INVTRANLIST>",
    "<TRANSFER>",
    "<DTTRADE>",
    "<UNITS>",
    "-0.000000000000000000000000000000000001",
    "99999999999999999999999999999999999999",
    "-92233720368547758.08",
    "<TOTAL>",
    "<INVPOS>",
    "<INVBAL>",
    "<SECINFO>",
    "<UNIQUEID>",
    "<LOANTRNAMT>",
    "<PRINAMT>",
];

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec())
}

/// One transaction of each kind that an investment statement has.
const TRADES: &str = "<BUYSTOCK><INVBUY><INVTRAN><FITID>1<DTTRADE>20250303<DTSETTLE>20250305</INVTRAN><SECID>\
    <UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP</SECID><UNITS>2<UNITPRICE>10<FEES>1<TOTAL>-21</INVBUY></BUYSTOCK>\
    <REINVEST><INVTRAN><FITID>2<DTTRADE>20250304</INVTRAN><INCOMETYPE>DIV<TOTAL>-5<UNITS>0.5</REINVEST>\
    <SPLIT><INVTRAN><FITID>3<DTTRADE>20250305</INVTRAN><OLDUNITS>2<NEWUNITS>4<NUMERATOR>2<DENOMINATOR>1</SPLIT>\
    <JRNLFUND><INVTRAN><FITID>4<DTTRADE>20250306</INVTRAN><SUBACCTTO>CASH<SUBACCTFROM>OTHER<TOTAL>9</JRNLFUND>\
    <INVBANKTRAN><STMTTRN><TRNTYPE>DEP<DTPOSTED>20250307<TRNAMT>7<FITID>5</STMTTRN></INVBANKTRAN>";

/// Gives its bytes in pieces of these sizes, over and over.
struct Trickle<'a> {
    bytes: &'a [u8],
    sizes: &'a [usize],
    turn: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let (piece, rest) = self.bytes.split_at(size.min(self.bytes.len()).min(buffer.len()));
        buffer[..piece.len()].copy_from_slice(piece);
        self.bytes = rest;
        Ok(piece.len())
    }
}

/// A day, an amount in cents, a name and an id.
fn rows() -> impl Strategy<Value = Vec<(NaiveDate, i64, String, String)>> {
    let day = (0i32..60_000)
        .prop_map(|days| NaiveDate::from_ymd_opt(1950, 1, 1).unwrap() + chrono::Days::new(days as u64));
    let name = "[A-Za-z0-9äéß€&;'./-]([A-Za-z0-9äéß€ &;,'\"./<-]{0,30}[A-Za-z0-9äéß€.-])?";
    prop::collection::vec((day, any::<i64>(), name, "[A-Z0-9]{1,20}"), 0..30)
}

fn amount(cents: i64) -> String {
    Money::from_minor(cents, currency("EUR")).amount()
}

type Booked = Vec<(NaiveDate, i64, Option<String>, Option<String>)>;

fn booked(collected: &Collected) -> Booked {
    let all = |row: &connections_formats::Row| {
        (row.posted_on, row.amount.minor(), row.name.clone(), row.external_id.clone())
    };
    collected.rows().map(all).collect()
}

fn expected(rows: &[(NaiveDate, i64, String, String)]) -> Booked {
    rows.iter().map(|(day, cents, name, id)| (*day, *cents, Some(name.clone()), Some(id.clone()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in almost_a_file(PIECES, 60)) {
        for encoding in ["utf-8", "windows-1252", "utf-16le", "shift_jis"] {
            read_as(Format::Ofx1, encoding, &bytes);
            read_as(Format::Csv, encoding, &bytes);
        }
        let _ = file(&bytes).currency("EUR").read();
    }

    #[test]
    fn no_bytes_make_the_survey_depend_on_chunks(bytes in almost_a_file(PIECES, 60), chunk in 1usize..20) {
        prop_assert_eq!(survey(&bytes, chunk), survey(&bytes, 1 << 20));
    }

    #[test]
    fn no_mutation_of_a_good_file_makes_the_reader_panic(
        changes in prop::collection::vec(change(piece(), 30), 1..12),
    ) {
        let _ = file(&changed(investments(TRADES), changes)).currency("EUR").read();
    }

    #[test]
    fn a_file_is_the_same_however_its_bytes_arrive(sizes in prop::collection::vec(1usize..400, 1..40)) {
        let bytes = investments(TRADES).into_bytes();
        let given = file(&bytes);
        let whole = given.read().unwrap();
        let mut collected = Collected::default();
        collected.summary = read(Trickle { bytes: &bytes, sizes: &sizes, turn: 0 }, &given.plan().unwrap(), &mut collected)
            .unwrap();
        prop_assert_eq!(&collected.statements, &whole.statements);
        prop_assert_eq!(collected.summary, whole.summary);
        let listed = securities(Trickle { bytes: &bytes, sizes: &sizes, turn: 0 }, &given.detect().unwrap().encoding);
        prop_assert_eq!(listed.unwrap(), given.plan().unwrap().securities);
        prop_assert!(survey(&bytes, sizes[0]).0.lists_securities);
    }

    #[test]
    fn rows_of_an_ofx_file_are_read_back_exactly(rows in rows(), is_xml: bool) {
        let element = |(day, cents, name, id): &(NaiveDate, i64, String, String)| {
            let end = |tag: &str| if is_xml { format!("</{tag}>") } else { "\n".to_owned() };
            let name = name.replace('&', "&amp;").replace('<', "&lt;");
            format!(
                "<STMTTRN><TRNTYPE>OTHER{}<DTPOSTED>{}{}<TRNAMT>{}{}<FITID>{id}{}<NAME>{name}{}</STMTTRN>",
                end("TRNTYPE"), day.format("%Y%m%d"), end("DTPOSTED"), amount(*cents), end("TRNAMT"), end("FITID"),
                end("NAME"),
            )
        };
        let text = ofx(&rows.iter().map(element).collect::<String>());
        prop_assert_eq!(booked(&file(&text).read().unwrap()), expected(&rows));
    }

    #[test]
    fn rows_of_a_table_are_read_back_exactly(rows in rows(), has_comma: bool, day_first: bool) {
        let line = |(day, cents, name, id): &(NaiveDate, i64, String, String)| {
            let amount = if has_comma { amount(*cents).replace('.', ",") } else { amount(*cents) };
            let day = day.format(if day_first { "%d.%m.%Y" } else { "%Y-%m-%d" });
            format!("{day};\"{}\";{amount};{id}\n", name.replace('"', "\"\""))
        };
        let text = format!("Date;Text;Amount;Reference number\n{}", rows.iter().map(line).collect::<String>());
        let mapping = r#"{"delimiter": ";", "columns":
            {"date": "Date", "name": "Text", "amount": {"signed": "Amount"}, "external_id": "Reference number"}}"#;
        let mapping = serde_json::from_str(mapping).unwrap();
        prop_assert_eq!(booked(&file(&text).currency("EUR").mapping(mapping).read().unwrap()), expected(&rows));
    }

    #[test]
    fn amounts_survive_every_way_to_write_them(cents: i64, style in 0usize..6) {
        let plain = amount(cents);
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
        let (whole, decimals) = digits.split_once('.').unwrap();
        let grouped: String = whole.chars().rev().enumerate().fold(String::new(), |mut out, (index, digit)| {
            if index > 0 && index % 3 == 0 { out.insert(0, '_') }
            out.insert(0, digit);
            out
        });
        let written = match style {
            0 => plain.clone(),
            1 => format!("{sign}{},{decimals}", grouped.replace('_', ".")),
            2 => format!("{sign}{}.{decimals}", grouped.replace('_', ",")),
            3 if sign == "-" => format!("({}.{decimals})", grouped.replace('_', "")),
            4 => format!("{}.{decimals}{sign}", grouped.replace('_', " ")),
            _ => format!("€{}{},{decimals}", sign.replace('-', "\u{2212}"), grouped.replace('_', "\u{a0}")),
        };
        let text = format!("Date;Text;Amount\n2025-01-02;a;{written}\n");
        let collected = file(&text).currency("EUR").read().unwrap();
        let minors: Vec<_> = collected.rows().map(|row| row.amount.minor()).collect();
        prop_assert_eq!(minors, vec![cents], "{} {:?}", written, collected.rejections());
    }

    #[test]
    fn every_truncation_of_a_table_gives_its_rows_or_an_error(cut in 0usize..120) {
        let text = "Date;Text;Amount\n2025-01-02;\"Smith; Jo\";-1.50\n2025-01-03;Bakery;-2.25\n2025-01-04;Pay;100.00\n";
        let end = cut.min(text.len());
        match file(&text[..end]).currency("EUR").read() {
            Ok(collected) => prop_assert!(collected.summary.rows + collected.summary.rejected <= 3),
            Err(error) => prop_assert!(
                ["empty_file", "unknown_format", "no_date_column", "no_amount_column"].contains(&error.code()),
                "{} {}", end, error
            ),
        }
    }
}
