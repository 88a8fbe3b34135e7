//! Webhooks on their way out: five seconds each, in order per destination, paused and tried again after a failure.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::header::AUTHORIZATION;

use super::Core;
use super::hooks::Delivery;

pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// After this long the queue of a destination is thrown away.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(12);

/// Waits for events and starts a runner for each destination that has none.
pub(crate) async fn dispatch(core: Arc<Core>) {
    loop {
        core.waiting.notified().await;
        let (era, idle) = idle(&core);
        for url in idle {
            tokio::spawn(run(Arc::downgrade(&core), era, url));
        }
    }
}

fn idle(core: &Core) -> (u64, Vec<String>) {
    let hooks = &mut core.world().hooks;
    let waiting = hooks.queues.iter().filter(|(_, queue)| !queue.is_empty()).map(|(url, _)| url.clone());
    let idle: Vec<String> = waiting.filter(|url| !hooks.busy.contains(url)).collect();
    hooks.busy.extend(idle.iter().cloned());
    (hooks.era, idle)
}

async fn run(core: Weak<Core>, era: u64, url: String) {
    let mut pause = None;
    loop {
        let Some(held) = core.upgrade() else { return };
        let Some((delivery, authorization)) = next(&held, era, &url) else { return };
        let (http, first_pause) = (held.http.clone(), held.options.hook_retry);
        drop(held);
        let mut request = http.post(&url).json(&delivery.payload);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let outcome = request.send().await;
        let Some(held) = core.upgrade() else { return };
        if settle(&held, era, &url, delivery.id, outcome) {
            pause = None;
            continue;
        }
        let clock = held.clock.clone();
        drop(held);
        let wait = pause.map_or(first_pause, |before: Duration| before.saturating_mul(2).min(LONGEST_PAUSE));
        pause = Some(wait);
        clock.sleep(wait).await;
    }
}

/// The oldest event for a destination; without one its runner ends.
fn next(core: &Core, era: u64, url: &str) -> Option<(Delivery, Option<String>)> {
    let hooks = &mut core.world().hooks;
    if hooks.era != era {
        return None;
    }
    while let Some(id) = hooks.queues.get(url).and_then(|queue| queue.front().copied()) {
        let delivery = hooks.deliveries.get(&id).cloned();
        let hook = delivery.as_ref().and_then(|delivery| hooks.hooks.get(&delivery.hook_id));
        if let (Some(delivery), Some(hook)) = (delivery, hook) {
            return Some((delivery, hook.authorization.clone()));
        }
        // The hook was deleted since.
        hooks.queues.get_mut(url).and_then(|queue| queue.pop_front());
    }
    hooks.busy.remove(url);
    None
}

/// Notes how a delivery went. False pauses the destination.
fn settle(core: &Core, era: u64, url: &str, id: i64, outcome: Result<reqwest::Response, reqwest::Error>) -> bool {
    let now = core.clock.now();
    let hooks = &mut core.world().hooks;
    if hooks.era != era {
        return true;
    }
    let Some(delivery) = hooks.deliveries.get_mut(&id) else { return true };
    delivery.attempts += 1;
    delivery.response_status = outcome.as_ref().ok().map(|response| response.status().as_u16());
    let delivered = outcome.as_ref().is_ok_and(|response| response.status().is_success());
    delivery.error = outcome.err().map(|error| error.without_url().to_string());
    if delivered {
        delivery.status = "delivered".to_owned();
        hooks.queues.get_mut(url).and_then(|queue| queue.pop_front());
        return true;
    }
    delivery.status = "retrying".to_owned();
    if now.duration_since(delivery.at) > GIVE_UP_AFTER {
        for id in hooks.queues.remove(url).unwrap_or_default() {
            if let Some(delivery) = hooks.deliveries.get_mut(&id) {
                delivery.status = "discarded".to_owned();
            }
        }
        return true;
    }
    false
}
