use super::StatusColumn;
use super::record::Cells;

/// What the status columns of a row say of it. The later one is the stricter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Booked,
    Pending,
    /// A word in none of the lists.
    Unknown(String),
    /// With the word.
    Ignored(String),
}

impl Verdict {
    /// `at` has the place of each column.
    pub(super) fn of(statuses: &[StatusColumn], at: &[usize], cells: &Cells<'_>) -> Self {
        let mut verdict = Self::Booked;
        for (status, at) in statuses.iter().zip(at) {
            let word = cells.text(*at);
            let next = Self::of_word(status, &word);
            if next.rank() > verdict.rank() {
                verdict = next;
            }
        }
        verdict
    }

    fn of_word(status: &StatusColumn, word: &str) -> Self {
        let is_one_of = |words: &[String]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        if is_one_of(&status.ignored) {
            Self::Ignored(word.to_owned())
        } else if is_one_of(&status.pending) {
            Self::Pending
        } else if status.booked.is_empty() || is_one_of(&status.booked) {
            Self::Booked
        } else {
            Self::Unknown(word.to_owned())
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Booked => 0,
            Self::Pending => 1,
            Self::Unknown(_) => 2,
            Self::Ignored(_) => 3,
        }
    }
}
