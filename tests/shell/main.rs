//! The commands that people use at a terminal, run as they run them: the binary, its output and its exit code.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod devices;
mod faults;
mod help;
mod piped;
mod pty;
mod screens;
mod server;
mod terminal;
mod top;
mod topics;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Runs `millstream` with these arguments and this standard input, to its end.
async fn millstream(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    command.args(arguments).env_remove("RUST_LOG").env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut process = command.spawn().unwrap();
        let mut stdin = process.stdin.take().unwrap();
        // One that does not read its input has perhaps ended already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        process.wait_with_output().unwrap()
    };
    let run = tokio::task::spawn_blocking(run);
    tokio::time::timeout(Duration::from_mins(1), run).await.expect("it ends").unwrap()
}

/// What a run that went well wrote to standard output.
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a run that failed wrote to standard error.
fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}
