//! What processes of functions used, from /proc: CPU time of all their threads to the nanosecond, and the most memory they ever had.
use crate::error::{Doing, Result, unexpected};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// CPU time of a process: the sum over its threads. Threads that ended are not in it; functions keep theirs.
pub fn cpu(pid: u32) -> Result<Duration> {
    let dir = format!("/proc/{pid}/task");
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir(&dir).doing(|| format!("read {dir}"))? {
        let path = thread.doing(|| format!("read {dir}"))?.path().join("schedstat");
        let text = std::fs::read_to_string(&path).doing(|| format!("read {} (Linux only)", path.display()))?;
        nanoseconds += on_processor(&text).ok_or_else(|| unexpected("schedstat", &text))?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The first of three numbers.
fn on_processor(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

/// The most resident memory a process ever had, in KiB.
pub fn peak(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).doing(|| format!("read {path}"))?;
    high_water(&text).ok_or_else(|| unexpected(&path, "no VmHWM"))
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub cpu: Duration,
    pub peak_kib: u64,
}

/// What the processes of one stack's functions used so far, by function.
pub fn of_functions(endpoint: &str) -> BTreeMap<String, Usage> {
    let mut all: BTreeMap<String, Usage> = BTreeMap::new();
    let Ok(processes) = std::fs::read_dir("/proc") else { return all };
    for pid in processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        // A process may end while it is looked at: then it is not counted this time.
        let Some(name) = function_of(pid, endpoint) else { continue };
        let (Ok(cpu), Ok(peak)) = (cpu(pid), peak(pid)) else { continue };
        let usage = all.entry(name).or_default();
        usage.cpu += cpu;
        usage.peak_kib = usage.peak_kib.max(peak);
    }
    all
}

/// The function that a process runs, if it runs one against this endpoint.
fn function_of(pid: u32, endpoint: &str) -> Option<String> {
    let environment = std::fs::read(Path::new("/proc").join(pid.to_string()).join("environ")).ok()?;
    let variable = |name: &str| {
        let prefix = format!("{name}=");
        let all = environment.split(|byte| *byte == 0);
        all.filter_map(|text| std::str::from_utf8(text).ok()?.strip_prefix(&prefix).map(str::to_owned)).next()
    };
    (variable("AWS_ENDPOINT_URL")? == endpoint).then(|| variable("AWS_LAMBDA_FUNCTION_NAME")).flatten()
}

/// Looks at the functions' memory all along.
pub struct Watch {
    peaks: Arc<Mutex<BTreeMap<String, u64>>>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub fn start(endpoint: &str) -> Self {
        let (peaks, over) = (Arc::new(Mutex::new(BTreeMap::new())), Arc::new(AtomicBool::new(false)));
        let (theirs, ended, endpoint) = (peaks.clone(), over.clone(), endpoint.to_owned());
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                note(&theirs, of_functions(&endpoint));
                std::thread::sleep(LOOK_EVERY);
            }
            note(&theirs, of_functions(&endpoint));
        });
        Self { peaks, over, thread }
    }

    /// The peaks in KiB, by function.
    pub fn stop(self) -> Result<BTreeMap<String, u64>> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| unexpected("the watch over memory", "it panicked"))?;
        Ok(self.peaks.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn note(peaks: &Mutex<BTreeMap<String, u64>>, now: BTreeMap<String, Usage>) {
    let mut peaks = peaks.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, usage) in now {
        let peak = peaks.entry(name).or_default();
        *peak = usage.peak_kib.max(*peak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        assert_eq!(on_processor("100309 2570594 2\n"), Some(100_309));
        assert_eq!(high_water("Name:\tx\nVmPeak:\t  9000 kB\nVmHWM:\t    7212 kB\n"), Some(7212));
        assert_eq!(high_water("Name:\tx\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_shows_as_cpu_time() {
        let before = cpu(std::process::id()).unwrap();
        let mut sum = 0u64;
        while cpu(std::process::id()).unwrap() - before < Duration::from_millis(5) {
            sum = (0..10_000).fold(sum, |sum: u64, n| std::hint::black_box(sum.wrapping_mul(31).wrapping_add(n)));
        }
        assert!(peak(std::process::id()).unwrap() > 0);
    }
}
