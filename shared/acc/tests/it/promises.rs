//! What never goes out, whatever the facts hold.
use crate::site::{INCIDENT, OBSERVATION, Site, WORKER, detection, incident, incident_subject, observation_subject};
use domain::event::Footage;
use sync::target::Target;

/// All that the sandbox was sent, in one text.
fn sent(site: &Site) -> String {
    site.sandbox.calls().iter().filter_map(|call| call.body.as_ref()).map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_worker_and_footage_stay_at_home() {
    let site = Site::start().await;
    let mut with_footage = detection();
    with_footage.footage =
        Some(Footage { edge_path: Some("/video/secret.mp4".into()), s3_key: Some("footage/secret.mp4".into()) });
    site.made(OBSERVATION, &observation_subject(with_footage)).await;
    site.made(INCIDENT, &incident_subject(incident())).await;
    let sent = sent(&site);
    assert!(sent.contains("Rigger"));
    for secret in [WORKER, "secret.mp4"] {
        assert!(!sent.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_privacy_case_goes_out_without_role_trade_and_free_text() {
    let site = Site::start().await;
    let mut private = incident();
    (private.privacy_case, private.summary) = (true, Some("typed by someone ".repeat(100)));
    let subject = incident_subject(private);
    site.made(INCIDENT, &subject).await;
    let sent = sent(&site);
    for private in ["Rigger", "Ironwork", "typed by", WORKER] {
        assert!(!sent.contains(private), "{private}");
    }
    assert_eq!(site.target.overflow(&subject, &site.project), None);
}
