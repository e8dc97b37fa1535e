//! A broker, and a server beside it that has a core for itself.

use std::ffi::OsStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::http::{Connection, post};
use crate::process::Child;

/// The core of the server, and that of everything else.
const SERVER_CORE: &str = "0";
const OTHER_CORE: &str = "1";

/// How often it is tried to reach a process that starts, every 50 ms.
const TRIES: u32 = 400;

/// A broker and a server.
pub(crate) struct World {
    pub(crate) server: Child,
    /// Where the server is.
    pub(crate) address: String,
    /// Where the broker is.
    pub(crate) kafka: String,
    _broker: Child,
}

impl World {
    /// Starts both, and runs statements.
    pub(crate) async fn start(statements: &str) -> Result<Self> {
        let (kafka, address) = (free_address()?, free_address()?);
        let port = port_of(&kafka);
        let broker = ["broker", "--kafka-port", port, "--memory", "4096"];
        let broker = on_core(OTHER_CORE, env!("CARGO_BIN_EXE_millstream"), &broker)?;
        reached(&kafka).await?;
        let listeners = format!("http://{address}");
        let server = [
            "server",
            "--bootstrap-servers",
            &kafka,
            "--listeners",
            &listeners,
            "--property",
            "auto.offset.reset=earliest",
            "--property",
            "ksql.max.push.queries=2000",
        ];
        let server = on_core(SERVER_CORE, env!("CARGO_BIN_EXE_millstream"), &server)?;
        reached(&address).await?;
        let world = Self { server, address, kafka, _broker: broker };
        world.run(statements).await?;
        Ok(world)
    }

    /// Runs statements.
    pub(crate) async fn run(&self, statements: &str) -> Result<()> {
        let body = serde_json::json!({ "ksql": statements }).to_string();
        let request = post("/ksql", "application/json", &body);
        let mut tries = TRIES;
        loop {
            let asked = Connection::open(&self.address).await?.ask(&request).await;
            match asked {
                // It listens before it is ready.
                Err(error) if tries > 0 && error.to_string().starts_with("503") => tries -= 1,
                done => return done,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many readings the statistics of devices are made of.
    pub(crate) async fn readings(&self) -> Result<u64> {
        let mut connection = Connection::open(&self.address).await?;
        let answer =
            connection.body(&query("SELECT reading_count FROM device_sensor_stats;")).await?;
        let rows = answer.lines().skip(1);
        let counts = rows.filter_map(|row| row.trim_matches(['[', ']']).parse::<u64>().ok());
        Ok(counts.sum())
    }
}

/// The peer, on the core that is the server's.
pub(crate) async fn parser() -> Result<(Child, String)> {
    let address = free_address()?;
    let program = std::env::current_exe()?;
    let program = program.to_str().context("a path")?;
    let child = on_core(SERVER_CORE, program, &["parser", &address])?;
    reached(&address).await?;
    Ok((child, address))
}

/// The request of a query.
pub(crate) fn query(sql: &str) -> Vec<u8> {
    let body = serde_json::json!({ "sql": sql, "properties": {} }).to_string();
    post("/query-stream", "application/vnd.ksqlapi.delimited.v1", &body)
}

/// A program that has no core but this one.
fn on_core(core: &str, program: &str, args: &[&str]) -> Result<Child> {
    let args: Vec<&str> = ["-c", core, program].iter().chain(args).copied().collect();
    Child::start(OsStr::new("taskset"), &args)
}

fn free_address() -> Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn port_of(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(_, port)| port)
}

async fn reached(address: &str) -> Result<()> {
    for _ in 0..TRIES {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("{address} does not answer")
}
