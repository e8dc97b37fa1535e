//! Tells a release which commit it is built from.
//!
//! `MILLSTREAM_COMMIT` (`HASH DATE`) says it where there is no repository, as in an image. Other builds are not told: each commit would
//! compile everything again.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rerun-if-env-changed=MILLSTREAM_COMMIT");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = std::env::var("MILLSTREAM_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = commit.or_else(|| is_release.then(of_repository).flatten());
    if let Some(commit) = commit {
        println!("cargo::rustc-env=MILLSTREAM_BUILT_FROM={} ({commit})", env!("CARGO_PKG_VERSION"));
    }
}

/// The commit that is checked out, and its date.
fn of_repository() -> Option<String> {
    // A repository around this one, as of one who vendors it, says nothing of this.
    if !Path::new(".git").exists() {
        return None;
    }
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["log", "-1", "--format=%h %cs"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|it| it.status.success());
    Some(String::from_utf8(output?.stdout).ok()?.trim().to_owned())
}
