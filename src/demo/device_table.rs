//! The devices on the screen: as many as fit, in the order and from the place that the user has chosen.

use std::cmp::Ordering;
use std::ops::Range;

use millstream::terminal::{Key, Line, Paint, Scroll, cut, grouped};

use super::summary::{Device, Summary};

/// The columns, by which devices can be sorted.
const COLUMNS: [&str; 8] =
    ["DEVICE", "READINGS", "MEAN X", "MEAN Y", "MEAN Z", "PEAK X", "PEAK Y", "PEAK Z"];
/// How wide they are.
const WIDTHS: [usize; 8] = [14, 9, 10, 10, 10, 8, 8, 8];

/// Which devices are shown, and in which order.
#[derive(Debug, Default)]
pub(super) struct DeviceTable {
    scroll: Scroll,
    /// The devices that were shown last, and how many there were.
    shown: Range<usize>,
    total: usize,
}

impl DeviceTable {
    /// Does what a key asks for.
    pub(super) fn follow(&mut self, key: Key) {
        self.scroll.follow(key, COLUMNS.len());
    }

    /// The table, with its heading, in so many lines.
    pub(super) fn lines(&mut self, summary: &Summary, height: usize) -> Vec<Line> {
        let mut devices: Vec<(&str, &Device)> = summary.devices().collect();
        if devices.is_empty() {
            return Vec::new();
        }
        let by = self.scroll.by();
        self.scroll.sort(&mut devices, |one, other| compared(by, one, other));
        self.total = devices.len();
        self.shown = self.scroll.shown(self.total, height.saturating_sub(1));
        let mut lines = vec![self.heading()];
        lines.extend(devices[self.shown.clone()].iter().map(|(name, device)| row(name, device)));
        lines
    }

    /// Which devices were shown last, if not all.
    pub(super) fn place(&self) -> Option<String> {
        let (shown, total) = (self.shown.clone(), self.total);
        let place = || format!("{}–{} of {}", shown.start + 1, shown.end, grouped(total as u64));
        (shown.len() < total).then(place)
    }

    fn heading(&self) -> Line {
        let mut line = Line::default();
        for (at, (name, width)) in COLUMNS.iter().zip(WIDTHS).enumerate() {
            let mark = self.scroll.mark(at);
            let paint = if mark.is_empty() { Paint::Plain } else { Paint::Title };
            line = match at {
                0 => {
                    let name = format!("{name}S{mark}");
                    line.put(Paint::Plain, " ").put(Paint::Title, name).at(width + 3)
                }
                _ => line.put(paint, format!("{:>width$}", format!("{mark}{name}"))),
            };
        }
        line
    }
}

fn compared(by: usize, one: &(&str, &Device), other: &(&str, &Device)) -> Ordering {
    let figure = |device: &Device| match by {
        1 => device.readings as f64,
        2..=4 => device.means[by - 2],
        _ => device.peaks[by.saturating_sub(5).min(2)],
    };
    let by_name = one.0.cmp(other.0);
    if by == 0 { by_name } else { figure(one.1).total_cmp(&figure(other.1)).then(by_name) }
}

fn row(name: &str, device: &Device) -> Line {
    let Device { readings, means, peaks } = device;
    let mut line = Line::default().put(Paint::Plain, format!("   {}", cut(name, 13)));
    line = line.at(WIDTHS[0] + 3).put(Paint::Bold, format!("{:>9}", grouped(*readings)));
    for (mean, width) in means.iter().zip(&WIDTHS[2..5]) {
        line = line.put(Paint::Plain, format!("{mean:>width$.6}"));
    }
    for (peak, width) in peaks.iter().zip(&WIDTHS[5..]) {
        line = line.put(Paint::Plain, format!("{peak:>width$.4}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::devices;
    use super::*;

    fn names(table: &mut DeviceTable, summary: &Summary, height: usize) -> Vec<String> {
        let lines = table.lines(summary, height);
        let name =
            |line: &Line| line.text().split_whitespace().next().unwrap_or_default().to_owned();
        lines[1..].iter().map(name).collect()
    }

    #[test]
    fn devices_are_scrolled_and_it_is_said_where_they_are() {
        let (summary, mut table) = (devices(10), DeviceTable::default());
        table.follow(Key::Rows(3));
        assert_eq!(names(&mut table, &summary, 4), ["d3", "d4", "d5"]);
        assert_eq!(table.place().as_deref(), Some("4–6 of 10"));
        assert_eq!(names(&mut table, &summary, 40).len(), 10);
        assert_eq!(table.place(), None);
    }

    #[test]
    fn devices_are_sorted_by_any_column() {
        let (summary, mut table) = (devices(3), DeviceTable::default());
        table.follow(Key::Sort);
        assert_eq!(names(&mut table, &summary, 9), ["d2", "d1", "d0"], "most readings first");
        assert!(table.lines(&summary, 9)[0].text().contains("▼READINGS"));
        table.follow(Key::Reverse);
        assert_eq!(names(&mut table, &summary, 9), ["d0", "d1", "d2"]);
        for _ in 2..COLUMNS.len() {
            table.follow(Key::Sort);
        }
        assert!(table.lines(&summary, 9)[0].text().contains("▼PEAK Z"));
        assert_eq!(names(&mut table, &summary, 9), ["d2", "d1", "d0"]);
        table.follow(Key::Sort);
        assert_eq!(names(&mut table, &summary, 9), ["d0", "d1", "d2"], "names again");
    }
}
