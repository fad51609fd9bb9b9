//! Ids that cost a few nanoseconds: a call must not pay for a system call to be named.

use std::cell::Cell;

use uuid::Uuid;

use crate::policy::Dice;

/// Below the two variant bits of a UUID's low half stand 62 bits that are ours to count in.
const COUNTED: u64 = (1 << 62) - 1;

thread_local! {
    static NEXT: Cell<(u64, u64)> = Cell::new(random_start());
}

/// A new id: unique, not secret.
///
/// Each thread starts at its own random UUID (122 random bits) and counts on from there, so that two
/// threads or two processes meet with a probability that does not matter. Marked as version 8 of
/// RFC 9562 § 5.8 (own layout), since it is neither random throughout nor ordered by time.
///
/// Kept as two numbers until somebody asks for the [`Uuid`]: most ids are never looked at.
#[derive(Clone, Copy)]
pub(crate) struct Id {
    high: u64,
    low: u64,
}

impl Id {
    #[inline(always)]
    pub(crate) fn fresh() -> Self {
        NEXT.with(|next| {
            let (high, low) = next.get();
            next.set((high, (low + 1) & COUNTED));
            Self { high, low: low | 1 << 63 }
        })
    }

    /// The id of what `names` stands for within this one; the same each time.
    pub(crate) fn derived(self, names: [&str; 2]) -> Self {
        // FNV-1a, then spread: ids of one thread differ in their last bits only, and must not meet.
        let hash = names.join(".").bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        let mut dice = Dice::seeded(hash);
        let (high, low) = (dice.throw() & !0xF000, dice.throw() & COUNTED);
        Self { high: self.high ^ high, low: self.low ^ low }
    }

    pub(crate) fn uuid(self) -> Uuid {
        Uuid::from_u64_pair(self.high, self.low)
    }
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        let (high, low) = id.as_u64_pair();
        Self { high, low }
    }
}

/// Eight bytes for a span id of W3C Trace Context § 2.2.4, never all zero.
pub(crate) fn fresh_span_id() -> [u8; 8] {
    let Id { high, low } = Id::fresh();
    // The counter alone would give neighbouring ids to different threads; mixing spreads them.
    let mixed = (low ^ high.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    mixed.to_be_bytes()
}

fn random_start() -> (u64, u64) {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    (high & !0xF000 | 0x8000, low & COUNTED)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_version_8_and_differ_across_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..1000).map(|_| Id::fresh().uuid()).collect::<Vec<_>>()))
            .collect();
        let ids: Vec<Uuid> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert!(ids.iter().all(|id| id.get_version_num() == 8 && id.get_variant() == uuid::Variant::RFC4122));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 4000);
    }

    #[test]
    fn an_id_derived_from_another_is_the_same_each_time_and_meets_no_other() {
        let requests: Vec<_> = (0..1000).map(|_| Id::fresh()).collect();
        let of = |name| requests.iter().map(move |id| id.derived(["ledger", name]).uuid());
        let ids: HashSet<Uuid> = of("open").chain(of("close")).collect();
        assert_eq!(ids.len(), 2000);
        assert!(of("open").all(|id| ids.contains(&id) && id.get_version_num() == 8));
    }

    #[test]
    fn span_ids_differ_and_are_never_zero() {
        let ids: HashSet<[u8; 8]> = (0..1000).map(|_| fresh_span_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(!ids.contains(&[0; 8]));
    }
}
