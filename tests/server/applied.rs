//! Files that the program applies to a server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::world::Ksql;

pub(crate) const CLICKS: &str = "CREATE STREAM clicks (id STRING KEY, page STRING, n INT)
  WITH (kafka_topic='clicks', value_format='JSON', partitions=1);\n";
pub(crate) const BIG: &str =
    "CREATE STREAM big AS SELECT id, page FROM clicks WHERE n > 5 EMIT CHANGES;\n";
pub(crate) const HITS: &str =
    "CREATE TABLE hits AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page EMIT CHANGES;\n";

/// What the program said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The sign and the name of each line that has one.
    pub(crate) fn verdicts(&self) -> Vec<(char, &str)> {
        let lines = self.out.lines().filter(|line| line.starts_with(['=', '+', '~', '!']));
        let words = lines.map(|line| {
            let name = line.split("  ").map(str::trim).filter(|word| !word.is_empty()).nth(1);
            (line.chars().next().unwrap(), name.unwrap())
        });
        words.collect()
    }
}

/// Runs the program to its end.
pub(crate) async fn program(args: Vec<String>) -> Said {
    let run = move || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_millstream"));
        program.args(args).env_remove("RUST_LOG").stdin(Stdio::null()).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said {
        code: output.status.code().unwrap(),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// A folder of files.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Ksql {
    pub(crate) async fn apply(&self, file: &Path, flags: &[&str]) -> Said {
        let mut args = vec!["apply".to_owned(), file.display().to_string()];
        args.extend(["--server".to_owned(), self.url()]);
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        program(args).await
    }

    /// Applies a text, and says what became of each of its statements.
    pub(crate) async fn applied(&self, files: &Files, text: &str) -> Vec<(char, String)> {
        let said = self.apply(&files.write("file.sql", text), &[]).await;
        let verdicts = said.verdicts().into_iter();
        let verdicts: Vec<_> = verdicts.map(|(sign, name)| (sign, name.to_owned())).collect();
        let is_refused = verdicts.iter().any(|(sign, _)| *sign == '!');
        assert_eq!(said.code, i32::from(is_refused), "{}{}", said.out, said.err);
        verdicts
    }

    /// How many commands were ever written: what each of them was about, and the queries that run.
    pub(crate) async fn state(&self) -> (String, Value) {
        let (_, statuses) = self.get("/status").await;
        (statuses, self.run("SHOW QUERIES; SHOW STREAMS; SHOW TABLES; SHOW TYPES;").await)
    }
}

pub(crate) fn expected(verdicts: &[(char, &str)]) -> Vec<(char, String)> {
    verdicts.iter().map(|(sign, name)| (*sign, (*name).to_owned())).collect()
}
