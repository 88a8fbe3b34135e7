//! Against a running stack, from outside: HTTP in, the platform's records out. `cargo xtask test` starts the stack and names it in
//! `HHP_STACK`; by hand: `cargo xtask local --detach --no-demo --sandbox --set UnclearAnswerWaitSeconds=5`, then
//! `HHP_STACK=.local/stack.json cargo test -p end-to-end`.
//!
//! Each test has an organization, a site, an edge, and an account with a project in a platform's sandbox of its own, so that tests run
//! side by side. [`http`] calls, [`tenant`] is that world, [`events`] feeds it, [`receiver`] is a webhook endpoint with a box of the inbox behind it;
//! [`aws`] reaches under it.
pub mod aws;
pub mod events;
pub mod http;
pub mod receiver;
pub mod tenant;

use std::time::{Duration, Instant};

/// Makes each of these functions a test of each platform: `procore::name` and `acc::name`.
#[macro_export]
macro_rules! on_each_platform {
    ($($name:ident),* $(,)?) => {
        mod procore {
            $(#[test]
            fn $name() {
                super::$name($crate::tenant::Platform::Procore);
            })*
        }
        mod acc {
            $(#[test]
            fn $name() {
                super::$name($crate::tenant::Platform::Acc);
            })*
        }
    };
}

/// Polls until there is an answer; a test that waits longer has failed.
pub fn eventually<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < within, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
