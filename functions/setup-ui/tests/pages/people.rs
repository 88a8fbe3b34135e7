use crate::world::{PROJECT, PUBLIC, World};
use people::Role;
use people::links::Standing;

#[tokio::test]
async fn a_manager_invites_and_the_link_stands_in_the_answer_alone() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let made = world.post(&manager, "/people/invite", "label=Foreman+%3Cb%3E&role=viewer").await;
    assert_eq!(made.status, 200);
    assert!(made.body.contains("Foreman &lt;b&gt;") && !made.body.contains("<b>"));
    let url = made.body.split("id=\"new-link\">").nth(1).unwrap().split('<').next().unwrap();
    let secret = url.strip_prefix(&format!("{PUBLIC}/sign-in/link/")).unwrap();
    assert!(!format!("{:?}", world.table.dump()).contains(secret));
    assert!(!world.get(&manager, "/people").await.body.contains(secret));
    let Standing::Good(link) = world.people.link(secret).await.unwrap() else { panic!("no good link") };
    assert_eq!((link.role, link.organization_id), (Role::Viewer, world.ours.organization.clone()));
    assert_eq!(link.invited_by, Some(manager.session.person_id.clone()));
    let nameless = world.post(&manager, "/people/invite", "label=+&role=viewer").await;
    assert!(nameless.body.contains("Say whom it is for") && !nameless.body.contains("new-link"));
    assert_eq!(world.post(&manager, "/people/invite", "label=x&role=owner").await.status, 400);
}

/// Else they would let themselves in by it to the sites that they don't see.
#[tokio::test]
async fn a_manager_who_sees_some_sites_invites_nobody() {
    let world = World::new().await;
    let limited = world.lists(&world.ours, &[PROJECT], Role::Manager).await;
    let page = world.get(&limited, "/people").await;
    assert!(page.status == 200 && !page.body.contains("/people/invite"), "{}", page.body);
    assert!(page.body.contains("Ask a manager who sees all."), "{}", page.body);
    let refused = world.post(&limited, "/people/invite", "label=Me&role=manager").await;
    assert_eq!(refused.status, 403);
    assert!(!refused.body.contains("new-link"));
}

#[tokio::test]
async fn a_manager_raises_lowers_and_removes_others_but_not_themselves() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let path = |who: &crate::world::SignedIn, what: &str| format!("/people/{}/{what}", who.session.person_id);
    assert_eq!(world.post(&manager, &path(&viewer, "role"), "role=manager").await.status, 303);
    assert_eq!(world.post(&viewer, "/people/invite", "label=x&role=viewer").await.status, 200, "it counts at once");
    assert_eq!(world.post(&manager, &path(&viewer, "role"), "role=viewer").await.status, 303);
    assert_eq!(world.post(&viewer, "/people/invite", "label=x&role=viewer").await.status, 403);
    for what in ["role", "remove"] {
        let own = world.post(&manager, &path(&manager, what), "role=viewer").await;
        assert!(own.status == 403 && own.body.contains("Another manager"), "{what}: {}", own.body);
        assert_eq!(world.post(&viewer, &path(&manager, what), "role=viewer").await.status, 403, "{what}");
    }
    assert_eq!(world.post(&manager, &path(&viewer, "remove"), "").await.status, 303);
    assert_eq!(world.get(&viewer, "/setup").await.status, 303, "their session is over");
}

#[tokio::test]
async fn sessions_are_ended_by_their_owner_or_a_manager() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let viewer = world.sign_in(&world.ours, Role::Viewer).await;
    let end = |who: &crate::world::SignedIn| {
        (format!("/people/{}/sessions/end", who.session.person_id), format!("session={}", who.session.id))
    };
    let page = world.get(&viewer, "/people").await;
    assert!(page.body.contains(&viewer.session.id) && !page.body.contains(&manager.session.id));
    let (path, body) = end(&manager);
    assert_eq!(world.post(&viewer, &path, &body).await.status, 403);
    let (path, body) = end(&viewer);
    assert_eq!(world.post(&manager, &path, &body).await.status, 303);
    assert_eq!(world.get(&viewer, "/setup").await.status, 303);
    assert_eq!(world.post(&manager, &path, &body).await.status, 404, "once");
}

#[tokio::test]
async fn another_organizations_people_do_not_exist() {
    let world = World::new().await;
    let manager = world.sign_in(&world.ours, Role::Manager).await;
    let theirs = world.sign_in(&world.theirs, Role::Viewer).await;
    let page = world.get(&manager, "/people").await;
    assert!(!page.body.contains(theirs.session.person_id.as_str()));
    for (what, body) in [
        ("role", "role=manager".to_owned()),
        ("remove", String::new()),
        ("sessions/end", format!("session={}", theirs.session.id)),
    ] {
        let answer = world.post(&manager, &format!("/people/{}/{what}", theirs.session.person_id), &body).await;
        assert_eq!(answer.status, 404, "{what}");
        // Nor does their session, named under one of ours.
        let mixed = world.post(&manager, &format!("/people/{}/sessions/end", manager.session.person_id), &body).await;
        assert_eq!(mixed.status, 404, "{what}");
    }
    assert_eq!(world.get(&theirs, "/setup").await.status, 200);
    assert_eq!(
        world.people.person(&world.theirs.organization, &theirs.session.person_id).await.unwrap().unwrap().role,
        Role::Viewer
    );
}
