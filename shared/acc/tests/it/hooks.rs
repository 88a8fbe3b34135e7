//! Our hooks on a project: one for each event, in the account's region, each with our secret.
use crate::site::Site;
use domain::record::Mender;
use sandbox::aps::Hook;
use sandbox::faults::{Effect, Rule};
use sync::target::{FoundHook, Target, TargetError};

const URL: &str = "https://pulse.example/hooks/acc/con_01ARZ3NDEKTSV4RRFFQ69G5FAV";
const OTHER: &str = "https://pulse.example/hooks/acc/con_01ARZ3NDEKTSV4RRFFQ69G5FAW";

impl Site {
    async fn hook(&self, known: Option<&str>) -> Option<FoundHook> {
        self.target.hook(self.call(), &self.project, URL, known).await.unwrap()
    }

    async fn mended(&self, standing: Option<&FoundHook>) -> Result<String, TargetError> {
        let standing = standing.map(|found| found.id.clone());
        self.target.mend_hook(self.call(), &self.project, URL, &"5".repeat(64), standing).await
    }

    fn ours(&self) -> Vec<Hook> {
        self.sandbox.hooks().into_iter().filter(|hook| hook.callback_url == URL).collect()
    }
}

#[tokio::test]
async fn they_are_made_known_again_and_removed_and_another_connections_stay() {
    let site = Site::start().await;
    assert!(site.hook(None).await.is_none(), "Autodesk answers 204 where there is none");
    let others = site.target.mend_hook(site.call(), &site.project, OTHER, &"6".repeat(64), None).await.unwrap();
    let id = site.mended(None).await.unwrap();
    for known in [None, Some(id.as_str())] {
        let found = site.hook(known).await.unwrap();
        assert_eq!((found.id.as_str(), found.sound), (id.as_str(), true));
    }
    let mut events: Vec<String> = site.ours().into_iter().map(|hook| hook.event).collect();
    events.sort();
    assert_eq!(events, ["issue.deleted-1.0", "issue.restored-1.0", "issue.updated-1.0"]);
    for known in [Some(id.as_str()), None] {
        site.target.drop_hooks(site.call(), &site.project, URL, known).await.unwrap();
        assert_eq!((site.ours().len(), site.sandbox.hooks().len()), (0, 3));
    }
    assert!(others.split('+').eq(site.sandbox.hooks().iter().map(|hook| hook.id.as_str())));
    site.assert_clean();
}

#[tokio::test]
async fn what_is_silent_is_woken_and_what_is_missing_made_once_though_an_answer_is_lost() {
    let site = Site::start().await;
    let id = site.mended(None).await.unwrap();
    let hooks = site.ours();
    site.sandbox.deactivate_hook(&hooks[0].id);
    let found = site.hook(Some(&id)).await.unwrap();
    assert!(!found.sound);
    assert_eq!(site.mended(Some(&found)).await.unwrap(), id);
    assert!(site.hook(Some(&id)).await.unwrap().sound);
    site.sandbox.remove_hook(&hooks[1].id);
    let found = site.hook(Some(&id)).await.unwrap();
    assert!(!found.sound);
    site.sandbox.faults().add(Rule::new(Effect::LostAfter).operation("createHook").times(1));
    let error = site.mended(Some(&found)).await.unwrap_err();
    assert!(matches!(error, TargetError::Unclear { .. }), "{error:?}");
    // The same ids are kept as before: the one that was made is found in the list.
    let found = site.hook(Some(&id)).await.unwrap();
    let mended = site.mended(Some(&found)).await.unwrap();
    assert!(site.hook(Some(&mended)).await.unwrap().sound);
    assert_eq!(site.ours().len(), 3);
    site.target.drop_hooks(site.call(), &site.project, URL, Some(&id)).await.unwrap();
    assert!(site.ours().is_empty(), "none that a lost answer left behind");
}

#[tokio::test]
async fn they_lie_in_the_accounts_region() {
    let mut site = Site::start().await;
    let emea = (0..site.sandbox.projects().len()).find(|project| {
        site.at(*project);
        site.project.region == Some(domain::autodesk::Region::Emea)
    });
    emea.expect("a project in EMEA");
    site.mended(None).await.unwrap();
    assert!(site.ours().iter().all(|hook| hook.region == "EMEA"), "{:?}", site.ours());
    assert_eq!(site.ours().len(), 3);
}

#[tokio::test]
async fn a_service_account_that_is_no_project_admin_is_told_to_whom_and_what_comes_back_then() {
    let site = Site::start().await;
    assert!(site.sandbox.set_admin(&site.project.id, crate::site::SERVICE, false));
    let Err(TargetError::Project(block)) = site.mended(None).await else { panic!("it may not make hooks") };
    assert_eq!(block.who, Mender::PlatformAdmin);
    assert!(block.what_to_do.contains("each timed reading") && block.what_to_do.contains("project admin"));
    assert!(site.ours().is_empty());
}
