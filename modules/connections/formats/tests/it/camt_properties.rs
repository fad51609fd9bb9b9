use chrono::NaiveDate;
use connections_formats::RowStatus;
use kernel::Money;
use proptest::prelude::*;

use crate::camt_support::{balance, camt_plan, camt_with};
use crate::damage::{Change, almost_a_file, change, changed, read_whatever_it_is};
use crate::support::{Collected, currency, file};

/// An entry as its owner would tell it.
#[derive(Clone, Debug)]
struct Told {
    day: NaiveDate,
    /// One for each payment; together they are the entry.
    cents: Vec<i64>,
    name: String,
    is_pending: bool,
    is_reversal: bool,
}

fn entries() -> impl Strategy<Value = Vec<Told>> {
    let day = (0u64..40_000)
        .prop_map(|days| NaiveDate::from_ymd_opt(1960, 1, 1).unwrap() + chrono::Days::new(days));
    let cents = prop::collection::vec(-1_000_000_000_000i64..1_000_000_000_000, 1..4);
    let name = "[A-Za-z0-9äß€&<>;'./-]([A-Za-z0-9äß€ &;,'\"./<>-]{0,30}[A-Za-z0-9äß€.-])?";
    let told = (day, cents, name, prop::bool::weighted(0.2), prop::bool::weighted(0.2)).prop_map(
        |(day, cents, name, is_pending, is_reversal)| Told { day, cents, name, is_pending, is_reversal },
    );
    prop::collection::vec(told, 0..12)
}

fn plain(cents: i128) -> String {
    Money::from_minor(i64::try_from(cents.abs()).unwrap(), currency("EUR")).amount()
}

fn direction(cents: i128, is_flipped: bool) -> &'static str {
    if (cents < 0) != is_flipped { "DBIT" } else { "CRDT" }
}

/// The entry as a bank writes it that means by a reversal what `is_flipping` says.
fn written(told: &Told, is_flipping: bool, gap: &str) -> String {
    let flips = told.is_reversal && is_flipping;
    let name = told.name.replace('&', "&amp;").replace('<', "&lt;");
    let detail = |cents: &i64| {
        let cents = i128::from(*cents);
        format!(
            "<TxDtls>{gap}<Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>{}</CdtDbtInd><RltdPties><Dbtr><Nm>{name}</Nm></Dbtr>{gap}\
             <Cdtr><Pty><Nm>{name}</Nm></Pty></Cdtr></RltdPties></TxDtls>",
            plain(cents),
            direction(cents, flips)
        )
    };
    let sum: i128 = told.cents.iter().map(|cents| i128::from(*cents)).sum();
    format!(
        "<Ntry>{gap}<Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>{}</CdtDbtInd>{}<Sts>{}</Sts><BookgDt><Dt>{}</Dt></BookgDt>{gap}\
         <NtryDtls>{}</NtryDtls></Ntry>{gap}",
        plain(sum),
        direction(sum, flips),
        if told.is_reversal { "<RvslInd>true</RvslInd>" } else { "" },
        if told.is_pending { "PDNG" } else { "BOOK" },
        told.day,
        told.cents.iter().map(detail).collect::<String>(),
    )
}

type Seen = (String, i64, String, bool);

/// Reversals come last, so the order of rows is left out.
fn expected(all: &[Told]) -> Vec<Seen> {
    let rows = all.iter().flat_map(|told| {
        told.cents.iter().map(|cents| (told.day.to_string(), *cents, told.name.clone(), told.is_pending))
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn seen(collected: &Collected) -> Vec<Seen> {
    let rows = collected.rows().map(|row| {
        let is_pending = row.status == RowStatus::Pending;
        (row.posted_on.to_string(), row.amount.minor(), row.name.clone().unwrap(), is_pending)
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn booked(all: &[Told], of: impl Fn(&Told) -> bool) -> i128 {
    let those = all.iter().filter(|told| !told.is_pending && of(told));
    those.flat_map(|told| &told.cents).map(|cents| i128::from(*cents)).sum()
}

/// What stands in files.
const PIECES: &[&str] = &[
    "<Document>",
    "</Document>",
    "<BkToCstmrStmt>",
    "</BkToCstmrStmt>",
    "<Stmt>",
    "</Stmt>",
    "<Ntry>",
    "</Ntry>",
    "<Amt Ccy=\"EUR\">",
    "<Amt Ccy='",
    "</Amt>",
    "12.34",
    "<CdtDbtInd>",
    "</CdtDbtInd>",
    "DBIT",
    "CRDT",
    "<Sts>",
    "</Sts>",
    "<Cd>",
    "</Cd>",
    "BOOK",
    "<BookgDt>",
    "</BookgDt>",
    "<Dt>",
    "</Dt>",
    "2026-03-02",
    "<NtryDtls>",
    "</NtryDtls>",
    "<TxDtls>",
    "</TxDtls>",
    "<RvslInd>true</RvslInd>",
    "<Bal>",
    "</Bal>",
    "<Chrgs>",
    "</Chrgs>",
    "<Rcrd>",
    "</Rcrd>",
    "<RltdPties>",
    "</RltdPties>",
    "<Acct>",
    "</Acct>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?",
    "?>",
    "<!DOCTYPE x>",
    "<",
    ">",
    "</",
    "/>",
    "&",
    "&amp;",
    "&#x41;",
    "&#",
    ";",
    "\"",
    "\n",
    "é",
    "\u{feff}",
    "\u{0}",
    "<Nm/>",
    "<c:Ntry>",
    "<AmtDtls>",
    "<TxAmt>",
    " ",
];

/// A good file.
fn whole(all: &[Told]) -> String {
    let entries: String = all.iter().map(|told| written(told, true, "\n")).collect();
    camt_with(&balance("OPBD", "1.00"), &entries)
}

/// Some of the bytes are gone, doubled or others.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(prop::collection::vec(any::<u8>(), 0..2), 2), 1..6)
}

/// The same document with white space, attributes or comments where they mean nothing, by turns.
fn odd(text: &str, looks: &[u8]) -> String {
    let (declaration, text) = text.split_once('\n').unwrap();
    let looks = looks.iter().cycle();
    let odd = text.split_inclusive('>').zip(looks).map(|(tag, looks)| match looks {
        1 => tag.replace('>', " >"),
        2 if tag.contains("</") => tag.replace('>', "><!-- x -->"),
        2 => tag.replace('>', " x='y'>"),
        _ => tag.to_owned(),
    });
    format!("{declaration}\n{}", odd.collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_camt_reader_panic(bytes in almost_a_file(PIECES, 80)) {
        read_whatever_it_is(&bytes, &camt_plan("utf-8", Some(currency("EUR"))));
    }

    #[test]
    fn a_camt_file_in_which_something_is_changed_never_panics(all in entries(), changes in changes()) {
        read_whatever_it_is(&changed(whole(&all), changes), &camt_plan("utf-8", Some(currency("EUR"))));
    }

    #[test]
    fn a_file_is_the_same_whatever_its_tags_look_like(
        all in entries(), looks in prop::collection::vec(0u8..3, 1..50),
    ) {
        // Each mark that is left ends a tag.
        let all: Vec<_> = all.into_iter().map(|told| Told { name: told.name.replace('>', "&#8364;"), ..told }).collect();
        let text = whole(&all).replace("&amp;#", "&#");
        let (plain, other) = (file(&text).read().unwrap(), file(&odd(&text, &looks)).read().unwrap());
        prop_assert_eq!(&other.statements, &plain.statements);
    }

    #[test]
    fn entries_are_read_back_exactly_where_a_reversal_has_the_direction_of_what_it_takes_back(
        all in entries(), gap in "[ \n\t]{0,3}"
    ) {
        let entries: String = all.iter().map(|told| written(told, true, &gap)).collect();
        let collected = file(&camt_with("", &entries)).read().unwrap();
        prop_assert_eq!(seen(&collected), expected(&all));
    }

    #[test]
    fn entries_are_read_back_exactly_whatever_a_bank_means_by_a_reversal_where_its_balances_say_so(
        all in entries(), is_flipping: bool, opening in -1_000_000_000i64..1_000_000_000
    ) {
        // With reversals that cancel each other, the balances say nothing.
        prop_assume!(booked(&all, |told| told.is_reversal) != 0);
        let closing = i64::try_from(i128::from(opening) + booked(&all, |_| true)).unwrap();
        let euros = |minor: i64| Money::from_minor(minor, currency("EUR")).amount();
        let balances = format!("{}{}", balance("OPBD", &euros(opening)), balance("CLBD", &euros(closing)));
        let entries: String = all.iter().map(|told| written(told, is_flipping, "")).collect();
        let collected = file(&camt_with(&balances, &entries)).read().unwrap();
        prop_assert_eq!(seen(&collected), expected(&all));
    }
}
