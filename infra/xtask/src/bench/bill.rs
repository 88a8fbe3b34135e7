//! The model of the bill: counts as measured, times list prices of us-east-1 (arm64), without any free tier.
use super::figure::Figure;
use std::collections::BTreeMap;

/// List prices in dollars. A price per million is of what the name says.
mod price {
    pub const HTTP_API_PER_MILLION: f64 = 1.00;
    pub const LAMBDA_PER_MILLION: f64 = 0.20;
    pub const LAMBDA_GB_SECOND: f64 = 0.000_013_333_4;
    pub const SQS_FIFO_PER_MILLION: f64 = 0.50;
    pub const WRITE_PER_MILLION: f64 = 0.625;
    pub const READ_PER_MILLION: f64 = 0.125;
    /// A month of a GB, with point-in-time recovery.
    pub const KEPT_GB_MONTH: f64 = 0.25 + 0.20;
    pub const LOG_GB: f64 = 0.50;
    pub const KMS_PER_MILLION: f64 = 3.00;
    pub const SCHEDULER_PER_MILLION: f64 = 1.00;
    pub const KEY_MONTH: f64 = 1.00;
    pub const DASHBOARD_MONTH: f64 = 3.00;
    pub const ALARM_MONTH: f64 = 0.10;
    pub const METRIC_MONTH: f64 = 0.30;
}

const MEMORY_GB: f64 = 0.125;
/// A function of 128 MB gets this share of a processor (a whole one at 1769 MB).
const PROCESSOR_SHARE: f64 = 128.0 / 1769.0;
/// What a call to AWS takes within a region, from a small function.
const AWS_CALL_MS: f64 = 10.0;
/// What a call to a platform takes, one after the other.
const PLATFORM_CALL_MS: f64 = 300.0;
/// START, END and REPORT of an invocation, with what CloudWatch adds to each line.
const PLATFORM_LINES_BYTES: f64 = 400.0;
const RETENTION_MONTHS: f64 = 400.0 / 30.4;
const MINUTES_A_MONTH: f64 = 43_800.0;
/// Lambda's pollers of a queue ask about 15 times a minute while nothing comes.
const POLLS_A_MINUTE: f64 = 15.0;

const PER_MILLION_BOUND: f64 = 1.50;
const IDLE_BOUND: f64 = 10.0;
const ALARM_METRICS_BOUND: f64 = 40.0;

/// A run with 10 % pushed, in batches: differences of the emulator's counts, and CPU time by function.
pub struct Workload {
    pub detections: f64,
    pub counts: BTreeMap<String, f64>,
    pub cpu_ms: BTreeMap<String, f64>,
    pub platform_calls: f64,
}

/// What the template makes that costs while nothing happens.
pub struct Standing {
    pub alarms: usize,
    pub queues_polled: usize,
    pub metrics: usize,
    /// What the clock asks of the table each minute.
    pub clock_queries: f64,
    pub clock_log_bytes: f64,
}

#[derive(Debug, Clone)]
struct Line {
    what: String,
    dollars: f64,
}

fn line(what: impl Into<String>, dollars: f64) -> Line {
    Line { what: what.into(), dollars }
}

const AWS_OPERATIONS: [&str; 9] = [
    "GetItem",
    "BatchGetItem",
    "Query",
    "PutItem",
    "BatchWriteItem",
    "DeleteItem",
    "UpdateItem",
    "SendMessage",
    "SendMessageBatch",
];

impl Workload {
    fn count(&self, name: &str) -> f64 {
        self.counts.get(name).copied().unwrap_or(0.0)
    }

    /// Sums `prefix:<function>`, without the clock, which belongs to the idle region.
    fn of_functions(&self, prefix: &str) -> f64 {
        let named = self.counts.iter().filter_map(|(name, count)| Some((name.strip_prefix(prefix)?, count)));
        named.filter(|(function, _)| *function != "clock").map(|(_, count)| count).sum()
    }

    fn lines(&self) -> Vec<Line> {
        let per_million = 1e6 / self.detections;
        let millions = |count: f64, price: f64| count * per_million / 1e6 * price;
        let invocations = self.of_functions("invocations:");
        let per = |count: f64| format!("{:.3}", count / self.detections);
        let requests = self.count("invocations:edge-ingest");
        let cpu_ms: f64 = self.cpu_ms.iter().filter(|(name, _)| *name != "clock").map(|(_, ms)| ms).sum();
        let calls: f64 = AWS_OPERATIONS.iter().map(|name| self.count(name)).sum();
        let milliseconds = cpu_ms / PROCESSOR_SHARE + calls * AWS_CALL_MS + self.platform_calls * PLATFORM_CALL_MS;
        let sends = self.count("SendMessage") + self.count("SendMessageBatch");
        // Each message is received and deleted once, by requests of one message.
        let queue = sends + 2.0 * (invocations - requests);
        let log_bytes = self.of_functions("log_bytes:") + invocations * PLATFORM_LINES_BYTES;
        let gigabyte_seconds = milliseconds / 1e3 * MEMORY_GB;
        vec![
            line(format!("HTTP API, {} requests", per(requests)), millions(requests, price::HTTP_API_PER_MILLION)),
            line(format!("Lambda, {} invocations", per(invocations)), millions(invocations, price::LAMBDA_PER_MILLION)),
            line(
                format!("Lambda, {:.1} ms at 128 MB", milliseconds / self.detections),
                gigabyte_seconds * per_million * price::LAMBDA_GB_SECOND,
            ),
            line(
                format!("SQS, {} sends, receives and deletes", per(queue)),
                millions(queue, price::SQS_FIFO_PER_MILLION),
            ),
            line(
                format!("DynamoDB, {} write units", per(self.count("write_units"))),
                millions(self.count("write_units"), price::WRITE_PER_MILLION),
            ),
            line(
                format!("DynamoDB, {} read units", per(self.count("read_units"))),
                millions(self.count("read_units"), price::READ_PER_MILLION),
            ),
            line(
                format!("CloudWatch logs and metrics lines, {:.0} bytes", log_bytes / self.detections),
                log_bytes * per_million / 1e9 * price::LOG_GB,
            ),
            line(format!("KMS, {} decryptions", per(self.count("Decrypt"))), {
                millions(self.count("Decrypt"), price::KMS_PER_MILLION)
            }),
        ]
    }

    fn storage(&self) -> Line {
        let bytes = self.count("kept_bytes") / self.detections;
        line(
            format!("storage of a million detections for 400 days, with recovery; {bytes:.0} bytes each"),
            bytes * 1e6 / 1e9 * RETENTION_MONTHS * price::KEPT_GB_MONTH,
        )
    }
}

impl Standing {
    fn lines(&self) -> Vec<Line> {
        let ticks = MINUTES_A_MONTH;
        let polls = POLLS_A_MINUTE * MINUTES_A_MONTH * self.queues_polled as f64;
        let reads = ticks * self.clock_queries * 0.5;
        let log_gb = ticks * (self.clock_log_bytes + PLATFORM_LINES_BYTES) / 1e9;
        let tick_seconds = self.clock_queries * AWS_CALL_MS / 1e3;
        vec![
            line("one KMS key", price::KEY_MONTH),
            line("one dashboard", price::DASHBOARD_MONTH),
            line(format!("{} alarms of one metric", self.alarms), self.alarms as f64 * price::ALARM_MONTH),
            line(format!("{} metrics of our own", self.metrics), self.metrics as f64 * price::METRIC_MONTH),
            line(
                format!("SQS, empty receives of {} queues", self.queues_polled),
                polls / 1e6 * price::SQS_FIFO_PER_MILLION,
            ),
            line(
                "the clock's invocations, schedule, reads and log",
                ticks / 1e6 * (price::LAMBDA_PER_MILLION + price::SCHEDULER_PER_MILLION)
                    + ticks * tick_seconds * MEMORY_GB * price::LAMBDA_GB_SECOND
                    + reads / 1e6 * price::READ_PER_MILLION
                    + log_gb * price::LOG_GB,
            ),
        ]
    }
}

pub fn per_million(workload: &Workload) -> Vec<Figure> {
    let lines = workload.lines();
    let sum: f64 = lines.iter().map(|line| line.dollars).sum();
    let mut figures: Vec<Figure> = lines.iter().map(told).collect();
    figures.push(Figure::at_most("sum, $ per million detections", sum, PER_MILLION_BOUND));
    figures.push(told(&workload.storage()));
    figures
}

/// What messages to customers' receivers cost.
pub fn deliveries(workload: &Workload) -> Vec<Figure> {
    let sum: f64 = workload.lines().iter().map(|line| line.dollars).sum();
    let mut figures: Vec<Figure> = workload.lines().iter().filter(|line| line.dollars >= 0.000_5).map(told).collect();
    figures.push(told(&line("sum, $ per million signed deliveries", sum)));
    figures
}

pub fn idle(standing: &Standing) -> Vec<Figure> {
    let lines = standing.lines();
    let sum: f64 = lines.iter().map(|line| line.dollars).sum();
    let mut figures: Vec<Figure> = lines.iter().map(told).collect();
    figures.push(Figure::at_most("sum, $ a month", sum, IDLE_BOUND));
    figures.push(Figure::at_most("metrics that alarms watch", standing.alarms as f64, ALARM_METRICS_BOUND));
    figures
}

fn told(line: &Line) -> Figure {
    Figure::told(&line.what, format!("$ {:.3}", line.dollars))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload() -> Workload {
        let counts = [
            ("invocations:edge-ingest", 40.0),
            ("invocations:event-router", 40.0),
            ("invocations:clock", 5.0),
            ("SendMessageBatch", 40.0),
            ("write_units", 1_200.0),
            ("read_units", 1_000.0),
            ("kept_bytes", 1_000_000.0),
        ];
        Workload {
            detections: 1_000.0,
            counts: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            cpu_ms: BTreeMap::from([("edge-ingest".into(), 36.0), ("clock".into(), 9_000.0)]),
            platform_calls: 0.0,
        }
    }

    fn dollars(lines: &[Line], begins: &str) -> f64 {
        lines.iter().find(|line| line.what.starts_with(begins)).unwrap().dollars
    }

    #[test]
    fn counts_become_dollars_at_list_price() {
        let lines = workload().lines();
        let near = |begins: &str, wanted: f64| {
            let got = dollars(&lines, begins);
            assert!((got - wanted).abs() < 1e-4, "{begins}: {got} is not {wanted}");
        };
        near("HTTP API", 0.04);
        near("Lambda, 0.080 invocations", 0.016);
        // 36 ms of CPU are 497.5 ms at 128 MB, and 40 calls 400 ms more: 0.112 GB-s per thousand.
        near("Lambda, 0.9 ms", 0.001_5);
        near("SQS, 0.120", 0.06);
        near("DynamoDB, 1.200 write", 0.75);
        near("DynamoDB, 1.000 read", 0.125);
    }

    #[test]
    fn storage_is_a_line_of_its_own_and_not_in_the_sum() {
        let figures = per_million(&workload());
        let sum = figures.iter().find(|figure| figure.name.starts_with("sum")).unwrap();
        assert_eq!(sum.held, Some(true));
        let storage = figures.last().unwrap();
        assert!(storage.name.contains("400 days, with recovery; 1000 bytes"), "{}", storage.name);
        assert_eq!(storage.value, "$ 5.921");
    }

    #[test]
    fn a_region_at_rest_pays_for_key_dashboard_alarms_and_polls() {
        let standing =
            Standing { alarms: 14, queues_polled: 2, metrics: 10, clock_queries: 8.0, clock_log_bytes: 200.0 };
        let lines = standing.lines();
        assert!((dollars(&lines, "SQS") - 0.657).abs() < 1e-9);
        assert!((dollars(&lines, "14 alarms") - 1.4).abs() < 1e-9);
        let too_many = Standing { alarms: 60, ..standing };
        let held: Vec<bool> = idle(&too_many).iter().filter_map(|figure| figure.held).collect();
        assert_eq!(held, [false, false]);
    }
}
