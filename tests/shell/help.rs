//! Completions and man pages, which come from the flags themselves.

use super::{millstream, succeeded};

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
