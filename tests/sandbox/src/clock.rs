//! The sandbox's clock: real time by default, moved forward by tests that play hours in a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

/// Where the time comes from; an offset is added to it.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Copies tell the same time.
#[derive(Clone)]
pub struct Clock {
    base: Now,
    offset_ms: Arc<AtomicI64>,
    moved: Arc<Notify>,
}

impl Clock {
    pub fn new(base: Now) -> Self {
        Self { base, offset_ms: Arc::default(), moved: Arc::default() }
    }

    pub fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset_ms.load(Ordering::SeqCst));
        (self.base)().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    /// The providers' timestamps carry whole seconds: two edits within one second look alike.
    pub fn stamp(&self) -> Timestamp {
        whole_seconds(self.now())
    }

    pub fn advance(&self, seconds: i64) {
        self.offset_ms.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    pub fn reset(&self) {
        self.offset_ms.store(0, Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    /// Waits for that long on this clock: moving it forward shortens the wait.
    pub async fn sleep(&self, wait: Duration) {
        let until = self.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            // What is over, or as good as over after the clock was set back, needs no more waiting.
            let left = until.duration_since(self.now());
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() || left > wait {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => return,
                () = moved => {}
            }
        }
    }
}

pub fn real_time() -> Now {
    Arc::new(Timestamp::now)
}

pub fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
