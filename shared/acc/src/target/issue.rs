//! A detection or an incident as an issue (design 7, in Autodesk's members): within its lengths, the marker at the title's end, the
//! link at the description's.
use super::limits::{COMMENT, DESCRIPTION, LOCATION, TITLE, length, shortened, split, with_tail};
use super::{locations, project, required, subtypes};
use domain::event::Zone;
use domain::merge::Fields;
use domain::record::Mender;
use domain::wording::{
    Place, incident_description, incident_title, observation_description, observation_name, trial_description,
    trial_name,
};
use platform::known::{Known, Stop};
use serde_json::{Map, Value, json};
use sync::target::{Block, Project, Subject, SubjectBody};

const CONTINUED: &str = "(continued in a comment)";

/// The members that are texts or ids, by Autodesk's names.
const MEMBERS: [&str; 5] = ["title", "description", "issueSubtypeId", "locationId", "locationDetails"];

pub(super) fn render(subject: &Subject, project: &Project, known: Known<'_>) -> Result<Fields, Stop> {
    let text = text(subject).ok_or_else(|| Stop::Block(only_retracted()))?;
    project::check(known)?;
    let mapping = &project.settings.mapping;
    let subtype = subtypes::choose(mapping, known)?;
    let mut fields = required::fill(&subtype, mapping, known)?;
    let tail = format!(" [{}]", subject.marker);
    let title = text.title.strip_suffix(&tail).unwrap_or(&text.title);
    let (description, _) = described(&text.description, &subject.link);
    fields.insert("title".to_owned(), json!(with_tail(title, &tail, TITLE)));
    fields.insert("description".to_owned(), json!(description));
    fields.insert("issueSubtypeId".to_owned(), json!(subtype.id));
    if let Some(location) = text.location {
        let (name, value) = match locations::of_zone(&subject.zone_id, mapping, known)? {
            Some(node) => ("locationId", json!(node)),
            None => ("locationDetails", json!(shortened(&location, LOCATION))),
        };
        fields.insert(name.to_owned(), value);
    }
    Ok(fields)
}

struct Text {
    title: String,
    description: String,
    location: Option<String>,
}

/// `None`: only the retraction is known of an incident, or it is a site's day.
fn text(subject: &Subject) -> Option<Text> {
    let zone_name = subject.zone.as_ref().map_or(&subject.zone_id, |zone| &zone.name);
    let place = Place { zone_name, time_zone: &subject.time_zone, marker: &subject.marker, link: &subject.link };
    let path = subject.zone.as_ref().map_or_else(|| vec![subject.zone_id.clone()], Zone::path);
    let location = Some(path.join(" > ")).filter(|path| !path.is_empty());
    Some(match &subject.body {
        SubjectBody::Incident(fact) => {
            let incident = fact.incident.as_ref()?;
            let retracted = fact.retraction.as_ref().filter(|_| fact.is_retracted());
            let retracted = retracted.map(|retraction| retraction.reason.as_str());
            // In one list with observations.
            let word = if incident.recordable { "Recordable incident" } else { "Incident" };
            Text {
                title: format!("{word}: {}", incident_title(incident, &place)),
                description: incident_description(incident, retracted, &place),
                location,
            }
        }
        SubjectBody::Observation(detection) => Text {
            title: observation_name(detection, &place),
            description: observation_description(detection, &place),
            location,
        },
        // A day is no issue.
        SubjectBody::Summary { .. } => return None,
        SubjectBody::Trial { asked_at } => {
            Text { title: trial_name(&place), description: trial_description(*asked_at, &place), location: None }
        }
    })
}

/// The description within its length, and the rest. The link stays at its end: it opens what no limit cuts.
fn described<'a>(text: &'a str, link: &str) -> (String, Option<&'a str>) {
    if length(text) <= DESCRIPTION {
        return (text.to_owned(), None);
    }
    let (body, last) = match text.rsplit_once('\n') {
        Some((body, last)) if last.ends_with(link) => (body, last),
        _ => (text, ""),
    };
    let tail = format!("\n{CONTINUED}\n{last}");
    let (kept, rest) = split(body, DESCRIPTION.saturating_sub(length(&tail)));
    (format!("{kept}{tail}").trim_end().to_owned(), Some(rest))
}

/// What the members have no room for.
pub(super) fn overflow(subject: &Subject) -> Option<String> {
    /// Our reference stands below it.
    const REFERENCE: usize = 100;
    let text = text(subject)?;
    let rest = described(&text.description, &subject.link).1.map(|rest| format!("Continued: {rest}"));
    let place = text.location.filter(|place| length(place) > LOCATION).map(|place| format!("Location: {place}"));
    let parts: Vec<String> = rest.into_iter().chain(place).collect();
    (!parts.is_empty()).then(|| shortened(&parts.join("\n"), COMMENT - REFERENCE))
}

fn only_retracted() -> Block {
    Block {
        reason: "This incident was retracted before anything else about it arrived.".into(),
        who: Mender::HardhatPulse,
        what_to_do: "Nothing: if the incident itself arrives, it is taken up by itself.".into(),
    }
}

/// What rendering can name, as Autodesk shows it.
pub(super) fn fields(issue: &Value) -> Fields {
    let member = |name: &str| (name.to_owned(), issue.get(name).cloned().unwrap_or(Value::Null));
    let custom = issue.get("customAttributes").and_then(Value::as_array).into_iter().flatten();
    let custom = custom.filter_map(|each| {
        let id = each.get("attributeDefinitionId")?.as_str()?;
        Some((required::field(id), each.get("value").cloned().unwrap_or(Value::Null)))
    });
    MEMBERS.into_iter().map(member).chain(custom).collect()
}

/// The same as a body of a request.
pub(super) fn body(fields: &Fields) -> Map<String, Value> {
    let (mut body, mut custom) = (Map::new(), Vec::new());
    for (name, value) in fields {
        match required::attribute(name) {
            Some(id) => custom.push(json!({"attributeDefinitionId": id, "value": value})),
            None => _ = body.insert(name.clone(), value.clone()),
        }
    }
    if !custom.is_empty() {
        body.insert("customAttributes".to_owned(), Value::Array(custom));
    }
    body
}

/// Which of our fields may be written, of what Autodesk permits.
pub(super) fn writable(issue: &Value, fields: &Fields) -> Option<std::collections::BTreeSet<String>> {
    let permitted: Vec<&str> = issue.get("permittedAttributes")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let custom = |name: &str| required::attribute(name).map(|_| "customAttributes");
    let may = |name: &&String| permitted.contains(&custom(name).unwrap_or(name.as_str()));
    Some(fields.keys().filter(may).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_description_keeps_its_link_and_loses_no_word() {
        let link = "https://pulse.example/sites/site_1/incidents/2";
        let words: Vec<String> = (0..300).map(|n| format!("word{n}")).collect();
        let text = format!("Role: Rigger\nSummary: {}\nHardHat Pulse: {link}", words.join(" "));
        let (kept, rest) = described(&text, link);
        assert!(length(&kept) <= DESCRIPTION, "{}", length(&kept));
        assert!(kept.ends_with(link) && kept.contains(CONTINUED));
        let all = format!("{kept} {}", rest.unwrap_or_default());
        assert!(words.iter().all(|word| all.split_whitespace().any(|each| each == word)));
        assert_eq!(described("short", link), ("short".to_owned(), None));
    }

    #[test]
    fn custom_fields_go_in_and_come_back_one_by_one() {
        let issue = json!({"title": "t", "customAttributes": [
            {"attributeDefinitionId": "a", "value": "1", "title": "A"}, {"attributeDefinitionId": "b", "value": null}],
            "permittedAttributes": ["title", "customAttributes"]});
        let fields = fields(&issue);
        assert_eq!(fields["customAttributes[a]"], json!("1"));
        assert_eq!(fields["description"], Value::Null);
        let writable = writable(&issue, &fields).unwrap();
        assert!(
            writable.contains("customAttributes[a]") && writable.contains("title") && !writable.contains("description")
        );
        let sent = body(&Fields::from([("title".into(), json!("t2")), ("customAttributes[a]".into(), json!("2"))]));
        assert_eq!(
            Value::Object(sent),
            json!({"title": "t2", "customAttributes": [{"attributeDefinitionId": "a", "value": "2"}]})
        );
    }
}
