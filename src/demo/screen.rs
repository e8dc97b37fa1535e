//! The demo on a terminal: panels that are redrawn in place.

use std::collections::BTreeSet;
use std::io::{self, Stdout, Write};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, size,
};
use crossterm::{execute, queue};
use millstream::runtime::live::{QueryState, QueryStatus};

use super::summary::{Places, Summary, state};

/// The screen where its size is not told.
const SIZE: (u16, u16) = (100, 40);
/// Where the right panels begin.
const RIGHT: usize = 43;
/// The colours of activities and partitions, in order.
const HUES: [Color; 6] =
    [Color::Green, Color::Blue, Color::Magenta, Color::Yellow, Color::Cyan, Color::Red];

/// What stands above the panels.
pub(super) struct Header<'a> {
    /// Where everything is.
    pub(super) places: &'a Places,
    /// How long the demo has run.
    pub(super) elapsed: Duration,
}

/// The terminal's alternate screen; it is given back when this is dropped.
pub(super) struct Screen {
    out: Stdout,
}

impl Screen {
    /// Makes the screen ready.
    pub(super) fn open() -> io::Result<Self> {
        let mut screen = Self { out: io::stdout() };
        execute!(screen.out, EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    /// Draws what is known now.
    pub(super) fn draw(&mut self, summary: &Summary, header: &Header<'_>) -> io::Result<()> {
        let (columns, rows) = size().unwrap_or(SIZE);
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        let mut lines = lines(summary, header, columns);
        lines.truncate(rows.saturating_sub(1));
        lines.resize_with(rows.saturating_sub(1), Line::default);
        lines.push(footer(header));
        queue!(self.out, BeginSynchronizedUpdate)?;
        for (row, line) in lines.iter().enumerate() {
            queue!(self.out, MoveTo(0, row as u16))?;
            line.write(&mut self.out, columns)?;
            queue!(self.out, Clear(ClearType::UntilNewLine))?;
        }
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()
    }

    /// Gives the terminal back, and leaves the last state on it.
    pub(super) fn close(self, summary: &Summary, header: &Header<'_>) -> io::Result<()> {
        drop(self);
        let (columns, _) = size().unwrap_or(SIZE);
        let mut out = io::stdout();
        for line in lines(summary, header, usize::from(columns)) {
            line.write(&mut out, usize::from(columns))?;
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

/// A line of coloured parts.
#[derive(Clone, Debug, Default)]
struct Line(Vec<(Paint, String)>);

#[derive(Clone, Copy, Debug)]
enum Paint {
    Plain,
    Dim,
    Bold,
    Title,
    Hue(Color),
}

impl Line {
    fn title(text: &str) -> Self {
        Self::default().put(Paint::Plain, " ").put(Paint::Title, text)
    }

    fn put(mut self, paint: Paint, text: impl Into<String>) -> Self {
        self.0.push((paint, text.into()));
        self
    }

    fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// Goes on at a column, if it is not there yet.
    fn at(self, column: usize) -> Self {
        let gap = column.saturating_sub(self.width());
        self.put(Paint::Plain, " ".repeat(gap))
    }

    fn join(mut self, mut other: Self) -> Self {
        self.0.append(&mut other.0);
        self
    }

    fn write(&self, out: &mut impl Write, columns: usize) -> io::Result<()> {
        let mut left = columns;
        for (paint, text) in &self.0 {
            // Names come from topics, and must not drive the terminal.
            let shown =
                text.chars().take(left).map(|c| if c.is_control() { '\u{fffd}' } else { c });
            let text: String = shown.collect();
            left -= text.chars().count();
            match paint {
                Paint::Plain => {}
                Paint::Dim => queue!(out, SetForegroundColor(Color::DarkGrey))?,
                Paint::Bold => queue!(out, SetAttribute(Attribute::Bold))?,
                Paint::Title => {
                    queue!(out, SetForegroundColor(Color::Cyan), SetAttribute(Attribute::Bold))?;
                }
                Paint::Hue(color) => queue!(out, SetForegroundColor(*color))?,
            }
            queue!(out, Print(text), SetAttribute(Attribute::Reset), ResetColor)?;
        }
        Ok(())
    }
}

/// All lines, the most telling first.
fn lines(summary: &Summary, header: &Header<'_>, columns: usize) -> Vec<Line> {
    let mut lines = vec![heading(header, columns), Line::default()];
    let mut left = readings(summary);
    left.push(Line::default());
    left.extend(activities(summary));
    let mut right = transitions(summary);
    right.push(Line::default());
    right.extend(alerts(summary));
    let height = left.len().max(right.len());
    left.resize_with(height, Line::default);
    right.resize_with(height, Line::default);
    lines.extend(left.into_iter().zip(right).map(|(left, right)| left.at(RIGHT).join(right)));
    lines.push(Line::default());
    lines.extend(queries(&summary.queries));
    lines.push(Line::default());
    lines.extend(devices(summary));
    lines
}

fn heading(header: &Header<'_>, columns: usize) -> Line {
    let seconds = header.elapsed.as_secs();
    let time = format!("{}:{:02}:{:02} ", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    Line::title("millstream demo")
        .put(Paint::Plain, "   Kafka clients connect to ")
        .put(Paint::Bold, &header.places.bootstrap)
        .at(columns.min(100).saturating_sub(time.len()))
        .put(Paint::Dim, time)
}

fn footer(header: &Header<'_>) -> Line {
    let command = format!(" millstream sql {}", header.places.rest);
    let registry = format!("   schemas at {}", header.places.registry);
    Line::default()
        .put(Paint::Dim, command)
        .put(Paint::Dim, registry)
        .put(Paint::Dim, "   Ctrl-C ends")
}

fn readings(summary: &Summary) -> Vec<Line> {
    let rate = format!("{}/s ", grouped(summary.per_second().round() as u64));
    let mut lines = vec![
        Line::title("READINGS")
            .put(Paint::Bold, format!("{:>13} ", grouped(summary.readings())))
            .at(26)
            .put(Paint::Plain, format!("{rate:>13}")),
    ];
    let most = summary.partitions.values().max().copied().unwrap_or(0);
    for ((partition, count), hue) in summary.partitions.iter().zip(HUES.iter().cycle()) {
        lines.push(bar_line(&format!("partition {partition}"), *count, most, *hue));
    }
    let spark = spark(&summary.last_seconds());
    lines.push(
        Line::default().put(Paint::Dim, "   by second   ").put(Paint::Hue(Color::Cyan), spark),
    );
    lines
}

fn activities(summary: &Summary) -> Vec<Line> {
    let activities = summary.activities();
    let total: u64 = activities.values().sum();
    let most = activities.values().max().copied().unwrap_or(0);
    let total = format!("{:>11} ", grouped(total));
    let mut lines = vec![Line::title("ACTIVITIES").put(Paint::Bold, total)];
    for ((activity, count), hue) in activities.iter().zip(HUES.iter().cycle()) {
        lines.push(bar_line(activity, *count, most, *hue));
    }
    lines
}

fn bar_line(name: &str, count: u64, most: u64, hue: Color) -> Line {
    let name: String = name.chars().take(12).collect();
    Line::default()
        .put(Paint::Plain, format!("   {name:<12}"))
        .put(Paint::Bold, format!("{:>7} ", grouped(count)))
        .put(Paint::Hue(hue), bar(count, most, 17))
}

/// From which activity to which, as a matrix.
fn transitions(summary: &Summary) -> Vec<Line> {
    let counts = summary.transition_counts();
    let names: BTreeSet<&str> = counts.keys().flat_map(|(from, to)| [*from, *to]).collect();
    let names: Vec<&str> = names.into_iter().take(6).collect();
    let most = counts.values().max().copied().unwrap_or(0);
    let total = format!("{:>9} ", grouped(summary.transitions));
    let mut head = Line::default().put(Paint::Title, "TRANSITIONS").put(Paint::Bold, total);
    head = head.put(Paint::Dim, "from ↓ to →");
    let columns: Vec<String> = names.iter().map(|name| format!("{:>7}", clipped(name))).collect();
    let columns = columns.concat();
    let mut lines = vec![head, Line::default().put(Paint::Plain, format!("        {columns}"))];
    for from in &names {
        let mut line = Line::default().put(Paint::Plain, format!("  {:<6}", clipped(from)));
        for to in &names {
            let count = counts.get(&(*from, *to)).copied().unwrap_or(0);
            let paint = match count {
                0 => Paint::Dim,
                count if count * 3 >= most * 2 => Paint::Hue(Color::Yellow),
                _ => Paint::Plain,
            };
            let text = if count == 0 { "·".to_owned() } else { grouped(count) };
            line = line.put(paint, format!("{text:>7}"));
        }
        lines.push(line);
    }
    lines
}

fn alerts(summary: &Summary) -> Vec<Line> {
    let total = format!("{:>14} ", grouped(summary.alerts));
    let head = Line::default().put(Paint::Title, "ALERTS").put(Paint::Bold, total);
    let mut lines = vec![head.put(Paint::Dim, "newest first")];
    for alert in summary.latest_alerts.iter().take(3) {
        let who = format!("  {:<14}{:<7}", alert.device, alert.activity);
        let magnitude = format!("{:>9.5} ", alert.magnitude);
        lines.push(Line::default().put(Paint::Plain, who).put(Paint::Hue(Color::Red), magnitude));
    }
    lines
}

fn queries(queries: &[QueryStatus]) -> Vec<Line> {
    let headings = format!("{:>24}{:>11}{:>11}{:>8}", "STATE", "IN", "OUT", "ROWS");
    let mut lines = vec![Line::title("QUERIES").at(24).put(Paint::Dim, headings)];
    for query in queries {
        let hue = match query.state {
            QueryState::Running => Color::Green,
            QueryState::Starting | QueryState::Standby | QueryState::Paused => Color::Yellow,
            QueryState::Retrying | QueryState::Failed => Color::Red,
        };
        let figures = format!(
            "{:>11}{:>11}{:>8}",
            grouped(query.records),
            grouped(query.written),
            grouped(query.stored_rows as u64)
        );
        lines.push(
            Line::default()
                .put(Paint::Plain, format!("   {:<36}", query.id))
                .put(Paint::Hue(hue), format!("{:>9}", state(query.state)))
                .put(Paint::Plain, figures),
        );
        if let Some(cause) = query.cause.as_ref().filter(|_| query.state != QueryState::Running) {
            lines.push(Line::default().put(Paint::Hue(Color::Red), format!("     {cause}")));
        }
    }
    lines
}

fn devices(summary: &Summary) -> Vec<Line> {
    let headings = format!(
        "{:>8}  {:>10}{:>10}{:>10} {:>7}{:>7}{:>7}",
        "READINGS", "MEAN X", "MEAN Y", "MEAN Z", "PEAK X", "PEAK Y", "PEAK Z"
    );
    let mut lines = vec![Line::title("DEVICES").at(16).put(Paint::Dim, headings)];
    for (name, device) in summary.devices() {
        let [x, y, z] = device.means;
        let means = format!("  {x:>10.6}{y:>10.6}{z:>10.6} ");
        let [x, y, z] = device.peaks;
        lines.push(
            Line::default()
                .put(Paint::Plain, format!("   {:<13}", name.chars().take(12).collect::<String>()))
                .put(Paint::Bold, format!("{:>8}", grouped(device.readings)))
                .put(Paint::Plain, means)
                .put(Paint::Plain, format!("{x:>7.4}{y:>7.4}{z:>7.4}")),
        );
    }
    lines
}

/// A bar of at most `cells` cells, in eighths of a cell.
fn bar(value: u64, most: u64, cells: u64) -> String {
    let eighths = (value * cells * 8).checked_div(most).unwrap_or(0);
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][(eighths % 8) as usize];
    "█".repeat((eighths / 8) as usize) + rest
}

/// A column for each value, as high as it is large.
fn spark(values: &[u64]) -> String {
    let most = values.iter().max().copied().unwrap_or(0);
    let level = |value: u64| (value * 8).checked_div(most).unwrap_or(0) as usize;
    values
        .iter()
        .map(|value| [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][level(*value)])
        .collect()
}

fn clipped(name: &str) -> String {
    name.chars().take(6).collect()
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bars_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(bar(0, 0, 4), "");
        assert_eq!(bar(4, 4, 4), "████");
        assert_eq!(bar(3, 16, 4), "▊");
        assert_eq!(spark(&[0, 4, 8]), " ▄█");
    }

    #[test]
    fn a_line_ends_at_the_edge_and_cannot_drive_the_terminal() {
        let line = Line::default().put(Paint::Plain, "ab").at(4).put(Paint::Bold, "c\u{1b}[2Jd");
        let mut out = Vec::new();
        line.write(&mut out, 6).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("ab") && text.contains("c\u{fffd}"), "{text:?}");
        assert!(!text.contains("[2J") && !text.contains('d'), "{text:?}");
    }
}
