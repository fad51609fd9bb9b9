use kernel::Currency;

use super::record::Record;

/// What an account's description begins with in our own exports; see docs/exports.md.
const MARK: &str = "TRIBUTARY ";

/// What our own exports tell of an account beside its name, in the description of `!Account`: `TRIBUTARY id currency`.
///
/// Such files leave nothing to be decided: dates begin with their year and decimals with a point.
pub(super) struct Ours {
    pub(super) id: String,
    pub(super) currency: Currency,
}

impl Ours {
    pub(super) fn of(record: &Record<'_>) -> Option<Self> {
        let description = record.text(b'D');
        let (id, currency) = description.strip_prefix(MARK)?.split_once(' ')?;
        Some(Self { id: id.to_owned(), currency: Currency::parse(currency).ok()? })
    }

    /// The bank that our exports name.
    pub(super) fn bank() -> String {
        MARK.trim_end().to_owned()
    }
}
