//! Histories of a world: a fault tried at every step of I/O, what is routed in between, and what must hold at the end.
#![expect(clippy::unwrap_used, reason = "a test stops where something unexpected happens")]
use crate::fault::{Fault, Mode};
use crate::world::World;
use std::sync::Arc;

/// Tries the fault at step 0, 1, 2, … until a run no longer reaches it. `begin` leaves a world with work to do; `check` holds
/// the end against what must be. Says how many steps were tried.
pub async fn enumerate(mode: Mode, begin: impl AsyncFn() -> World, check: impl AsyncFn(World, String)) -> usize {
    let rest = async |world: &World, fault: &Arc<Fault>, case: &str| {
        world.rest(fault).await.unwrap_or_else(|e| panic!("{case}: {e}"));
    };
    enumerate_over(mode, begin, rest, check).await
}

/// The same for other work than a lane's.
pub async fn enumerate_over(
    mode: Mode,
    begin: impl AsyncFn() -> World,
    act: impl AsyncFn(&World, &Arc<Fault>, &str),
    check: impl AsyncFn(World, String),
) -> usize {
    for at in 0.. {
        let world = begin().await;
        let fault = Fault::new(at, mode);
        let case = format!("{mode:?} at step {at}");
        act(&world, &fault, &case).await;
        let struck = fault.struck();
        check(world, case).await;
        if !struck {
            assert!(at > 5, "only {at} steps: the work was not done");
            return at;
        }
    }
    unreachable!("the loop has no end but a return")
}

pub fn violations(world: &World, case: &str) {
    let violations = world.violations();
    assert!(violations.is_empty(), "{case}: {violations:?}");
    let own = world.own_problems();
    assert!(own.is_empty(), "{case}: the sandbox itself: {own:?}");
}

/// Makes each of these functions a test of each platform: `procore::name` and `acc::name`.
#[macro_export]
macro_rules! on_each_platform {
    ($($name:ident),* $(,)?) => {
        mod procore {
            $(#[tokio::test]
            async fn $name() {
                super::$name(domain::ids::Provider::Procore).await;
            })*
        }
        mod acc {
            $(#[tokio::test]
            async fn $name() {
                super::$name(domain::ids::Provider::Acc).await;
            })*
        }
    };
}

pub async fn route(world: &World, events: Vec<domain::event::Event>) {
    world.route(&world.message(events), &Fault::never()).await.unwrap();
}
