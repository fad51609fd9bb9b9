use std::collections::BTreeSet;

/// Shorter words are legal forms, articles and the like, which say nothing.
const SHORTEST: usize = 3;

/// Whether two texts may name the same business: a word of the one begins it in the other, or all are in the other.
///
/// Banks shorten names and add places, dates and numbers when they book what they announced, so only words of
/// letters count. Texts without any are alike in nothing.
pub(crate) fn may_be_one(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let (Some(first), Some(second)) = (one.first(), other.first()) else { return false };
    let (all, those) = (one.iter().collect::<BTreeSet<_>>(), other.iter().collect::<BTreeSet<_>>());
    first == second || all.is_subset(&those) || those.is_subset(&all)
}

fn words(text: &str) -> Vec<String> {
    let letters = text.split(|c: char| !c.is_alphabetic());
    letters.filter(|word| word.chars().count() >= SHORTEST).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_again_when_the_bank_adds_places_and_numbers() {
        assert!(may_be_one("SHELL 0042", "Shell Station Berlin 4711"));
        assert!(may_be_one("Café Roma", "VISA CAFÉ ROMA MÜNCHEN"));
        assert!(may_be_one("Spotify AB", "SPOTIFY P0123"));
    }

    #[test]
    fn other_names_and_no_names_are_not_known_again() {
        assert!(!may_be_one("Shell", "Aral"));
        assert!(!may_be_one("Card payment Roma", "Roma Termini"));
        assert!(!may_be_one("", "Shell"));
        assert!(!may_be_one("12 34", "12 34"));
    }
}
