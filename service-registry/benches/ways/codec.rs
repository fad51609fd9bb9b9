//! Ways to write a value down, and what each takes by itself.

use std::hint::black_box;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ledger::{Account, rows};
use crate::report::{Report, quiet};
use crate::trip::PAGE;

const ROUNDS: usize = 200;

pub trait Codec: 'static {
    const NAME: &'static str;

    fn write(value: &impl Serialize) -> Vec<u8>;
    fn read<T: DeserializeOwned>(bytes: &[u8]) -> T;
}

pub struct Json;

/// With the names of fields, so that a reader may lack one and a writer may have more.
pub struct MessagePack;

pub struct Cbor;

/// Without names: both sides must have the very same types.
pub struct Postcard;

const GOOD: &str = "what this bench writes can be written and read";

impl Codec for Json {
    const NAME: &'static str = "JSON";

    fn write(value: &impl Serialize) -> Vec<u8> {
        serde_json::to_vec(value).expect(GOOD)
    }

    fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
        serde_json::from_slice(bytes).expect(GOOD)
    }
}

impl Codec for MessagePack {
    const NAME: &'static str = "MessagePack";

    fn write(value: &impl Serialize) -> Vec<u8> {
        rmp_serde::to_vec_named(value).expect(GOOD)
    }

    fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
        rmp_serde::from_slice(bytes).expect(GOOD)
    }
}

impl Codec for Cbor {
    const NAME: &'static str = "CBOR";

    fn write(value: &impl Serialize) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).expect(GOOD);
        bytes
    }

    fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
        ciborium::from_reader(bytes).expect(GOOD)
    }
}

impl Codec for Postcard {
    const NAME: &'static str = "postcard";

    fn write(value: &impl Serialize) -> Vec<u8> {
        postcard::to_stdvec(value).expect(GOOD)
    }

    fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
        postcard::from_bytes(bytes).expect(GOOD)
    }
}

/// Writing and reading back, without any wire, and how long what is written is.
pub fn measure(report: &mut Report) {
    one::<MessagePack>(report);
    one::<Cbor>(report);
    one::<Postcard>(report);
}

fn one<C: Codec>(report: &mut Report) {
    let page = rows(PAGE);
    let ([json, other], [json_bytes, other_bytes]) = beside_json::<C, Account>(&page[0], 1_000);
    report.told(&format!("{}: write and read a row", C::NAME), "µs", json, other);
    report.told(&format!("{}: size of a row", C::NAME), "B", json_bytes, other_bytes);
    let ([json, other], [json_bytes, other_bytes]) = beside_json::<C, Vec<Account>>(&page, 10);
    report.told(&format!("{}: write and read {PAGE} rows", C::NAME), "µs", json, other);
    report.told(&format!("{}: size of {PAGE} rows", C::NAME), "B", json_bytes, other_bytes);
}

/// Microseconds and bytes of JSON and of `C`, in rounds that take turns.
fn beside_json<C: Codec, T: Serialize + DeserializeOwned>(value: &T, times: u32) -> ([f64; 2], [f64; 2]) {
    let (mut json_us, mut other_us) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        json_us.push(there_and_back::<Json, T>(value, times));
        other_us.push(there_and_back::<C, T>(value, times));
    }
    let sizes = [Json::write(value).len(), C::write(value).len()];
    ([quiet(&mut json_us), quiet(&mut other_us)], sizes.map(|bytes| bytes as f64))
}

fn there_and_back<C: Codec, T: Serialize + DeserializeOwned>(value: &T, times: u32) -> f64 {
    let started = Instant::now();
    for _ in 0..times {
        black_box(C::read::<T>(&C::write(black_box(value))));
    }
    started.elapsed().as_nanos() as f64 / 1000.0 / f64::from(times)
}
