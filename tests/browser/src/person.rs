//! Somebody at the browser: finds things by the words that stand there, and counts what they had to do.
use crate::{Browser, axe};
use end_to_end::tenant::SOON;
use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use thirtyfour::{By, Key, TypingData, WebElement};

/// A page with all that it needs, not compressed.
const MOST_BYTES: u64 = 64 * 1024;
/// More than any page has to go through.
const MOST_TABS: usize = 150;
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub struct Person {
    pub browser: Browser,
    acts: Cell<u32>,
    keyboard: bool,
}

/// A text as an XPath literal.
fn literal(text: &str) -> String {
    let parts: Vec<String> = text.split('"').map(|part| format!("\"{part}\"")).collect();
    if parts.len() == 1 { parts.concat() } else { format!("concat({})", parts.join(", '\"', ")) }
}

impl Person {
    pub async fn new() -> Self {
        Self { browser: Browser::start().await, acts: Cell::new(0), keyboard: false }
    }

    /// With switches of Chromium's.
    pub async fn with(switches: &[&str]) -> Self {
        Self { browser: Browser::start_with(switches).await, acts: Cell::new(0), keyboard: false }
    }

    /// Somebody without a mouse: goes from one thing to the next, and presses what has the focus.
    pub async fn at_the_keyboard() -> Self {
        Self { keyboard: true, ..Self::new().await }
    }

    /// How often they clicked, chose or filled something in.
    pub fn acts(&self) -> u32 {
        self.acts.get()
    }

    fn act(&self) {
        self.acts.set(self.acts.get() + 1);
    }

    pub async fn open(&self, url: &str) {
        self.browser.driver().goto(url).await.unwrap_or_else(|e| panic!("{url}: {e}"));
    }

    pub async fn at(&self) -> String {
        self.browser.driver().current_url().await.map(|url| url.to_string()).unwrap_or_default()
    }

    pub async fn text(&self) -> String {
        let body = self.browser.driver().find(By::Tag("body")).await;
        match body {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the words stand on the page.
    pub async fn sees(&self, words: &str) {
        let since = Instant::now();
        loop {
            let text = self.text().await;
            if text.contains(words) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{words:?} is not on {}:\n{text}", self.at().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Opens a page again and again until the words stand on it: for what a lane does meanwhile.
    pub async fn finds_at(&self, url: &str, words: &str) {
        let since = Instant::now();
        while !self.text().await.contains(words) {
            assert!(since.elapsed() < SOON, "{words:?} is not on {url}:\n{}", self.text().await);
            self.open(url).await;
        }
    }

    pub async fn does_not_see(&self, words: &str) {
        let text = self.text().await;
        assert!(!text.contains(words), "{words:?} is on {}:\n{text}", self.at().await);
    }

    async fn find(&self, what: &str, xpath: &str) -> WebElement {
        let since = Instant::now();
        loop {
            for found in self.browser.driver().find_all(By::XPath(xpath)).await.unwrap_or_default() {
                if found.is_displayed().await.unwrap_or(false) {
                    return found;
                }
            }
            assert!(since.elapsed() < PATIENCE, "no {what} on {}:\n{}", self.at().await, self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Presses a button or follows a link by its words.
    pub async fn presses(&self, words: &str) {
        let text = literal(words);
        let xpath =
            format!("//*[self::a or self::button or self::summary][normalize-space(.)={text} or @aria-label={text}]");
        self.act();
        let element = self.find(&format!("button or link {words:?}"), &xpath).await;
        self.activates(&element, words, Key::Enter + "").await;
    }

    /// Clicks, or goes there with the Tab key and presses this one.
    async fn activates(&self, element: &WebElement, words: &str, key: impl Into<TypingData>) {
        if !self.keyboard {
            element.click().await.unwrap_or_else(|e| panic!("{words:?}: {e}"));
            return;
        }
        self.tabs_to(element, words).await;
        element.send_keys(key.into()).await.unwrap_or_else(|e| panic!("{words:?}: {e}"));
    }

    /// Tab by Tab, from where the focus is, until it is there.
    async fn tabs_to(&self, element: &WebElement, words: &str) {
        for _ in 0..MOST_TABS {
            let focused = self.browser.driver().active_element().await.unwrap_or_else(|e| panic!("{words:?}: {e}"));
            if focused == *element {
                return;
            }
            // As a key, not as text for the element: some fields have parts that Tab goes through.
            let tab = self.browser.driver().action_chain().send_keys(Key::Tab + "");
            tab.perform().await.unwrap_or_else(|e| panic!("{words:?}: {e}"));
        }
        panic!("{words:?} is not reached by the Tab key on {}", self.at().await);
    }

    /// The field of a label that begins with these words.
    async fn field(&self, label: &str) -> WebElement {
        let text = literal(label);
        let labels = format!("//label[starts-with(normalize-space(.), {text})]");
        let xpath = format!(
            "{labels}//*[self::input or self::select or self::textarea] | //*[@id={labels}/@for]
             | //*[self::input or self::select or self::textarea][@aria-label={text}]"
        );
        self.find(&format!("field {label:?}"), &xpath).await
    }

    pub async fn fills(&self, label: &str, value: &str) {
        self.act();
        let field = self.field(label).await;
        if self.keyboard {
            self.tabs_to(&field, label).await;
        }
        field.clear().await.unwrap_or_else(|e| panic!("{label:?}: {e}"));
        field.send_keys(value).await.unwrap_or_else(|e| panic!("{label:?}: {e}"));
    }

    /// Ticks or unticks a box, or picks a radio button.
    pub async fn ticks(&self, label: &str) {
        self.act();
        let field = self.field(label).await;
        self.activates(&field, label, " ").await;
    }

    /// Chooses from a list by the words of the choice.
    pub async fn chooses(&self, label: &str, choice: &str) {
        self.act();
        let list = self.field(label).await;
        if self.keyboard {
            // A list with the focus takes what is typed for the beginning of a choice.
            self.activates(&list, label, choice).await;
            return;
        }
        let option = format!(".//option[normalize-space(.)={}]", literal(choice));
        let option = list.find(By::XPath(option)).await.unwrap_or_else(|e| panic!("{label:?}, {choice:?}: {e}"));
        option.click().await.unwrap_or_else(|e| panic!("{label:?}, {choice:?}: {e}"));
    }

    /// What a field holds.
    pub async fn value(&self, label: &str) -> String {
        self.field(label).await.prop("value").await.ok().flatten().unwrap_or_default()
    }

    /// Words that stand on the page to be read: not the choices of closed lists, nor what is folded away.
    pub async fn words(&self) -> usize {
        // By the prototype: a button named `remove` hides its form's own.
        let script = "const main = document.querySelector('main').cloneNode(true);
            main.querySelectorAll('select, script, nav, [hidden], details:not([open]) > :not(summary)').forEach(e => Element.prototype.remove.call(e));
            return main.textContent.trim().split(/\\s+/).length;";
        let words = self.script(script).await.as_u64().unwrap_or_default();
        usize::try_from(words).unwrap_or(usize::MAX)
    }

    /// Nothing but one style sheet of ours stands before the first paint, and little of it: a phone on a building site shows the
    /// page as soon as it has the text.
    pub async fn paints_at_once(&self, page: &str) {
        let script =
            "const all = performance.getEntriesByType('resource'), own = performance.getEntriesByType('navigation');
            const blocking = all.filter(e => e.renderBlockingStatus !== 'non-blocking').map(e => e.name);
            return [blocking.length, blocking.every(name => name.startsWith(location.origin + '/assets/')),
                [...all, ...own].reduce((sum, e) => sum + e.decodedBodySize, 0)];";
        let found = self.script(script).await;
        assert!(found[0].as_u64().is_some_and(|blocking| blocking <= 1), "{page}: {found}");
        assert_eq!(found[1], true, "{page}: what blocks is not ours: {found}");
        assert!(found[2].as_u64().is_some_and(|bytes| (1..=MOST_BYTES).contains(&bytes)), "{page}: {found}");
    }

    /// The page holds WCAG 2.2 AA, and does not run over the side, at a desk and on a phone.
    pub async fn can_use(&self, page: &str) {
        axe::accessible(&self.browser, page).await;
        self.browser.as_phone().await;
        axe::accessible(&self.browser, &format!("{page}, on a phone")).await;
        let script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;";
        let over = self.browser.driver().execute(script, Vec::new()).await.map(|answer| answer.json().clone());
        let over = over.unwrap_or_else(|e| panic!("{page}: {e}"));
        assert_eq!(over, 0, "{page} runs over the side of a phone's screen by {over} points");
        self.picture(&format!("{page} phone")).await;
        self.browser.as_desk().await;
        self.picture(page).await;
    }

    /// Keeps a picture of the page where pictures are asked for.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("HHP_SCREENSHOTS").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let path = folder.join(format!("{}.png", name.replace(' ', "-")));
        self.browser.driver().screenshot(&path).await.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
}
