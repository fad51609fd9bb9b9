//! What cannot be a service is refused with words that say what to write instead, at the place where it
//! stands. Each file in `refused/` is one mistake; the `.stderr` beside it is what its author reads.

#[test]
fn each_mistake_is_named_where_it_stands() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}

#[test]
fn a_sound_service_compiles() {
    trybuild::TestCases::new().pass("tests/accepted/*.rs");
}
