//! OFX and QFX, 1.x (SGML) and 2.x (XML), by one tolerant reader.
//!
//! `token` makes tags and texts of bytes, `reader` walks them and knows which aggregate it is in; `row`, `investment`,
//! `position` and `statement` hold what is collected until it is whole, and `ending` gives it out. `securities` reads
//! the list at the end of a file before all else.

mod date;
mod ending;
mod field;
mod header;
mod investment;
mod kind;
mod loan;
mod position;
mod reader;
mod row;
mod securities;
mod statement;
mod tag;
mod token;
mod trade_kind;
mod trade_name;

pub(crate) use field::amount_reason;
pub(crate) use header::{header, xml_encoding};
pub(crate) use reader::read;
pub use securities::{Securities, securities};
use tag::Tag;
