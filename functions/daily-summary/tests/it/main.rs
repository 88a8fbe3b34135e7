//! One site on a simulated clock: events through the real router, looks as the bus would ask for them, days as they are kept.
mod days;
mod hours;
mod over;
mod world;
