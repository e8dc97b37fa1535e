//! The demo on a terminal: panels that are redrawn in place, and keys that scroll and sort the devices.

use std::io::{self, Stdout, Write};

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::style::ResetColor;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, size};
use millstream::terminal::{Key, Keys, Line, draw};

use super::device_table::DeviceTable;
use super::panels::{self, Header, Shown};
use super::summary::Summary;

/// The screen where its size is not told.
const SIZE: (u16, u16) = (100, 40);

/// The terminal's alternate screen; it is given back when this is dropped.
pub(super) struct Screen {
    out: Stdout,
    /// What is typed; nothing where keys cannot be read one by one.
    keys: Option<Keys>,
    devices: DeviceTable,
    shows_help: bool,
}

impl Screen {
    /// Makes the screen ready.
    pub(super) fn open() -> io::Result<Self> {
        let keys = Keys::open().ok();
        let devices = DeviceTable::default();
        let mut screen = Self { out: io::stdout(), keys, devices, shows_help: false };
        execute!(screen.out, EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    /// The next key; it is not awaited where there are none.
    pub(super) async fn key(&mut self) -> Key {
        match &mut self.keys {
            Some(keys) => keys.next().await,
            None => std::future::pending().await,
        }
    }

    /// Does what a key asks for; false if it asks to end.
    pub(super) fn follow(&mut self, key: Key) -> bool {
        match key {
            Key::Quit if self.shows_help => self.shows_help = false,
            Key::Quit => return false,
            Key::Help => self.shows_help = !self.shows_help,
            Key::Draw => {}
            key => self.devices.follow(key),
        }
        true
    }

    /// Draws what is known now.
    pub(super) fn draw(&mut self, summary: &Summary, header: &Header<'_>) -> io::Result<()> {
        let (columns, rows) = size().unwrap_or(SIZE);
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        let room = rows.saturating_sub(1);
        let mut lines = if self.shows_help {
            panels::help(header, columns)
        } else {
            panels::fitting(&Shown { summary, header, columns }, &mut self.devices, room)
        };
        lines.resize_with(room, Line::default);
        lines.push(panels::footer(header, columns, self.devices.place().as_deref()));
        draw(&mut self.out, &lines, (columns, rows))
    }

    /// Gives the terminal back, and leaves the last state on it.
    pub(super) fn close(mut self, summary: &Summary, header: &Header<'_>) -> io::Result<()> {
        let mut devices = std::mem::take(&mut self.devices);
        drop(self);
        let (columns, _) = size().unwrap_or(SIZE);
        let columns = usize::from(columns);
        let mut out = io::stdout();
        for line in panels::whole(&Shown { summary, header, columns }, &mut devices) {
            line.write(&mut out, columns)?;
            writeln!(out)?;
        }
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nothing more can be done for a terminal that is gone.
        let _ = execute!(self.out, ResetColor, Show, LeaveAlternateScreen);
    }
}
