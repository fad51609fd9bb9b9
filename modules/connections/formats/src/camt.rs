//! CAMT: the ISO 20022 messages camt.052 (report of a day), camt.053 (statement) and camt.054 (notification), in
//! every version, by one reader.
//!
//! Elements are told by their local name and by where they stand, so that neither the version nor a prefix matters:
//! what changed its shape between versions (`Sts`, `Dbtr/Nm`, `BIC`) is understood in each of its shapes.
//!
//! `feed` bounds what the XML parser may hold and `plain` tells what needs none, `place` knows the schema, `walk` tells
//! which of its places begin and end, `reader` gathers them into a `statement` and its entries. An `entry` becomes one
//! row, or one per detail of its `batch`.

mod amount;
mod balance;
mod batch;
mod date;
mod detail;
mod entry;
mod feed;
mod header;
mod kind;
mod party;
mod place;
mod plain;
mod reader;
mod reversal;
mod row;
mod statement;
mod walk;

pub(crate) use header::header;
use place::{Leaf, Place, Role};
pub(crate) use reader::read;
