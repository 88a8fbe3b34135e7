//! What we keep, in one DynamoDB table, behind narrow traits with in-memory twins.
//!
//! - [`table`]: the few table operations everything is built of, with [`dynamo`] and [`memory`] as its two implementations
//! - [`keys`]: the one module that builds table keys; the organization is part of every key
//! - [`directory`]: organizations, sites, edges, API keys, connections, project settings, routes
//! - [`facts`]: what sites told us, and the arrival log
//! - [`counting`]: what counts in a site's day, from the arrival log; [`summaries`]: its days as cut off and counted
//! - [`reports`]: a site's days in figures, counted once and kept
//! - [`injuries`]: injuries as the API was told them; [`outbox`]: the way to the site queue for news about a fact
//! - [`mapping`]: a project is mapped to a site; [`trials`]: test records
//! - [`footage`]: short-lived links to footage
//! - [`preview`]: what the last day would have sent
//! - [`lanes`]: a connection's todos, links, budget and catalog; [`due`]: when its lane must be rung, and a site looked at
//! - [`blocks`]: projects in which a platform refuses a kind of record
//! - [`bus`]: domain events for operators' and customers' own rules
//! - [`removal`]: a connection on its way out
//! - [`conflicts`]: a person decides a field that both sides changed
//! - [`again`]: a record or a whole connection is tried again because a person says so
//! - [`hooks`]: a connection's hooks at its platform, and what they brought
//! - [`endpoints`]: customers' webhook endpoints; [`messages`]: an endpoint's lane, of messages and not of state
//! - [`bell`]: rings a lane through its provider's FIFO queue
pub mod again;
pub mod bell;
pub mod blocks;
pub mod bus;
pub mod conflicts;
pub mod counting;
pub mod directory;
pub mod due;
pub mod dynamo;
pub mod endpoints;
pub mod facts;
pub mod footage;
pub mod hooks;
pub mod injuries;
pub mod keys;
pub mod lanes;
pub mod mapping;
pub mod memory;
pub mod messages;
pub mod outbox;
pub mod preview;
pub mod removal;
pub mod reports;
pub mod summaries;
pub mod table;
pub mod trials;

pub use table::{Condition, Item, Key, Table, TableError};
