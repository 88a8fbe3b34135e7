//! What is logged while a platform refuses in words of its own: none of them. They may hold anything, a person's name too.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crash::facts::{confirmed, detection, incident, zone};
use crash::fault::Fault;
use crash::history::route;
use crash::world::World;
use jiff::SignedDuration;
use sandbox::faults::{Effect, Rule};
use std::io;
use std::sync::{Arc, Mutex};
use store::directory::Directory;
use sync::clock::Clock;
use tracing_subscriber::fmt::MakeWriter;

const WORDS: &str = "Ask Bob Jones about it";
const NAME: &str = "Bob Jones";

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

async fn pass(world: &World, time: SignedDuration) {
    world.rest_until(&Fault::never(), Some(world.clock.now() + time)).await.unwrap();
}

#[tokio::test]
async fn a_platforms_words_reach_the_record_and_no_log_line() {
    let lines = Lines::default();
    let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone()).finish();
    let _kept = tracing::subscriber::set_default(all);
    let mut told = 0;
    for status in [400, 403, 404, 409, 422, 423, 425, 429, 500, 503] {
        let mut world = World::new(1).await.unwrap();
        world.reread_every = Some(SignedDuration::from_mins(30));
        let message = Some(WORDS.to_owned());
        let refuse = Effect::Status { status, shape: Default::default(), retry_after: None, message, done: false };
        // First the hooks alone, which are made before anything is written.
        let hooks = world.procore.faults().add(Rule::new(refuse.clone()).path("/webhooks/hooks"));
        route(&world, vec![zone(1), confirmed(incident(900, 1, &[])), detection(1)]).await;
        pass(&world, SignedDuration::from_mins(20)).await;
        world.procore.faults().remove(hooks);
        pass(&world, SignedDuration::from_mins(20)).await;
        world.procore.faults().add(Rule::new(refuse));
        route(&world, vec![confirmed(incident(900, 2, &[])), detection(2)]).await;
        pass(&world, SignedDuration::from_hours(2)).await;
        let kept = world.table.dump().into_iter().map(|item| serde_json::Value::Object(item).to_string());
        told += usize::from(kept.collect::<String>().contains(NAME));
        let directory = Directory(&world.table);
        let (organization, connection) = (&world.lane.organization_id, &world.lane.connection_id);
        let connection = directory.connection(organization, connection).await.unwrap().unwrap();
        world.consent().await.unwrap();
        directory.begin_removal(&connection, world.clock.now()).await.unwrap();
        world.rest(&Fault::never()).await.unwrap();
    }
    assert!(told >= 3, "the words came through {told} times: the test shows nothing");
    let text = lines.text();
    for line in ["put off", "a project is blocked", "can't be read again", "a hook could not be kept"] {
        assert!(text.contains(line), "nothing logged {line:?}");
    }
    let with_words: Vec<&str> = text.lines().filter(|line| line.contains(NAME)).collect();
    assert!(with_words.is_empty(), "{with_words:#?}");
}
