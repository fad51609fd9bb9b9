//! OFX and QFX, 1.x (SGML) and 2.x (XML), by one tolerant reader.
//!
//! `token` makes tags and texts of bytes, `reader` walks them and knows which aggregate it is in, `row` and
//! `statement` hold what is collected until it is whole.

mod date;
mod header;
mod kind;
mod loan;
mod reader;
mod row;
mod statement;
mod tag;
mod token;

pub(crate) use header::header;
pub(crate) use reader::read;
pub(crate) use row::amount_reason;
use tag::Tag;
