//! A site's day as a note in the Daily Log (design 7). Notes have neither a status of ours nor a recycle bin, and are found by
//! the day that they are for. Nothing is written into a day that someone has completed, and no day is completed by us: that mails
//! people.
use super::At;
use super::kind::Kind;
use super::remote::{member, plain_text, remote};
use crate::client::Procore;
use crate::request::{Place, Request, Tool};
use domain::marker::carries;
use domain::merge::Fields;
use domain::record::Mender;
use domain::summary::count::Day;
use domain::wording::{self, summary_note};
use jiff::civil::Date;
use serde_json::{Value, json};
use sync::target::{Block, Call, Remote, Subject, TargetError};

/// What a second note of ours is turned into begins so.
const DOUBLE: &str = "Made twice";
const CLOSED: &str = "closed";

pub(super) fn render(subject: &Subject, day: &Day) -> Fields {
    let place =
        wording::Place { zone_name: "", time_zone: &subject.time_zone, marker: &subject.marker, link: &subject.link };
    Fields::from([
        ("date".to_owned(), json!(day.report.date)),
        ("comment".to_owned(), json!(summary_note(day, &place))),
        ("is_issue_day".to_owned(), json!(day.report.confirmed_incidents > 0)),
    ])
}

/// What rendering can name, as Procore shows it.
pub(super) fn fields(record: &Value) -> Fields {
    Fields::from([
        ("date".to_owned(), member(record, "date")),
        ("comment".to_owned(), plain_text(record, "comment")),
        ("is_issue_day".to_owned(), member(record, "is_issue_day")),
    ])
}

/// Procore's word, but for a double that says what it is.
pub(super) fn status(record: &Value) -> Option<&'static str> {
    let comment = plain_text(record, "comment");
    comment.as_str().is_some_and(|comment| comment.starts_with(DOUBLE)).then_some(CLOSED)
}

/// Whether an amendment is sent. One without the comment meets words that a person wrote: whether the day is an issue is then theirs
/// to say too.
pub(super) fn is_ours(send: &Fields) -> bool {
    send.contains_key("comment")
}

/// All of a day, whatever their approval: without the filter, what waits for it is hidden.
pub(super) async fn look(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    marker: &str,
    date: Date,
) -> Result<Vec<Remote>, TargetError> {
    let request = Kind::Note.list(at).with("log_date", date).with("filters[status]", "all");
    let notes = procore.list(call, &request).await?;
    let found = notes.iter().filter_map(|note| remote(procore.hosts(), at, Kind::Note, note, false));
    let ours = |note: &Remote| {
        note.fields.get("comment").and_then(Value::as_str).is_some_and(|comment| carries(comment, marker))
    };
    Ok(found.filter(ours).collect())
}

/// Before each write: what Procore does with a note for a completed day is not said. A day without entries may have no header yet.
pub(super) async fn require_open(
    procore: &Procore,
    call: Call<'_>,
    at: At,
    date: Option<&Value>,
) -> Result<(), TargetError> {
    let date: Option<Date> = date.and_then(Value::as_str).and_then(|text| text.parse().ok());
    let Some(date) = date else { return Ok(()) };
    let path = format!("/rest/v1.0/projects/{}/daily_log_headers", at.project);
    let request = Request::get(at.company, path, Place::Record, Tool::DailyLog).with("log_date", date);
    match procore.send(call, &request).await {
        Ok(reply) if reply.body.get("completed") == Some(&Value::Bool(true)) => {
            Err(TargetError::Record(completed(date)))
        }
        Ok(_) | Err(TargetError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

fn completed(date: Date) -> Block {
    Block {
        reason: format!("The Daily Log of {} is completed in Procore; nothing is written into it any more.", date.strftime("%b %-d, %Y")),
        who: Mender::PlatformAdmin,
        what_to_do: "If the note shall stand there, someone who may reopens that day in Procore's Daily Log; then press retry. The \
                     report itself stands in HardHat Pulse."
            .into(),
    }
}
