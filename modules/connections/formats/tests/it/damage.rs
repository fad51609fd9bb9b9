//! What becomes of files on their way, and what holds of every reader whatever it is.

use connections_formats::{Encoding, Plan, read};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{Collected, InPieces, file};

/// Bytes that look enough like a file to get past its beginning: such pieces in any order, up to `most` of them.
pub fn almost_a_file(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<u8>> {
    let text = prop::collection::vec(prop::sample::select(pieces), 0..most);
    let text = text.prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![4 => text, 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

/// Some bytes of a file, and what stands in their place.
#[derive(Clone, Debug)]
pub struct Change {
    at: Index,
    length: usize,
    other: Vec<u8>,
}

/// Up to `most` bytes that are replaced.
pub fn change(other: impl Strategy<Value = Vec<u8>>, most: usize) -> impl Strategy<Value = Change> {
    (any::<Index>(), 0..most, other).prop_map(|(at, length, other)| Change { at, length, other })
}

/// A file after these changes.
pub fn changed(bytes: impl Into<Vec<u8>>, changes: impl IntoIterator<Item = Change>) -> Vec<u8> {
    changes.into_iter().fold(bytes.into(), |mut bytes, Change { at, length, other }| {
        let at = at.index(bytes.len());
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, other);
        bytes
    })
}

/// However it is cut on its way, a file is the same.
pub fn assert_same_in_pieces(bytes: &[u8], plan: &Plan, size: usize) {
    let (mut whole, mut pieces) = (Collected::default(), Collected::default());
    let all = read(bytes, plan, &mut whole).unwrap();
    let same = read(InPieces { bytes, size }, plan, &mut pieces).unwrap();
    assert!((all, whole.statements) == (same, pieces.statements), "in pieces of {size}");
}

/// Reads what may be anything, past detection and through it: an answer is all that is asked.
pub fn read_whatever_it_is(bytes: &[u8], plan: &Plan) {
    for encoding in ["utf-8", "windows-1252", "utf-16le", "shift_jis"] {
        let plan = Plan { encoding: Encoding::named(encoding).unwrap(), ..plan.clone() };
        let _ = read(bytes, &plan, &mut Collected::default());
    }
    let _ = file(bytes).currency("EUR").read();
}
