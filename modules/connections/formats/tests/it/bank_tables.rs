//! The layouts of banks' tables that we know, each with a sample. The sums were added up by other means.

use std::collections::HashSet;
use std::path::Path;

use connections_formats::csv::{self, Profile};
use connections_formats::{Detection, Mapping, Row, RowStatus};

use crate::support::{Collected, Given, Statement, file, survey};

/// What a sample holds.
struct Bank {
    profile: &'static str,
    /// What its bank writes, where it is not UTF-8; the sample is kept in UTF-8.
    charset: &'static str,
    /// For each statement: account, rows, their sum, closing balance (empty if none).
    statements: &'static [(&'static str, usize, &'static str, &'static str)],
    /// The first and the last row: date, day of the transaction, day of value, name.
    first: (&'static str, &'static str, &'static str, &'static str),
    last: (&'static str, &'static str, &'static str, &'static str),
    /// What the bank has not booked yet; nothing else in this table speaks of it.
    pending: &'static [&'static str],
    rejected: &'static [&'static str],
}

const UTF8: &str = "utf-8";
const WINDOWS: &str = "windows-1252";

#[rustfmt::skip] // A table, not code.
const BANKS: &[Bank] = &[
    Bank { profile: "amex-us", charset: UTF8, statements: &[("", 6, "-1034.84 USD", "")],
        first: ("2026-07-31", "", "", "CORNER BOOKS        SPRINGFIELD         OH"),
        last: ("2026-07-03", "", "", "MEMBERSHIP FEE"), pending: &[], rejected: &[] },
    Bank { profile: "amex-international", charset: UTF8, statements: &[("", 5, "117.45 CHF", "")],
        first: ("2025-11-02", "", "", "TEA & SONS LONDON"),
        last: ("2025-11-09", "", "", "RAILWAY TICKETS"), pending: &[], rejected: &[] },
    Bank { profile: "amex-german", charset: UTF8, statements: &[("", 4, "-980.25 EUR", "")],
        first: ("2026-03-02", "", "", "BÄCKEREI SONNENKORN NEUDORF"),
        last: ("2026-03-12", "", "", "SPOTLIGHT THEATER"), pending: &[], rejected: &[] },
    Bank { profile: "amex-short", charset: UTF8, statements: &[("", 5, "-1035.49 CHF", "")],
        first: ("2026-01-13", "", "", "CORNER BOOKS"),
        last: ("2026-02-01", "", "", "STREAMING CO"), pending: &[], rejected: &[] },
    Bank { profile: "bank-of-america", charset: UTF8, statements: &[("", 7, "1252.79 USD", "2456.89 2026-03-31")],
        first: ("2026-03-02", "", "", "RENT PAYMENT, ONLINE"),
        last: ("2026-03-31", "", "", "Monthly Maintenance Fee"), pending: &[], rejected: &["8 not_a_transaction"] },
    Bank { profile: "bank-of-america-card", charset: UTF8, statements: &[("", 7, "-664.30 USD", "")],
        first: ("2026-03-14", "", "", "FARM MARKET #539 800-555-0101 VA"),
        last: ("2026-03-02", "", "", "HARDWARE \"DEPOT\""), pending: &[], rejected: &[] },
    Bank { profile: "capital-one-card", charset: UTF8, statements: &[("", 8, "-698.72 CHF", "")],
        first: ("2026-07-31", "2026-07-30", "", "FARM MARKET 10234"),
        last: ("2026-07-03", "2026-07-02", "", "TOLL"), pending: &[], rejected: &[] },
    Bank { profile: "capital-one-360", charset: UTF8, statements: &[("", 5, "736.95 USD", "936.95 2026-01-31")],
        first: ("2026-01-31", "", "", "Monthly Interest Paid"),
        last: ("2026-01-05", "", "", "Check Paid #204"), pending: &[], rejected: &[] },
    Bank { profile: "chase-card", charset: UTF8, statements: &[("", 9, "-931.03 USD", "")],
        first: ("2026-05-01", "2026-04-30", "", "CORNER BOOKS & TEA"),
        last: ("2026-04-03", "2026-04-03", "", "PURCHASE INTEREST CHARGE"), pending: &[], rejected: &[] },
    Bank { profile: "chase-checking", charset: UTF8, statements: &[("", 8, "320.28 USD", "2316.08 2026-05-08")],
        first: ("2026-05-08", "", "", "ZELLE PAYMENT TO SAM 24000000001"),
        last: ("2026-04-28", "", "", "RENT APRIL"), pending: &[], rejected: &[] },
    Bank { profile: "commerzbank", charset: UTF8,
        statements: &[("DE00999000000087654321", 6, "1238.41 EUR", "")],
        first: ("2026-03-02", "", "2026-03-02", "Hausverwaltung Lindenhof Miete März"),
        last: ("2026-03-31", "", "2026-03-31", "Acme Werke GmbH Gehalt 03/2026 End-to-End-Ref.: NOTPROVIDED"),
        pending: &[], rejected: &[] },
    Bank { profile: "commerzbank-old", charset: UTF8,
        statements: &[("DE00999000000087654321", 4, "1038.50 EUR", "")],
        first: ("2021-02-01", "", "2021-02-01", "Hausverwaltung Lindenhof Miete Februar"),
        last: ("2021-02-26", "", "2021-02-26", "Acme Werke GmbH Gehalt 02/2021"), pending: &[], rejected: &[] },
    Bank { profile: "dkb", charset: UTF8, statements: &[("DE00999000000087654321", 5, "1060.67 EUR", "")],
        first: ("2026-03-30", "", "2026-03-30", "Acme Werke GmbH"),
        last: ("2026-03-02", "", "2026-03-02", "Max Muster"), pending: &["2026-03-31 -23.47"], rejected: &[] },
    Bank { profile: "dkb-card", charset: UTF8, statements: &[("", 3, "-960.81 EUR", "")],
        first: ("2026-03-23", "2026-03-20", "", "FERRY LINE ÖRESUND"),
        last: ("2026-03-06", "2026-03-05", "", "NORDLUFT FLUGREISEN"), pending: &["2026-03-30 -12.00"], rejected: &[] },
    Bank { profile: "dkb-2022", charset: WINDOWS, statements: &[("DE00999000000087654321", 4, "1038.50 EUR", "")],
        first: ("2021-02-26", "", "2021-02-26", "Acme Werke GmbH"),
        last: ("2021-02-01", "", "2021-02-01", "Hausverwaltung Lindenhof"), pending: &[], rejected: &[] },
    Bank { profile: "fidelity", charset: UTF8,
        statements: &[("Z00000001", 4, "1062.50 USD", ""), ("Z00000002", 2, "1489.63 USD", "")],
        first: ("2026-04-30", "", "", "DIVIDEND RECEIVED ABCD HOLDINGS INC COM (ABCD) (Cash)"),
        last: ("2026-04-10", "", "", "FOREIGN TAX PAID EFGH CORP COM (EFGH) (Cash)"),
        pending: &[], rejected: &["11 not_a_transaction", "12 missing_columns", "14 missing_columns"] },
    Bank { profile: "ing-de", charset: WINDOWS, statements: &[("DE00 9990 0000 0087 6543 21", 6, "1156.37 EUR", "")],
        first: ("2026-03-31", "", "2026-03-31", "Acme Werke GmbH"),
        last: ("2026-03-02", "", "2026-03-02", "Ingo Müller"), pending: &[], rejected: &[] },
    Bank { profile: "ing-de-old", charset: WINDOWS,
        statements: &[("DE00 9990 0000 0087 6543 21", 4, "1052.50 EUR", "1731.20 2021-03-31")],
        first: ("2021-03-31", "", "2021-03-31", "Acme Werke GmbH"),
        last: ("2021-03-01", "", "2021-03-01", "Hausverwaltung Lindenhof"), pending: &[], rejected: &[] },
    Bank { profile: "ing-nl", charset: UTF8,
        statements: &[("NL00INGB0000000001", 6, "1683.65 EUR", "3285.65 2026-03-31")],
        first: ("2026-03-31", "", "", "Werkgever Voorbeeld BV"),
        last: ("2026-03-01", "", "", "Kosten pakket"), pending: &[], rejected: &[] },
    Bank { profile: "ing-nl-english", charset: UTF8, statements: &[("NL00INGB0000000001", 4, "1673.15 EUR", "")],
        first: ("2026-03-31", "", "", "Werkgever Voorbeeld BV"),
        last: ("2026-03-02", "", "", "Woningstichting"), pending: &[], rejected: &[] },
    Bank { profile: "monzo", charset: UTF8, statements: &[("", 7, "816.96 GBP", "866.96 2025-10-13")],
        first: ("2025-10-01", "", "", "Acme Works"),
        last: ("2025-10-13", "", "", "Tea & Sons"), pending: &[], rejected: &[] },
    Bank { profile: "n26", charset: UTF8, statements: &[("", 10, "1494.26 EUR", "")],
        first: ("2026-03-02", "", "2026-03-01", "Bäckerei Sonnenkorn"),
        last: ("2026-03-27", "", "2026-03-27", "Acme Werke GmbH"), pending: &[], rejected: &[] },
    Bank { profile: "n26-2017", charset: UTF8, statements: &[("", 8, "206.44 EUR", "")],
        first: ("2019-08-01", "", "", "Acme Werke GmbH"),
        last: ("2019-08-20", "", "", "Radladen Speiche"), pending: &[], rejected: &[] },
    Bank { profile: "n26-2017-german", charset: UTF8, statements: &[("", 6, "482.90 EUR", "")],
        first: ("2019-09-02", "", "", "Hausverwaltung Lindenhof"),
        last: ("2019-09-27", "", "", "Acme Werke GmbH"), pending: &[], rejected: &[] },
    Bank { profile: "nubank-conta", charset: UTF8, statements: &[("", 6, "758.17 BRL", "")],
        first: ("2026-03-01", "", "",
            "Transferência recebida pelo Pix - EMPRESA EXEMPLO LTDA - 00.000.000/0001-00"),
        last: ("2026-03-20", "", "", "Transferência recebida pelo Pix - MARIA, A."), pending: &[], rejected: &[] },
    Bank { profile: "nubank-card", charset: UTF8, statements: &[("", 6, "-295.19 BRL", "")],
        first: ("2026-03-02", "", "", "Mercado Exemplo"),
        last: ("2026-03-20", "", "", "Estorno de Mercado Exemplo"), pending: &[], rejected: &[] },
    Bank { profile: "paypal-activity", charset: UTF8,
        statements: &[("", 5, "0.00 EUR", "0.00 2026-05-31"), ("", 2, "0.00 USD", "0.00 2026-05-18")],
        first: ("2026-05-14", "", "", "Jane Client"),
        last: ("2026-05-18", "", "", ""),
        pending: &["2026-05-20 48.20"], rejected: &["3 not_booked", "4 not_booked", "5 not_booked", "12 not_booked"] },
    Bank { profile: "paypal-statement", charset: UTF8, statements: &[("", 4, "163.90 USD", "163.90 2026-06-09")],
        first: ("2026-05-13", "", "", "Streaming Co"),
        last: ("2026-06-09", "", "", ""), pending: &[], rejected: &["5 not_booked", "6 not_booked"] },
    Bank { profile: "paypal-activity-german", charset: UTF8,
        statements: &[("", 3, "0.00 EUR", "0.00 2026-05-28")],
        first: ("2026-05-03", "", "", "Jana Kundin"),
        last: ("2026-05-28", "", "", ""), pending: &["2026-05-09 1031.60"],
        rejected: &["3 not_booked", "4 not_booked", "5 not_booked"] },
    Bank { profile: "paypal-statement-german", charset: UTF8,
        statements: &[("", 4, "1208.95 EUR", "1208.95 2026-06-27")],
        first: ("2026-06-07", "", "", "Lernplattform, Ltd"),
        last: ("2026-06-27", "", "", "Laden Ährenfeld"), pending: &[],
        rejected: &["5 not_booked", "6 not_booked"] },
    Bank { profile: "rabobank-card", charset: UTF8, statements: &[("", 4, "-961.81 EUR", "")],
        first: ("2026-03-01", "", "", "CLOUD VOORBEELD CC"),
        last: ("2026-03-20", "", "", "NOORDLUCHT VLIEGREIZEN"), pending: &[], rejected: &[] },
    Bank { profile: "rabobank", charset: UTF8,
        statements: &[("NL00RABO0000000002", 4, "1717.72 EUR", "3317.72 2026-03-27"),
            ("NL00RABO0000000008", 1, "100.00 EUR", "1100.00 2026-03-28")],
        first: ("2026-03-01", "", "2026-03-01", "Woningstichting"),
        last: ("2026-03-28", "", "2026-03-28", "Jo de Tester"), pending: &[], rejected: &[] },
    Bank { profile: "revolut", charset: UTF8,
        statements: &[("", 6, "187.01 EUR", "187.01 2026-01-15"), ("", 2, "71.55 GBP", "71.55 2026-01-10")],
        first: ("2026-01-02", "2026-01-02", "", "Payment from Jo Doe"),
        last: ("2026-01-10", "2026-01-09", "", "Fish, Chips & Co"),
        pending: &["2026-01-12 -2.40"], rejected: &["10 not_booked", "8 not_booked"] },
    Bank { profile: "revolut-german", charset: UTF8, statements: &[("", 4, "888.40 CHF", "888.40 2026-04-11")],
        first: ("2026-04-01", "2026-04-01", "", "Zahlung von Max Muster"),
        last: ("2026-04-11", "2026-04-10", "", "Bargeld am Markt"),
        pending: &["2026-04-12 -160.00"], rejected: &["7 not_booked"] },
    Bank { profile: "revolut-spanish", charset: UTF8, statements: &[("", 4, "404.20 EUR", "404.20 2026-03-08")],
        first: ("2026-03-01", "2026-03-01", "", "Recarga de *0001"),
        last: ("2026-03-08", "2026-03-08", "", "Conversión a SEK"), pending: &[], rejected: &["5 not_booked"] },
    Bank { profile: "schwab-bank", charset: UTF8, statements: &[("", 7, "1059.17 USD", "1036.64 2026-08-31")],
        first: ("2026-08-31", "", "", "Interest Paid"),
        last: ("2026-08-03", "", "", "VENDING* NEW YORK, NY, US"),
        pending: &[], rejected: &["2 unsupported_pending_row", "4 not_a_transaction"] },
    Bank { profile: "schwab-brokerage", charset: UTF8, statements: &[("", 7, "693.97 USD", "")],
        first: ("2025-12-30", "", "", "ABCD HOLDINGS INC"),
        last: ("2025-12-01", "2025-11-30", "", "Tfr NEIGHBOUR BANK, JO DOE"),
        pending: &[], rejected: &["7 missing_amount", "11 not_a_transaction"] },
    Bank { profile: "sparkasse", charset: WINDOWS,
        statements: &[("DE00999000000087654321", 6, "1013.17 EUR", "")],
        first: ("2026-03-30", "", "2026-03-30", "Acme Werke GmbH"),
        last: ("2026-03-02", "", "2026-03-02", "Hausverwaltung Lindenhof"),
        pending: &["2026-04-01 -23.47"], rejected: &[] },
    Bank { profile: "sparkasse-card", charset: WINDOWS, statements: &[("", 4, "-972.81 EUR", "")],
        first: ("2026-03-30", "2026-03-27", "", "SPOTLIGHT THEATER NEUDORF DE"),
        last: ("2026-03-06", "2026-03-05", "", "NORDLUFT FLUGREISEN DE"), pending: &[], rejected: &[] },
    Bank { profile: "starling", charset: UTF8, statements: &[("", 7, "364.12 GBP", "4364.12 2025-11-30")],
        first: ("2025-11-01", "", "", "Acme Works"),
        last: ("2025-11-30", "", "", "Starling Bank"), pending: &[], rejected: &[] },
    Bank { profile: "tributary", charset: UTF8, statements: &[
            ("0192f3a0-1234-7abc-8def-0123456789ab", 2, "238.50 EUR", ""),
            ("0192f3a0-1234-7abc-8def-0123456789ac", 1, "-1200 JPY", "")],
        first: ("2026-01-03", "2026-01-02", "2026-01-04", "Café, \"Roma\""),
        last: ("2026-01-05", "", "", "ATM"), pending: &["2026-01-06 -3.00"], rejected: &[] },
    Bank { profile: "ubs", charset: UTF8,
        statements: &[("0000 00000000.01", 5, "3776.05 CHF", "5010.61 2026-03-30")],
        first: ("2026-03-30", "2026-03-29", "2026-03-30", "Mustermarkt;8000 Zürich"),
        last: ("2026-03-01", "", "2026-03-01", "Balance closing of service prices"),
        pending: &["2026-03-31 -8.50"], rejected: &["14 missing_amount", "15 missing_amount"] },
    Bank { profile: "ubs-german", charset: UTF8,
        statements: &[("0000 00000000.01", 3, "5026.60 CHF", "5126.60 2026-03-30")],
        first: ("2026-03-30", "2026-03-29", "2026-03-30", "Mustermarkt Zürich"),
        last: ("2026-03-25", "", "2026-03-25", "Fictiva Arbeitgeber AG"), pending: &[], rejected: &[] },
    Bank { profile: "ubs-card", charset: WINDOWS, statements: &[("0000 0000 0001", 4, "-1070.52 CHF", "")],
        first: ("2026-03-30", "2026-03-27", "", "Café Exempla BERN CHE"),
        last: ("2026-03-03", "2026-03-02", "", "HOTEL EXEMPLA DAVOS CHE"),
        pending: &[], rejected: &["3 unsupported_pending_row"] },
    Bank { profile: "ubs-card-german", charset: WINDOWS, statements: &[("0000 0000 0001", 3, "180.48 CHF", "")],
        first: ("2026-06-03", "2026-06-02", "", "TWINT *Bäckerei Sonnenkorn"),
        last: ("2026-05-22", "2026-05-20", "", "Fähre Öresund"), pending: &[], rejected: &[] },
    Bank { profile: "wells-fargo", charset: UTF8, statements: &[("", 9, "230.28 USD", "")],
        first: ("2026-06-30", "", "", "PURCHASE AUTHORIZED ON 06/28 GARDEN CENTER SPRINGFIELD OH CARD 0001"),
        last: ("2026-06-01", "", "", "INTEREST PAYMENT"), pending: &[], rejected: &[] },
    Bank { profile: "wells-fargo-status", charset: UTF8, statements: &[("", 6, "2341.20 USD", "")],
        first: ("2026-08-24", "", "", "CAFE AT THE CORNER"),
        last: ("2026-08-03", "", "", "TRANSFER FROM SAVINGS"), pending: &["2026-08-25 -45.00"], rejected: &[] },
    Bank { profile: "wise", charset: UTF8, statements: &[("", 7, "1092.02 EUR", "1192.02 2026-02-28")],
        first: ("2026-02-28", "", "", "Ana García"),
        last: ("2026-02-02", "", "", "Stadtwerke Neudorf"), pending: &[], rejected: &[] },
];

/// The sample of a layout as its bank writes it.
pub fn sample(profile: &str, charset: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("samples/banks/{profile}.csv"));
    let text = std::fs::read_to_string(path).unwrap();
    if charset == WINDOWS { windows_1252(&text) } else { text.into_bytes() }
}

fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|c| if c == '€' { 0x80 } else { u8::try_from(u32::from(c)).unwrap() }).collect()
}

/// Francs are no bank's own currency here, so that it shows where a file leaves the currency open.
fn with_francs(bytes: &Vec<u8>) -> Given<'_> {
    file(bytes).currency("CHF")
}

pub fn recognised(bytes: &[u8]) -> Option<(&'static Profile, Mapping)> {
    let (_, head) = survey(bytes, 4096);
    let Detection { encoding, .. } = file(bytes).detect().unwrap();
    csv::recognise(&head, &encoding)
}

fn is_booked(row: &&Row) -> bool {
    row.status == RowStatus::Booked
}

fn told(statement: &Statement) -> (String, usize, String, String) {
    let booked = || statement.rows.iter().filter(is_booked);
    let sum: i64 = booked().map(|row| row.amount.minor()).sum();
    let sum = kernel::Money::from_minor(sum, statement.head.currency);
    let balance = statement.balances.first();
    let balance = balance.map(|balance| format!("{} {}", balance.amount.amount(), balance.as_of.unwrap()));
    let account = statement.head.account.account_number.clone();
    (account.unwrap_or_default(), booked().count(), sum.to_string(), balance.unwrap_or_default())
}

fn edge(row: Option<&Row>) -> (String, String, String, String) {
    let row = row.unwrap();
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    (row.posted_on.to_string(), day(row.occurred_on), day(row.value_on), row.name.clone().unwrap_or_default())
}

fn owned((a, b, c, d): (&str, &str, &str, &str)) -> (String, String, String, String) {
    (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned())
}

/// The rows of a sample, once it was seen that they are as expected.
fn right(bank: &Bank) -> usize {
    let bytes = sample(bank.profile, bank.charset);
    let (profile, _) = recognised(&bytes).unwrap_or_else(|| panic!("{} is not recognised", bank.profile));
    assert_eq!(profile.id, bank.profile);
    let collected = with_francs(&bytes).read().unwrap_or_else(|error| panic!("{}: {error}", bank.profile));
    let statements: Vec<_> = collected.statements.iter().map(told).collect();
    let expected = bank.statements.iter();
    let expected = expected.map(|(account, rows, sum, balance)| {
        ((*account).to_owned(), *rows, (*sum).to_owned(), (*balance).to_owned())
    });
    assert_eq!(statements, expected.collect::<Vec<_>>(), "{}", bank.profile);
    assert_eq!(edge(collected.rows().find(is_booked)), owned(bank.first), "{}", bank.profile);
    assert_eq!(edge(collected.rows().filter(is_booked).last()), owned(bank.last), "{}", bank.profile);
    let pending = collected.rows().filter(|row| row.status == RowStatus::Pending);
    let pending: Vec<_> = pending.map(|row| format!("{} {}", row.posted_on, row.amount.amount())).collect();
    assert_eq!(pending, bank.pending, "{}", bank.profile);
    assert_eq!(collected.rejections(), bank.rejected, "{}", bank.profile);
    collected.rows().count()
}

/// Each layout, and how many rows of its sample are right: all of them.
pub fn all_right() -> Vec<(&'static str, usize)> {
    BANKS.iter().map(|bank| (bank.profile, right(bank))).collect()
}

#[test]
fn every_layout_reads_its_sample_to_the_cent() {
    assert!(!all_right().is_empty());
}

#[test]
fn every_layout_has_a_sample_and_a_name_of_its_own() {
    let with_sample: Vec<_> = BANKS.iter().map(|bank| bank.profile).collect();
    let ids: HashSet<_> = csv::profiles().iter().map(|profile| profile.id.as_str()).collect();
    assert_eq!(ids, with_sample.iter().copied().collect());
    let names: HashSet<_> = csv::profiles().iter().map(|profile| &profile.name).collect();
    assert_eq!((ids.len(), names.len()), (csv::profiles().len(), csv::profiles().len()));
}

#[test]
fn every_layout_has_a_mapping_that_its_own_header_fits() {
    for profile in csv::profiles() {
        profile.mapping.check().unwrap();
        assert_eq!(profile.header.is_empty(), !profile.mapping.has_header, "{}", profile.id);
        assert_eq!(profile.header.is_empty(), !profile.cells.is_empty(), "{}", profile.id);
        assert!(!profile.notes.is_empty(), "{}", profile.id);
        if !profile.header.is_empty() {
            let header = profile.header.join("\t") + "\n";
            let (found, mapping) = recognised(header.as_bytes()).unwrap();
            assert_eq!((&found.id, mapping.delimiter), (&profile.id, '\t'));
            let collected = file(&header).currency("EUR").mapping(mapping).read().unwrap();
            assert_eq!(collected.summary.rows, 0, "{}", profile.id);
        }
    }
}

#[test]
fn what_stands_beside_the_name_goes_where_it_belongs() {
    let read = |profile: &str| -> Collected { with_francs(&sample(profile, UTF8)).read().unwrap() };
    let revolut = read("revolut");
    assert_eq!(revolut.rows().nth(2).unwrap().amount.to_string(), "-204.00 EUR", "the fee is taken off");
    let rabobank = read("rabobank");
    let phone = rabobank.rows().nth(1).unwrap();
    assert_eq!(phone.memo.as_deref(), Some("Factuur 123 mobiel abonnement maart"));
    assert_eq!(phone.external_id.as_deref(), Some("000000000000001235"));
    assert_eq!(phone.reference.as_deref(), Some("8000 0000 0000 0001"));
    let amex = read("amex-us");
    let books = amex.rows().next().unwrap();
    assert_eq!(books.external_id.as_deref(), Some("320260000000000001"), "without its apostrophes");
    assert_eq!(books.category.as_deref(), Some("Merchandise & Supplies-Book Stores"));
    let names = |collected: &Collected| -> Vec<String> {
        collected.rows().map(|row| row.name.clone().unwrap_or_default()).collect()
    };
    let dkb = read("dkb");
    assert_eq!(names(&dkb)[1..4], ["Acme Werke GmbH", "Sparkasse Neudorf//Neudorf/DE", "Stadtwerke Neudorf"]);
    let wise = read("wise");
    assert_eq!(names(&wise)[1..4], ["Tea & Sons", "", "Bank at Square"]);
    let check = read("wells-fargo");
    assert_eq!(check.rows().nth(2).unwrap().check_number.as_deref(), Some("1187"));
}

#[test]
fn a_layout_is_recognised_with_other_delimiters_and_without_the_columns_that_may_lack() {
    let dutch = String::from_utf8(sample("ing-nl", UTF8)).unwrap();
    let with_commas = dutch.replace(';', ",");
    assert_eq!(recognised(with_commas.as_bytes()).unwrap().0.id, "ing-nl");
    // The older ones end before the balance.
    let older: String = dutch.lines().flat_map(|line| [line.rsplitn(3, ';').last().unwrap(), "\n"]).collect();
    let (profile, mapping) = recognised(older.as_bytes()).unwrap();
    assert_eq!((profile.id.as_str(), mapping.delimiter, mapping.columns.balance), ("ing-nl", ';', None));
    assert_eq!(file(&older).read().unwrap().booked().len(), 6);
}

#[test]
fn tables_that_only_resemble_a_known_layout_are_guessed() {
    for table in [
        "Date,Description,Amount\n2025-01-02,a,1.00\n",
        "Date,Description,Amount,Running Bal.,Branch\n2025-01-02,a,1.00,2.00,x\n",
        "date,title,amount,shop\n2025-01-02,a,1.00,b\n",
        "\"01/31/2025\",\"-3.50\",\"+\",\"\",\"COFFEE\"\n\"02/01/2025\",\"10.00\",\"+\",\"\",\"PAY\"\n",
    ] {
        assert!(recognised(table.as_bytes()).is_none(), "{table}");
        assert!(file(table).currency("EUR").read().is_ok(), "{table}");
    }
}

#[test]
fn a_status_that_the_mapping_does_not_know_rejects_its_row_by_name() {
    let table = "\"DATE\",\"DESCRIPTION\",\"AMOUNT\",\"CHECK #\",\"STATUS\"\n\
                 \"08/24/2026\",\"CAFE\",\"-11.89\",,\"Disputed\"\n\"08/22/2026\",\"MARKET\",\"-1.00\",,\"POSTED\"\n";
    let collected = file(table).read().unwrap();
    assert_eq!(collected.rejections(), ["2 unknown_status"]);
    assert_eq!(collected.booked(), ["2026-08-22 -1.00"], "case does not matter");
}

#[test]
fn dates_of_a_layout_that_many_countries_share_are_asked_for_where_no_row_decides() {
    let table =
        "Date,Description,Card Member,Account #,Amount\n01/02/2026,CORNER BOOKS,JO DOE,-00001,23.50\n";
    assert_eq!(file(table).currency("USD").refusal(), "ambiguous_dates");
}

#[test]
fn regression_a_rejected_row_before_all_others_opens_no_statement_of_its_own() {
    let bytes = sample("ubs-card", WINDOWS);
    let collected = file(&bytes).read().unwrap();
    assert_eq!(collected.statements.len(), 1, "the rejected row goes with the account of the next one");
    let alone: Vec<u8> = bytes.split_inclusive(|byte| *byte == b'\n').take(3).flatten().copied().collect();
    let collected = file(&alone).read().unwrap();
    assert_eq!((collected.statements.len(), collected.rejections().len()), (1, 1));
}

#[test]
fn the_readme_has_every_layout() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    for Profile { id, name, proof, notes, .. } in csv::profiles() {
        let proof = format!("{proof:?}").to_lowercase();
        let line = format!("| `{id}` | {name} | {proof} | {notes} |");
        assert!(readme.contains(&line), "README.md lacks the line\n{line}");
    }
}
