//! Panics, caught around a piece of work so that they end nothing else.
//!
//! A panic is a fault of ours that one record, or one query, has brought to light. Who guards a piece
//! of work throws away what it has touched. The process-wide hook prints nothing for what a guard
//! catches, unless `RUST_BACKTRACE` asks: who guards says in one line what has happened and to whom.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

/// How many characters of its text a panic keeps, as the text may quote what a record holds.
const TEXT_CHARS_MAX: usize = 500;

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// What it says, up to a limit.
    pub text: String,
    /// Where it happened, such as `src/state/table.rs:12:5`, if that is known.
    pub place: Option<String>,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "a panic at {place}: {}", self.text),
            None => write!(f, "a panic: {}", self.text),
        }
    }
}

thread_local! {
    /// How many guards stand around what this thread does.
    static GUARDS: Cell<usize> = const { Cell::new(0) };
    /// Where the panic happened that is on its way to a guard.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does a piece of work, and gives its panic if it ends with one. Nobody may use what the work has
/// touched after that, except to throw it away.
pub(super) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(install);
    GUARDS.set(GUARDS.get() + 1);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDS.set(GUARDS.get() - 1);
    done.map_err(|payload| Panic {
        text: text_of(payload.as_ref()),
        place: PLACE.with(RefCell::take),
    })
}

/// Lets a future run as [`guard`] does a piece of work.
pub(super) async fn guarded<F: Future>(work: F) -> Result<F::Output, Panic> {
    let mut work = Box::pin(work);
    std::future::poll_fn(|context| match guard(|| work.as_mut().poll(context)) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => std::task::Poll::Ready(Err(panic)),
    })
    .await
}

/// Puts a hook before the one that is there.
fn install() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let asks = Backtrace::capture().status() == BacktraceStatus::Captured;
        if !note(info) || asks {
            before(info);
        }
    }));
}

/// Notes where a panic happened that a guard is about to catch. False if none is.
fn note(info: &PanicHookInfo<'_>) -> bool {
    // A thread that is ending has nothing left to note it in.
    let is_guarded = GUARDS.try_with(|guards| guards.get() > 0).unwrap_or(false);
    if is_guarded {
        let place = info.location().map(ToString::to_string);
        let _ = PLACE.try_with(|noted| noted.replace(place));
    }
    is_guarded
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("it says nothing");
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_says_what_and_where_and_the_next_piece_of_work_is_done() {
        let panic = guard(|| [1, 2][std::hint::black_box(7)]).unwrap_err();
        assert_eq!(panic.text, "index out of bounds: the len is 2 but the index is 7");
        let line = panic.to_string();
        assert!(line.starts_with("a panic at src/runtime/panics.rs:"), "{line}");
        assert_eq!(guard(|| 5), Ok(5));
    }

    #[test]
    fn a_text_is_quoted_up_to_a_limit() {
        let panic = guard(|| panic!("{}", "ä".repeat(70_000))).unwrap_err();
        assert_eq!(panic.text.chars().count(), TEXT_CHARS_MAX + 1);
    }

    #[test]
    fn a_guard_within_a_guard_leaves_the_outer_one_in_place() {
        let outer = guard(|| {
            let inner = guard(|| panic!("inner")).unwrap_err();
            panic!("outer after {}", inner.text);
        });
        assert_eq!(outer.unwrap_err().text, "outer after inner");
    }

    #[tokio::test]
    async fn a_future_is_guarded_between_its_waits_too() {
        let panic = guarded(async {
            tokio::task::yield_now().await;
            panic!("later");
        });
        assert_eq!(panic.await.unwrap_err().text, "later");
        assert_eq!(guarded(async { 5 }).await, Ok(5));
    }
}
