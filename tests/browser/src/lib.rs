//! People at a real Chromium, against a running stack: what they open, press and read. `cargo xtask test` starts the stack and names
//! it in `HHP_STACK`, the driver in `HHP_CHROMEDRIVER`, and axe's script in `HHP_AXE`.
//!
//! [`Browser`] is one Chromium of its own; [`Person`] uses it as a person does, by what stands on the page, and counts how often
//! they had to act; [`Newcomer`] is whom a set-up begins with; `windows` is what they do in frames and windows; [`axe`] holds a page to WCAG 2.2 AA. With `HHP_SCREENSHOTS` set to a folder, pictures are kept there.
pub mod axe;
mod driver;
mod newcomer;
mod person;
mod windows;

pub use driver::Browser;
pub use newcomer::Newcomer;
pub use person::Person;

/// Runs one test. Its own thread may block: the browser's answers come in on another.
pub fn run<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}
