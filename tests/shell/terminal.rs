//! `millstream sql` in a terminal of its own: what is typed, shown, completed and ended there.

use std::time::Duration;

use super::pty::{Terminal, size};
use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_several_lines_are_run_and_the_end_is_orderly() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::shell(&[&server.url], &[]);
        terminal.expect("version 7.4.0, service default_");
        terminal.prompt();
        terminal.send("SELECT *\r");
        terminal.expect("...> ");
        terminal.send("FROM hits;\r");
        terminal.expect("漢字   |    22");
        terminal.expect("2 rows");
        terminal.prompt();
        terminal.send("\\x\r");
        terminal.expect("rows upright: on");
        terminal.prompt();
        terminal.send("exit\r");
        terminal.ends_with(0);
    });
    let asked = server.asked("/query-stream");
    assert_eq!(asked[0]["sql"], "SELECT *\nFROM hits;");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_query_and_not_the_shell() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::shell(&[&server.url], &[]);
        terminal.prompt();
        terminal.send("SELECT * FROM readings EMIT CHANGES;\r");
        terminal.expect("a      |     2");
        terminal.expect("a second; Ctrl-C ends the query");
        terminal.send("\u{3}");
        terminal.expect("2 rows");
        terminal.prompt();
        terminal.send("half a line");
        terminal.send("\u{3}");
        terminal.prompt();
        terminal.send("\\dt\r");
        terminal.expect("HITS");
        terminal.prompt();
        terminal.send("\u{4}");
        terminal.ends_with(0);
    });
    assert_eq!(server.asked("/close-query").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tab_completes_what_the_server_knows() {
    let server = Server::start().await;
    // The names are asked for beside the first prompt.
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::shell(&[&server.url], &[]);
        terminal.prompt();
        while server.asked("/ksql").len() < 7 {
            std::thread::sleep(Duration::from_millis(20));
        }
        terminal.send("DESCRIBE hi\t;\r");
        terminal.expect("table HITS");
        terminal.prompt();
        terminal.send("\u{4}");
        terminal.ends_with(0);
    });
    let asked = server.asked("/ksql");
    assert!(
        asked.iter().any(|body| body["ksql"].as_str().unwrap().starts_with("DESCRIBE hits")),
        "{asked:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_over_a_table_is_updated_in_place() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::shell(&[&server.url], &[]);
        terminal.prompt();
        terminal.send("SELECT * FROM hits EMIT CHANGES;\r");
        terminal.expect("2 of 2 rows, 2 changes");
        let redrawn = terminal.expect("2 of 2 rows, 3 changes");
        assert!(redrawn.contains("\u{1b}[5F\u{1b}[J"), "{redrawn:?}");
        assert!(
            redrawn.contains("a      |     2") && redrawn.contains("b      |     5"),
            "{redrawn:?}"
        );
        terminal.send("\u{3}");
        terminal.prompt();
        terminal.send("\u{4}");
        terminal.ends_with(0);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_follow_the_size_of_the_terminal() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::shell(&[&server.url], &[]);
        terminal.prompt();
        terminal.send("\\ds\r");
        terminal.expect("READINGS | readings | KAFKA      | JSON         | false");
        terminal.prompt();
        terminal.master.resize(size(30)).unwrap();
        terminal.send("\\ds\r");
        terminal.expect("left out on the right");
        terminal.prompt();
        terminal.send("\u{4}");
        terminal.ends_with(0);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_shown_and_the_shell_goes_on_with_and_without_colours() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        for (environment, is_colored) in [(&[][..], true), (&[("NO_COLOR", "1")][..], false)] {
            let mut terminal = Terminal::shell(&[&server.url], environment);
            terminal.prompt();
            terminal.send("SHOW TABELS;\r");
            let before = terminal.expect("Syntax error at line 1:6");
            assert_eq!(before.contains("\u{1b}[1;31m"), is_colored, "{before:?}");
            terminal.prompt();
            terminal.send("\u{4}");
            terminal.ends_with(0);
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_there_is_no_prompt() {
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::shell(&["127.0.0.1:1"], &[]);
        terminal.expect("cannot talk to http://127.0.0.1:1");
        terminal.ends_with(1);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_statement_keeps_nobody_in_the_shell() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::shell(&[&server.url], &[]);
        terminal.prompt();
        terminal.send("SELECT *\r");
        terminal.expect("...> ");
        terminal.send("\\q\r");
        terminal.expect("not run, as it has no ; at its end: SELECT *");
        terminal.ends_with(0);
        let mut terminal = Terminal::shell(&[&server.url], &[]);
        terminal.prompt();
        terminal.send("SELECT *\rFROM");
        terminal.expect("FROM");
        terminal.send("\u{4}");
        terminal.expect("unfinished: SELECT *");
        // It goes on where it was.
        terminal.send(" hits;\r");
        terminal.expect("漢字   |    22");
        terminal.prompt();
        terminal.send("SELECT *\r");
        terminal.expect("...> ");
        terminal.send("\u{4}");
        terminal.expect("not run, as it has no ; at its end: SELECT *");
        terminal.ends_with(0);
    });
    assert_eq!(server.asked("/query-stream")[0]["sql"], "SELECT *\nFROM hits;");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_of_the_shell_itself_is_told_apart_from_a_server() {
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::shell(&[], &[]);
        terminal.expect("an engine and a broker of this shell, in memory");
        terminal.expect("service millstream_sql_; \\? for help");
        terminal.prompt();
        terminal.send("\u{4}");
        terminal.ends_with(0);
    });
}
