use credentials::{KmsVault, SsmParameters};
use domain::ids::Provider;
use grants::TableGrants;
use jiff::SignedDuration;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use procore::{Hosts, Procore, ProcoreTarget};
use procore_sync::handle;
use runtime::{clients, config, logs, sqs::SqsEvent};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{bell::SqsBell, bus::EventBus, dynamo::DynamoTable, outbox::SqsOutbox};
use sync::{clock::SystemClock, lane::Engine};

/// A run begins nothing after this long, so that a record begun last, with three look-ups of 8 s and a write of 12 s, still ends
/// within the function's time-out of 60 s.
const RUN_FOR: SignedDuration = SignedDuration::from_secs(22);
/// Where the platform is slower than that, no call begins that could outlast the function.
const CUT_OFF: SignedDuration = SignedDuration::from_secs(55);
/// Records of one lane handled at once: hides our own latency; the budget, not this, sets the pace at the platform.
const AT_ONCE: usize = 6;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init("procore-sync");
    let aws = clients::aws()?;
    let table = Arc::new(DynamoTable::new(clients::dynamodb(&aws), config::text("TABLE_NAME")?));
    let vault = Arc::new(KmsVault::kms(clients::kms(&aws), config::text("KMS_KEY_ID")?));
    let queues = BTreeMap::from([(Provider::Procore, config::text("PROCORE_QUEUE_URL")?)]);
    let bell = SqsBell::new(clients::sqs(&aws), queues);
    let bus = EventBus::new(clients::eventbridge(&aws), config::text("EVENT_BUS_NAME")?);
    let outbox = SqsOutbox::new(clients::sqs(&aws), config::text("SITE_QUEUE_URL")?);
    let stack = config::text("STACK_NAME")?;
    let parameters = Arc::new(SsmParameters::new(clients::ssm(&aws)));
    let hosts = Hosts::new(
        &config::text("PROCORE_LOGIN_URL")?,
        &config::text("PROCORE_API_URL")?,
        &config::text("PROCORE_WEB_URL")?,
    )?;
    let grants = Arc::new(TableGrants::new(table.clone(), vault));
    let target = ProcoreTarget::new(Procore::of_stack(hosts, parameters, &stack)?.with_grants(grants));
    let public_url = config::text("PUBLIC_URL")?;
    let engine = Engine {
        table: table.as_ref(),
        bell: &bell,
        bus: &bus,
        target: &target,
        outbox: &outbox,
        clock: &SystemClock,
        public_url: &public_url,
        unclear_wait: SignedDuration::from_secs(config::number("UNCLEAR_ANSWER_WAIT_SECONDS", 120)?),
        run_for: RUN_FOR,
        cut_off: CUT_OFF,
        reread_every: Some(SignedDuration::from_mins(config::number("REREAD_MINUTES", 30)?)),
        at_once: AT_ONCE,
    };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| Ok::<(), Error>(handle(&engine, event.payload).await?))).await
}
