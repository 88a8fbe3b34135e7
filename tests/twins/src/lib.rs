//! One suite for the table in DynamoDB and its in-memory twin: what passes here behaves alike, so that schedules tried on the
//! twin mean something for the real one. `tests/memory.rs` runs it on the twin, the end-to-end suite on the emulator.
mod due;
mod lanes;
mod table;

use store::Table;

/// Runs everything. `prefix` keeps runs apart that share a table.
pub async fn suite(table: &dyn Table, prefix: &str) {
    table::puts_and_conditions(table, prefix).await;
    table::puts_together_are_all_or_none(table, prefix).await;
    table::values_come_back_as_they_went(table, prefix).await;
    table::queries(table, prefix).await;
    table::batches(table, prefix).await;
    due::the_index_gives_what_is_due_soonest_first(table, prefix).await;
    due::a_change_is_conditional_and_the_least_reason_counts(table, prefix).await;
    lanes::a_todo_asked_for_during_handling_is_not_lost(table, prefix).await;
    lanes::todos_come_by_class_then_time_and_waiting_ones_by_class_then_next_try(table, prefix).await;
    lanes::a_link_is_written_only_as_read(table, prefix).await;
}
