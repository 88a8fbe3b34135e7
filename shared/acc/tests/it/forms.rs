//! A site's day as a form.
use crate::site::Site;
use domain::merge::Fields;
use domain::record::RecordKind;
use serde_json::json;
use sync::target::Target;

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
async fn a_form_that_is_made_again_is_the_one_that_stands_with_what_is_said_now() {
    let site = Site::start().await;
    for notes in ["Alerts: 2", "Alerts: 2", "Alerts: 3"] {
        let sent = fields(&site, notes);
        let made = site.target.create(site.call(), &site.project, RecordKind::DailySummary, &sent).await.unwrap();
        assert_eq!(made.fields["notes"], notes);
        let forms = site.sandbox.forms(&site.project.id);
        assert_eq!((forms.len(), &forms[0].fields["notes"]), (1, &json!(notes)));
    }
    assert_eq!(site.calls_of("patchForm"), 1, "only what is news is written");
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
