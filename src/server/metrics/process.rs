//! What the process takes of the machine, where the system tells.

use std::fs;

/// In what Linux tells CPU times, on every machine that we run on: a kernel's own ticks are converted (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What the process takes of the machine. What the system does not tell is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::server) struct ProcessFigures {
    pub(super) cpu_seconds: Option<f64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) open_files: Option<u64>,
    pub(super) threads: Option<u64>,
    /// Since 1970.
    pub(in crate::server) started_seconds: Option<f64>,
}

/// The files of `/proc` in which Linux tells it.
#[derive(Debug, Default)]
struct Proc {
    /// `/proc/self/stat`.
    stat: String,
    /// `/proc/self/status`.
    status: String,
    /// `/proc/stat`.
    system: String,
}

impl ProcessFigures {
    /// What it takes now.
    pub(super) fn now() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let proc = Proc {
            stat: read("/proc/self/stat"),
            status: read("/proc/self/status"),
            system: read("/proc/stat"),
        };
        let open = fs::read_dir("/proc/self/fd").map(|files| files.count() as u64);
        // The directory is open itself while it is read.
        Self { open_files: open.ok().map(|open| open.saturating_sub(1)), ..proc.figures() }
    }
}

impl Proc {
    /// See proc(5). The name of the program, the second field of `stat`, may hold anything.
    fn figures(&self) -> ProcessFigures {
        let fields = self.stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let seconds = |number: usize| Some(field(number)? as f64 / TICKS_PER_SECOND);
        let resident_kib = value(&self.status, "VmRSS:").and_then(|kib| kib.parse::<u64>().ok());
        let booted = value(&self.system, "btime").and_then(|booted| booted.parse::<f64>().ok());
        ProcessFigures {
            cpu_seconds: seconds(14).zip(seconds(15)).map(|(user, system)| user + system),
            resident_bytes: resident_kib.map(|kib| kib * 1_024),
            open_files: None,
            threads: field(20),
            started_seconds: seconds(22).zip(booted).map(|(after, booted)| booted + after),
        }
    }
}

/// The word that follows a name at the begin of a line.
fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_may_hold_anything() {
        let proc = Proc {
            stat: "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 1200 99".to_owned(),
            status: "Name:\ta) b\nVmRSS:\t      40 kB\n".to_owned(),
            system: "cpu  1 2\nbtime 1000\n".to_owned(),
        };
        let expected = ProcessFigures {
            cpu_seconds: Some(3.0),
            resident_bytes: Some(40_960),
            open_files: None,
            threads: Some(9),
            started_seconds: Some(1_012.0),
        };
        assert_eq!(proc.figures(), expected);
        assert_eq!(Proc::default().figures(), ProcessFigures::default());
    }
}
