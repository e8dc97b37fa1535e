//! Devices on a screen of at least 80 columns, three lines each: one for each axis.

use std::cmp::Ordering;

use super::{AxisStats, DeviceReport, Monitor};
use crate::terminal::{Key, Line, Paint, Scroll, cut, grouped};

/// How many columns everything takes.
const COLUMNS_MIN: usize = 80;
/// How wide names are, at least and at most.
const NAME: (usize, usize) = (14, 40);
/// What devices are sorted by.
const SORTED_BY: [&str; 3] = ["DEVICE", "TOTAL", "ACTIVITY"];
/// How many lines a device takes, and how many stand above and below all of them.
const LINES_EACH: usize = 3;
const LINES_AROUND: usize = 4;

/// Which devices are shown, and in which order.
#[derive(Debug, Default)]
pub(super) struct DeviceTable(Scroll);

impl DeviceTable {
    /// Does what a key asks for.
    pub(super) fn follow(&mut self, key: Key) {
        self.0.follow(key, SORTED_BY.len());
    }

    /// The lines of a screen: a title, headings, as many devices as there is room for, and what can be typed.
    pub(super) fn lines(
        &mut self,
        monitor: &Monitor,
        title: &str,
        (columns, rows): (usize, usize),
    ) -> Vec<Line> {
        let mut reports = monitor.reports();
        let by = self.0.by();
        self.0.sort(&mut reports, |one, other| compared(by, one, other));
        let room = rows.saturating_sub(LINES_AROUND) / LINES_EACH;
        let shown = self.0.shown(reports.len(), room);
        let longest = reports.iter().map(|report| report.device.chars().count()).max();
        let widest = NAME.0 + columns.saturating_sub(COLUMNS_MIN);
        let name = longest.unwrap_or(0).clamp(NAME.0, widest.min(NAME.1));
        let faulty = monitor.faulty();
        let counts = format!("   {} readings, {faulty} faulty", grouped(monitor.readings()));
        let mut lines = vec![
            Line::default().put(Paint::Bold, title).put(Paint::Plain, counts),
            Line::default(),
            self.headings(name),
        ];
        let (first, last, total) = (shown.start + 1, shown.end, grouped(reports.len() as u64));
        let is_all = shown.len() == reports.len();
        lines.extend(reports[shown].iter().flat_map(|report| device(report, name)));
        lines.resize_with(rows.saturating_sub(1), Line::default);
        let place = if is_all {
            format!(" {total} devices")
        } else {
            format!(" {first}–{last} of {total}")
        };
        let mut footer = Line::default().put(Paint::Bold, place);
        if columns < COLUMNS_MIN {
            footer = footer.put(Paint::Bold, format!("   cut: {COLUMNS_MIN} columns show all"));
        }
        lines.push(footer.put(Paint::Plain, "   ↑ ↓ PgUp PgDn  s sorts  r reverses  q ends"));
        lines
    }

    fn headings(&self, name: usize) -> Line {
        let named = |at: usize| format!("{}{}", SORTED_BY[at], self.0.mark(at));
        let paint = |at: usize| if self.0.by() == at { Paint::Title } else { Paint::Bold };
        Line::default()
            .put(paint(0), format!("{:<name$}", named(0)))
            .put(Paint::Bold, " PART")
            .put(paint(1), format!("{:>9} ", named(1)))
            .put(paint(2), format!("{:<9}", named(2)))
            .put(Paint::Bold, format!("{:>12}{:>10}{:>10}{:>10}", "MEAN", "STD", "MIN", "MAX"))
    }
}

fn compared(by: usize, one: &DeviceReport, other: &DeviceReport) -> Ordering {
    let by_name = || (one.partition, &one.device).cmp(&(other.partition, &other.device));
    match by {
        1 => one.total.cmp(&other.total).then_with(by_name),
        2 => one.most_common_activity.cmp(&other.most_common_activity).then_with(by_name),
        _ => by_name(),
    }
}

/// The lines of a device. How many readings each activity has stands below its name.
fn device(report: &DeviceReport, name: usize) -> [Line; LINES_EACH] {
    let activity = cut(&report.most_common_activity, 8);
    let head = Line::default()
        .put(Paint::Bold, cut(&report.device, name))
        .at(name)
        .put(Paint::Plain, format!("{:>5}{:>9} {activity}", report.partition, report.total))
        .at(name + 24);
    let left = name + 24;
    let [second, third] = in_two(
        report.activities.iter().map(|(activity, count)| format!("{} {count}", cut(activity, 16))),
        left - 3,
    );
    let below = |text: String| Line::default().put(Paint::Plain, format!("  {text}")).at(left);
    [
        head.join(axis("x", report.x)),
        below(second).join(axis("y", report.y)),
        below(third).join(axis("z", report.z)),
    ]
}

/// Parts with commas in two lines of so many columns; what does not fit is counted.
fn in_two(parts: impl Iterator<Item = String>, columns: usize) -> [String; 2] {
    let mut lines = [String::new(), String::new()];
    let (mut at, mut left_out) = (0, 0);
    for part in parts {
        // Room is kept for the count.
        let keep = if at == 1 { 8 } else { 0 };
        let fits = |line: &str| line.chars().count() + part.chars().count() + 2 + keep <= columns;
        if at == 0 && !fits(&lines[0]) {
            at = 1;
        }
        if at == 1 && !fits(&lines[1]) {
            left_out += 1;
            continue;
        }
        if !lines[at].is_empty() {
            lines[at].push_str(", ");
        }
        lines[at].push_str(&part);
    }
    if left_out > 0 {
        lines[1] += &[", +", &left_out.to_string()].concat();
    }
    lines
}

fn axis(name: &str, stats: AxisStats) -> Line {
    let AxisStats { mean, std, min, max } = stats;
    let figures = [mean, std, min, max].map(|value| format!("{:>10}", figure(value)));
    Line::default().put(Paint::Title, name).put(Paint::Plain, format!(" {}", figures.concat()))
}

/// A number in nine columns at most, with as many decimals as fit.
fn figure(value: f64) -> String {
    for decimals in (0..=6).rev() {
        let text = format!("{value:.decimals$}");
        if text.len() <= 9 {
            return text;
        }
    }
    format!("{value:.1e}")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::devices::Reading;

    pub(in super::super) fn monitor() -> Monitor {
        let mut monitor = Monitor::default();
        for (device, activity, x) in
            [("nexus4_1", "walk", 0.004), ("nexus4_1", "sit", 0.002), ("pixel6_2", "run", -0.01)]
        {
            let partition = if device == "nexus4_1" { 0 } else { 2 };
            add(&mut monitor, partition, (device, activity), x);
        }
        monitor
    }

    fn add(monitor: &mut Monitor, partition: i32, (device, activity): (&str, &str), x: f64) {
        let (device, activity) = (device.into(), activity.into());
        monitor.add(partition, &Reading { device, activity, x, ..Reading::default() });
    }

    fn texts(table: &mut DeviceTable, monitor: &Monitor, size: (usize, usize)) -> Vec<String> {
        let lines = table.lines(monitor, "device-sensors as 'monitor'", size);
        lines.iter().map(|line| line.text().trim_end().to_owned()).collect()
    }

    #[test]
    fn a_device_has_three_lines_that_80_columns_hold() {
        let lines = texts(&mut DeviceTable::default(), &monitor(), (80, 24));
        assert_eq!(lines.len(), 24);
        assert_eq!(lines[0], "device-sensors as 'monitor'   3 readings, 0 faulty");
        assert_eq!(
            lines[2..6],
            [
                "DEVICE▲        PART    TOTAL ACTIVITY         MEAN       STD       MIN       MAX",
                "nexus4_1          0        2 sit      x   0.003000  0.001000  0.002000  0.004000",
                "  sit 1, walk 1                       y   0.000000  0.000000  0.000000  0.000000",
                "                                      z   0.000000  0.000000  0.000000  0.000000",
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        assert_eq!(lines[23], " 2 devices   ↑ ↓ PgUp PgDn  s sorts  r reverses  q ends");
    }

    #[test]
    fn a_thousand_devices_are_scrolled_and_sorted() {
        let mut monitor = Monitor::default();
        for number in 0..1_000 {
            let name = format!("d{number:03}");
            for _ in 0..=number % 7 {
                add(&mut monitor, 0, (&name, "sit"), 0.0);
            }
        }
        let mut table = DeviceTable::default();
        let shown = |table: &mut DeviceTable| {
            let lines = texts(table, &monitor, (80, 24));
            (lines[3][..4].to_owned(), lines[23].split("  ").next().unwrap().to_owned())
        };
        let is = |first: &str, place: &str| (first.to_owned(), place.to_owned());
        assert_eq!(shown(&mut table), is("d000", " 1–6 of 1,000"));
        table.follow(Key::Last);
        assert_eq!(shown(&mut table), is("d994", " 995–1000 of 1,000"));
        table.follow(Key::Sort);
        assert_eq!(shown(&mut table).0, "d993", "the most readings, and the last of its name");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let lines = texts(&mut DeviceTable::default(), &monitor(), (40, 10));
        assert!(lines[9].contains("cut: 80 columns show all"), "{}", lines[9]);
        let many = (0..9).map(|number| format!("activity{number} 100"));
        let [first, second] = in_two(many, 35);
        assert_eq!(first, "activity0 100, activity1 100");
        assert_eq!(second, "activity2 100, +6");
        let figures = [0.0015, -99.5, 123_456.75, -1e12].map(figure);
        assert_eq!(figures, ["0.001500", "-99.50000", "123456.75", "-1.0e12"]);
    }
}
