//! What the functions of all platforms' lanes share: the wiring but for the platform's target, and one ring, one run. The engine is
//! `shared/sync`; here it gets table, queues and clock, and what a run did becomes a log line and figures.
//!
//! - [`LaneFunction`]: the wiring; [`ring`]: a message of the lane's queue
pub mod ring;

use credentials::{KmsVault, SsmParameters};
use grants::TableGrants;
use jiff::SignedDuration;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use runtime::{clients, config, logs, queues::Queues, sqs::SqsEvent};
use std::sync::Arc;
use store::{bell::SqsBell, bus::EventBus, dynamo::DynamoTable, outbox::SqsOutbox};
use sync::{clock::SystemClock, lane::Engine, target::Target};

/// A run begins nothing after this long, so that a record begun last, with three look-ups of 8 s and a write of 12 s, still ends
/// within the function's time-out of 60 s.
const RUN_FOR: SignedDuration = SignedDuration::from_secs(22);
/// Where the platform is slower than that, no call begins that could outlast the function.
const CUT_OFF: SignedDuration = SignedDuration::from_secs(55);
/// Records of one lane handled at once: hides our own latency; the budget, not this, sets the pace at the platform.
const AT_ONCE: usize = 6;

/// A lane's function on its way up: all that it works with but the platform's target.
pub struct LaneFunction {
    name: &'static str,
    stack: String,
    pub table: Arc<DynamoTable>,
    pub vault: Arc<KmsVault>,
    pub parameters: Arc<SsmParameters>,
    bell: SqsBell,
    bus: EventBus,
    outbox: SqsOutbox,
}

impl LaneFunction {
    /// From the environment, as `template.yaml` sets it.
    pub fn of(name: &'static str, queues: Queues) -> Result<Self, Error> {
        logs::init(name);
        let aws = clients::aws()?;
        Ok(Self {
            name,
            stack: config::text("STACK_NAME")?,
            table: Arc::new(DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?)),
            vault: Arc::new(KmsVault::kms(clients::kms(&aws), config::text("KMS_KEY_ID")?)),
            parameters: Arc::new(SsmParameters::new(clients::ssm(&aws))),
            bell: SqsBell::new(clients::sqs(&aws), queues),
            bus: EventBus::new(clients::eventbridge(&aws), config::text("EVENT_BUS_NAME")?),
            outbox: SqsOutbox::new(clients::sqs(&aws), config::text("SITE_QUEUE_URL")?),
        })
    }

    /// The stack's name: parameters are named under it.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// People's consents that connections work with.
    pub fn grants(&self) -> Arc<TableGrants> {
        Arc::new(TableGrants::new(self.table.clone(), self.vault.clone()))
    }

    /// Answers rings until the process ends.
    pub async fn serve(&self, target: &dyn Target) -> Result<(), Error> {
        let public_url = config::text("PUBLIC_URL")?;
        let engine = Engine {
            table: self.table.as_ref(),
            bell: &self.bell,
            bus: &self.bus,
            target,
            outbox: &self.outbox,
            vault: self.vault.as_ref(),
            clock: &SystemClock,
            public_url: &public_url,
            unclear_wait: SignedDuration::from_secs(config::number("UNCLEAR_ANSWER_WAIT_SECONDS", 120)?),
            run_for: RUN_FOR,
            cut_off: CUT_OFF,
            reread_every: Some(SignedDuration::from_mins(config::number("REREAD_MINUTES", 30)?)),
            at_once: AT_ONCE,
        };
        let handle = async |event: LambdaEvent<SqsEvent>| {
            Ok::<(), Error>(ring::handle(self.name, &engine, event.payload).await?)
        };
        lambda_runtime::run(service_fn(handle)).await
    }
}
