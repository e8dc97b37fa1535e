//! What the screen shows: panels side by side where there is room, else a line of each, so that devices are always seen.

use std::collections::BTreeSet;
use std::time::Duration;

use crossterm::style::Color;
use millstream::runtime::live::{QueryState, QueryStatus};
use millstream::terminal::{HUES, Line, Paint, cut, grouped};

use super::device_table::DeviceTable;
use super::summary::{Places, Summary, state};

/// Where the right panels begin.
const RIGHT: usize = 43;
/// How many devices are to be seen before panels become lines.
const DEVICES_MIN: usize = 8;
/// How many devices are left on the terminal at the end.
const DEVICES_LEFT: usize = 50;

/// What stands above the panels.
pub(super) struct Header<'a> {
    /// Where everything is.
    pub(super) places: &'a Places,
    /// How long the demo has run.
    pub(super) elapsed: Duration,
}

/// What is shown, and in how many columns.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) summary: &'a Summary,
    pub(super) header: &'a Header<'a>,
    pub(super) columns: usize,
}

/// Everything that fits into so many lines: panels and queries become lines where the devices need the room.
pub(super) fn fitting(shown: &Shown<'_>, table: &mut DeviceTable, rows: usize) -> Vec<Line> {
    let devices = shown.summary.devices().count();
    let least = if devices == 0 { 0 } else { devices.min(DEVICES_MIN) + 2 };
    let all = [
        [panels(shown), queries(&shown.summary.queries)],
        [brief_panels(shown), queries(&shown.summary.queries)],
        [brief_panels(shown), brief_queries(&shown.summary.queries)],
    ];
    let height = |parts: &[Vec<Line>; 2]| 3 + parts[0].len() + parts[1].len() + least;
    let chosen = all.iter().position(|parts| height(parts) <= rows).unwrap_or(all.len() - 1);
    let is_brief = chosen + 1 == all.len();
    let [top, queries] = &all[chosen];
    let mut lines = vec![heading(shown.header, shown.columns), Line::default()];
    lines.extend_from_slice(top);
    if !is_brief {
        lines.push(Line::default());
    }
    lines.extend_from_slice(queries);
    lines.push(Line::default());
    let left = rows.saturating_sub(lines.len());
    lines.extend(table.lines(shown.summary, left));
    lines.truncate(rows);
    lines
}

/// Everything, as it is left on the terminal.
pub(super) fn whole(shown: &Shown<'_>, table: &mut DeviceTable) -> Vec<Line> {
    let mut lines = vec![heading(shown.header, shown.columns), Line::default()];
    lines.extend(panels(shown));
    lines.push(Line::default());
    lines.extend(queries(&shown.summary.queries));
    lines.push(Line::default());
    lines.extend(table.lines(shown.summary, DEVICES_LEFT + 1));
    let place =
        table.place().map(|place| Line::default().put(Paint::Plain, format!("   … {place}")));
    lines.extend(place);
    lines
}

/// What can be typed.
pub(super) fn help(header: &Header<'_>, columns: usize) -> Vec<Line> {
    let mut lines = vec![heading(header, columns), Line::default()];
    for (keys, what) in [
        ("↑ ↓  PgUp PgDn  Home End", "scroll the devices (as do j k, space b, g G)"),
        ("s", "sorts them by the next column"),
        ("r", "turns their order round"),
        ("?", "shows this, or no more"),
        ("q  Esc  Ctrl-C", "ends"),
    ] {
        lines.push(
            Line::default().put(Paint::Bold, format!("   {keys:<26}")).put(Paint::Plain, what),
        );
    }
    lines.push(Line::default());
    let places = header.places;
    for (what, command) in [
        ("devices in a browser", places.rest.clone()),
        ("a shell for SQL", format!("millstream sql {}", places.rest)),
        ("a Kafka client", format!("kcat -b {} -t MOVEMENT_ALERTS -C", places.bootstrap)),
        ("schemas", places.registry.clone()),
    ] {
        lines.push(
            Line::default().put(Paint::Plain, format!("   {what:<26}")).put(Paint::Bold, command),
        );
    }
    lines
}

/// The panels that there is anything for: those of readings and what is made of them, and those of other topics.
fn panels(shown: &Shown<'_>) -> Vec<Line> {
    let Shown { summary, columns, .. } = shown;
    let mut lines = Vec::new();
    if summary.has_readings() {
        let left = stacked([readings(summary), activities(summary)]);
        let right = stacked([transitions(summary), alerts(summary)]);
        lines = beside(left, right);
    }
    stacked([lines, topics(summary, *columns)])
}

/// The same, a line of each.
fn brief_panels(shown: &Shown<'_>) -> Vec<Line> {
    let Shown { summary, columns, .. } = shown;
    let mut lines = Vec::new();
    if summary.has_readings() {
        lines.push(
            readings_total(summary)
                .join(Line::default().put(Paint::Hue(HUES[4]), spark(&summary.last_seconds()))),
        );
        let partitions =
            summary.partitions.iter().map(|(partition, count)| (partition.to_string(), *count));
        lines.push(brief("partitions", partitions));
    }
    let activities = summary.activities();
    if !activities.is_empty() {
        lines.push(brief(
            "activities",
            activities.into_iter().map(|(name, count)| (name.to_owned(), count)),
        ));
    }
    if summary.transitions + summary.alerts > 0 {
        let mut line = Line::title("TRANSITIONS")
            .put(Paint::Bold, format!(" {}", grouped(summary.transitions)));
        line = line
            .put(Paint::Plain, "   ")
            .put(Paint::Title, "ALERTS")
            .put(Paint::Bold, format!(" {}", grouped(summary.alerts)));
        if let Some(alert) = summary.latest_alerts.front() {
            let newest = format!("   newest: {} {} ", alert.device, alert.activity);
            let magnitude = format!("{:.5}", alert.magnitude);
            line = line.put(Paint::Plain, newest).put(Paint::Hue(HUES[5]), magnitude);
        }
        lines.push(line);
    }
    lines.extend(topics(summary, *columns));
    lines
}

/// Figures by name in a line, each in its colour.
fn brief(title: &str, figures: impl Iterator<Item = (String, u64)>) -> Line {
    let mut line = Line::default().put(Paint::Plain, format!("   {title:<11}"));
    for ((name, count), hue) in figures.zip(HUES.iter().cycle()) {
        line = line.put(Paint::Hue(*hue), format!(" {name} "));
        line = line.put(Paint::Bold, grouped(count)).put(Paint::Plain, " ");
    }
    line
}

/// Panels below each other, those that are there.
fn stacked<const N: usize>(panels: [Vec<Line>; N]) -> Vec<Line> {
    let mut lines = Vec::new();
    for panel in panels.into_iter().filter(|panel| !panel.is_empty()) {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(panel);
    }
    lines
}

/// Panels beside each other.
fn beside(mut left: Vec<Line>, mut right: Vec<Line>) -> Vec<Line> {
    let height = left.len().max(right.len());
    left.resize_with(height, Line::default);
    right.resize_with(height, Line::default);
    left.into_iter().zip(right).map(|(left, right)| left.at(RIGHT).join(right)).collect()
}

/// The topics that other SQL reads and writes: how many records they have, how fast more come, and the newest.
fn topics(summary: &Summary, columns: usize) -> Vec<Line> {
    let others: Vec<_> = summary.other_topics().collect();
    if others.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        Line::title("TOPICS")
            .at(33)
            .put(Paint::Plain, format!("{:>11}{:>9}   NEWEST", "RECORDS", "/S")),
    ];
    for (name, topic) in others {
        let figures = format!(
            "{:>11}{:>9}   ",
            grouped(topic.records),
            grouped(topic.per_second.round() as u64)
        );
        let newest = cut(&topic.newest, columns.saturating_sub(33 + 23));
        let line = Line::default().put(Paint::Plain, format!("   {}", cut(name, 29))).at(33);
        lines.push(line.put(Paint::Bold, figures).put(Paint::Plain, newest));
    }
    lines
}

fn brief_queries(queries: &[QueryStatus]) -> Vec<Line> {
    let mut counts: Vec<(QueryState, usize)> = Vec::new();
    for query in queries {
        match counts.iter_mut().find(|(state, _)| *state == query.state) {
            Some((_, count)) => *count += 1,
            None => counts.push((query.state, 1)),
        }
    }
    let mut line = Line::title("QUERIES");
    for (of, count) in counts {
        line = line.put(Paint::Bold, format!(" {count} ")).put(Paint::Hue(hue_of(of)), state(of));
    }
    let mut lines = vec![line];
    let faulty = queries.iter().filter(|query| query.state != QueryState::Running);
    lines.extend(faulty.filter_map(|query| {
        let cause = query.cause.as_ref()?;
        Some(Line::default().put(Paint::Hue(HUES[5]), format!("   {}: {cause}", query.id)))
    }));
    lines
}

fn hue_of(state: QueryState) -> Color {
    match state {
        QueryState::Running => HUES[0],
        QueryState::Starting | QueryState::Standby | QueryState::Paused => HUES[3],
        QueryState::Retrying | QueryState::Failed => HUES[5],
    }
}

/// The line at the top.
fn heading(header: &Header<'_>, columns: usize) -> Line {
    let seconds = header.elapsed.as_secs();
    let time = format!("{}:{:02}:{:02} ", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    Line::title("millstream demo")
        .put(Paint::Plain, "   Kafka clients connect to ")
        .put(Paint::Bold, &header.places.bootstrap)
        .at(columns.min(100).saturating_sub(time.len()))
        .put(Paint::Plain, time)
}

/// The line at the bottom, which says where the devices are that are shown, if they are not all.
pub(super) fn footer(header: &Header<'_>, columns: usize, devices: Option<&str>) -> Line {
    let page = format!(" in a browser: {}", header.places.rest);
    let keys = "? keys  q ends ";
    let devices = devices.map(|devices| format!("   {devices}")).unwrap_or_default();
    Line::default()
        .put(Paint::Plain, page)
        .put(Paint::Bold, devices)
        .at(columns.min(100).saturating_sub(keys.len()))
        .put(Paint::Plain, keys)
}

/// How many readings there are, and come.
fn readings_total(summary: &Summary) -> Line {
    let rate = format!("{}/s ", grouped(summary.per_second().round() as u64));
    let total = format!("{:>13} ", grouped(summary.readings()));
    Line::title("READINGS").put(Paint::Bold, total).at(26).put(Paint::Plain, format!("{rate:>13}"))
}

fn readings(summary: &Summary) -> Vec<Line> {
    let mut lines = vec![readings_total(summary)];
    let most = summary.partitions.values().max().copied().unwrap_or(0);
    for ((partition, count), hue) in summary.partitions.iter().zip(HUES.iter().cycle()) {
        lines.push(bar_line(&format!("partition {partition}"), *count, most, *hue));
    }
    let spark = spark(&summary.last_seconds());
    lines
        .push(Line::default().put(Paint::Plain, "   by second   ").put(Paint::Hue(HUES[4]), spark));
    lines
}

fn activities(summary: &Summary) -> Vec<Line> {
    let activities = summary.activities();
    if activities.is_empty() {
        return Vec::new();
    }
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
    if summary.transitions == 0 {
        return Vec::new();
    }
    let counts = summary.transition_counts();
    let names: BTreeSet<&str> = counts.keys().flat_map(|(from, to)| [*from, *to]).collect();
    let names: Vec<&str> = names.into_iter().take(6).collect();
    let most = counts.values().max().copied().unwrap_or(0);
    let total = format!("{:>9} ", grouped(summary.transitions));
    let mut head = Line::default().put(Paint::Title, "TRANSITIONS").put(Paint::Bold, total);
    head = head.put(Paint::Plain, "from ↓ to →");
    let columns: Vec<String> = names.iter().map(|name| format!("{:>7}", clipped(name))).collect();
    let columns = columns.concat();
    let mut lines = vec![head, Line::default().put(Paint::Plain, format!("        {columns}"))];
    for from in &names {
        let mut line = Line::default().put(Paint::Plain, format!("  {:<6}", clipped(from)));
        for to in &names {
            let count = counts.get(&(*from, *to)).copied().unwrap_or(0);
            let paint = match count {
                0 => Paint::Plain,
                count if count * 3 >= most * 2 => Paint::Hue(HUES[3]),
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
    if summary.alerts == 0 {
        return Vec::new();
    }
    let total = format!("{:>14} ", grouped(summary.alerts));
    let head = Line::default().put(Paint::Title, "ALERTS").put(Paint::Bold, total);
    let mut lines = vec![head.put(Paint::Plain, "newest first")];
    for alert in summary.latest_alerts.iter().take(3) {
        let who = format!("  {:<14}{:<7}", alert.device, alert.activity);
        let magnitude = format!("{:>9.5} ", alert.magnitude);
        lines.push(Line::default().put(Paint::Plain, who).put(Paint::Hue(HUES[5]), magnitude));
    }
    lines
}

fn queries(queries: &[QueryStatus]) -> Vec<Line> {
    let headings = format!("{:>24}{:>11}{:>11}{:>8}", "STATE", "IN", "OUT", "ROWS");
    let mut lines = vec![Line::title("QUERIES").at(24).put(Paint::Plain, headings)];
    for query in queries {
        let hue = hue_of(query.state);
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
            lines.push(Line::default().put(Paint::Hue(HUES[5]), format!("     {cause}")));
        }
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

#[cfg(test)]
mod tests {
    use super::super::summary::tests::{devices, of_other_sql};
    use super::*;

    #[test]
    fn bars_read_well() {
        assert_eq!(bar(0, 0, 4), "");
        assert_eq!(bar(4, 4, 4), "████");
        assert_eq!(bar(3, 16, 4), "▊");
        assert_eq!(spark(&[0, 4, 8]), " ▄█");
    }

    fn screen(summary: &Summary, columns: usize, rows: usize) -> Vec<String> {
        let places = Places {
            bootstrap: "127.0.0.1:9092".to_owned(),
            registry: "http://127.0.0.1:8081".to_owned(),
            rest: "http://127.0.0.1:8088".to_owned(),
        };
        let header = Header { places: &places, elapsed: Duration::from_secs(61) };
        let shown = Shown { summary, header: &header, columns };
        let lines = fitting(&shown, &mut DeviceTable::default(), rows);
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn a_small_screen_shows_devices_too() {
        let summary = devices(12);
        let large = screen(&summary, 100, 60).join("\n");
        assert!(large.contains("partition 0") && large.contains(" d11 "), "{large}");
        for (rows, devices) in [(23, 11), (18, 8)] {
            let small = screen(&summary, 80, rows);
            assert!(small.len() <= rows);
            let shown = small.iter().filter(|line| line.starts_with("   d")).count();
            assert_eq!(shown, devices, "{}", small.join("\n"));
            assert!(small.iter().all(|line| line.trim_end().chars().count() <= 80), "{small:#?}");
        }
        // What were panels are lines now.
        let small = screen(&summary, 80, 18).join("\n");
        assert!(small.contains("partitions  0 12") && small.contains("newest: d1 run"), "{small}");
    }

    #[test]
    fn other_sql_shows_its_topics_and_no_empty_panel() {
        let text = screen(&of_other_sql(), 80, 23).join("\n");
        assert!(text.contains("TOPICS") && text.contains("{\"N\":3}"), "{text}");
        for absent in ["READINGS", "ACTIVITIES", "TRANSITIONS", "ALERTS", "DEVICES"] {
            assert!(!text.contains(absent), "{text}");
        }
    }
}
