//! One ChromeDriver with one Chromium, ended with the test.
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use std::mem::ManuallyDrop;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};

const START: Duration = Duration::from_secs(30);
/// Starts of Chromium that are tried.
const STARTS: usize = 3;

pub struct Browser {
    /// Never dropped: the driver's process ends before it, so there is nobody to take leave of.
    driver: ManuallyDrop<WebDriver>,
    process: Child,
}

impl Browser {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With switches of Chromium's beside ours.
    pub async fn start_with(more: &[&str]) -> Self {
        // An error means that another test of this process has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut wanted = DesiredCapabilities::chrome();
        // No network but loopback, and as few surprises as a machine without a screen allows.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--window-size=1280,900",
            "--force-prefers-reduced-motion",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        ];
        for argument in arguments.iter().chain(more) {
            wanted.add_arg(argument).expect("an argument");
        }
        // On a busy machine Chromium now and then ends before its driver has reached it: nothing that a page of ours has to do with.
        for left in (0..STARTS).rev() {
            let port = free_port();
            // Held from here on, so that a panic below ends it.
            let guard = Guard(Some(spawn(port)));
            wait_for(port);
            match WebDriver::new(&format!("http://127.0.0.1:{port}"), wanted.clone()).await {
                Ok(driver) => return Self { driver: ManuallyDrop::new(driver), process: guard.keep() },
                Err(error) if left == 0 => panic!("Chromium did not start: {error}"),
                Err(error) => eprintln!("Chromium did not start, and is started again: {error}"),
            }
        }
        unreachable!("the last start returns or panics")
    }

    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// A command of the Chrome DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// A phone's screen, 390 by 844 points.
    pub async fn as_phone(&self) {
        let screen = json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true});
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
    }

    pub async fn as_desk(&self) {
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

struct Guard(Option<Child>);

impl Guard {
    fn keep(mut self) -> Child {
        self.0.take().expect("taken once")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(process) = &mut self.0 {
            end(process);
        }
    }
}

/// A group of its own, so that Chromium ends with it.
fn spawn(port: u16) -> Child {
    let program = std::env::var("HHP_CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
    Command::new(&program)
        .arg(format!("--port={port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap_or_else(|e| panic!("{program}: {e}. On Debian: apt-get install chromium chromium-driver"))
}

fn end(process: &mut Child) {
    let group = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group
        && let Err(error) = kill_process_group(group, Signal::KILL)
    {
        eprintln!("Chromium could not be ended: {error}");
    }
    if let Err(error) = process.wait() {
        eprintln!("ChromeDriver could not be waited for: {error}");
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn wait_for(port: u16) {
    let since = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(since.elapsed() < START, "ChromeDriver did not listen on port {port} within {START:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
