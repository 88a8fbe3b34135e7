//! Frames, windows that a page opens, and what the browser keeps for whom.
use crate::Person;
use crate::person::PATIENCE;
use serde_json::{Value, json};
use std::time::Instant;
use thirtyfour::{By, WindowHandle};

impl Person {
    /// Looks into the first frame of the page, until [`Person::looks_at_the_page`].
    pub async fn looks_into_the_frame(&self) {
        let driver = self.browser.driver();
        driver.enter_default_frame().await.unwrap_or_else(|e| panic!("the page: {e}"));
        let frame = driver.find(By::Tag("iframe")).await;
        let frame = frame.unwrap_or_else(|e| panic!("no frame on the page: {e}"));
        frame.enter_frame().await.unwrap_or_else(|e| panic!("the frame: {e}"));
    }

    pub async fn looks_at_the_page(&self) {
        self.browser.driver().enter_default_frame().await.unwrap_or_else(|e| panic!("the page: {e}"));
    }

    async fn windows(&self) -> Vec<WindowHandle> {
        self.browser.driver().windows().await.unwrap_or_else(|e| panic!("windows: {e}"))
    }

    async fn has_windows(&self, count: usize) -> Vec<WindowHandle> {
        let since = Instant::now();
        loop {
            let windows = self.windows().await;
            if windows.len() == count {
                return windows;
            }
            assert!(since.elapsed() < PATIENCE, "{} windows, not {count}", windows.len());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Goes to the window that was just opened; gives the one they were in.
    pub async fn turns_to_the_new_window(&self) -> WindowHandle {
        let here = self.browser.driver().window().await.unwrap_or_else(|e| panic!("this window: {e}"));
        let windows = self.has_windows(2).await;
        let other = windows.into_iter().find(|window| *window != here).expect("two windows");
        self.turns_to(&other).await;
        here
    }

    /// Waits until the other window has closed by itself, and goes on in this one.
    pub async fn is_back_in(&self, window: &WindowHandle) {
        self.has_windows(1).await;
        self.turns_to(window).await;
    }

    /// Closes this window and goes on in the other.
    pub async fn closes_this_window_for(&self, window: &WindowHandle) {
        self.browser.driver().close_window().await.unwrap_or_else(|e| panic!("closing: {e}"));
        self.turns_to(window).await;
    }

    async fn turns_to(&self, window: &WindowHandle) {
        let driver = self.browser.driver();
        driver.switch_to_window(window.clone()).await.unwrap_or_else(|e| panic!("the window: {e}"));
    }

    /// Runs a script in the page or frame that they look at.
    pub async fn script(&self, script: &str) -> Value {
        let answer = self.browser.driver().execute(script, Vec::new()).await;
        answer.unwrap_or_else(|e| panic!("{script}: {e}")).json().clone()
    }

    /// Waits until a script gives this.
    pub async fn becomes(&self, script: &str, expected: &Value) {
        let since = Instant::now();
        loop {
            let found = self.script(script).await;
            if found == *expected {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{script} gives {found}, not {expected}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Cookies of all sites that this browser keeps, as its developer tools show them.
    pub async fn cookies(&self) -> Vec<Value> {
        let kept = self.browser.devtools("Storage.getCookies", json!({})).await;
        kept["cookies"].as_array().cloned().unwrap_or_default()
    }
}
