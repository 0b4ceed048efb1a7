//! How long the screen takes from a verdict to its pixels, without a display's own time. `make screen-bench` prints it.

use super::samples::{confirm, deny, pass};
use super::*;

#[test]
#[expect(clippy::print_stdout, reason = "a measurement prints its result")]
fn a_verdict_is_drawn_before_anybody_could_wonder() {
    for size in SIZES {
        let page = Page::new(size, Language::Zh);
        page.stage.draw();
        let mut times: Vec<Duration> = (0..60)
            .map(|n| {
                let started = Instant::now();
                let verdict = [pass(), confirm(), deny()][n % 3].clone();
                page.deliver(Mail { face: Some(Face::Verdict(verdict)), ..Mail::default() });
                page.stage.draw();
                started.elapsed()
            })
            .collect();
        times.sort();
        let [median, most] = [times[times.len() / 2], times[times.len() - 1]].map(|time| time.as_secs_f64() * 1000.0);
        println!("verdict to pixels, {}x{}: median {median:.1} ms, most {most:.1} ms", size.0, size.1);
        assert!(!page.stage.is_stale(), "all of it was drawn");
    }
}
