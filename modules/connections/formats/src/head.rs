use chrono::NaiveDate;
use kernel::Currency;

use crate::sink::Tally;
use crate::{AccountHint, FormatError, StatementHead};

/// The head of a statement while its parts come in: it is given out with the first thing that belongs to it.
#[derive(Debug, Default)]
pub(crate) struct HeadDraft {
    pub(crate) account: AccountHint,
    /// As the file writes it.
    pub(crate) currency: Option<String>,
    pub(crate) starts_on: Option<NaiveDate>,
    pub(crate) ends_on: Option<NaiveDate>,
    given_out: Option<(usize, Currency)>,
}

impl HeadDraft {
    /// The currency of the statement, as far as it is known.
    pub(crate) fn currency(&self, default: Option<Currency>) -> Option<Currency> {
        match (&self.given_out, &self.currency) {
            (Some((_, currency)), _) => Some(*currency),
            (None, Some(code)) => Currency::parse(code).ok(),
            (None, None) => default,
        }
    }

    /// Number and currency of the statement, after its head was given to the sink.
    pub(crate) fn give_out(
        &mut self,
        default: Option<Currency>,
        tally: &mut Tally<'_>,
    ) -> Result<(usize, Currency), FormatError> {
        if let Some(given) = self.given_out {
            return Ok(given);
        }
        let currency = match &self.currency {
            Some(code) => Currency::parse(code).map_err(|_| FormatError::unknown_currency(code))?,
            None => default.ok_or(FormatError::NeedsCurrency)?,
        };
        let head = StatementHead {
            account: self.account.clone(),
            currency,
            starts_on: self.starts_on,
            ends_on: self.ends_on,
        };
        let given = (tally.statement(head)?, currency);
        self.given_out = Some(given);
        Ok(given)
    }
}
