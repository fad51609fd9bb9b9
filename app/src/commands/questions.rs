//! What a file may leave open, and what of it the command line says.

use super::client::Refused;
use super::import::refusal;
use crate::cli::Import;

/// What the server misses; known by the code of its refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Account,
    Currency,
    Dates,
}

impl Question {
    pub(super) const ALL: [Self; 3] = [Self::Account, Self::Currency, Self::Dates];

    /// What the file was refused for want of.
    pub(super) fn of(error: &anyhow::Error) -> Option<Self> {
        refusal(error).and_then(|Refused(problem)| Self::of_code(&problem.code))
    }

    pub(super) fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|question| question.code() == code)
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Account => "needs_account",
            Self::Currency => "needs_currency",
            Self::Dates => "ambiguous_dates",
        }
    }

    /// How to say on the command line what the server misses.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Account => "--account says which, by name or id",
            Self::Currency => "--currency says which",
            Self::Dates => "--dates says which number is the day",
        }
    }

    /// Whether the command line says it. An account has a currency.
    pub(super) fn is_answered(self, import: &Import) -> bool {
        match self {
            Self::Account => import.account.is_some(),
            Self::Currency => import.currency.is_some() || import.account.is_some(),
            Self::Dates => import.dates.is_some(),
        }
    }
}
