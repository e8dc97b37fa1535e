//! `millstream top` in a terminal of 80 columns and 24 lines.

use super::pty::{Terminal, size};
use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_shown_sorted_and_left() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::open(&["top", &server.url, "--interval", "1"], &[]);
        terminal.expect("2 queries  1 failing");
        terminal.expect("CTAS_DEVICE_ACTIVITY_COUNTS_1  retrying");
        terminal.expect("CSAS_LARGE_2");
        terminal.expect("sorted by records read a second");
        terminal.send("l");
        terminal.expect("CSAS_LARGE_2");
        terminal.expect("sorted by lag");
        terminal.send("?");
        terminal.expect("shows and hides this");
        terminal.send("?");
        // What changes is drawn anew each second, and as wide as the terminal is.
        terminal.master.resize(size(66)).unwrap();
        terminal.expect("CTAS_DEVICE_ACTIV…  retrying");
        terminal.send("q");
        terminal.expect("\u{1b}[?1049l");
        terminal.ends_with(0);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_can_do_nothing_is_given_lines() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::open(&["top", &server.url, "--once"], &[("TERM", "dumb")]);
        let before = terminal.expect("CTAS_DEVICE_ACTIVITY_COUNTS_1  retrying");
        assert!(!before.contains('\u{1b}'), "{before:?}");
        terminal.ends_with(0);
    });
}
