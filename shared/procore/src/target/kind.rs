//! What differs between the kinds of records in addresses and bodies.
use super::{At, incident, note, observation};
use crate::request::{Place, Request, Tool};
use domain::merge::Fields;
use domain::record::RecordKind;
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Incident,
    Observation,
    Note,
}

impl Kind {
    pub(crate) fn of(kind: RecordKind) -> Self {
        match kind {
            RecordKind::Incident => Self::Incident,
            RecordKind::Observation => Self::Observation,
            RecordKind::DailySummary => Self::Note,
        }
    }

    pub(crate) fn tool(self) -> Tool {
        match self {
            Self::Incident => Tool::Incidents,
            Self::Observation => Tool::Observations,
            Self::Note => Tool::DailyLog,
        }
    }

    /// The part of a record's page address.
    pub(crate) fn page(self) -> &'static str {
        match self {
            Self::Incident => "incidents",
            Self::Observation => "observations",
            Self::Note => "dailylog",
        }
    }

    /// The member in which the marker stands.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Incident => "title",
            Self::Observation => "name",
            Self::Note => "comment",
        }
    }

    fn collection(self, at: At) -> String {
        match self {
            Self::Incident => format!("/rest/v1.0/projects/{}/incidents", at.project),
            Self::Observation => "/rest/v1.0/observations/items".to_owned(),
            Self::Note => format!("/rest/v1.0/projects/{}/notes_logs", at.project),
        }
    }

    /// Observations take the project in the query of reads and in the body of writes; the others in the path.
    fn placed(self, at: At, request: Request) -> Request {
        match self {
            Self::Incident | Self::Note => request,
            Self::Observation => request.with("project_id", at.project),
        }
    }

    pub(crate) fn list(self, at: At) -> Request {
        self.placed(at, Request::get(at.company, self.collection(at), Place::Project, self.tool()))
    }

    pub(crate) fn show(self, at: At, id: i64) -> Request {
        let path = format!("{}/{id}", self.collection(at));
        self.placed(at, Request::get(at.company, path, Place::Record, self.tool()))
    }

    /// The recycle bin. Notes have none.
    pub(crate) fn list_bin(self, at: At) -> Option<Request> {
        let tail = match self {
            Self::Incident => "incidents",
            Self::Observation => "observations/items",
            Self::Note => return None,
        };
        let path = format!("/rest/v1.0/projects/{}/recycle_bin/{tail}", at.project);
        Some(Request::get(at.company, path, Place::Project, self.tool()))
    }

    /// The observations' bin is the one list that takes no pages.
    pub(crate) fn bin_pages(self) -> bool {
        self == Self::Incident
    }

    pub(crate) fn create(self, at: At, fields: &Fields) -> Request {
        Request::write(
            at.company,
            Method::POST,
            self.collection(at),
            self.body(at, fields),
            Place::Project,
            self.tool(),
        )
    }

    pub(crate) fn update(self, at: At, id: i64, fields: &Fields) -> Request {
        let path = format!("{}/{id}", self.collection(at));
        Request::write(at.company, Method::PATCH, path, self.body(at, fields), Place::Record, self.tool())
    }

    fn body(self, at: At, fields: &Fields) -> Value {
        match self {
            Self::Incident => json!({"incident": fields}),
            Self::Observation => json!({"project_id": at.project, "observation": fields}),
            Self::Note => json!({"notes_log": fields}),
        }
    }

    /// What Procore shows of a record, by the names and in the form that rendering gives.
    pub(crate) fn fields(self, record: &Value) -> Fields {
        match self {
            Self::Incident => incident::fields(record),
            Self::Observation => observation::fields(record),
            Self::Note => note::fields(record),
        }
    }
}
