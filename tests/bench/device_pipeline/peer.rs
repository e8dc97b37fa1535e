//! Kafka Streams over the same topics: `tests/bench/peers`, which Maven builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use millstream::kafka::Cluster;

use crate::process::Child;
use crate::{Line, watch};

/// Runs a case of the peer until it has committed everything.
pub(crate) async fn run(
    jar: &Path,
    case: &str,
    cluster: &Cluster,
    records: u64,
) -> Result<(Line, Child)> {
    let servers = cluster.config().bootstrap_servers.join(",");
    let application = format!("peer-{case}");
    let state = std::env::temp_dir().join(format!("millstream-peer-{}", std::process::id()));
    let (jar, state) = (jar.to_string_lossy(), state.to_string_lossy());
    let start = millstream::runtime::clock::instant();
    let run = Child::java(&["-cp", &*jar, "Peer", case, &*servers, &*application, &*state])?;
    watch::until_committed(cluster, &application, &["join-left", "join-right"]).await?;
    let (seconds, usage) = (start.elapsed().as_secs_f64(), run.usage()?);
    let _ = std::fs::remove_dir_all(&*state);
    Ok((Line { name: "Kafka Streams 4.4".to_owned(), readings: records, seconds, usage }, run))
}

/// The peer with all that it needs, in one file.
pub(crate) fn build() -> Result<PathBuf> {
    let peers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers");
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("peers");
    let directory = format!("-DbuildDirectory={}", target.display());
    let mut maven = Command::new("mvn");
    maven.current_dir(&peers).args(["-q", "-B", "package", &directory]);
    let status = maven.status().context("the peer is built with Maven (mvn)")?;
    ensure!(status.success(), "mvn package: {status}");
    Ok(target.join("peers.jar"))
}
