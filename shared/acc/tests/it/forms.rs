//! A site's day as a form.
use crate::site::Site;
use domain::merge::Fields;
use domain::record::{Mender, RecordKind};
use sandbox::faults::{Effect, Rule};
use serde_json::json;
use sync::target::{SideWrite, Target, TargetError};

fn fields(site: &Site, notes: &str) -> Fields {
    let template = site.sandbox.templates(&site.project.id).remove(0);
    Fields::from([
        ("id".to_owned(), json!("5a0db0c5-0000-8000-8000-00000000abcd")),
        ("formTemplateId".to_owned(), json!(template.id)),
        ("name".to_owned(), json!("Safety summary")),
        ("formDate".to_owned(), json!("2026-11-24")),
        ("notes".to_owned(), json!(notes)),
    ])
}

#[tokio::test]
async fn a_form_that_is_made_again_is_left_as_it_stands_to_be_looked_for() {
    let site = Site::start().await;
    let made = async |notes: &str| {
        site.target.create(site.call(), &site.project, RecordKind::DailySummary, &fields(&site, notes)).await
    };
    assert_eq!(made("Alerts: 2").await.unwrap().fields["notes"], "Alerts: 2");
    let typed = json!({"notes": "Crane down since noon"});
    let id = &site.sandbox.forms(&site.project.id)[0].id;
    site.sandbox.person_writes_form(id, typed.as_object().unwrap().clone(), None).unwrap();
    // Its create was carried out unseen: what a person wrote since is compared, not written over.
    assert!(matches!(made("Alerts: 3").await, Err(TargetError::Unclear { .. })));
    let forms = site.sandbox.forms(&site.project.id);
    assert_eq!((forms.len(), &forms[0].fields["notes"]), (1, &json!("Crane down since noon")));
    assert_eq!(site.calls_of("patchForm"), 0);
    site.assert_clean();
}

#[tokio::test]
async fn a_template_that_is_gone_is_told_as_one() {
    let site = Site::start().await;
    let mut sent = fields(&site, "Alerts: 2");
    sent.insert("formTemplateId".into(), json!("5a0db0c5-0000-4000-8000-00000000dead"));
    let refused = site.target.create(site.call(), &site.project, RecordKind::DailySummary, &sent).await;
    let Err(TargetError::Project(block)) = refused else { panic!("{refused:?}") };
    assert_eq!(block.who, Mender::SafetyManager);
    assert!(
        block.reason.contains("form template that was chosen") && block.what_to_do.contains("Hour and shifts"),
        "{block:?}"
    );
}

#[tokio::test]
async fn who_may_make_no_forms_is_told_so_and_not_of_a_template() {
    let site = Site::start().await;
    let forbidden =
        Effect::Status { status: 403, shape: Default::default(), retry_after: None, message: None, done: false };
    site.sandbox.faults().add(Rule::new(forbidden).operation("createForm").times(1));
    let kind = RecordKind::DailySummary;
    let refused = site.target.create(site.call(), &site.project, kind, &fields(&site, "Alerts: 2")).await;
    let Err(TargetError::Project(block)) = refused else { panic!("{refused:?}") };
    assert_eq!(block.who, Mender::PlatformAdmin);
    assert!(
        block.what_to_do.contains("may create and edit in Forms") && !block.reason.contains("template"),
        "{block:?}"
    );
}

#[tokio::test]
async fn a_form_that_may_not_be_submitted_says_what_people_do() {
    let site = Site::start().await;
    let kind = RecordKind::DailySummary;
    let made = site.target.create(site.call(), &site.project, kind, &fields(&site, "Alerts: 2")).await.unwrap();
    let submit = SideWrite { comment: String::new(), status: Some("submitted") };
    for status in [400, 403, 409] {
        let message = Some("Weather is required".to_owned());
        let refused = Effect::Status { status, shape: Default::default(), retry_after: None, message, done: false };
        site.sandbox.faults().add(Rule::new(refused).operation("patchForm").times(1));
        let submitted = site.target.side_write(site.call(), &site.project, kind, &made, &submit).await;
        let Err(TargetError::Record(block)) = submitted else { panic!("{status}: {submitted:?}") };
        assert!(
            block.reason.contains("Weather is required") && block.what_to_do.contains("submit the form there"),
            "{block:?}"
        );
    }
    site.target.side_write(site.call(), &site.project, kind, &made, &submit).await.unwrap();
    assert_eq!(site.sandbox.forms(&site.project.id)[0].status, "submitted");
    // Somebody was faster: that is what was wanted.
    let conflict =
        Effect::Status { status: 409, shape: Default::default(), retry_after: None, message: None, done: false };
    site.sandbox.faults().add(Rule::new(conflict).operation("patchForm").times(1));
    site.target.side_write(site.call(), &site.project, kind, &made, &submit).await.unwrap();
    site.assert_clean();
}

#[tokio::test]
async fn what_is_no_id_gets_into_no_address() {
    let site = Site::start().await;
    let mut sent = fields(&site, "x");
    sent.insert("formTemplateId".into(), json!("../projects"));
    let refused = site.target.create(site.call(), &site.project, RecordKind::DailySummary, &sent).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("is not an id of an Autodesk form")));
    assert_eq!(site.calls_of("createForm"), 0);
}
