//! The same batches through edge-ingest and event-router, ours and the Python peer's, in turns on one emulator: CPU time of the
//! function processes. The bench carries messages from queue to router itself, so that nothing else takes them.
use super::figure::{Figure, short};
use super::function::{Environment, Function, Program, environment, request};
use super::world::{Sending, World};
use crate::aws::{Aws, REGION};
use crate::deploy::STACK;
use crate::error::{Result, unexpected};
use crate::functions::Profile;
use crate::paths::{Repo, State};
use crate::replay::Signed;
use crate::tools;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const BATCH: usize = 25;
const WARM_UP: usize = 20;
const BATCHES: usize = 200;
const TIMES_LESS: f64 = 10.0;
const EDGE_PARAMETERS: &str = "/bench/edges";

/// The two programs of one side.
pub struct Side {
    pub ingest: Program,
    pub router: Program,
}

/// CPU milliseconds of a batch.
#[derive(Debug, Clone, Copy)]
struct Cost {
    ingest: f64,
    router: f64,
}

impl Cost {
    fn sum(self) -> f64 {
        self.ingest + self.router
    }
}

/// Ours as the stack runs it.
pub fn ours(repo: &Repo, endpoint: &str) -> Result<Side> {
    let program = |function: &str| {
        let path = Profile::Release.binaries(repo).join(function);
        Ok(Program::new(&format!("{STACK}-{function}"), &path, environment(endpoint, function)?))
    };
    Ok(Side { ingest: program("edge-ingest")?, router: program("event-router")? })
}

/// The Python peer, in the environment of ours, on AWS's runtime client.
pub fn peer(repo: &Repo, endpoint: &str) -> Result<Side> {
    let python = tools::ensure(repo, tools::PYTHON_PEER)?.join("python");
    let program = |module: &str, like: &str, name: &str| {
        let mut environment = environment(endpoint, like)?;
        environment.insert("EDGE_PARAMETERS".into(), EDGE_PARAMETERS.into());
        environment.insert("PYTHONPATH".into(), repo.path("infra/python-peer").display().to_string());
        let mut program = Program::new(name, &python, environment);
        program.args = ["-m", "awslambdaric", &format!("{module}.handler")].map(str::to_owned).to_vec();
        Ok(program)
    };
    Ok(Side {
        ingest: program("edge_ingest", "edge-ingest", "python-edge-ingest")?,
        router: program("event_router", "event-router", "python-event-router")?,
    })
}

struct Running<'a> {
    aws: &'a Aws,
    queue: String,
    ingest: Function,
    router: Function,
}

impl<'a> Running<'a> {
    fn start(aws: &'a Aws, side: &Side, queue: &str, logs: &Path) -> Result<Self> {
        let attributes = json!({"FifoQueue": "true", "VisibilityTimeout": "70"});
        let made = aws.call(
            "sqs",
            "AmazonSQS.CreateQueue",
            &json!({"QueueName": format!("{queue}.fifo"), "Attributes": attributes}),
        )?;
        let url = made["QueueUrl"].as_str().ok_or_else(|| unexpected("a new queue", &made))?.to_owned();
        let to_it = Environment::from([("SITE_QUEUE_URL".to_owned(), url.clone())]);
        let mut ingest = side.ingest.clone();
        ingest.environment.extend(to_it);
        Ok(Self {
            aws,
            queue: url,
            ingest: Function::start(&ingest, &aws.endpoint, &logs.join(format!("{queue}-ingest.log")))?,
            router: Function::start(&side.router, &aws.endpoint, &logs.join(format!("{queue}-router.log")))?,
        })
    }

    fn take(&mut self, signed: &Signed) -> Result<()> {
        let event = request("POST", "/v1/edge/events", &signed.headers(), Some(&signed.body));
        let answer = self.ingest.invoke(&event)?;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default();
        if answer["statusCode"] != 202 || body["accepted"] != BATCH {
            return Err(unexpected("a batch of the bench", &answer));
        }
        let wanted = json!({"QueueUrl": self.queue, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]});
        let received = self.aws.call("sqs", "AmazonSQS.ReceiveMessage", &wanted)?;
        let messages = received["Messages"].as_array().filter(|messages| !messages.is_empty());
        for message in messages.ok_or_else(|| unexpected("the bench's queue", "it holds no message"))? {
            self.route(message)?;
        }
        Ok(())
    }

    fn route(&mut self, message: &Value) -> Result<()> {
        let record = json!({
            "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
            "attributes": message["Attributes"], "messageAttributes": {}, "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench.fifo", "awsRegion": REGION,
        });
        let answer = self.router.invoke(&json!({"Records": [record]}))?;
        if answer["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty()) {
            return Err(unexpected("a message of the bench", &answer));
        }
        let done = json!({"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"]});
        self.aws.call("sqs", "AmazonSQS.DeleteMessage", &done).map(drop)
    }

    fn cpu(&self) -> Result<(Duration, Duration)> {
        Ok((self.ingest.cpu()?, self.router.cpu()?))
    }
}

/// Runs both over the same batches.
pub fn measure(world: &World, state: &State, ours: &Side, peer: &Side) -> Result<Vec<Figure>> {
    let aws = Aws { endpoint: world.stack.aws_endpoint.clone() };
    let site = world.contractor(false)?;
    let edge = json!({"organization_id": site.organization_id, "site_id": site.sender.site_id,
                      "edge_id": site.sender.edge.id, "secret": site.sender.edge.secret});
    aws.put_secret(&format!("{EDGE_PARAMETERS}/{}", site.sender.edge.id), &edge.to_string())?;
    let logs = state.log("");
    let logs = logs.parent().ok_or_else(|| unexpected("the folder of logs", "it has none around it"))?;
    let mut running =
        [Running::start(&aws, ours, "bench-ours", logs)?, Running::start(&aws, peer, "bench-peer", logs)?];
    let batches = |running: &mut [Running<'_>; 2], count: usize| -> Result<()> {
        for _ in 0..count {
            let events = world.detections(&site, BATCH, BATCH + 1);
            for side in running.iter_mut() {
                side.take(&Signed::new(&site.sender, &events)?)?;
            }
        }
        Ok(())
    };
    batches(&mut running, WARM_UP)?;
    let before = [running[0].cpu()?, running[1].cpu()?];
    batches(&mut running, BATCHES)?;
    let after = [running[0].cpu()?, running[1].cpu()?];
    check_kept(&aws, &ours.router, &site)?;
    let each = |total: Duration| total.as_secs_f64() * 1e3 / BATCHES as f64;
    let cost = |side: usize| Cost {
        ingest: each(after[side].0 - before[side].0),
        router: each(after[side].1 - before[side].1),
    };
    Ok(figures(cost(0), cost(1)))
}

/// Both have kept every detection: neither was quick by leaving work out.
fn check_kept(aws: &Aws, router: &Program, site: &Sending) -> Result<()> {
    let table = router.environment.get("TABLE_NAME").ok_or_else(|| unexpected("event-router", "no TABLE_NAME"))?;
    for prefix in ["", "PEER#"] {
        let pk = format!("{prefix}ORG#{}#SITE#{}", site.organization_id, site.sender.site_id);
        let (mut kept, mut start) = (0, Value::Null);
        loop {
            let mut query = json!({
                "TableName": table, "Select": "COUNT", "KeyConditionExpression": "pk = :pk AND begins_with(sk, :d)",
                "ExpressionAttributeValues": {":pk": {"S": pk}, ":d": {"S": "DET#"}},
            });
            if !start.is_null() {
                query["ExclusiveStartKey"] = start;
            }
            let answer = aws.call("dynamodb", "DynamoDB_20120810.Query", &query)?;
            kept += answer["Count"].as_u64().unwrap_or_default();
            start = answer["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
        let wanted = (BATCH * (WARM_UP + BATCHES)) as u64;
        if kept != wanted {
            return Err(unexpected("the bench's detections", format!("{kept} of {wanted} are kept under {pk}")));
        }
    }
    Ok(())
}

fn figures(ours: Cost, peer: Cost) -> Vec<Figure> {
    let told = |who: &str, cost: Cost| {
        let parts = format!("{} + {} = {}", short(cost.ingest), short(cost.router), short(cost.sum()));
        Figure::told(&format!("CPU per batch of {BATCH}, edge-ingest + event-router, {who} (ms)"), parts)
    };
    vec![
        told("ours", ours),
        told("Python peer", peer),
        Figure::at_least("times less than the Python peer", peer.sum() / ours.sum(), TIMES_LESS),
    ]
}
