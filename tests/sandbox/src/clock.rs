//! The sandbox's clock: real time by default, moved forward by tests that play hours in a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Where the time comes from; an offset is added to it.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub struct Clock {
    base: Now,
    offset_ms: AtomicI64,
}

impl Clock {
    pub fn new(base: Now) -> Self {
        Self { base, offset_ms: AtomicI64::new(0) }
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
    }

    pub fn reset(&self) {
        self.offset_ms.store(0, Ordering::SeqCst);
    }
}

pub fn real_time() -> Now {
    Arc::new(Timestamp::now)
}

pub fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
