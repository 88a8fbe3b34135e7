//! The `data` of each event type (contracts 6.2). All members are read before any `?`, so that all violations are told.
use super::object::Object;
use super::rules;
use crate::event::{
    Detection, Footage, Frame, Incident, OshaLog, PpeCheck, PpeSample, Retraction, Worker, WorkerAssignment, Zone,
};
use jiff::Timestamp;

const PPE_MAX: usize = 64;
const DETECTIONS_MAX: usize = 1000;
const TIERS_MAX: usize = 10;

pub(super) fn detection(data: &Object<'_>) -> Option<Detection> {
    let detection_id = data.required("detection_id", &rules::ULID);
    let detected_at = data.required("detected_at", &rules::TIME);
    let kind = data.required("kind", &rules::KIND);
    let priority = data.required("priority", &rules::PRIORITY);
    let zone_id = data.required("zone_id", &rules::ID);
    let camera_id = data.required("camera_id", &rules::ID);
    let missing_ppe = data.list("missing_ppe", PPE_MAX, &rules::TAG);
    let confidence = data.optional("confidence", &rules::CONFIDENCE);
    let worker = data.optional_object("worker", worker);
    let frame = data.object("frame", frame);
    let footage = data.optional_object("footage", footage);
    Some(Detection {
        detection_id: detection_id?,
        detected_at: detected_at?,
        kind: kind?,
        priority: priority?,
        zone_id: zone_id?,
        camera_id: camera_id?,
        missing_ppe: missing_ppe?,
        confidence: confidence?,
        worker: worker?,
        frame: frame?,
        footage: footage?,
    })
}

fn worker(data: &Object<'_>) -> Option<Worker> {
    let only = data.only(&["worker_id", "role", "trade"]);
    let worker_id = data.required("worker_id", &rules::WORKER_ID);
    let role = data.required("role", &rules::ROLE);
    let trade = data.required("trade", &rules::TRADE);
    only.then_some(Worker { worker_id: worker_id?, role: role?, trade: trade? })
}

fn frame(data: &Object<'_>) -> Option<Frame> {
    let captured_at = data.required("captured_at", &rules::TIME);
    let index = data.optional("index", &rules::INDEX);
    Some(Frame { captured_at: captured_at?, index: index? })
}

fn footage(data: &Object<'_>) -> Option<Footage> {
    let edge_path = data.optional("edge_path", &rules::PATH);
    let s3_key = data.optional("s3_key", &rules::PATH);
    Some(Footage { edge_path: edge_path?, s3_key: s3_key? })
}

pub(super) fn incident(data: &Object<'_>) -> Option<Incident> {
    let incident_id = data.required("incident_id", &rules::ULID);
    let revision = data.required("revision", &rules::REVISION);
    let occurred_at = data.required("occurred_at", &rules::TIME);
    let confirmed_at = data.required("confirmed_at", &rules::TIME);
    let recordable = data.required("recordable", &rules::FLAG);
    let incident_type = data.required("incident_type", &rules::KIND);
    let classification = data.required("classification", &rules::CLASSIFICATION);
    let outcome = data.optional("outcome", &rules::OUTCOME);
    let privacy_case = data.optional("privacy_case", &rules::FLAG);
    let osha_log = data.object("osha_log", osha_log);
    let zone_id = data.required("zone_id", &rules::ID);
    let worker = data.object("worker", worker);
    let detection_ids = data.required_list("detection_ids", DETECTIONS_MAX, &rules::ULID);
    let summary = data.optional("summary", &rules::SUMMARY);
    Some(Incident {
        incident_id: incident_id?,
        revision: revision?,
        occurred_at: occurred_at?,
        confirmed_at: confirmed_at?,
        recordable: recordable?,
        incident_type: incident_type?,
        classification: classification?,
        outcome: outcome?,
        privacy_case: privacy_case?.unwrap_or(false),
        osha_log: osha_log?,
        zone_id: zone_id?,
        worker: worker?,
        detection_ids: detection_ids?,
        summary: summary?,
    })
}

fn osha_log(data: &Object<'_>) -> Option<OshaLog> {
    let year = data.required("year", &rules::YEAR);
    let case_number = data.required("case_number", &rules::CASE_NUMBER);
    Some(OshaLog { year: year?, case_number: case_number? })
}

pub(super) fn retraction(data: &Object<'_>) -> Option<Retraction> {
    let incident_id = data.required("incident_id", &rules::ULID);
    let revision = data.required("revision", &rules::REVISION);
    let reason = data.required("reason", &rules::REASON);
    Some(Retraction { incident_id: incident_id?, revision: revision?, reason: reason? })
}

pub(super) fn zone(data: &Object<'_>) -> Option<Zone> {
    let zone_id = data.required("zone_id", &rules::ID);
    let revision = data.required("revision", &rules::REVISION);
    let name = data.required("name", &rules::NAME_OF_PLACE);
    let kind = data.required("kind", &rules::TAG);
    let required_ppe = data.required_list("required_ppe", PPE_MAX, &rules::TAG);
    let active = data.required("active", &rules::FLAG);
    let given = data.has("location_path");
    let location_path = data.list("location_path", TIERS_MAX, &rules::NAME_OF_PLACE);
    if given && location_path.as_ref().is_some_and(Vec::is_empty) {
        data.refuse("location_path", "must name at least one tier, or be left out");
        return None;
    }
    Some(Zone {
        zone_id: zone_id?,
        revision: revision?,
        name: name?,
        kind: kind?,
        required_ppe: required_ppe?,
        active: active?,
        location_path: location_path.map(|path| given.then_some(path))?,
    })
}

pub(super) fn assignment(data: &Object<'_>) -> Option<WorkerAssignment> {
    let only = data.only(&["worker_id", "revision", "role", "trade", "active", "from", "to"]);
    let worker_id = data.required("worker_id", &rules::WORKER_ID);
    let revision = data.required("revision", &rules::REVISION);
    let role = data.required("role", &rules::ROLE);
    let trade = data.required("trade", &rules::TRADE);
    let active = data.required("active", &rules::FLAG);
    let from = data.required("from", &rules::TIME);
    let to = data.optional("to", &rules::TIME);
    let ordered = in_order(data, from, to.flatten(), ("from", "to"));
    (only && ordered).then_some(WorkerAssignment {
        worker_id: worker_id?,
        revision: revision?,
        role: role?,
        trade: trade?,
        active: active?,
        from: from?,
        to: to?,
    })
}

pub(super) fn ppe_sample(data: &Object<'_>) -> Option<PpeSample> {
    let sample_id = data.required("sample_id", &rules::ID);
    let from = data.required("sampled_from", &rules::TIME);
    let to = data.required("sampled_to", &rules::TIME);
    let ordered = in_order(data, from, to, ("sampled_from", "sampled_to"));
    let zone_id = data.required("zone_id", &rules::ID);
    let checks = data.object("checks", |checks| checks.entries(PPE_MAX, &rules::TAG, ppe_check));
    ordered.then_some(PpeSample {
        sample_id: sample_id?,
        sampled_from: from?,
        sampled_to: to?,
        zone_id: zone_id?,
        checks: checks?.into_iter().collect(),
    })
}

fn ppe_check(data: &Object<'_>) -> Option<PpeCheck> {
    let checked = data.required("checked", &rules::COUNT);
    let compliant = data.required("compliant", &rules::COUNT);
    let (checked, compliant) = (checked?, compliant?);
    if compliant > checked {
        data.refuse("compliant", "must not be greater than `checked`");
        return None;
    }
    Some(PpeCheck { checked, compliant })
}

fn in_order(data: &Object<'_>, from: Option<Timestamp>, to: Option<Timestamp>, names: (&str, &str)) -> bool {
    let ordered = from.zip(to).is_none_or(|(from, to)| from <= to);
    if !ordered {
        data.refuse(names.1, &format!("must not be before `{}`", names.0));
    }
    ordered
}
