//! How far the producer has come, as a bar on the terminal; nothing when stderr is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const BAR: &str = "{bar:32} {pos}/{len} readings  {per_sec}  {eta} left";
const SPINNER: &str = "{spinner} {pos} readings  {per_sec}  {elapsed}";
const REDRAW: Duration = Duration::from_millis(100);

/// A bar for a known count, a spinner for an endless one, or neither.
pub(super) fn bar(count: Option<u64>, is_shown: bool) -> ProgressBar {
    if !is_shown {
        return ProgressBar::hidden();
    }
    let (bar, template) = match count {
        Some(count) => (ProgressBar::new(count), BAR),
        None => (ProgressBar::new_spinner(), SPINNER),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(REDRAW);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_parse() {
        assert!(
            ProgressStyle::with_template(BAR).is_ok()
                && ProgressStyle::with_template(SPINNER).is_ok()
        );
    }
}
