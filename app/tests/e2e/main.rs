//! The whole thing, seen from outside: every journey through real processes, in every mode, on every database.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod harness;
mod journeys;

use harness::{Database, Mode, run, run_over_sockets, run_over_tls};

/// Lists each journey under each mode and database, so that one can be run alone:
/// `cargo test --test e2e hybrid_postgres::a_file_imported_twice`.
macro_rules! journeys {
    ($($file:ident: $($journey:ident)+;)+) => {
        journeys!(@under monolith_sqlite, Mode::Monolith, Database::Sqlite; $($($file $journey)+)+);
        journeys!(@under hybrid_sqlite, Mode::Hybrid, Database::Sqlite; $($($file $journey)+)+);
        journeys!(@under microservices_sqlite, Mode::Microservices, Database::Sqlite; $($($file $journey)+)+);
        journeys!(@under monolith_postgres, Mode::Monolith, Database::Postgres; $($($file $journey)+)+);
        journeys!(@under hybrid_postgres, Mode::Hybrid, Database::Postgres; $($($file $journey)+)+);
        journeys!(@under microservices_postgres, Mode::Microservices, Database::Postgres; $($($file $journey)+)+);
    };
    (@under $name:ident, $mode:expr, $database:expr; $($file:ident $journey:ident)+) => {
        mod $name {
            use super::*;
            $(
                #[tokio::test]
                async fn $journey() {
                    run($mode, $database, journeys::$file::$journey).await;
                }
            )+
        }
    };
}

journeys! {
    imports:
        a_person_registers_logs_in_imports_and_sees_exact_balances
        a_file_imported_twice_creates_nothing
        two_files_of_one_account_overlap_without_doubles
        two_identical_rows_that_are_both_real_stay_two
        a_preview_changes_nothing_and_can_be_given_up
        a_difference_to_the_banks_own_balance_is_shown_and_never_plugged
        what_was_exported_is_nothing_new_when_it_is_imported
        files_uploaded_at_the_same_time_all_arrive_once
        files_in_one_archive_all_arrive_once
        each_row_of_a_file_is_told_with_its_line_and_reason
        a_kept_file_is_read_again_and_deleted
        an_import_is_undone_and_its_file_comes_again_as_new;
    accounts:
        lists_are_paged_in_order_and_count_their_total_on_request
        transactions_are_found_by_day_text_amount_and_kind
        an_account_is_opened_renamed_closed_and_refuses_rows
        every_change_is_told_once_and_in_order;
    edits:
        what_a_household_says_of_a_transaction_stands_beside_the_banks_word
        what_a_household_says_is_not_overwritten_by_an_import
        what_cannot_be_said_of_a_transaction_is_refused_and_changes_nothing
        a_repeated_patch_has_one_effect_and_one_answer;
    tables:
        dates_that_are_ambiguous_are_decided_by_a_person
        rows_that_look_odd_are_named_before_they_are_taken
        amounts_are_read_as_their_bank_writes_them
        a_saved_mapping_reads_the_next_table_of_the_same_bank_by_itself;
    wrong_files:
        what_is_no_bank_file_is_refused_at_once
        a_bank_file_that_cannot_be_read_says_why
        a_bad_row_among_good_ones_is_rejected_with_its_line_and_reason
        content_decides_what_a_file_is_and_a_misleading_name_is_told
        a_wrongly_declared_encoding_is_seen_through;
    hostile_files:
        a_file_that_was_made_to_hurt_is_answered_soon_and_all_goes_on;
    bad_requests:
        bodies_that_are_not_acceptable_are_refused_and_change_nothing
        queries_and_headers_that_are_not_acceptable_are_refused
        what_is_not_there_is_404_and_what_cannot_be_done_405_with_what_can
        an_upload_that_says_it_is_too_large_is_refused_before_it_is_sent
        an_upload_that_turns_out_too_large_is_refused_and_leaves_nothing
        the_private_listener_does_nothing_for_users;
    access:
        passwords_and_addresses_are_checked
        tokens_that_are_missing_forged_foreign_or_expired_are_refused
        a_revoked_session_stops_within_a_second_everywhere
        a_refresh_token_works_once_and_reuse_by_another_ends_the_session;
    households:
        two_households_cannot_see_each_other
        a_viewer_sees_everything_and_changes_nothing
        a_member_who_is_removed_loses_the_household_at_once;
    repeats:
        a_repeated_post_has_one_effect_and_one_answer
        a_repeated_upload_is_one_import
        a_refusal_that_stands_is_repeated_and_one_that_can_be_mended_is_not
        repeats_at_the_same_moment_have_one_effect;
    crashes:
        a_killed_module_takes_only_its_own_requests_along_and_heals
        a_key_is_remembered_beyond_the_death_of_a_process
        an_import_waits_for_a_ledger_that_is_away
        a_process_killed_during_an_import_loses_and_doubles_no_row
        an_upload_that_was_cut_off_can_be_sent_again;
    stopping:
        a_stopping_server_finishes_the_request_in_flight_and_exits_0
        a_second_signal_ends_a_server_at_once_and_says_that_it_did
        processes_say_whether_they_are_of_use_and_what_is_missing;
    topology:
         who_calls_whom_is_seen_with_what_it_costs
         a_sampled_trace_is_the_same_calls_wherever_they_are_answered
         the_flowchart_has_a_box_for_each_process_and_arrows_between_their_modules;
    trust:
         a_refusal_is_logged_with_who_asked_for_what;
}

/// What is long, and the same in every mode.
mod hostile_files {
    use super::*;

    #[tokio::test]
    async fn a_truncated_file_of_each_format_is_answered() {
        let journey = journeys::hostile_files::a_truncated_file_of_each_format_is_answered;
        run(Mode::Monolith, Database::Sqlite, journey).await;
    }

    #[tokio::test]
    async fn a_line_of_a_hundred_megabytes_costs_its_row_and_little_memory() {
        let journey = journeys::hostile_files::a_line_of_a_hundred_megabytes_costs_its_row_and_little_memory;
        run(Mode::Monolith, Database::Sqlite, journey).await;
    }
}

#[tokio::test]
async fn the_same_script_gets_the_same_answers_in_every_mode() {
    journeys::comparison::the_same_script_gets_the_same_answers_in_every_mode().await;
}

#[tokio::test]
async fn who_shows_no_certificate_or_anothers_is_refused_by_name() {
    let journey = journeys::trust::who_shows_no_certificate_or_anothers_is_refused_by_name;
    run_over_tls(Mode::Microservices, Database::Sqlite, journey).await;
}

#[tokio::test]
async fn certificates_are_replaced_while_everything_runs() {
    let journey = journeys::trust::certificates_are_replaced_while_everything_runs;
    run_over_tls(Mode::Microservices, Database::Sqlite, journey).await;
}

#[tokio::test]
async fn sockets_are_there_while_their_processes_live_and_replaced_after_a_kill() {
    let journey = journeys::sockets::sockets_are_there_while_their_processes_live_and_replaced_after_a_kill;
    run_over_sockets(Mode::Microservices, Database::Sqlite, journey).await;
}

#[tokio::test]
async fn over_sockets_a_killed_module_takes_only_its_own_requests_along_and_heals() {
    let journey = journeys::crashes::a_killed_module_takes_only_its_own_requests_along_and_heals;
    run_over_sockets(Mode::Hybrid, Database::Sqlite, journey).await;
}

/// On PostgreSQL alone, at the length that `TRIBUTARY_DRILL` says: `scripts/drill` runs them in full.
mod drills {
    use super::journeys;

    macro_rules! drills {
        ($($file:ident: $($drill:ident)+;)+) => {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $drill() {
                    journeys::$file::$drill().await;
                }
            )+)+
        };
    }

    drills! {
        placement:
            drill_1_the_ledger_moves_out_and_back_under_load_and_nobody_notices
            a_household_stays_on_its_side_and_moves_once_as_the_share_grows
            drill_2_a_killed_ledger_is_replaced_by_the_one_at_home
            drill_2_without_a_fallback_every_lost_call_is_a_503_in_time
            a_guard_puts_the_ledger_back_by_itself_and_says_so
            reads_that_both_sides_answer_do_not_differ
            microservices_come_home_to_a_monolith_on_the_same_database;
        starting:
            drill_5_processes_started_in_any_order_find_each_other;
    }
}
