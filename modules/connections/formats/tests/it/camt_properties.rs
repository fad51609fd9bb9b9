use chrono::NaiveDate;
use connections_formats::{RowStatus, read};
use kernel::Money;
use proptest::prelude::*;

use crate::camt_support::{balance, camt_plan, camt_with};
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

/// Bytes that look enough like a file to get past its beginning.
fn almost_a_file() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
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
    ]);
    let text = prop::collection::vec(pieces, 0..80).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![4 => text, 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

/// A good file with some of its bytes gone, doubled or changed.
fn spoiled() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..6);
    (entries(), changes).prop_map(|(all, changes)| {
        let entries: String = all.iter().map(|told| written(told, true, "\n")).collect();
        let mut bytes = camt_with(&balance("OPBD", "1.00"), &entries).into_bytes();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, byte),
                _ => bytes[at] = byte,
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_camt_reader_panic(bytes in prop_oneof![almost_a_file(), spoiled()]) {
        for encoding in ["utf-8", "windows-1252", "utf-16le", "shift_jis"] {
            let plan = camt_plan(encoding, Some(currency("EUR")));
            let _ = read(&bytes[..], &plan, &mut Collected::default());
        }
        let _ = file(&bytes).currency("EUR").read();
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
