use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::headers::{fingerprint, normal, position};
use super::suggest::{DELIMITERS, LAST_HEADER_ROW, QUOTE, head_rows, is_amount, is_date};
use super::{AmountColumns, Column, Mapping};
use crate::Encoding;

/// A layout of a bank's tables that we know: a mapping, and by what its files are recognised.
///
/// The layouts are data, a JSON file for each bank beside this one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Stable word for programs: `chase-card`.
    pub id: String,
    /// The bank and what of it, for people: `Chase credit card`.
    pub name: String,
    /// How sure we are of it.
    pub proof: Proof,
    /// What is peculiar about it.
    pub notes: String,
    /// The columns that tell the layout from all others. A file that has them is of this layout.
    pub header: Vec<String>,
    /// There are no columns but those that `header` and `mapping` name.
    #[serde(default)]
    pub is_exact: bool,
    /// In place of a header, the cells that every row has; `null` for those that differ.
    #[serde(default)]
    pub cells: Vec<Option<String>>,
    /// What the bank's accounts are called of which one file gives all, told apart by their currency alone.
    #[serde(default)]
    pub wallet: Option<String>,
    /// How it is read. A file may lack the optional columns that it names.
    pub mapping: Mapping,
    #[serde(skip)]
    normal_header: Vec<String>,
}

/// How sure we are of a layout. Nothing was copied from anybody's statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Several independent public importers agree on its columns and on what rows look like.
    Rows,
    /// Public importers agree on its columns; something about the rows is an assumption, which `notes` names.
    Header,
    /// Nobody whom we could ask has seen it.
    Unverified,
}

/// The files beside this one, in the order of the bank's names.
const FILES: [&str; 21] = [
    include_str!("profiles/amex.json"),
    include_str!("profiles/bank-of-america.json"),
    include_str!("profiles/capital-one.json"),
    include_str!("profiles/chase.json"),
    include_str!("profiles/commerzbank.json"),
    include_str!("profiles/dkb.json"),
    include_str!("profiles/fidelity.json"),
    include_str!("profiles/ing.json"),
    include_str!("profiles/monzo.json"),
    include_str!("profiles/n26.json"),
    include_str!("profiles/nubank.json"),
    include_str!("profiles/paypal.json"),
    include_str!("profiles/rabobank.json"),
    include_str!("profiles/revolut.json"),
    include_str!("profiles/schwab.json"),
    include_str!("profiles/sparkasse.json"),
    include_str!("profiles/starling.json"),
    include_str!("profiles/tributary.json"),
    include_str!("profiles/ubs.json"),
    include_str!("profiles/wells-fargo.json"),
    include_str!("profiles/wise.json"),
];

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let of_bank = |file: &&str| -> Vec<Profile> {
        serde_json::from_str(file).expect("the files are part of the program, and tests read all of them")
    };
    let mut profiles: Vec<_> = FILES.iter().flat_map(of_bank).collect();
    for profile in &mut profiles {
        profile.normal_header = profile.header.iter().map(|name| normal(name)).collect();
        // No bank that we know leaves out the sign of what was spent alone: its files need no pass for that.
        profile.mapping.bare_is_debit.get_or_insert(false);
    }
    profiles
});

/// All layouts that we know.
pub fn profiles() -> &'static [Profile] {
    &PROFILES
}

/// The layout that the head of a table is of, and the mapping for it; `None` if it is of none that we know.
pub fn recognise(head: &[u8], encoding: &Encoding) -> Option<(&'static Profile, Mapping)> {
    let found = DELIMITERS.iter().filter_map(|delimiter| {
        let rows = head_rows(head, encoding, *delimiter, QUOTE).ok()?;
        by_header(&rows, *delimiter).or_else(|| by_cells(&rows, *delimiter))
    });
    // The layout that asks for most.
    found.max_by_key(|(profile, _)| profile.header.len())
}

/// More columns than any of the layouts has; a row of more is no header of theirs.
const MOST_COLUMNS: usize = 200;

fn by_header(rows: &[Vec<String>], delimiter: char) -> Option<(&'static Profile, Mapping)> {
    rows.iter().take(LAST_HEADER_ROW).filter(|row| row.len() <= MOST_COLUMNS).find_map(|row| {
        let names: Vec<String> = row.iter().map(|name| normal(name)).collect();
        let fitting = PROFILES.iter().filter(|profile| profile.has_header(&names));
        let profile = fitting.max_by_key(|profile| profile.header.len())?;
        Some((profile, profile.mapping_for(row, delimiter)))
    })
}

fn by_cells(rows: &[Vec<String>], delimiter: char) -> Option<(&'static Profile, Mapping)> {
    let profile = PROFILES.iter().find(|profile| profile.has_rows(rows))?;
    Some((profile, Mapping { delimiter, ..profile.mapping.clone() }))
}

impl Profile {
    fn has_header(&self, names: &[String]) -> bool {
        let is_mapped = |name: &String| {
            name.is_empty() || self.normal_header.contains(name) || self.mapping.names(name.as_str())
        };
        !self.header.is_empty()
            && self.normal_header.iter().all(|name| names.contains(name))
            && (!self.is_exact || names.iter().all(is_mapped))
    }

    fn has_rows(&self, rows: &[Vec<String>]) -> bool {
        let (Column::Index(date), AmountColumns::Signed(Column::Index(amount))) =
            (&self.mapping.columns.date, &self.mapping.columns.amount)
        else {
            return false;
        };
        let is_alike = |row: &Vec<String>| {
            let cells = || self.cells.iter().zip(row);
            row.len() == self.cells.len()
                && cells().all(|(known, cell)| known.as_ref().is_none_or(|known| known == cell))
                && row.get(*date).is_some_and(|cell| is_date(cell))
                && row.get(*amount).is_some_and(|cell| is_amount(cell))
        };
        !self.cells.is_empty() && !rows.is_empty() && rows.iter().all(is_alike)
    }

    /// The mapping without the columns that this file lacks.
    fn mapping_for(&self, header: &[String], delimiter: char) -> Mapping {
        let mut mapping = self.mapping.clone();
        let is_there = |column: &Column| position(header, column).is_some();
        mapping.columns.retain(is_there);
        mapping.statuses.retain(|status| is_there(&status.column));
        mapping.delimiter = delimiter;
        mapping.header_fingerprint = Some(fingerprint(header, delimiter));
        mapping
    }
}

impl Mapping {
    /// Whether a column of this name, in its normal form, is mapped.
    fn names(&self, name: &str) -> bool {
        self.all_columns().any(|column| matches!(column, Column::Name(known) if normal(known) == name))
    }
}
