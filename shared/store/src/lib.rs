//! What we keep, in one DynamoDB table, behind narrow traits with in-memory twins.
//!
//! - [`table`]: the few table operations everything is built of, with [`dynamo`] and [`memory`] as its two implementations
//! - [`keys`]: the one module that builds table keys; the organization is part of every key
//! - [`directory`]: organizations, sites, edges, API keys, connections, project settings, routes
//! - [`facts`]: what sites told us, and the arrival log
//! - [`injuries`]: injuries as the API was told them; [`outbox`]: the way to the site queue for news about a fact
//! - [`preview`]: what the last day would have sent
//! - [`lanes`]: a connection's todos, links, budget and catalog; [`due`]: when its lane must be rung
//! - [`bus`]: domain events for operators' and customers' own rules
//! - [`again`]: a record or a whole connection is tried again because a person says so
//! - [`bell`]: rings a lane through its provider's FIFO queue
pub mod again;
pub mod bell;
pub mod bus;
pub mod directory;
pub mod due;
pub mod dynamo;
pub mod facts;
pub mod injuries;
pub mod keys;
pub mod lanes;
pub mod memory;
pub mod outbox;
pub mod preview;
pub mod table;

pub use table::{Condition, Item, Key, Table, TableError};
