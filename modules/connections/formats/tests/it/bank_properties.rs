//! Whatever a bank writes in a layout that we know comes out as it went in, and no damage to a file does harm.

use std::collections::HashMap;

use chrono::NaiveDate;
use connections_formats::csv::{self, AmountColumns, Column, DateOrder, Profile};
use connections_formats::{DecimalMark, Row, RowStatus};
use kernel::Money;
use proptest::prelude::*;

use crate::bank_tables::{recognised, sample};
use crate::damage::{change, changed};
use crate::support::{currency, file};

#[derive(Clone, Debug)]
struct Booking {
    day: NaiveDate,
    cents: i64,
    name: String,
    id: String,
    is_pending: bool,
}

fn bookings() -> impl Strategy<Value = Vec<Booking>> {
    let day = (0i32..60_000)
        .prop_map(|days| NaiveDate::from_ymd_opt(1950, 1, 1).unwrap() + chrono::Days::new(days as u64));
    let name = "[A-Za-z0-9äéß€&;'./-]([A-Za-z0-9äéß€ &;,'\"./<-]{0,30}[A-Za-z0-9äéß€.-])?";
    let booking = (day, -1_000_000_000_000i64..1_000_000_000_000, name, "[A-Z0-9]{1,20}", any::<bool>());
    let booking =
        booking.prop_map(|(day, cents, name, id, is_pending)| Booking { day, cents, name, id, is_pending });
    prop::collection::vec(booking, 1..20)
}

/// A layout's table in the making: cells by column.
struct Table {
    profile: &'static Profile,
    header: Vec<String>,
    lines: Vec<HashMap<usize, String>>,
}

impl Table {
    fn new(profile: &'static Profile) -> Self {
        Self { profile, header: profile.header.clone(), lines: vec![] }
    }

    fn place(&mut self, column: &Column) -> usize {
        let name = match column {
            Column::Index(index) => return *index,
            Column::Name(name) => name,
        };
        self.header.iter().position(|known| known == name).unwrap_or_else(|| {
            self.header.push(name.clone());
            self.header.len() - 1
        })
    }

    fn put(&mut self, column: Option<&Column>, text: impl Into<String>) {
        if let Some(column) = column {
            let at = self.place(column);
            self.lines.last_mut().unwrap().insert(at, text.into());
        }
    }

    fn booking(&mut self, booking: &Booking) {
        let (mapping, columns) = (&self.profile.mapping, &self.profile.mapping.columns);
        self.lines.push(HashMap::new());
        let form = match (mapping.date_order, mapping.delimiter) {
            (Some(DateOrder::DayFirst), ';') => "%d.%m.%Y",
            (Some(DateOrder::DayFirst), _) => "%d/%m/%Y",
            (Some(DateOrder::MonthFirst), _) => "%m/%d/%Y",
            _ => "%Y-%m-%d",
        };
        self.put(Some(&columns.date), booking.day.format(form).to_string());
        self.amount(booking.cents);
        let other_side = if booking.cents < 0 { &columns.payee } else { &columns.payer };
        // Our own table guards what a spreadsheet could run.
        let bare = booking.name.trim_start_matches('\'').trim_start();
        let guard =
            if self.profile.id == "tributary" && bare.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
        self.put(other_side.as_ref().or(columns.name.as_ref()), format!("{guard}{}", booking.name));
        self.put(columns.external_id.as_ref(), &booking.id);
        self.put(columns.currency.as_ref(), "EUR");
        self.put(columns.account.as_ref(), "ACC-12345");
        for status in &mapping.statuses {
            let words = if booking.is_pending { &status.pending } else { &status.booked };
            if let Some(word) = words.first() {
                self.put(Some(&status.column), word);
            }
        }
    }

    fn amount(&mut self, cents: i64) {
        let (mapping, columns) = (&self.profile.mapping, &self.profile.mapping.columns);
        let written = |cents: i64| {
            let text = Money::from_minor(cents, currency("EUR")).amount();
            if mapping.decimal_mark == Some(DecimalMark::Comma) { text.replace('.', ",") } else { text }
        };
        let fee = if columns.fee.is_some() { 123 } else { 0 };
        self.put(columns.fee.as_ref(), written(fee));
        let cents = if mapping.invert_sign { -cents } else { cents + fee };
        match &columns.amount {
            AmountColumns::Signed(column) => self.put(Some(column), written(cents)),
            AmountColumns::DebitCredit { debit, debit_is_negative, .. } if cents < 0 => {
                let cents = if *debit_is_negative { cents } else { -cents };
                self.put(Some(debit), written(cents));
            }
            AmountColumns::DebitCredit { credit, .. } => self.put(Some(credit), written(cents)),
            AmountColumns::Directed { amount, direction } => {
                self.put(Some(amount), written(cents.abs()));
                self.put(Some(direction), if cents < 0 { "Debit" } else { "Credit" });
            }
        }
    }

    fn text(&self) -> String {
        let mapping = &self.profile.mapping;
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let line = |cells: Vec<String>| cells.join(&mapping.delimiter.to_string()) + "\r\n";
        let width = self.header.len().max(self.profile.cells.len());
        let fixed = |at: usize| self.profile.cells.get(at).cloned().flatten().unwrap_or_default();
        let cell = |cells: &HashMap<usize, String>, at: usize| {
            quoted(cells.get(&at).map_or(fixed(at).as_str(), String::as_str))
        };
        let header = line(self.header.iter().map(|name| quoted(name)).collect());
        let header = if mapping.has_header { header } else { String::new() };
        let lines = self.lines.iter().map(|cells| line((0..width).map(|at| cell(cells, at)).collect()));
        header + &lines.collect::<String>()
    }

    /// Whether a booking that waits can be told from others.
    fn knows_pending(&self) -> bool {
        self.profile.mapping.statuses.iter().any(|status| !status.pending.is_empty())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_every_known_layout_are_read_back_exactly(bookings in bookings()) {
        for profile in csv::profiles() {
            let mut table = Table::new(profile);
            bookings.iter().for_each(|booking| table.booking(booking));
            let text = table.text();
            let (found, _) = recognised(text.as_bytes()).unwrap();
            prop_assert_eq!(&found.id, &profile.id);
            let collected = file(&text).currency("EUR").read().unwrap();
            prop_assert_eq!(collected.rejections(), Vec::<String>::new(), "{}", text);
            let has_id = profile.mapping.columns.external_id.is_some();
            let read: Vec<_> = collected.rows().map(|row: &Row| {
                let Row { posted_on, amount, name, external_id, status, .. } = row.clone();
                (posted_on, amount.minor(), name, external_id, status)
            }).collect();
            let expected: Vec<_> = bookings.iter().map(|booking| {
                let is_pending = booking.is_pending && table.knows_pending();
                let status = if is_pending { RowStatus::Pending } else { RowStatus::Booked };
                let id = has_id.then(|| booking.id.clone());
                (booking.day, booking.cents, Some(booking.name.clone()), id, status)
            }).collect();
            prop_assert_eq!(read, expected, "{}", text);
        }
    }

    #[test]
    fn no_damage_to_a_bank_s_table_makes_the_reader_panic_or_lose_a_row(
        at in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(damage(), 40), 1..8),
        keep in any::<prop::sample::Index>(),
    ) {
        let profile = at.get(csv::profiles());
        let mut bytes = changed(sample(&profile.id, "utf-8"), changes);
        // `read` counts every row.
        let _ = file(&bytes).currency("EUR").read();
        bytes.truncate(keep.index(bytes.len()));
        let _ = file(&bytes).currency("EUR").read();
    }
}

fn damage() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "\"",
        "\"\"",
        ",",
        ";",
        "\t",
        "\n",
        "\r",
        "-",
        "(",
        ")",
        "'",
        "€",
        "1.234,56",
        "99999999999999999999",
        "Pending",
        "REVERTED",
        " as of ",
        "31.02.2026",
        "EUR",
        "XXQ",
        "\u{feff}",
        "\u{2212}",
    ]);
    let bytes = prop::collection::vec(any::<u8>(), 0..6);
    prop_oneof![3 => pieces.prop_map(|piece| piece.as_bytes().to_vec()), 1 => bytes]
}
