//! What a change of a contract means, decided from the two contracts alone.

use service_registry::contract::{Agreement, Contract, Document, compare};
use service_registry::testing::{Change, change, shapes_are_true};

use crate::shop::{n, n1, n2, v2};

fn before() -> Document {
    <dyn n::Shop>::document().clone()
}

fn refusals(caller: &Document, callee: &Document) -> Vec<String> {
    match compare(caller, callee) {
        Agreement::Refused(differences) => differences.iter().map(ToString::to_string).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn what_only_adds_is_compatible_for_callers_of_before() {
    assert_eq!(compare(<dyn n::Shop>::document(), <dyn n1::Shop>::document()), Agreement::Compatible);
    let missing = vec!["stock".to_owned()];
    assert_eq!(
        compare(<dyn n1::Shop>::document(), <dyn n::Shop>::document()),
        Agreement::Degraded { missing }
    );
    let additive = Change::Additive { callee_first: Vec::new() };
    assert_eq!(change(<dyn n::Shop>::document(), <dyn n1::Shop>::document()), additive);
}

#[test]
fn what_changes_a_field_is_refused_in_both_directions_and_named() {
    let (old, new) = (<dyn n::Shop>::document(), <dyn n2::Shop>::document());
    let writes = "the callee writes text, the caller reads integer (int64)";
    assert_eq!(refusals(old, new), [format!("shop buy answer.price: {writes}")]);
    assert_eq!(refusals(new, old).len(), 1);
    assert!(matches!(change(old, new), Change::Breaking(_)));
}

#[test]
fn a_contract_agrees_with_itself_and_with_what_its_file_says() {
    for document in [<dyn n::Shop>::document(), <dyn n1::Shop>::document(), <dyn v2::Shop>::document()] {
        let read: Document = serde_json::from_str(&document.to_text()).unwrap();
        assert_eq!(read, *document);
        assert_eq!(compare(document, document), Agreement::Compatible);
        assert_eq!(change(document, &read), Change::None);
    }
}

#[test]
fn a_new_method_without_a_mark_must_be_there_before_its_callers() {
    let mut now = <dyn n1::Shop>::document().clone();
    now.methods.get_mut("stock").unwrap().optional = false;
    let Change::Additive { callee_first } = change(&before(), &now) else { panic!("breaking") };
    assert_eq!(callee_first[0].to_string(), "shop stock: the callee does not have it");
}

#[test]
fn a_method_that_is_gone_breaks_even_those_who_can_go_on_without_it() {
    let now = <dyn n1::Shop>::document();
    assert!(matches!(change(now, &before()), Change::Breaking(_)));
}

#[test]
fn a_callee_must_promise_what_its_caller_counts_on() {
    let (mut caller, callee) = (before(), before());
    let shape = caller.methods.get_mut("buy").unwrap();
    shape.class = service_registry::Class::Read;
    shape.fingerprint.clear();
    let said = "shop buy class: the caller repeats it as read, the callee promises idempotent";
    assert_eq!(refusals(&caller, &callee), [said]);
    assert_eq!(compare(&callee, &caller), Agreement::Compatible);
}

#[test]
fn the_shapes_of_the_toys_are_true() {
    shapes_are_true::<dyn n::Shop>(50);
    shapes_are_true::<dyn n1::Shop>(50);
}
