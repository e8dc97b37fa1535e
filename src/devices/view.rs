//! How a monitor is shown: a table that stays in place on a terminal, JSON lines anywhere else.

use std::io::{self, Write};

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};

use super::device_table::DeviceTable;
use super::{DeviceReport, Monitor};
use crate::terminal::{Key, Keys, draw};

/// Where a monitor shows itself.
pub enum View<W: Write> {
    /// A live table on the terminal's alternate screen.
    Table(Box<Live<W>>),
    /// A JSON line for each device that changed.
    Lines(W),
}

/// A live table, and what is typed while it is shown.
pub struct Live<W: Write> {
    out: W,
    /// Nothing is typed where keys cannot be read one by one.
    keys: Option<Keys>,
    table: DeviceTable,
}

impl<W: Write> View<W> {
    /// A live table on a terminal.
    pub fn table(out: W) -> Self {
        Self::Table(Box::new(Live { out, keys: None, table: DeviceTable::default() }))
    }

    /// Makes the screen ready.
    pub(super) fn open(&mut self) -> io::Result<()> {
        match self {
            Self::Table(live) => {
                live.keys = Keys::open().ok();
                execute!(live.out, EnterAlternateScreen, Hide)
            }
            Self::Lines(_) => Ok(()),
        }
    }

    /// The next key that is typed.
    pub(super) async fn key(&mut self) -> Key {
        match self {
            Self::Table(live) => match &mut live.keys {
                Some(keys) => keys.next().await,
                None => std::future::pending().await,
            },
            Self::Lines(_) => std::future::pending().await,
        }
    }

    /// Does what a key asks for; false if it asks to end.
    pub(super) fn follow(&mut self, key: Key) -> bool {
        match (self, key) {
            (_, Key::Quit) => false,
            (Self::Table(live), key) => {
                live.table.follow(key);
                true
            }
            (Self::Lines(_), _) => true,
        }
    }

    /// Shows what `monitor` knows now, on a screen of `size` columns and rows.
    pub(super) fn show(
        &mut self,
        monitor: &mut Monitor,
        title: &str,
        size: (u16, u16),
    ) -> io::Result<()> {
        match self {
            Self::Table(live) => {
                let (columns, rows) = (usize::from(size.0), usize::from(size.1));
                let lines = live.table.lines(monitor, title, (columns, rows));
                draw(&mut live.out, &lines, (columns, rows))
            }
            Self::Lines(out) => write_lines(out, &monitor.take_changed()),
        }
    }

    /// Gives the screen back.
    pub(super) fn close(&mut self) -> io::Result<()> {
        match self {
            Self::Table(live) => {
                live.keys = None;
                execute!(live.out, Show, LeaveAlternateScreen)
            }
            Self::Lines(out) => out.flush(),
        }
    }
}

fn write_lines(out: &mut impl Write, reports: &[DeviceReport]) -> io::Result<()> {
    for report in reports {
        serde_json::to_writer(&mut *out, report)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::super::device_table::tests::monitor;
    use super::*;

    #[test]
    fn lines_tell_each_changed_device_once() {
        let mut monitor = monitor();
        let mut view = View::Lines(Vec::new());
        view.show(&mut monitor, "", (80, 24)).unwrap();
        view.show(&mut monitor, "", (80, 24)).unwrap();
        let View::Lines(out) = view else { unreachable!("made as lines") };
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    }
}
