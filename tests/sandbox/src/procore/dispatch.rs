//! From an operation of the document to what does it.

use super::call::{Call, Outcome};
use super::daily_log;
use super::reply::Refusal;
use super::state::World;
use super::{directory, hooks_api, incidents, injuries, observations};
use crate::faults::Shape;

/// Operations under /oauth, which the pipeline answers itself.
#[cfg(test)]
const OAUTH: [&str; 4] = ["oauthAuthorize", "oauthToken", "oauthTokenInfo", "oauthRevoke"];

pub(crate) fn dispatch(world: &mut World, call: &Call) -> Outcome {
    match call.operation_id.as_str() {
        "showMe" => directory::me(world, call),
        "listCompanies" => directory::companies(world, call),
        "checkCompanyZone" => directory::base_url(call),
        "listProjectPeople" => directory::people(world, call),
        "listProjects" => directory::projects(world, call),
        "showProject" => directory::project(world, call),
        "listLocations" => directory::locations(world, call),
        "createLocation" => directory::create_location(world, call),
        "findOrCreateLocation" => directory::find_or_create_location(world, call),
        "listTrades" => directory::entries(world, call, "trades"),
        "listCustomFieldDefinitions" | "listProjectFieldSets" => directory::nothing(call),
        "listIncidents" => incidents::list(world, call),
        "createIncident" => incidents::create(world, call),
        "showIncident" => incidents::show(world, call),
        "updateIncident" => incidents::update(world, call),
        "recycleIncident" => incidents::recycle(world, call),
        "showIncidentConfiguration" => incidents::configuration(world, call),
        "createIncidentAttachment" => incidents::attach(world, call),
        "listRecycledIncidents" => incidents::list_recycled(world, call),
        "showRecycledIncident" => incidents::show_recycled(world, call),
        "restoreIncident" => incidents::restore(world, call),
        "createIncidentAction" => incidents::create_action(world, call),
        "listInjuries" => injuries::list(world, call, "injury"),
        "createInjury" => injuries::create(world, call, "injury"),
        "showInjury" => injuries::show(world, call),
        "updateInjury" => injuries::update(world, call),
        "listRecycledInjuries" => injuries::list_recycled(world, call),
        "restoreInjury" => injuries::restore(world, call),
        "listNearMisses" => injuries::list(world, call, "near_miss"),
        "createNearMiss" => injuries::create(world, call, "near_miss"),
        "listFilingTypeOptions" => directory::filing_types(),
        "listIncidentStatusOptions" => directory::labels(&[("Open", "open"), ("Closed", "closed")]),
        "listAffectedBodyPartOptions" => directory::labels(&[("Back", "back"), ("Hand", "hand"), ("Head", "head")]),
        "listInjuryFilingTypes" => directory::injury_filing_types(call),
        "listSeverityLevels" => directory::severity_levels(call),
        "listBodyParts" => directory::entries(world, call, "body_parts"),
        "listAfflictionTypes" => directory::entries(world, call, "affliction_types"),
        "listHarmSources" => directory::entries(world, call, "harm_sources"),
        "listWorkActivities" => directory::entries(world, call, "work_activities"),
        "listActionTypes" => directory::entries(world, call, "action_types"),
        "listHazards" => directory::entries(world, call, "hazards"),
        "listContributingBehaviors" => directory::entries(world, call, "contributing_behaviors"),
        "listContributingConditions" => directory::entries(world, call, "contributing_conditions"),
        "listObservationItems" => observations::list(world, call),
        "createObservationItem" => observations::create(world, call),
        "showObservationItem" => observations::show(world, call),
        "updateObservationItem" => observations::update(world, call),
        "createObservationResponseLog" => observations::respond(world, call),
        "listObservationResponseLogs" => observations::list_responses(world, call),
        "sendUnsentObservations" => observations::send_unsent(world, call),
        "sendObservationEmail" => observations::send_email(world, call),
        "listObservationTypes" => observations::list_types(world, call),
        "listProjectObservationTypes" => observations::types(world, call),
        "listObservationFieldSets" => observations::field_sets(world, call),
        "listRecycledObservations" => observations::list_recycled(world, call),
        "showRecycledObservation" => observations::show_recycled(world, call),
        "restoreObservation" => observations::restore(world, call),
        "listNotesLogs" => daily_log::list(world, call, daily_log::NOTES),
        "createNotesLog" => daily_log::create(world, call, daily_log::NOTES),
        "showNotesLog" => daily_log::show(world, call),
        "updateNotesLog" => daily_log::update(world, call),
        "deleteNotesLog" => daily_log::delete(world, call),
        "listSafetyViolationLogs" => daily_log::list(world, call, "safety_violation_logs"),
        "createSafetyViolationLog" => daily_log::create(world, call, "safety_violation_logs"),
        "listAccidentLogs" => daily_log::list(world, call, "accident_logs"),
        "createAccidentLog" => daily_log::create(world, call, "accident_logs"),
        "showDailyLogHeader" => daily_log::show_header(world, call),
        "listDailyLogHeaders" => daily_log::list_headers(world, call),
        "updateDailyLogHeader" => daily_log::update_header(world, call),
        "countDailyLogs" => daily_log::counts(world, call),
        "listHooksV1"
        | "createHookV1"
        | "updateHookV1"
        | "deleteHookV1"
        | "listTriggersV1"
        | "createTriggerV1"
        | "bulkCreateTriggersV1"
        | "listDeliveriesV1" => hooks_api::v1(world, call),
        "listWebhookResourcesV1" => hooks_api::resources_v1(world, call),
        "listHooksV2"
        | "createHookV2"
        | "showHookV2"
        | "updateHookV2"
        | "deleteHookV2"
        | "listTriggersV2"
        | "bulkCreateTriggersV2"
        | "listDeliveriesV2"
        | "listWebhookResourcesV2"
        | "createCompanyHookV2" => hooks_api::v2(world, call),
        "listAppInstallations" => directory::app_installations(world, call),
        "listAppConfigurations" => hooks_api::app_configurations(call),
        other => Err(Refusal::new(500, Shape::Flat, format!("the sandbox does not know {other}"))),
    }
}

#[cfg(test)]
mod tests {
    /// Every operation of the document stands in this file's table.
    #[test]
    fn every_operation_is_known() {
        let table = include_str!("dispatch.rs");
        let document = crate::procore::document().expect("the document loads");
        let missing: Vec<&str> = document
            .operation_ids()
            .filter(|id| !super::OAUTH.contains(id) && !table.contains(&format!("\"{id}\"")))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
