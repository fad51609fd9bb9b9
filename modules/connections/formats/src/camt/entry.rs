use chrono::NaiveDate;
use kernel::{Currency, Money};

use super::Leaf;
use super::amount::{Direction, Fault, amount};
use super::date::{CamtDate, camt_date};
use super::detail::{Charge, Detail, Movement, reference};
use crate::error::sanitised;
use crate::{RejectCode, RowStatus};

/// More than a bank puts into one entry. What is beyond cannot be added up, as it would have to be kept.
const MOST_BYTES_OF_DETAILS: usize = 32 * 1024 * 1024;

/// `Ntry` while its elements come in.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) movement: Movement,
    pub(super) is_reversal: bool,
    status: Status,
    booked: Field,
    value: Field,
    pub(super) servicer_reference: Option<String>,
    pub(super) information: Option<String>,
    pub(super) details: Vec<Detail>,
    /// The last of the details is open.
    in_detail: bool,
    bytes_of_details: usize,
    is_too_long: bool,
    charge: Option<ChargeDraft>,
}

#[derive(Debug, Default)]
enum Status {
    #[default]
    Booked,
    Pending,
    Information,
    Unknown(String),
}

/// A date that was not given, cannot be read, or was read.
#[derive(Debug, Default)]
enum Field {
    #[default]
    Missing,
    Malformed(String),
    Read(CamtDate),
}

#[derive(Debug, Default)]
struct ChargeDraft {
    total: Option<Money>,
    amount: Option<Money>,
    direction: Option<Direction>,
    is_included: bool,
    /// `Rcrd` elements told it already.
    is_told: bool,
}

/// What no row can be without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Essentials {
    pub(super) status: RowStatus,
    pub(super) posted: CamtDate,
    pub(super) value_on: Option<NaiveDate>,
    /// Without a sign.
    pub(super) amount: Money,
    /// As the bank wrote it, before it is known what that means of a reversal.
    pub(super) direction: Direction,
}

impl Entry {
    pub(super) fn begin(line: u64) -> Self {
        Self { line, ..Self::default() }
    }

    pub(super) fn begin_detail(&mut self, line: u64) {
        self.details.push(Detail { line, ..Detail::default() });
        self.in_detail = true;
    }

    pub(super) fn end_detail(&mut self) {
        self.in_detail = false;
        let Some(detail) = self.details.last() else { return };
        self.is_too_long |= detail.is_too_long;
        self.bytes_of_details += detail.size();
        if self.bytes_of_details > MOST_BYTES_OF_DETAILS {
            self.details = Vec::new();
        }
    }

    pub(super) fn begin_charges(&mut self) {
        self.charge = Some(ChargeDraft::default());
    }

    /// `Rcrd` in `Chrgs`.
    pub(super) fn begin_charge(&mut self) {
        if let Some(charge) = &mut self.charge {
            *charge = ChargeDraft { total: charge.total, is_told: true, ..ChargeDraft::default() };
        }
    }

    /// The end of `Rcrd`, and of `Chrgs` where that is a charge itself.
    pub(super) fn end_charge(&mut self) {
        let Some(draft) = &mut self.charge else { return };
        let amount = draft.amount.take().or(draft.total.filter(|_| !draft.is_told));
        let charge = amount.filter(|amount| amount.minor() != 0).map(|amount| Charge {
            amount,
            direction: draft.direction.unwrap_or(Direction::Debit),
            is_included: draft.is_included,
        });
        if let Some(charge) = charge {
            let has_room = self.movement_mut().add_charge(charge);
            self.is_too_long |= !has_room;
        }
    }

    pub(super) fn end_charges(&mut self) {
        self.end_charge();
        self.charge = None;
    }

    /// One of its texts was longer than a text may be.
    pub(super) fn note_too_long(&mut self) {
        self.is_too_long = true;
    }

    /// A text of the entry or of the detail that is open.
    pub(super) fn set(&mut self, leaf: Leaf, text: &str) {
        if text.is_empty() {
            return;
        }
        let detail = if self.in_detail { self.details.last_mut() } else { None };
        match (leaf, &mut self.charge, detail) {
            (Leaf::ChargeDirection, Some(charge), _) => charge.direction = Direction::parse(text),
            (Leaf::ChargeIsIncluded, Some(charge), _) => charge.is_included = is_true(text),
            (_, _, Some(detail)) => detail.set(leaf, text),
            (leaf, ..) => self.set_own(leaf, text),
        }
    }

    pub(super) fn set_amount(&mut self, leaf: Leaf, text: &str, code: &str, of_statement: Option<Currency>) {
        let amount = amount(text, code, of_statement);
        match (leaf, &mut self.charge) {
            (Leaf::ChargeTotal, Some(charge)) => charge.total = amount.ok(),
            (Leaf::ChargeAmount, Some(charge)) => charge.amount = amount.ok(),
            _ => self.movement_mut().set_amount(leaf, amount),
        }
    }

    fn set_own(&mut self, leaf: Leaf, text: &str) {
        match leaf {
            Leaf::IsReversal => self.is_reversal = is_true(text),
            Leaf::Status => self.status = Status::of(text),
            Leaf::BookedOn => self.booked = Field::of(text),
            Leaf::ValueOn => self.value = Field::of(text),
            Leaf::ServicerReference => self.servicer_reference = reference(text),
            Leaf::EntryInformation => self.information = Some(text.to_owned()),
            _ => self.movement.set(leaf, text),
        }
    }

    fn movement_mut(&mut self) -> &mut Movement {
        match self.details.last_mut() {
            Some(detail) if self.in_detail => &mut detail.movement,
            _ => &mut self.movement,
        }
    }

    /// What the row is made of, or why there is none.
    pub(super) fn essentials(&mut self) -> Result<Essentials, Fault> {
        if self.is_too_long {
            return Err(Fault::new(RejectCode::RowTooLong, "a value of the row is longer than 64 KiB"));
        }
        let status = match &self.status {
            Status::Booked => RowStatus::Booked,
            Status::Pending => RowStatus::Pending,
            Status::Information => {
                let reason = "the entry is there for information: it moves nothing";
                return Err(Fault::new(RejectCode::InformationOnly, reason));
            }
            Status::Unknown(text) => {
                let reason = format!("{:?} is not a status of an entry", sanitised(text, 40));
                return Err(Fault::new(RejectCode::UnknownStatus, reason));
            }
        };
        // An entry that is not booked yet need not say when it will be.
        let posted = match (&self.booked, &self.value) {
            (Field::Read(date), _) | (Field::Missing, Field::Read(date)) => *date,
            (Field::Malformed(text), _) | (Field::Missing, Field::Malformed(text)) => {
                let reason = format!("{:?} is not a date", sanitised(text, 40));
                return Err(Fault::new(RejectCode::MalformedDate, reason));
            }
            (Field::Missing, Field::Missing) => {
                return Err(Fault::new(RejectCode::MissingDate, "the row has no booking date"));
            }
        };
        let value_on = if let Field::Read(date) = &self.value { Some(date.day) } else { None };
        let no_amount = || Err(Fault::new(RejectCode::MissingAmount, "the row has no amount"));
        let amount = self.movement.amount.clone().unwrap_or_else(no_amount)?;
        let no_direction = || Fault::new(RejectCode::UnknownDirection, "the row is neither CRDT nor DBIT");
        let direction = self.movement.direction.ok_or_else(no_direction)?;
        Ok(Essentials { status, posted, value_on, amount, direction })
    }
}

impl Status {
    /// `ExternalEntryStatus1Code`; version 02 has the first three.
    fn of(text: &str) -> Self {
        match text {
            "BOOK" => Self::Booked,
            // On the bank's books, to be given to the owner on a later day.
            "PDNG" | "FUTR" => Self::Pending,
            "INFO" => Self::Information,
            _ => Self::Unknown(text.to_owned()),
        }
    }
}

impl Field {
    fn of(text: &str) -> Self {
        camt_date(text).map_or_else(|| Self::Malformed(text.to_owned()), Self::Read)
    }
}

fn is_true(text: &str) -> bool {
    matches!(text, "true" | "1")
}
