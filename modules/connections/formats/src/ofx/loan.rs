use kernel::Money;

use super::Tag;
use super::token::Value;
use crate::Split;
use crate::amount::ofx_amount;

/// How a payment on a loan is divided (`LOANTRNAMT`), while its elements come in.
///
/// The balance of the principal (`PRINBAL`) is not given out: payments hold interest and escrow too, so that the rows
/// of a loan do not add up to it.
#[derive(Debug, Default)]
pub(super) struct LoanParts {
    principal: Option<String>,
    interest: Option<String>,
    escrow: Option<String>,
    insurance: Option<String>,
}

impl LoanParts {
    pub(super) fn set(&mut self, tag: Tag, value: &Value<'_>) {
        let part = match tag {
            Tag::PrincipalPart => &mut self.principal,
            Tag::InterestPart => &mut self.interest,
            Tag::EscrowPart => &mut self.escrow,
            Tag::InsurancePart => &mut self.insurance,
            _ => return,
        };
        *part = part.take().or_else(|| value.some_text());
    }

    /// The parts of `amount` that are not zero; none at all if one cannot be read or they do not add up to it.
    pub(super) fn splits(&self, amount: Money) -> Vec<Split> {
        let given = self.given(amount).unwrap_or_default();
        let sum =
            given.iter().try_fold(Money::zero(amount.currency()), |sum, (_, part)| sum.checked_add(*part));
        let is_same = sum.as_ref().is_ok_and(|sum| *sum == amount);
        // Some banks state the parts without the sign of the whole.
        let is_opposite = sum.and_then(Money::checked_neg).is_ok_and(|sum| sum == amount);
        let split = |(memo, part): (&str, Money)| {
            let amount = if is_same { part } else { part.checked_neg().ok()? };
            Some(Split { amount, category: None, memo: Some(memo.to_owned()) })
        };
        if is_same || is_opposite {
            given.into_iter().map(split).collect::<Option<_>>().unwrap_or_default()
        } else {
            Vec::new()
        }
    }

    fn given(&self, whole: Money) -> Option<Vec<(&'static str, Money)>> {
        let parts = [
            ("Principal", &self.principal),
            ("Interest", &self.interest),
            ("Escrow", &self.escrow),
            ("Insurance", &self.insurance),
        ];
        let mut given = Vec::new();
        for (memo, text) in parts {
            if let Some(text) = text {
                let part = ofx_amount(text, whole.currency()).ok()?;
                given.extend((part.minor() != 0).then_some((memo, part)));
            }
        }
        Some(given)
    }
}
