use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::fuzzed::run;

/// Seeds and their beginnings that one fuzz target is taken through; a run of the fuzzer goes on where this ends.
const PREFIXES: usize = 400;

#[test]
fn no_seed_of_a_fuzz_target_nor_a_beginning_of_one_makes_a_reader_panic_or_stand_still() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for target in fs::read_dir(seeds).unwrap() {
        let target = target.unwrap();
        let name = target.file_name().into_string().unwrap();
        let mut files = 0;
        for seed in fs::read_dir(target.path()).unwrap() {
            let bytes = fs::read(seed.unwrap().path()).unwrap();
            let step = (bytes.len() / PREFIXES).max(1);
            for end in (0..=bytes.len()).step_by(step).chain([bytes.len()]) {
                let start = Instant::now();
                run(&name, &bytes[..end]);
                assert!(
                    start.elapsed() < Duration::from_secs(10),
                    "{name}: {end} bytes of a seed took {:?}",
                    start.elapsed()
                );
            }
            files += 1;
        }
        assert!(files > 0, "{name} has no seeds");
    }
}
