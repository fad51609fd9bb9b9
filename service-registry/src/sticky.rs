//! Which calls belong to a share: the same ones in every process and every version, and more as it grows.

use uuid::Uuid;

use crate::context::CallContext;
use crate::placement::Percent;
use crate::policy::Dice;

/// Tenths of a percent that keys are told apart in, ten times over.
const BUCKETS: u64 = 10_000;

/// Whether the key of a call is among this share of all keys.
pub(crate) fn is_among(share: Percent, cx: &CallContext) -> bool {
    bucket(key(cx), 0) < u64::from(share.tenths()) * (BUCKETS / 1000)
}

/// Where the key of a call stands among all, from 0 up to but not including 1; another order than that of shares.
pub(crate) fn turn(cx: &CallContext) -> f64 {
    bucket(key(cx), 1) as f64 / BUCKETS as f64
}

/// The household, so that nobody sees two sides within one; else who asks; else this request alone.
fn key(cx: &CallContext) -> Uuid {
    let of_caller = cx.caller().map(|caller| caller.space.unwrap_or(caller.subject));
    of_caller.unwrap_or_else(|| cx.request_id())
}

fn bucket(key: Uuid, order: u64) -> u64 {
    let (high, low) = key.as_u64_pair();
    // Ids are ordered by time in their first half and may count in their second: both are spread.
    let spread = Dice::seeded(high ^ order).throw();
    Dice::seeded(spread ^ low).throw() % BUCKETS
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::{prop_assert, proptest};

    use super::*;
    use crate::context::{Caller, Proof};

    fn of_space(space: u128) -> CallContext {
        CallContext::root().with_caller(Caller {
            subject: Uuid::now_v7(),
            space: Some(Uuid::from_u128(space)),
            session: None,
            role: "owner".to_owned(),
            scopes: [].into(),
            proof: Proof::Delegated,
        })
    }

    fn percent(value: f64) -> Percent {
        Percent::try_from(value).unwrap()
    }

    #[test]
    fn a_share_of_the_spaces_is_that_share() {
        for share in [0.0, 0.1, 5.0, 12.5, 50.0, 100.0] {
            let among = (0..20_000).filter(|space| is_among(percent(share), &of_space(*space))).count();
            assert!((among as f64 / 200.0 - share).abs() < 1.0, "{among} of 20000 for {share} %");
        }
    }

    proptest! {
        #[test]
        fn each_key_moves_once_at_most_while_the_share_grows(space: u128, mut tenths in vec(0..=1000_u16, 1..20)) {
            tenths.sort_unstable();
            let cx = of_space(space);
            let sides: Vec<bool> =
                tenths.iter().map(|share| is_among(percent(f64::from(*share) / 10.0), &cx)).collect();
            prop_assert!(sides.is_sorted(), "{sides:?} for {tenths:?}");
        }
    }

    #[test]
    fn the_side_of_a_key_is_the_same_in_every_version() {
        // Processes of two versions must not disagree about who has moved.
        let first: Vec<u64> = (0..4).map(|key| bucket(Uuid::from_u128(key), 0)).collect();
        assert_eq!(first, [7055, 2430, 2857, 529]);
    }

    #[test]
    fn a_household_is_one_key_whoever_of_it_asks_and_a_request_of_nobody_is_its_own() {
        assert_eq!(key(&of_space(7)), key(&of_space(7)));
        let (one, other) = (CallContext::root(), CallContext::root());
        assert_eq!(key(&one), key(&one.clone()));
        assert_ne!(key(&one), key(&other));
    }
}
