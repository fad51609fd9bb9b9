use kernel::{Currency, Money};

use super::amount::Direction;
use super::detail::{Detail, append};
use super::entry::{Entry, Essentials};
use super::row::{Draft, Share, row};
use crate::{Row, RowKind};

/// What the details of a batch may fill of the memo of its entry.
const LONGEST_MEMO: usize = 1000;

/// The rows of an entry: one for each detail if they add up to the entry, else one that holds what the details say.
///
/// A detail alone is not added up: it tells more of the entry, whose amount is the one that was booked.
pub(super) fn rows(entry: &Entry, essentials: &Essentials, own_account: Option<&str>, out: &mut Vec<Draft>) {
    let Essentials { amount, direction, .. } = *essentials;
    let whole = Share { amount, direction, line: entry.line, is_part: false };
    let details = &entry.details[..];
    match details {
        [] => out.push(row(entry, essentials, None, whole, own_account)),
        [only] => out.push(row(entry, essentials, Some(only), whole, own_account)),
        _ => match shares(entry, essentials) {
            Some(shares) => {
                for (index, (detail, share)) in details.iter().zip(&shares.of_details).enumerate() {
                    let mut draft = row(entry, essentials, Some(detail), *share, own_account);
                    draft.row.external_id = id_of_part(entry, detail, index + 1);
                    out.push(draft);
                }
                out.extend(shares.of_charges.map(|share| charges(entry, essentials, share)));
            }
            None => {
                let mut draft = row(entry, essentials, None, whole, own_account);
                tell_details(&mut draft.row, details);
                out.push(draft);
            }
        },
    }
}

/// How an entry is divided.
struct Shares {
    of_details: Vec<Share>,
    /// What the bank took for the entry as a whole.
    of_charges: Option<Share>,
}

/// The amounts of the details, with their charges if need be, if they make up the entry to the last cent.
fn shares(entry: &Entry, essentials: &Essentials) -> Option<Shares> {
    let Essentials { amount, direction, .. } = *essentials;
    let currency = amount.currency();
    let whole = i128::from(direction.sign(amount).minor());
    let of_entry = entry.movement.charges_in(currency).unwrap_or(0);
    for (adds_charges, charges) in [(false, 0), (true, 0), (false, of_entry), (true, of_entry)] {
        let signed = |detail: &Detail| signed(detail, direction, currency, adds_charges);
        let sum = entry.details.iter().try_fold(charges, |sum, detail| Some(sum + signed(detail)?));
        if sum == Some(whole) {
            let of_detail = |detail: &Detail| share(signed(detail)?, currency, detail.line);
            return Some(Shares {
                of_details: entry.details.iter().map(of_detail).collect::<Option<_>>()?,
                of_charges: if charges == 0 { None } else { Some(share(charges, currency, entry.line)?) },
            });
        }
    }
    None
}

/// What a detail moved, in minor units; a detail that names no direction goes the way of its entry.
fn signed(detail: &Detail, entry: Direction, currency: Currency, adds_charges: bool) -> Option<i128> {
    let direction = detail.movement.direction.unwrap_or(entry);
    let bare = i128::from(direction.sign(detail.movement.amount_in(currency)?).minor());
    if adds_charges { Some(bare + detail.movement.charges_in(currency)?) } else { Some(bare) }
}

fn share(signed: i128, currency: Currency, line: u64) -> Option<Share> {
    let direction = if signed < 0 { Direction::Debit } else { Direction::Credit };
    let amount = Money::from_minor(i64::try_from(signed.abs()).ok()?, currency);
    Some(Share { amount, direction, line, is_part: true })
}

/// The bank's reference of a detail, else that of the entry and the place of the detail in it, so that no two rows
/// of an entry share one.
fn id_of_part(entry: &Entry, detail: &Detail, number: usize) -> Option<String> {
    let own = detail.servicer_reference.clone().filter(|own| entry.servicer_reference.as_ref() != Some(own));
    own.or_else(|| entry.servicer_reference.as_ref().map(|reference| format!("{reference}/{number}")))
}

fn charges(entry: &Entry, essentials: &Essentials, share: Share) -> Draft {
    let mut draft = row(entry, essentials, None, share, None);
    draft.row.kind = RowKind::Fee;
    draft.row.memo = Some(if entry.is_reversal { "Charges (reversal)".into() } else { "Charges".into() });
    draft.row.external_id =
        entry.servicer_reference.as_ref().map(|reference| format!("{reference}/{}", entry.details.len() + 1));
    draft
}

/// Puts what the details say into the row of the entry.
fn tell_details(row: &mut Row, details: &[Detail]) {
    let mut told = String::new();
    for detail in details {
        let mut text =
            detail.parties.counterparty(direction_of(row.amount), None).unwrap_or_default().to_owned();
        let written =
            Some(&detail.remittance).filter(|text| !text.is_empty()).or(detail.information.as_ref());
        if let Some(written) = written {
            append(&mut text, written);
        }
        if told.len() + text.len() > LONGEST_MEMO {
            append(&mut told, "…");
            break;
        }
        if !text.is_empty() {
            append(&mut told, &format!("{text};"));
        }
    }
    if !told.is_empty() {
        // What the bank says of the whole is its name then.
        row.name = row.name.take().or_else(|| row.memo.take());
        row.memo = Some(told.trim_end_matches(';').to_owned());
    }
}

fn direction_of(amount: Money) -> Direction {
    if amount.minor() < 0 { Direction::Debit } else { Direction::Credit }
}
