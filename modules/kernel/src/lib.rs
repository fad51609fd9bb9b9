//! Words everyone speaks: ids, money, dates, pages, principal, problem. No I/O.
#![warn(missing_docs)]

mod currency;
mod id;
mod instant;
mod money;
mod page;
mod principal;
mod problem;

pub use currency::{Currency, UnknownCurrency};
pub use id::{
    AccountId, BatchId, EventId, ImportId, InvalidId, ProfileId, SessionId, SpaceId, TransactionId, UserId,
};
pub use instant::{BankDate, DateRange, Instant, InvalidRange, now};
pub use money::{Money, MoneyError};
pub use page::{Cursor, InvalidCursor, MAX_LIMIT, Page, PageRequest};
pub use principal::{Denied, Principal, Role, Scope, UnknownRole};
pub use problem::{Code, FieldError, Problem, ToProblem};
