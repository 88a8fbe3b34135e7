//! 600 requests a minute and key.
use crate::world::World;
use jiff::SignedDuration;
use rest_api::PER_MINUTE;

#[tokio::test]
async fn a_key_that_comes_too_often_waits_for_the_next_minute_and_others_do_not() {
    let world = World::new();
    let (busy, quiet) = (world.tenant("Acme").await, world.tenant("Bolt").await);
    for sent in 1..=PER_MINUTE {
        let answer = world.get(&busy.key, "/v1/sites").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=600;w=60");
        // The clock of the tests stands at the fifth second of a minute.
        assert_eq!(answer.header("ratelimit"), format!("\"default\";r={};t=55", PER_MINUTE - sent));
    }
    let refused = world.get(&busy.key, "/v1/sites").await;
    refused.refused(429);
    assert_eq!(refused.header("retry-after"), "55");
    assert_eq!(refused.header("ratelimit"), "\"default\";r=0;t=55");
    assert_eq!(world.get(&quiet.key, "/v1/sites").await.status, 200);
    world.pass(SignedDuration::from_secs(54));
    world.get(&busy.key, "/v1/sites").await.refused(429);
    world.pass(SignedDuration::from_secs(1));
    let answer = world.get(&busy.key, "/v1/sites").await;
    assert_eq!((answer.status.as_u16(), answer.header("ratelimit")), (200, "\"default\";r=599;t=60".to_owned()));
}
