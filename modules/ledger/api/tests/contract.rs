//! What callers of ledger count on.

use ledger_api::Ledger;
use service_registry::testing::{contract_holds, shapes_are_true};

#[test]
fn callers_of_this_version_can_go_on() {
    contract_holds::<dyn Ledger>(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_shapes_in_the_contract_are_what_the_types_read_and_write() {
    shapes_are_true::<dyn Ledger>(200);
}
