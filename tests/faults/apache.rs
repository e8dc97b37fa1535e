//! An Apache Kafka of one's own, which goes and comes back.

use std::path::PathBuf;
use std::process::Command;

/// A single node, ended when this is dropped.
pub(crate) struct Node {
    version: String,
    directory: tempfile::TempDir,
}

impl Node {
    /// A new node of the version that `KAFKA_VERSION` names, and its address.
    pub(crate) fn start() -> (Self, String) {
        let version = std::env::var("KAFKA_VERSION").expect("KAFKA_VERSION says which Kafka");
        let node = Self { version, directory: tempfile::tempdir().unwrap() };
        let address = node.script("start");
        (node, address)
    }

    /// Stops it in order, and lets it go on.
    pub(crate) fn restart(&self) {
        self.script("stop");
        self.script("start");
    }

    /// Ends it as a power failure would, and lets it go on.
    pub(crate) fn crash(&self) {
        self.script("kill");
        self.script("start");
    }

    fn script(&self, word: &str) -> String {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/kafka");
        let mut command = Command::new(script);
        command.arg(word);
        if word == "start" {
            command.arg(&self.version);
        }
        let output = command.arg(self.directory.path()).output().unwrap();
        assert!(output.status.success(), "{word}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.directory.path().join("pid").exists() {
            self.script("stop");
        }
    }
}
