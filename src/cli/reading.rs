//! Shows what a query gives, as it comes.

use std::io;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::signal::unix::Signal;

use super::answer_stream::{AnswerStream, Event};
use super::live::{Keys, LiveTable};
use super::printer::{Printer, Rows};
use super::refusal::Refusal;

/// For how long rows are collected before they are laid out, and how often a rate is shown.
const TICK: Duration = Duration::from_millis(200);
/// Clears the line that the cursor stands in.
const CLEAR_LINE: &str = "\r\u{1b}[K";

/// When a query ends by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// After so many rows.
    pub rows: Option<u64>,
    /// After so long.
    pub time: Option<Duration>,
}

/// Why a query has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server has no more.
    Server,
    /// There were as many rows, or it took as long, as was wanted.
    Limit,
    /// The user did not want more.
    User,
}

impl End {
    /// Whether the server ended it.
    pub fn is_by_server(self) -> bool {
        self == Self::Server
    }

    /// Whether the user did.
    pub fn is_by_user(self) -> bool {
        self == Self::User
    }
}

/// What is known after a query.
pub struct Read {
    /// Why it ended.
    pub end: End,
    /// By which the server knows it.
    pub query_id: Option<String>,
    /// What went wrong.
    pub refusal: Option<Refusal>,
}

/// A query that is being read.
pub struct Reading {
    stream: AnswerStream,
    keys: Option<Keys>,
    query_id: Option<String>,
    view: View,
    count: u64,
    /// Whether the last line of the screen shows a rate.
    has_rate: bool,
}

/// How rows are shown.
enum View {
    /// There is no header yet, or there are lines.
    Lines,
    /// One below the other.
    Rows(Rows),
    /// The latest of each key.
    Live(LiveTable),
}

impl Reading {
    /// A query; with keys, its rows replace one another.
    pub fn new(stream: AnswerStream, keys: Option<Keys>) -> Self {
        Self { stream, keys, query_id: None, view: View::Lines, count: 0, has_rate: false }
    }

    /// Shows rows until there are no more, enough, or the user has seen enough.
    pub async fn run(
        &mut self,
        printer: &mut Printer,
        interrupts: &mut Signal,
        limits: Limits,
        is_live: bool,
    ) -> io::Result<Read> {
        let started = now();
        let mut rate = (started, 0_u64);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut refusal = None;
        let end = loop {
            if limits.rows.is_some_and(|rows| self.count >= rows) {
                break End::Limit;
            }
            tokio::select! {
                _ = interrupts.recv() => break End::User,
                event = self.stream.next() => match event {
                    Ok(Some(event)) => self.show(event, printer)?,
                    Ok(None) => break End::Server,
                    Err(error) => {
                        refusal = Some(error);
                        break End::Server;
                    }
                },
                _ = ticks.tick() => {
                    self.tick(printer)?;
                    if is_live && printer.is_terminal() && self.count > 0 {
                        self.show_rate(printer, &mut rate)?;
                    }
                    if limits.time.is_some_and(|time| started.elapsed() >= time) {
                        break End::Limit;
                    }
                }
            }
        };
        self.finish(printer)?;
        Ok(Read { end, query_id: self.query_id.take(), refusal })
    }

    fn show(&mut self, event: Event, printer: &mut Printer) -> io::Result<()> {
        self.hide_rate(printer)?;
        match event {
            Event::Header { query_id, columns } => {
                self.query_id = query_id;
                let names: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
                let live = self.keys.take().and_then(|keys| LiveTable::new(&names, &keys));
                self.view = live.map_or_else(|| View::Rows(Rows::new(names)), View::Live);
                Ok(())
            }
            Event::Row(row) => {
                self.count += 1;
                match &mut self.view {
                    View::Rows(rows) => rows.push(row, printer),
                    View::Live(table) => {
                        table.put(row);
                        Ok(())
                    }
                    View::Lines => printer.write(&format!("{}\n", Value::Array(row))),
                }
            }
            Event::Tombstone(row) => {
                self.count += 1;
                match &mut self.view {
                    View::Rows(rows) => rows.push(row, printer),
                    View::Live(table) => {
                        table.remove(&row);
                        Ok(())
                    }
                    View::Lines => Ok(()),
                }
            }
            Event::Line(line) => {
                self.count += u64::from(line.starts_with("rowtime:"));
                let shown = super::table::cell(&Value::from(line));
                printer.write(&format!("{shown}\n"))
            }
            Event::Final(_) => Ok(()),
        }
    }

    /// Shows the rows that were collected.
    fn tick(&mut self, printer: &mut Printer) -> io::Result<()> {
        match &mut self.view {
            View::Rows(rows) if rows.is_waiting() => rows.flush(printer),
            View::Live(table) => table.draw(printer),
            _ => Ok(()),
        }
    }

    fn show_rate(&mut self, printer: &mut Printer, rate: &mut (Instant, u64)) -> io::Result<()> {
        if matches!(self.view, View::Live(_)) {
            return Ok(());
        }
        let passed = rate.0.elapsed();
        if passed < TICK * 5 && self.has_rate {
            return Ok(());
        }
        let per_second =
            (self.count - rate.1) as f64 / passed.as_secs_f64().max(TICK.as_secs_f64());
        *rate = (now(), self.count);
        self.has_rate = true;
        printer.draw(&format!(
            "{CLEAR_LINE}{} rows, {per_second:.0} a second; Ctrl-C ends the query",
            self.count
        ))
    }

    fn hide_rate(&mut self, printer: &mut Printer) -> io::Result<()> {
        if std::mem::take(&mut self.has_rate) { printer.draw(CLEAR_LINE) } else { Ok(()) }
    }

    fn finish(&mut self, printer: &mut Printer) -> io::Result<()> {
        self.hide_rate(printer)?;
        match &mut self.view {
            View::Rows(rows) => {
                rows.finish(printer)?;
                let (count, s) = (rows.count(), if rows.count() == 1 { "" } else { "s" });
                if printer.is_terminal() {
                    printer.draw(&format!("{count} row{s}\n"))
                } else {
                    Ok(())
                }
            }
            View::Live(table) => table.finish(printer),
            View::Lines => Ok(()),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shell tells people how many rows come in a second"
)]
fn now() -> Instant {
    Instant::now()
}
