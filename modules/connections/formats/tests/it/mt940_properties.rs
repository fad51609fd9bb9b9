use std::ops::Range;

use chrono::NaiveDate;
use connections_formats::{Encoding, Format, Plan, Row, Securities};
use kernel::Money;
use proptest::prelude::*;

use crate::damage::{almost_a_file, assert_same_in_pieces, change, changed, read_whatever_it_is};
use crate::support::{currency, file};

fn plan() -> Plan {
    Plan {
        format: Format::Mt940,
        encoding: Encoding::named("utf-8").unwrap(),
        mapping: None,
        default_currency: Some(currency("EUR")),
        securities: Securities::default(),
    }
}

/// A row as it is written: value date, days to the entry date, cents, reversal, reference, bank reference, name and text.
#[derive(Clone, Debug)]
struct Written {
    value: NaiveDate,
    entry: Option<i64>,
    cents: i64,
    is_reversal: bool,
    reference: String,
    bank_reference: String,
    name: String,
    text: String,
}

impl Written {
    fn posted(&self) -> NaiveDate {
        self.value + chrono::Duration::days(self.entry.unwrap_or(0))
    }

    fn lines(&self) -> String {
        let entry = self.entry.map(|_| self.posted().format("%m%d").to_string()).unwrap_or_default();
        let mark = match (self.cents < 0, self.is_reversal) {
            (true, false) => "D",
            (true, true) => "RC",
            (false, false) => "CR",
            (false, true) => "RD",
        };
        let amount = cents(self.cents).trim_start_matches('-').replace('.', ",");
        let Self { value, reference, bank_reference, name, text, .. } = self;
        let value = value.format("%y%m%d");
        format!(
            ":61:{value}{entry}{mark}{amount}NTRF{reference}//{bank_reference}\n{}",
            wrapped(&format!(":86:166?00TEXT?20SVWZ+{text}?32{name}"))
        )
    }
}

/// At 65 characters behind the tag, as banks cut.
fn wrapped(field: &str) -> String {
    let characters: Vec<char> = field.chars().collect();
    let (first, rest) = characters.split_at(characters.len().min(69));
    let mut lines = vec![first.iter().collect::<String>()];
    lines.extend(rest.chunks(65).map(|line| line.iter().collect::<String>()));
    lines.join("\n")
}

fn cents(cents: i64) -> String {
    Money::from_minor(cents, currency("EUR")).amount()
}

fn rows(count: Range<usize>) -> impl Strategy<Value = Vec<Written>> {
    let day = (0i64..20_000)
        .prop_map(|days| NaiveDate::from_ymd_opt(1981, 1, 1).unwrap() + chrono::Duration::days(days));
    let entry = prop::option::of(-150i64..150);
    let word = "[A-Za-zäß0-9][A-Za-zäß0-9.,]{0,20}";
    let all = (
        day,
        entry,
        -1_000_000_000i64..1_000_000_000,
        any::<bool>(),
        "[A-Z0-9]{1,9}",
        "[A-Z0-9]{1,16}",
        word,
        word,
    );
    let row = all.prop_map(|(value, entry, cents, is_reversal, reference, bank_reference, name, text)| {
        Written { value, entry, cents, is_reversal, reference, bank_reference, name, text }
    });
    prop::collection::vec(row, count)
}

fn statement(rows: &[Written]) -> String {
    let entries: String = rows.iter().map(|row| row.lines() + "\n").collect();
    let sum = rows.iter().map(|row| row.cents).sum::<i64>();
    let mark = if sum < 0 { "D" } else { "C" };
    let closing = cents(sum).trim_start_matches('-').replace('.', ",");
    format!(":20:X\n:25:1/2\n:28C:1\n:60F:C240101EUR0,00\n{entries}:62F:{mark}240101EUR{closing}\n-\n")
}

type Told =
    (NaiveDate, Option<NaiveDate>, i64, Option<String>, Option<String>, Option<String>, Option<String>);

fn told(row: &Row) -> Told {
    let (name, memo) = (row.name.clone(), row.memo.clone());
    (
        row.posted_on,
        row.value_on,
        row.amount.minor(),
        row.reference.clone(),
        row.external_id.clone(),
        name,
        memo,
    )
}

fn written(row: &Written) -> Told {
    let memo = format!("{}\nTEXT\n166", row.text);
    let some = |text: &String| Some(text.clone());
    let (reference, id) = (some(&row.reference), some(&row.bank_reference));
    (row.posted(), Some(row.value), row.cents, reference, id, some(&row.name), Some(memo))
}

/// What stands in files.
const PIECES: &[&str] = &[
    ":20:",
    ":25:",
    ":25P:",
    ":28C:",
    ":60F:",
    ":60M:",
    ":61:",
    ":86:",
    ":62F:",
    ":62M:",
    ":64:",
    ":34F:",
    ":90D:",
    "{1:F01X}",
    "{4:",
    "-}",
    "-",
    "\n",
    "\r\n",
    "240102",
    "0102",
    "0230",
    "C",
    "D",
    "RC",
    "ED",
    "EUR",
    "12,5",
    ",",
    "NTRF",
    "NONREF",
    "//",
    "166",
    "?00",
    "?20",
    "?2",
    "?",
    "EREF+",
    "SVWZ+",
    "/REMI/",
    "/NAME/",
    "/",
    "//",
    " ",
    "$",
    "é",
    "\u{feff}",
    "\u{1}",
    "C240101EUR1,00",
    "2401020102D1,00NTRFX//Y",
    "1234/5",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_a_statement_are_read_back_exactly(rows in rows(0..30)) {
        let collected = file(&statement(&rows)).read().unwrap();
        let read: Vec<_> = collected.rows().map(told).collect();
        prop_assert_eq!(read, rows.iter().map(written).collect::<Vec<_>>());
        let balances: Vec<_> = collected.statements[0].balances.iter().map(|b| b.amount.minor()).collect();
        prop_assert_eq!(balances, vec![0, rows.iter().map(|row| row.cents).sum::<i64>()]);
    }

    #[test]
    fn nothing_depends_on_how_a_file_is_cut_into_pieces(rows in rows(0..8), size in 1usize..64) {
        assert_same_in_pieces(statement(&rows).as_bytes(), &plan(), size);
    }

    #[test]
    fn a_file_in_which_something_is_changed_never_panics(
        rows in rows(1..5), change in change(almost_a_file(PIECES, 60), 9),
    ) {
        read_whatever_it_is(&changed(statement(&rows), [change]), &plan());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in almost_a_file(PIECES, 60)) {
        read_whatever_it_is(&bytes, &plan());
    }
}
