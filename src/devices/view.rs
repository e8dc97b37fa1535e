//! How a monitor is shown: a table that stays in place on a terminal, JSON lines anywhere else.

use std::io::{self, Write};

use crossterm::{
    cursor::{Hide, MoveTo, Show},
    execute, queue,
    style::{Attribute, Print, SetAttribute},
    terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen},
};

use super::{AxisStats, DeviceReport, Monitor};

/// Where a monitor shows itself.
pub enum View<W: Write> {
    /// A live table on the terminal's alternate screen.
    Table(W),
    /// A JSON line for each device that changed.
    Lines(W),
}

impl<W: Write> View<W> {
    /// Makes the screen ready.
    pub(super) fn open(&mut self) -> io::Result<()> {
        match self {
            Self::Table(out) => execute!(out, EnterAlternateScreen, Hide),
            Self::Lines(_) => Ok(()),
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
            Self::Table(out) => draw(out, &table(monitor, title), size),
            Self::Lines(out) => write_lines(out, &monitor.take_changed()),
        }
    }

    /// Gives the screen back.
    pub(super) fn close(&mut self) -> io::Result<()> {
        match self {
            Self::Table(out) => execute!(out, Show, LeaveAlternateScreen),
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

const HEADINGS: &str = "DEVICE           PART    TOTAL  ACTIVITY  AXIS       MEAN        STD        MIN        MAX  COUNT PER ACTIVITY";

/// The lines of the live table: a title, headings, three lines a device.
fn table(monitor: &Monitor, title: &str) -> Vec<String> {
    let mut lines = vec![
        format!("{title}   {} readings, {} faulty", monitor.readings(), monitor.faulty()),
        String::new(),
        HEADINGS.to_owned(),
    ];
    for report in monitor.reports() {
        let counts: Vec<_> =
            report.activities.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let head = format!(
            "{:<16} {:>4} {:>8}  {:<8}",
            printable(&report.device),
            report.partition,
            report.total,
            printable(&report.most_common_activity)
        );
        lines.push(format!("{head}  {}  {}", axis("x", report.x), printable(&counts.join(", "))));
        lines.push(format!("{:42}{}", "", axis("y", report.y)));
        lines.push(format!("{:42}{}", "", axis("z", report.z)));
    }
    lines
}

fn axis(name: &str, stats: AxisStats) -> String {
    let AxisStats { mean, std, min, max } = stats;
    format!("{name:<4} {mean:>10.6} {std:>10.6} {min:>10.6} {max:>10.6}")
}

/// `text` without control characters: names come from the topic, and must not drive the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn draw(out: &mut impl Write, lines: &[String], (columns, rows): (u16, u16)) -> io::Result<()> {
    let rows = usize::from(rows.max(4));
    let hidden = lines.len().saturating_sub(rows);
    let shown = if hidden == 0 { lines.len() } else { rows - 1 };
    queue!(out, MoveTo(0, 0))?;
    for (row, line) in lines.iter().take(shown).enumerate() {
        let line: String = line.chars().take(usize::from(columns)).collect();
        let weight = if row == 2 { Attribute::Bold } else { Attribute::Reset };
        queue!(
            out,
            MoveTo(0, row as u16),
            SetAttribute(weight),
            Print(line),
            Clear(ClearType::UntilNewLine)
        )?;
    }
    queue!(out, SetAttribute(Attribute::Reset), MoveTo(0, shown as u16))?;
    queue!(out, Clear(ClearType::FromCursorDown))?;
    if hidden > 0 {
        queue!(out, Print(format!("… {} more lines; a taller window shows them", hidden + 1)))?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::Reading;

    fn monitor() -> Monitor {
        let mut monitor = Monitor::default();
        for (device, activity, x) in
            [("nexus4_1", "walk", 0.004), ("nexus4_1", "sit", 0.002), ("pixel6_2", "run", -0.01)]
        {
            let partition = if device == "nexus4_1" { 0 } else { 2 };
            let reading = Reading {
                device: device.into(),
                activity: activity.into(),
                x,
                ..Reading::default()
            };
            monitor.add(partition, &reading);
        }
        monitor
    }

    #[test]
    fn a_table_has_three_lines_a_device() {
        let lines = table(&monitor(), "device-sensors as 'monitor'");
        assert_eq!(lines.len(), 9);
        assert_eq!(lines[0], "device-sensors as 'monitor'   3 readings, 0 faulty");
        assert_eq!(
            lines[3],
            "nexus4_1            0        2  sit       x      0.003000   0.001000   0.002000   0.004000  sit 1, walk 1"
        );
        assert_eq!(
            lines[4],
            "                                          y      0.000000   0.000000   0.000000   0.000000"
        );
        let column = HEADINGS.find("AXIS").unwrap();
        assert!(lines[3][column..].starts_with('x') && lines[4][column..].starts_with('y'));
    }

    #[test]
    fn a_small_screen_says_what_it_hides() {
        let mut out = Vec::new();
        draw(&mut out, &table(&monitor(), "t"), (30, 6)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("… 4 more lines"), "{text:?}");
        assert!(!text.contains("MEAN"), "lines end at the screen's edge");
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }

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
