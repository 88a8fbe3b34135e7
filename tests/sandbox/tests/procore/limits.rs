use sandbox::limits::Limits;

use crate::support::standing;

#[tokio::test]
async fn headers_describe_the_nearer_window_and_the_limit_answers_429() {
    let rig = standing().await;
    rig.sandbox.set_limits(Limits { per_hour: 5, per_ten_seconds: 3 });
    let first = rig.get("/rest/v1.0/companies").await;
    assert_eq!((first.header("x-rate-limit-limit"), first.header("x-rate-limit-remaining")), ("3", "2"));
    let reset = rig.sandbox.now().as_second() + 10;
    assert_eq!(first.header("x-rate-limit-reset"), reset.to_string());
    rig.get("/rest/v1.0/companies").await;
    rig.get("/rest/v1.0/companies").await;
    let refused = rig.get("/rest/v1.0/companies").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "10"));
    rig.sandbox.advance(10);
    rig.get("/rest/v1.0/companies").await;
    let last = rig.get("/rest/v1.0/companies").await;
    assert_eq!(
        (last.status, last.header("x-rate-limit-limit"), last.header("x-rate-limit-remaining")),
        (200, "5", "0")
    );
    rig.sandbox.advance(10);
    let refused = rig.get("/rest/v1.0/companies").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "3580"));
    rig.sandbox.advance(3580);
    assert_eq!(rig.get("/rest/v1.0/companies").await.status, 200);
}

#[tokio::test]
async fn the_default_is_one_hundred_in_ten_seconds_per_company() {
    let mut rig = standing().await;
    for _ in 0..100 {
        assert_eq!(rig.get("/rest/v1.0/companies").await.status, 200);
    }
    assert_eq!(rig.get("/rest/v1.0/companies").await.status, 429);
    rig.company = rig.sandbox.companies()[1].id;
    assert_eq!(rig.get("/rest/v1.0/companies").await.status, 200);
}
