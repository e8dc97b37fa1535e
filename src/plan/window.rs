//! `WINDOW`: which windows an aggregation has, and how long their results are kept.

use super::builder::Builder;
use super::{AggregateWindow, PlanError};
use crate::sql::ast::{Duration, Emit, WindowKind as AstWindow};
use crate::types::TimeWindows;

/// The windows of the aggregation, with ksqlDB's grace where none is given.
pub(super) fn window(builder: &Builder<'_>) -> Result<Option<AggregateWindow>, PlanError> {
    const DEFAULT_GRACE_MS: i64 = 24 * 60 * 60 * 1_000;
    let Some(window) = &builder.query.window else { return Ok(None) };
    let refuse = |message: String, at: Duration| Err(PlanError::execute(message).at(at.span));
    let (AstWindow::Tumbling { size }
    | AstWindow::Hopping { size, .. }
    | AstWindow::Session { gap: size }) = window.kind;
    let span_ms = size.as_ms();
    if span_ms <= 0 {
        return Err(PlanError::analyse("Size must be positive").at(size.span));
    }
    // A window that is emitted once has no default grace: it closes when it ends.
    let is_final = builder.query.emit == Some(Emit::Final);
    let default_grace_ms = if is_final { 0 } else { (DEFAULT_GRACE_MS - span_ms).max(0) };
    let grace_ms = window.grace.map_or(default_grace_ms, Duration::as_ms);
    let least_ms = span_ms.saturating_add(grace_ms);
    let retention_ms = window.retention.map_or(least_ms, Duration::as_ms);
    if retention_ms < least_ms {
        let message = match window.kind {
            AstWindow::Session { .. } => format!(
                "The retention period of the session store {STORE} must be no smaller than the session \
                 inactivity gap plus the grace period. Got gap=[{span_ms}], grace=[{grace_ms}], \
                 retention=[{retention_ms}]"
            ),
            _ => format!(
                "The retention period of the window store Aggregate-Prepare must be no smaller than its \
                 window size plus the grace period. Got size=[{span_ms}], grace=[{grace_ms}], \
                 retention=[{retention_ms}]"
            ),
        };
        let reason = match window.grace {
            Some(_) => "results are kept for less than the window and its grace period",
            None => {
                "results are kept for less than the window and its grace period, which makes a day"
            }
        };
        let help = "keep them longer, or give the window a shorter GRACE PERIOD";
        let at = window.retention.map_or(window.span, |retention| retention.span);
        return Err(PlanError::execute(message).at(at).because(reason).help(help));
    }
    Ok(Some(match window.kind {
        AstWindow::Session { .. } => {
            AggregateWindow::Session { gap_ms: span_ms, grace_ms, retention_ms }
        }
        AstWindow::Tumbling { .. } => AggregateWindow::Time {
            windows: TimeWindows { size_ms: span_ms, advance_ms: span_ms, grace_ms },
            retention_ms,
            is_hopping: false,
        },
        AstWindow::Hopping { advance, .. } => {
            let advance_ms = advance.as_ms();
            if advance_ms <= 0 || advance_ms > span_ms {
                return refuse(
                    format!(
                        "Window advancement interval should be more than zero and less than window \
                     duration which is {span_ms} ms, but given advancement interval is: {advance_ms} ms"
                    ),
                    advance,
                );
            }
            AggregateWindow::Time {
                windows: TimeWindows { size_ms: span_ms, advance_ms, grace_ms },
                retention_ms,
                is_hopping: true,
            }
        }
    }))
}

/// The store of every aggregation.
pub(super) const STORE: &str = "Aggregate-Aggregate-Materialize";
