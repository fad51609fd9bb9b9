//! What the fuzz targets do with their bytes; the tests of the readers do the same with the seeds.

#[path = "../../tests/it/fuzzed.rs"]
mod fuzzed;
#[path = "../../tests/it/support.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod support;

pub use fuzzed::run;
