//! The server under load: pull queries by key beside an HTTP handler that does nothing but parse the same bodies, how
//! long they take while readings come in, and a thousand push queries over one stream.
//!
//! ```text
//! cargo bench --bench server [-- --only pull|ingest|push] [--seconds 10]
//! ```
//!
//! The server and the handler run on the first core (`taskset`), the broker, the feed and the load on the second. CPU
//! time and memory are what the system says of each process.
#![expect(clippy::print_stdout, reason = "what a benchmark finds is its output")]

mod feed;
mod http;
mod ingest;
mod load;
mod parser;
#[expect(dead_code, reason = "the other benchmark uses more of it")]
#[path = "../device_pipeline/process.rs"]
mod process;
mod pull;
mod push;
mod world;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.is_empty() && !std::env::args().any(|arg| arg == "--bench") {
        return Ok(()); // a test run only wants to know that it starts
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["parser", address] => runtime.block_on(parser::serve(address)),
        options => runtime.block_on(conduct(options)),
    }
}

async fn conduct(options: &[&str]) -> Result<()> {
    let (mut only, mut lasts) = (None, Duration::from_secs(10));
    for pair in options.chunks(2) {
        match pair {
            ["--only", case] => only = Some(*case),
            ["--seconds", seconds] => {
                lasts = Duration::from_secs(seconds.parse().context("--seconds")?);
            }
            _ => bail!("expected --only CASE or --seconds NUMBER, found {pair:?}"),
        }
    }
    let wants = |case: &str| only.is_none_or(|only| only == case);
    if wants("pull") {
        pull::run(lasts).await?;
    }
    if wants("ingest") {
        ingest::run(lasts).await?;
    }
    if wants("push") {
        push::run(lasts).await?;
    }
    Ok(())
}
