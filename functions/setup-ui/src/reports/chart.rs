//! Bars as inline SVG. A picture of what a table beside it tells in figures.
use maud::{Markup, html};

pub struct Bar {
    pub label: String,
    pub value: u64,
}

const WIDTH: u64 = 26;
const GAP: u64 = 6;
const HEIGHT: u64 = 150;
const TOP: u64 = 26;
const LEFT: u64 = 64;
const BELOW: u64 = 30;

/// `every`: so many bars share a label. `id` is the page's for the picture's name.
pub fn bars(id: &str, name: &str, bars: &[Bar], every: usize) -> Markup {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    let width = LEFT + bars.len() as u64 * WIDTH + GAP;
    let place = |at: usize| LEFT + at as u64 * WIDTH;
    // What happened at all has a bar that can be seen.
    let tall = |value: u64| (value * HEIGHT).div_ceil(most.max(1));
    let ground = TOP + HEIGHT;
    html! {
        svg.chart viewBox={ "0 0 " (width) " " (ground + BELOW) } role="img" aria-labelledby=(id) {
            title id=(id) { (name) }
            line.line x1=(LEFT - GAP) y1=(ground) x2=(width) y2=(ground) {}
            text x=(LEFT - 2 * GAP) y=(ground) text-anchor="end" { "0" }
            @if most > 0 { text x=(LEFT - 2 * GAP) y=(TOP + 12) text-anchor="end" { (most) } }
            @for (at, bar) in bars.iter().enumerate() {
                @if bar.value > 0 {
                    rect.bar x=(place(at)) y=(ground - tall(bar.value)) width=(WIDTH - GAP) height=(tall(bar.value)) {}
                }
                @if at % every == 0 { text x=(place(at)) y=(ground + 20) { (bar.label) } }
            }
        }
    }
}
