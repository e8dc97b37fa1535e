//! What is typed while something is shown that fills the screen.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::sync::mpsc::{Receiver, channel};

/// How often it is looked whether anybody still waits for keys.
const LOOK: Duration = Duration::from_millis(500);

/// How many keys wait; more are not typed by people.
const WAITING_KEYS: usize = 64;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// To end.
    Quit,
    /// To show what keys there are, or no more.
    Help,
    /// To sort by the next column.
    Sort,
    /// To turn their order round.
    Reverse,
    /// To go so many rows on, or back.
    Rows(isize),
    /// To go so many screens on, or back.
    Pages(isize),
    /// To go to the first row.
    First,
    /// To go to the last one.
    Last,
    /// Nothing but to draw: the screen has another size.
    Draw,
}

/// The keys that are typed on a terminal, one by one. When this is dropped, they are lines again.
#[derive(Debug)]
pub struct Keys(Receiver<Event>);

impl Keys {
    /// The keys that are typed from now on; an error where they are typed to others, as to the shell that has put this into the
    /// background.
    pub fn open() -> io::Result<Self> {
        if !is_foreground() {
            return Err(io::Error::other("this is not in the foreground of a terminal"));
        }
        enable_raw_mode()?;
        match typed() {
            Ok(typed) => Ok(Self(typed)),
            Err(error) => {
                disable_raw_mode()?;
                Err(error)
            }
        }
    }

    /// The next key that asks for something; never, if no more can come.
    pub async fn next(&mut self) -> Key {
        loop {
            if let Some(key) = meant(&self.event().await) {
                return key;
            }
        }
    }

    /// The next of all events, for who has keys of his own; never, if no more can come.
    pub async fn event(&mut self) -> Event {
        match self.0.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // Nothing more can be done for a terminal that is gone.
        let _ = disable_raw_mode();
    }
}

/// Whether what is typed comes here. Who asks for single keys in the background is stopped by the kernel.
fn is_foreground() -> bool {
    let input = io::stdin();
    let group = rustix::termios::tcgetpgrp(&input);
    input.is_terminal() && group.is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Keys as they are typed, read by a thread until nobody waits for them.
fn typed() -> io::Result<Receiver<Event>> {
    let (typed, keys) = channel(WAITING_KEYS);
    std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
        while !typed.is_closed() {
            let event = match poll(LOOK) {
                Ok(false) => continue,
                Ok(true) => read(),
                Err(error) => Err(error),
            };
            // Without a terminal nothing is typed.
            let Ok(event) = event else { return };
            if typed.blocking_send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(keys)
}

/// What an event asks for, if it is one for us.
fn meant(event: &Event) -> Option<Key> {
    let key = match event {
        Event::Resize(..) => return Some(Key::Draw),
        Event::Key(KeyEvent { kind: KeyEventKind::Release, .. }) => return None,
        Event::Key(key) => key,
        _ => return None,
    };
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c' | 'd') if is_control => Key::Quit,
        KeyCode::Char(_) if is_control => return None,
        KeyCode::Char('q') | KeyCode::Esc => Key::Quit,
        KeyCode::Char('?' | 'h') => Key::Help,
        KeyCode::Char('s') => Key::Sort,
        KeyCode::Char('r') => Key::Reverse,
        KeyCode::Char('j') | KeyCode::Down => Key::Rows(1),
        KeyCode::Char('k') | KeyCode::Up => Key::Rows(-1),
        KeyCode::Char(' ') | KeyCode::PageDown => Key::Pages(1),
        KeyCode::Char('b') | KeyCode::PageUp => Key::Pages(-1),
        KeyCode::Char('g') | KeyCode::Home => Key::First,
        KeyCode::Char('G') | KeyCode::End => Key::Last,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_they_mean_in_less_and_top() {
        let typed = |code, modifiers| meant(&Event::Key(KeyEvent::new(code, modifiers)));
        let plain = |code| typed(code, KeyModifiers::NONE);
        assert_eq!(plain(KeyCode::Char('q')), Some(Key::Quit));
        assert_eq!(typed(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Quit));
        assert_eq!(typed(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Key::Last));
        assert_eq!(plain(KeyCode::PageUp), Some(Key::Pages(-1)));
        assert_eq!(typed(KeyCode::Char('s'), KeyModifiers::CONTROL), None);
        assert_eq!(plain(KeyCode::F(1)), None);
        assert_eq!(meant(&Event::Resize(80, 24)), Some(Key::Draw));
    }
}
