//! Completions and man pages, which come from the flags themselves.

use super::{failed, millstream, succeeded};

#[tokio::test(flavor = "multi_thread")]
async fn completions_know_commands_and_flags() {
    for shell in ["bash", "zsh", "fish"] {
        let text = succeeded(&millstream(&["completions", shell], "").await);
        assert!(text.contains("topics") && text.contains("query-row-limit"), "{shell}");
    }
    let bash = succeeded(&millstream(&["completions", "bash"], "").await);
    let script = format!(
        "{bash}\nCOMP_WORDS=(millstream top); COMP_CWORD=1; _millstream millstream top millstream; echo \"${{COMPREPLY[*]}}\""
    );
    let run = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap().trim(), "top topics");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_man_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    succeeded(&millstream(&["man", pages.to_str().unwrap()], "").await);
    let page = std::fs::read_to_string(pages.join("millstream-sql.1")).unwrap();
    assert!(page.contains("query\\-timeout"), "{page}");
    assert!(page.contains("Examples:"), "{page}");
    assert!(pages.join("millstream-topics-tail.1").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_that_is_wrong_ends_with_64() {
    for arguments in [&["demo", "--nonsense"][..], &["produce"], &["nothing"], &[]] {
        let output = millstream(arguments, "").await;
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    let version = succeeded(&millstream(&["--version"], "").await);
    assert!(version.starts_with(concat!("millstream ", env!("CARGO_PKG_VERSION"))), "{version}");
    assert!(succeeded(&millstream(&["run", "--help"], "").await).contains("Usage: millstream run"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_the_program_of_its_files_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let told = failed(&millstream(&["check", path], "").await);
    assert_eq!(told, format!("error: no file in {path} ends with .sql\n"));
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "2_counts.sql",
        "CREATE TABLE n AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;",
    );
    write(
        "1_clicks.sql",
        "CREATE STREAM clicks (page VARCHAR) WITH (KAFKA_TOPIC='c', FORMAT='JSON');",
    );
    write("notes.txt", "no statements");
    let told = succeeded(&millstream(&["check", path], "").await);
    assert!(
        told.contains(&format!("{path}/1_clicks.sql, {path}/2_counts.sql: 1 queries")),
        "{told}"
    );
    assert!(told.contains("topic N (JSON, JSON), query CTAS_N_0"), "{told}");
}
