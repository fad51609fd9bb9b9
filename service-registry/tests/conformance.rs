//! One body, every binding: same answers, same errors.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used)]

#[path = "conformance/bindings.rs"]
mod bindings;
#[path = "conformance/body.rs"]
mod body;
#[path = "conformance/drills.rs"]
mod drills;
#[path = "conformance/edges.rs"]
mod edges;
#[path = "conformance/faults.rs"]
mod faults;
#[path = "conformance/lossy.rs"]
mod lossy;
#[path = "conformance/over_http.rs"]
mod over_http;
#[path = "conformance/permitted.rs"]
mod permitted;
#[path = "conformance/probe.rs"]
mod probe;
#[path = "conformance/resilience.rs"]
mod resilience;
#[path = "conformance/second.rs"]
mod second;
#[path = "conformance/sockets.rs"]
mod sockets;

/// Writes the list of tests once for each binding.
macro_rules! conformance {
    ($($binding:ident)*) => {$(
        mod $binding {
            conformance!(@ $binding
                arguments_and_answers_arrive_unchanged
                refusals_arrive_as_the_same_variant
                a_failed_call_inside_the_callee_keeps_its_kind
                the_callee_sees_the_request_the_trace_and_the_user
                a_delegated_user_arrives_as_delegated
                the_callee_has_no_more_time_than_its_method
                a_call_that_takes_too_long_is_cut_and_its_work_dropped
                the_timeout_of_a_method_holds_when_the_caller_has_more_time
                an_expired_deadline_does_no_work
                a_read_ends_when_its_caller_goes_away
                a_write_goes_on_when_its_caller_goes_away
                a_write_that_takes_too_long_is_cut_all_the_same
                a_panic_is_an_error_and_the_next_call_works
                a_circle_of_calls_ends_at_the_depth_limit
                a_replayed_answer_is_known_to_the_caller
                an_idempotent_call_has_one_effect
                a_call_whose_repeats_are_known_acts_once
                calls_for_a_request_that_may_come_again_are_known_again
                a_call_that_acts_once_acts_once
            );
        }
    )*};
    (@ $binding:ident $($test:ident)*) => {$(
        #[tokio::test]
        async fn $test() {
            crate::body::$test(crate::bindings::$binding().await).await;
        }
    )*};
}

conformance!(local serialised http_with_a_retry unix_socket split_while_the_share_moves two_processes);
