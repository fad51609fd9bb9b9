//! What callers of connections count on.

use connections_api::Connections;
use service_registry::testing::{contract_holds, shapes_are_true};

#[test]
fn callers_of_this_version_can_go_on() {
    contract_holds::<dyn Connections>(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_shapes_in_the_contract_are_what_the_types_read_and_write() {
    shapes_are_true::<dyn Connections>(200);
}
