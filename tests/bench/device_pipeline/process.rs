//! Processes of the benchmark, and what the system says that they used.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Clock ticks of `/proc` in a second, on every Linux that there is.
const TICKS: f64 = 100.0;

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_mb: f64,
}

impl Usage {
    /// What the process `id` (a number, or `self`) has used so far.
    pub(crate) fn of(id: &str) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name, in brackets, may hold anything; user and system time are the 14th and 15th.
        let (_, rest) = stat.rsplit_once(')').context("a stat file has the name in brackets")?;
        let ticks = rest.split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        Ok(Self { cpu_seconds: ticks / TICKS, peak_mb: status_mb(id, "VmHWM:")? })
    }

    /// The line by which a role tells its usage.
    pub(crate) fn line(self) -> String {
        format!("usage {} {}", self.cpu_seconds, self.peak_mb)
    }

    pub(crate) fn parse(output: &str) -> Option<Self> {
        let line = output.lines().find_map(|line| line.strip_prefix("usage "))?;
        let (cpu, peak) = line.split_once(' ')?;
        Some(Self { cpu_seconds: cpu.parse().ok()?, peak_mb: peak.parse().ok()? })
    }
}

fn status_mb(id: &str, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let kib = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = kib.and_then(|kib| kib.split_whitespace().next()).context("no such status")?;
    Ok(kib.parse::<f64>()? / 1_024.0)
}

/// A process that ends with the benchmark.
pub(crate) struct Child(std::process::Child);

impl Child {
    /// The `millstream` binary; what it logs is dropped unless `RUST_LOG` asks for it.
    pub(crate) fn millstream(args: &[&str]) -> Result<Self> {
        Self::start(OsStr::new(env!("CARGO_BIN_EXE_millstream")), args)
    }

    /// A Java program, with the system's `java`.
    pub(crate) fn java(args: &[&str]) -> Result<Self> {
        Self::start(OsStr::new("java"), args)
    }

    /// This program in another role.
    pub(crate) fn own(args: &[&str]) -> Result<Self> {
        Self::start(std::env::current_exe()?.as_os_str(), args)
    }

    /// Any program.
    pub(crate) fn start(program: &OsStr, args: &[&str]) -> Result<Self> {
        let is_logged = std::env::var_os("RUST_LOG").is_some();
        let log = if is_logged { Stdio::inherit() } else { Stdio::null() };
        let mut command = Command::new(program);
        Ok(Self(
            command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?,
        ))
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::of(&self.0.id().to_string())
    }

    pub(crate) fn rss_mb(&self) -> Result<f64> {
        status_mb(&self.0.id().to_string(), "VmRSS:")
    }

    /// Waits for its end, and gives what it printed.
    pub(crate) fn output(mut self) -> Result<String> {
        let mut output = String::new();
        if let Some(mut stdout) = self.0.stdout.take() {
            stdout.read_to_string(&mut output)?;
        }
        let status = self.0.wait()?;
        if !status.success() {
            bail!("a role ended with {status}");
        }
        Ok(output)
    }
}

impl Drop for Child {
    /// Stops it at once: nothing of it is needed any more.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
