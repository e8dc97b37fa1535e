//! Figures over time in rings: each second for a quarter of an hour, and their means of ten seconds for six hours.
//!
//! ```text
//! fine    ├─ 900 points, one a second ─┤ now
//! coarse  ├──────────────── 2,160 points, one in ten seconds ────────────────┤ now
//! ```
//! All rings together keep within a number of bytes. Where there are more figures than fit, all rings become shorter, by
//! half each time; where the shortest do not fit, what is new is not kept. A figure that nobody gives any more stays until
//! its last point has left.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::types::Partition;

/// How many seconds a point of the coarse rings stands for.
const COARSE_SECONDS: i64 = 10;

/// How many points there are: a quarter of an hour of seconds, and six hours of ten seconds.
const FINE_POINTS: usize = 900;
const COARSE_POINTS: usize = 2_160;

/// How often rings may be halved: a minute of seconds is left then, and 22 minutes of ten seconds.
const HALVED_MAX: u32 = 4;

/// How many figures are looked at at once.
const FIGURES_MAX: usize = 500_000;

/// What a subject takes besides its points.
const OVERHEAD_BYTES: usize = 200;

/// How finely figures are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Each second.
    Fine,
    /// Each ten seconds.
    Coarse,
}

impl Step {
    /// How many seconds it is.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Fine => 1,
            Self::Coarse => COARSE_SECONDS,
        }
    }

    fn points(self, halved: u32) -> usize {
        match self {
            Self::Fine => FINE_POINTS >> halved,
            Self::Coarse => COARSE_POINTS >> halved,
        }
    }
}

/// What figures are of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// This process.
    Process,
    /// A query, by its id.
    Query(Arc<str>),
    /// A partition of a topic.
    Partition(Arc<str>, Partition),
}

impl Subject {
    /// The names of its figures, in their order.
    pub fn figures(&self) -> &'static [&'static str] {
        match self {
            Self::Process => &["busy_share"],
            Self::Query(_) => &[
                "read_per_second",
                "written_per_second",
                "skipped_per_second",
                "late_per_second",
                "lag",
                "stored_rows",
                "commits_per_second",
                "failures_per_second",
                "restored_per_second",
                "restoring",
            ],
            Self::Partition(..) => &["records_per_second", "bytes_per_second"],
        }
    }
}

/// The rings of all subjects.
#[derive(Debug)]
pub(super) struct Rings {
    bytes_max: usize,
    bytes: usize,
    halved: u32,
    /// The second of the newest point.
    newest: i64,
    subjects: BTreeMap<Subject, Rows>,
    /// How many subjects were not kept at the newest second, as there is no room.
    left_out: usize,
}

/// The rings of a subject: a row of figures for each point, NaN where nothing is known.
#[derive(Debug)]
struct Rows {
    width: usize,
    fine: Vec<f32>,
    coarse: Vec<f32>,
    /// What comes together to a coarse point: the sum and the number of each figure.
    open: Vec<(f32, u32)>,
    /// The second at which it was given last.
    given: i64,
}

impl Rings {
    /// Rings that take so many bytes at most.
    pub(super) fn new(bytes_max: usize) -> Self {
        let subjects = BTreeMap::new();
        Self { bytes_max, bytes: 0, halved: 0, newest: i64::MIN, subjects, left_out: 0 }
    }

    /// Whether there is a point of a second, or of a later one.
    pub(super) fn has(&self, second: i64) -> bool {
        second <= self.newest
    }

    /// Adds the point of a second to the rings of subjects. One that is not behind the newest is left out.
    pub(super) fn add(&mut self, second: i64, values: Vec<(Subject, Vec<f32>)>) {
        if self.has(second) {
            return;
        }
        self.go_on_to(second);
        self.left_out = 0;
        for (subject, row) in values {
            self.give(second, subject, &row);
        }
        self.forget_gone();
    }

    /// The points of the subjects that are wanted from a second on, oldest first, as far as rings go back: the second of the first point,
    /// and a row of figures for each point.
    pub(super) fn since(
        &self,
        second: i64,
        step: Step,
        wanted: impl Fn(&Subject) -> bool,
    ) -> Window {
        if self.newest == i64::MIN {
            return Window::default();
        }
        let newest = self.newest.div_euclid(step.seconds());
        let points = step.points(self.halved) as i64;
        // What comes together to the newest coarse point is not done.
        let end = if step == Step::Fine { newest } else { newest - 1 };
        let asked = second.div_euclid(step.seconds()).clamp(end - points + 1, end + 1);
        let subjects: Vec<_> =
            self.subjects.iter().filter(|(subject, _)| wanted(subject)).collect();
        // What one answer holds is limited, however many subjects there are: the newest points are given.
        let width: usize = subjects.iter().map(|(_, rows)| rows.width).sum();
        let most = i64::try_from(FIGURES_MAX / width.max(1)).unwrap_or(points).max(1);
        let from = asked.max(end + 1 - most);
        let rows = |rows: &Rows| (from..=end).map(|at| rows.at(at, step).to_vec()).collect();
        let subjects = subjects.into_iter().map(|(subject, all)| (subject.clone(), rows(all)));
        let points = usize::try_from(end + 1 - from).unwrap_or(0);
        Window {
            from: from * step.seconds(),
            points,
            subjects: subjects.collect(),
            left_out: self.left_out,
        }
    }

    /// How many bytes they take.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.bytes
    }

    /// Moves on to a second; what is between has no figures.
    fn go_on_to(&mut self, second: i64) {
        let between = second.saturating_sub(self.newest).min(FINE_POINTS as i64);
        for at in second - between + 1..=second {
            for rows in self.subjects.values_mut() {
                rows.fine_mut(at).fill(f32::NAN);
            }
        }
        let (before, now) =
            (self.newest.div_euclid(COARSE_SECONDS), second.div_euclid(COARSE_SECONDS));
        if now > before && self.newest != i64::MIN {
            let first = before.max(now - COARSE_POINTS as i64);
            for rows in self.subjects.values_mut() {
                rows.close(first);
                (first + 1..now).for_each(|at| rows.coarse_mut(at).fill(f32::NAN));
            }
        }
        self.newest = second;
    }

    fn give(&mut self, second: i64, subject: Subject, row: &[f32]) {
        if !self.subjects.contains_key(&subject) && !self.make_room(subject.figures().len()) {
            self.left_out += 1;
            return;
        }
        let (halved, width) = (self.halved, subject.figures().len());
        let rows = self.subjects.entry(subject).or_insert_with(|| Rows::new(width, halved));
        rows.given = second;
        rows.fine_mut(second).copy_from_slice(row);
        for ((sum, count), value) in rows.open.iter_mut().zip(row).filter(|(_, v)| !v.is_nan()) {
            *sum += value;
            *count += 1;
        }
    }

    /// Takes room for a subject, halving all rings where that gives it.
    fn make_room(&mut self, width: usize) -> bool {
        let widths: usize = self.subjects.values().map(|rows| rows.width).sum();
        let needed = |halved| {
            let points = Step::Fine.points(halved) + Step::Coarse.points(halved);
            (self.subjects.len() + 1) * OVERHEAD_BYTES
                + (widths + width) * points * size_of::<f32>()
        };
        let Some(halved) =
            (self.halved..=HALVED_MAX).find(|halved| needed(*halved) <= self.bytes_max)
        else {
            return false;
        };
        self.bytes = needed(halved);
        self.resize(halved);
        true
    }

    /// Forgets subjects whose last point has left, and lets rings be longer where only half of the room is taken then.
    fn forget_gone(&mut self) {
        let span = Step::Coarse.points(self.halved) as i64 * COARSE_SECONDS;
        let before = self.subjects.len();
        self.subjects.retain(|_, rows| self.newest - rows.given < span);
        if self.subjects.len() == before {
            return;
        }
        let bytes = |halved| {
            let points = Step::Fine.points(halved) + Step::Coarse.points(halved);
            let width: usize = self.subjects.values().map(|rows| rows.width).sum();
            self.subjects.len() * OVERHEAD_BYTES + width * points * size_of::<f32>()
        };
        let longer = (0..self.halved).find(|halved| bytes(*halved) <= self.bytes_max / 2);
        let halved = longer.unwrap_or(self.halved);
        self.bytes = bytes(halved);
        self.resize(halved);
    }

    fn resize(&mut self, halved: u32) {
        if halved == self.halved {
            return;
        }
        let ends = (self.newest, self.newest.div_euclid(COARSE_SECONDS));
        for rows in self.subjects.values_mut() {
            rows.fine = resized(&rows.fine, rows.width, (ends.0, Step::Fine.points(halved)));
            rows.coarse = resized(&rows.coarse, rows.width, (ends.1, Step::Coarse.points(halved)));
        }
        self.halved = halved;
    }
}

/// The points of all subjects, over some time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// The second of the first point, since 1970.
    pub from: i64,
    /// How many points there are.
    pub points: usize,
    /// The figures of each subject at each point; NaN where nothing is known.
    pub subjects: Vec<(Subject, Vec<Vec<f32>>)>,
    /// How many subjects there was no room for.
    pub left_out: usize,
}

impl Rows {
    fn new(width: usize, halved: u32) -> Self {
        let points = |step: Step| vec![f32::NAN; step.points(halved) * width];
        Self {
            width,
            fine: points(Step::Fine),
            coarse: points(Step::Coarse),
            open: vec![(0.0, 0); width],
            given: i64::MIN,
        }
    }

    fn at(&self, point: i64, step: Step) -> &[f32] {
        let ring = if step == Step::Fine { &self.fine } else { &self.coarse };
        &ring[range(ring.len(), self.width, point)]
    }

    fn fine_mut(&mut self, point: i64) -> &mut [f32] {
        let range = range(self.fine.len(), self.width, point);
        &mut self.fine[range]
    }

    fn coarse_mut(&mut self, point: i64) -> &mut [f32] {
        let range = range(self.coarse.len(), self.width, point);
        &mut self.coarse[range]
    }

    /// Makes a coarse point of what has come together.
    fn close(&mut self, point: i64) {
        let means: Vec<f32> = self.open.iter().map(|(sum, count)| sum / *count as f32).collect();
        self.coarse_mut(point).copy_from_slice(&means);
        self.open.fill((0.0, 0));
    }
}

/// Where the row of a point is in a ring.
fn range(len: usize, width: usize, point: i64) -> std::ops::Range<usize> {
    let points = (len / width).max(1);
    let at = point.rem_euclid(points as i64) as usize * width;
    at..at + width
}

/// A ring of so many points with the newest of another, whose last one is `newest`.
fn resized(ring: &[f32], width: usize, (newest, points): (i64, usize)) -> Vec<f32> {
    let mut other = vec![f32::NAN; points * width];
    let kept = points.min(ring.len() / width) as i64;
    for point in newest - kept + 1..=newest {
        other[range(points * width, width, point)]
            .copy_from_slice(&ring[range(ring.len(), width, point)]);
    }
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_000_000;

    fn topic(number: i32) -> Subject {
        Subject::Partition("t".into(), Partition(number))
    }

    fn points(rings: &Rings, subject: &Subject, (since, step): (i64, Step)) -> (i64, Vec<f32>) {
        let mut window = rings.since(since, step, |other| other == subject);
        let rows = window.subjects.pop();
        (window.from, rows.unwrap().1.into_iter().map(|row| row[0]).collect())
    }

    #[test]
    fn who_comes_late_sees_the_past() {
        let mut rings = Rings::new(usize::MAX);
        // Nobody has looked yet.
        for step in [Step::Fine, Step::Coarse] {
            assert_eq!(rings.since(START, step, |_| true), Window::default());
        }
        for second in 0..2_000 {
            rings.add(START + second, vec![(topic(0), vec![second as f32, 0.0])]);
        }
        let (from, fine) = points(&rings, &topic(0), (0, Step::Fine));
        assert_eq!((from, fine.len()), (START + 1_100, 900));
        assert_eq!((fine[0], fine[899]), (1_100.0, 1_999.0));
        let (from, coarse) = points(&rings, &topic(0), (START, Step::Coarse));
        assert_eq!((from, coarse.len()), (START, 199));
        assert_eq!((coarse[0], coarse[198]), (4.5, 1_984.5));
        let (from, fine) = points(&rings, &topic(0), (START + 1_998, Step::Fine));
        assert_eq!((from, fine), (START + 1_998, vec![1_998.0, 1_999.0]));
        assert!(points(&rings, &topic(0), (START + 2_000, Step::Fine)).1.is_empty());
    }

    #[test]
    fn seconds_without_figures_are_gaps() {
        let mut rings = Rings::new(usize::MAX);
        rings.add(START, vec![(topic(0), vec![1.0, 0.0])]);
        rings.add(START + 3, vec![(topic(0), vec![4.0, 0.0])]);
        let (_, fine) = points(&rings, &topic(0), (START, Step::Fine));
        assert_eq!(format!("{fine:?}"), "[1.0, NaN, NaN, 4.0]");
        // A clock that was set back gives nothing until it is where it was.
        rings.add(START + 2, vec![(topic(0), vec![9.0, 0.0])]);
        rings.add(START + 40, vec![(topic(0), vec![5.0, 0.0])]);
        let (_, coarse) = points(&rings, &topic(0), (START, Step::Coarse));
        assert_eq!(format!("{coarse:?}"), "[2.5, NaN, NaN, NaN]");
        // Longer away than rings go back.
        rings.add(START + 100_000, vec![(topic(0), vec![6.0, 0.0])]);
        let (_, fine) = points(&rings, &topic(0), (0, Step::Fine));
        assert_eq!(fine.iter().filter(|value| !value.is_nan()).copied().collect::<Vec<_>>(), [6.0]);
    }

    #[test]
    fn a_thousand_queries_and_topics_keep_within_the_limit() {
        const LIMIT: usize = 16 << 20;
        let mut rings = Rings::new(LIMIT);
        let values = || {
            let query = |n| {
                let subject = Subject::Query(format!("Q{n}").into());
                let width = subject.figures().len();
                (subject, vec![n as f32; width])
            };
            let topic = |n| (topic(n), vec![n as f32; 2]);
            (0..1_000).map(query).chain((0..3_000).map(topic)).collect::<Vec<_>>()
        };
        for second in 0..100 {
            rings.add(START + second, values());
        }
        let taken: usize =
            rings.subjects.values().map(|rows| (rows.fine.len() + rows.coarse.len()) * 4).sum();
        assert!(rings.bytes() <= LIMIT && taken <= rings.bytes(), "{taken} {}", rings.bytes());
        let window = rings.since(0, Step::Fine, |_| true);
        assert_eq!((window.left_out, window.subjects.len()), (0, 4_000));
        // All of them at once are looked at less far back.
        assert_eq!((window.points, window.from), (FIGURES_MAX / 16_000, START + 99 - 30));
        assert_eq!(points(&rings, &topic(2_999), (0, Step::Fine)).1, vec![2_999.0; 56]);
        // Where even the shortest do not fit, some are kept and the others are counted.
        let mut small = Rings::new(1 << 20);
        small.add(START, values());
        let window = small.since(0, Step::Fine, |_| true);
        assert!(small.bytes() <= 1 << 20);
        assert!(!window.subjects.is_empty());
        assert_eq!(window.subjects.len() + window.left_out, 4_000);
    }

    #[test]
    fn what_is_gone_leaves_after_its_span_and_gives_its_room_back() {
        let mut rings = Rings::new(1 << 20);
        let many = (0..100).map(|n| (topic(n), vec![1.0, 1.0])).collect();
        rings.add(START, many);
        let short = points(&rings, &topic(0), (0, Step::Fine)).1.len();
        assert!(short < 900);
        let span = Step::Coarse.points(rings.halved) as i64 * COARSE_SECONDS;
        rings.add(START + span - 1, vec![(topic(0), vec![2.0, 1.0])]);
        assert_eq!(rings.since(0, Step::Fine, |_| true).subjects.len(), 100);
        rings.add(START + span, vec![(topic(0), vec![3.0, 1.0])]);
        assert_eq!(rings.since(0, Step::Fine, |_| true).subjects.len(), 1);
        let (_, fine) = points(&rings, &topic(0), (0, Step::Fine));
        assert_eq!((fine.len(), fine[898], fine[899]), (900, 2.0, 3.0));
    }
}
