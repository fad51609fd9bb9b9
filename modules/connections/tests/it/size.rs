use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;

use crate::files::pieces_of_long_ofx;
use crate::world::{in_each_world, outcomes, owner};

/// `cargo test --release -p connections --test it -- --ignored --nocapture hundred`
#[test]
#[ignore = "a measurement: takes a minute, and says something in a release build only"]
fn a_hundred_megabytes_are_imported_in_less_than_two_hundred() {
    in_each_world(async |world| {
        let (who, rows) = (owner(), 780_000);
        let size: usize = pieces_of_long_ofx(rows).map(|piece| piece.len()).sum();
        assert!((100_000_000..100 * 1024 * 1024).contains(&size));
        println!("{rows} rows, {size} bytes; resident before: {} kB", kilobytes("VmRSS"));
        let start = Instant::now();
        let told = |what: &str| {
            println!("{what} after {:.1?}, resident at most {} kB", start.elapsed(), kilobytes("VmHWM"))
        };
        let pieces = pieces_of_long_ofx(rows).map(|piece| Ok(Bytes::from(piece)));
        let answer = world.upload_stream(&who, stream::iter(pieces)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        told("uploaded");
        let path = answer.header("location").unwrap();
        let import = world.until_within(&who, path, "previewed", Duration::from_secs(300)).await;
        told("previewed");
        assert_eq!(outcomes(&import), [rows as u64, 0, 0, 0, 0]);
        world.commit(&who, path).await;
        told("committed");
        assert!(kilobytes("VmHWM") < 200 * 1024);
    });
}

/// Of this process, as Linux counts it: with the test, the ledger and both databases in it.
fn kilobytes(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
