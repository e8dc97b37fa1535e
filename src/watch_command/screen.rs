//! `millstream top` on a terminal: drawn in place, sorted by keys.

use std::io::{self, Stdout, Write as _};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, size,
};
use crossterm::{execute, queue};
use millstream::cli::table::cut;
use millstream::cli::top::{Line, Sort, Tone, lines};
use millstream::terminal::Keys;
use serde_json::Value;

use super::look::Look;
use crate::run_command;

/// The screen where its size is not told.
const SIZE: (u16, u16) = (80, 24);

const HELP: [&str; 9] = [
    "",
    "  q, Ctrl-C     ends",
    "  ↑ ↓ PgUp PgDn scrolls; Home goes to the top",
    "  n r w l s     sorts by name, read, written, lag, skipped",
    "  ?             shows and hides this",
    "",
    "  LAG: records behind the ends of what is read. ROWS: in the stores.",
    "  LARGEST: the partition with most records. VARIATION: 0 if all have as many.",
    "  COUNTED offsets: no query here reads the topic; its end has grown by so much.",
];

/// Shows what a server counts, until it is ended.
pub(super) async fn run(mut look: Look, sort: Sort, interval: Duration) -> anyhow::Result<()> {
    let mut view = View { sort, top: 0, shows_help: false, seen: None, problem: None };
    let mut stop = std::pin::pin!(run_command::stop_signal()?);
    view.seen = tokio::select! {
        () = &mut stop => return Ok(()),
        seen = look.figures() => Some(seen?),
    };
    let mut screen = Screen::open()?;
    let mut ticks = tokio::time::interval(interval);
    ticks.tick().await;
    loop {
        // A server that does not answer keeps nobody from ending this.
        let mut next = std::pin::pin!(async {
            ticks.tick().await;
            look.figures().await
        });
        loop {
            screen.draw(&mut view)?;
            tokio::select! {
                () = &mut stop => return Ok(()),
                event = screen.keys.event() => if ends(&mut view, &event) { return Ok(()) },
                seen = &mut next => {
                    match seen {
                        Ok(figures) => (view.seen, view.problem) = (Some(figures), None),
                        // It may come back.
                        Err(error) => view.problem = Some(error.to_string()),
                    }
                    break;
                }
            }
        }
    }
}

/// Follows an event; true if it ends everything.
fn ends(view: &mut View, event: &Event) -> bool {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => !view.press(*key),
        _ => false,
    }
}

/// What is shown, and from where on.
struct View {
    sort: Sort,
    /// The first line below the total.
    top: usize,
    shows_help: bool,
    seen: Option<Value>,
    /// Why there is nothing newer.
    problem: Option<String>,
}

impl View {
    /// Follows a key; false if it ends everything.
    fn press(&mut self, key: KeyEvent) -> bool {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return false,
            KeyCode::Char('q') => return false,
            KeyCode::Char('?') => self.shows_help = !self.shows_help,
            KeyCode::Esc => self.shows_help = false,
            KeyCode::Up => self.top = self.top.saturating_sub(1),
            KeyCode::Down => self.top += 1,
            KeyCode::PageUp => self.top = self.top.saturating_sub(10),
            KeyCode::PageDown => self.top += 10,
            KeyCode::Home => self.top = 0,
            KeyCode::Char(c) => {
                if let Some((_, sort, _)) = Sort::ALL.iter().find(|(key, ..)| *key == c) {
                    self.sort = *sort;
                }
            }
            _ => {}
        }
        true
    }

    /// The lines of a screen of this size, at most as wide as it.
    fn lines(&mut self, (columns, rows): (usize, usize)) -> Vec<Line> {
        let mut all = match &self.seen {
            Some(figures) => lines(figures, self.sort, columns),
            None => Vec::new(),
        };
        let body = all.split_off(all.len().min(1));
        let room = rows.saturating_sub(all.len() + 1);
        let plain = |text: &str| Line { text: cut(text, columns), tone: Tone::Plain };
        if self.shows_help {
            all.extend(HELP.iter().take(room).map(|line| plain(line)));
        } else {
            self.top = self.top.min(body.len().saturating_sub(room));
            all.extend(body.into_iter().skip(self.top).take(room));
        }
        all.resize(rows.saturating_sub(1), plain(""));
        all.push(self.footer(columns));
        all
    }

    fn footer(&self, columns: usize) -> Line {
        if let Some(problem) = &self.problem {
            return Line { text: cut(problem, columns), tone: Tone::Alarm };
        }
        let by = Sort::ALL.iter().find(|(_, sort, _)| *sort == self.sort);
        let by = by.map_or("", |(_, _, name)| *name);
        let text = format!("sorted by {by}   n r w l s sorts   ↑ ↓ scrolls   ? help   q ends");
        Line { text: cut(&text, columns), tone: Tone::Plain }
    }
}

/// The terminal's alternate screen; it is given back when this is dropped.
struct Screen {
    out: Stdout,
    keys: Keys,
}

impl Screen {
    fn open() -> io::Result<Self> {
        let mut screen = Self { out: io::stdout(), keys: Keys::open()? };
        execute!(screen.out, EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    /// Draws it. No colour is used, so that it can be read on any: what is wrong stands reversed.
    fn draw(&mut self, view: &mut View) -> io::Result<()> {
        let (columns, rows) = size().unwrap_or(SIZE);
        let all = view.lines((usize::from(columns), usize::from(rows)));
        queue!(self.out, BeginSynchronizedUpdate)?;
        for (row, line) in all.iter().enumerate() {
            let row = u16::try_from(row).unwrap_or(u16::MAX);
            let attribute = match line.tone {
                Tone::Plain => Attribute::Reset,
                Tone::Heading => Attribute::Bold,
                Tone::Alarm => Attribute::Reverse,
            };
            queue!(self.out, MoveTo(0, row), SetAttribute(attribute), Print(&line.text))?;
            queue!(self.out, SetAttribute(Attribute::Reset), Clear(ClearType::UntilNewLine))?;
        }
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nothing more can be done for a terminal that is gone.
        let _ = execute!(self.out, Show, LeaveAlternateScreen);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(queries: usize) -> View {
        let query = |n: usize| json!({ "id": format!("Q_{n:02}"), "state": "running", "lag": n, "over_time": {} });
        let queries: Vec<Value> = (0..queries).map(query).collect();
        let seen = Some(json!({ "server": "h:1", "queries": queries, "topics": [] }));
        View { sort: Sort::Name, top: 0, shows_help: false, seen, problem: None }
    }

    fn press(view: &mut View, code: KeyCode) -> bool {
        view.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn ids(view: &mut View) -> Vec<String> {
        let lines = view.lines((80, 24));
        assert_eq!(lines.len(), 24);
        let ids = lines.iter().filter_map(|line| line.text.split(' ').next());
        ids.filter(|id| id.starts_with("Q_")).map(str::to_owned).collect()
    }

    #[test]
    fn more_than_fits_is_scrolled_and_not_beyond_its_end() {
        let mut view = view(40);
        assert_eq!((ids(&mut view).len(), &*ids(&mut view)[0]), (20, "Q_00"));
        press(&mut view, KeyCode::Down);
        press(&mut view, KeyCode::Down);
        press(&mut view, KeyCode::Down);
        assert_eq!(ids(&mut view)[0], "Q_01");
        for _ in 0..20 {
            press(&mut view, KeyCode::PageDown);
        }
        assert_eq!(ids(&mut view).last().unwrap(), "Q_39");
        press(&mut view, KeyCode::Home);
        assert_eq!(ids(&mut view)[0], "Q_00");
    }

    #[test]
    fn keys_sort_help_and_end() {
        let mut view = view(3);
        assert!(press(&mut view, KeyCode::Char('l')));
        assert_eq!(ids(&mut view), ["Q_02", "Q_01", "Q_00"]);
        assert!(press(&mut view, KeyCode::Char('?')));
        assert!(view.lines((80, 24)).iter().any(|line| line.text.contains("ends")));
        assert!(ids(&mut view).is_empty());
        assert!(!press(&mut view, KeyCode::Char('q')));
    }

    #[test]
    fn a_screen_of_any_size_is_filled_and_no_more() {
        for (columns, rows) in [(80, 24), (20, 5), (1, 2), (200, 60)] {
            for shows_help in [false, true] {
                let mut view = View { shows_help, ..view(30) };
                let lines = view.lines((columns, rows));
                assert_eq!(lines.len(), rows);
                assert!(lines.iter().all(|line| line.text.chars().count() <= columns));
            }
        }
    }
}
