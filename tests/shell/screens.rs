//! What fills the screen, `demo` and `consume`: seen on 80 columns and 24 lines, scrolled, sorted and ended by keys.

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};

use super::pty::Terminal;
use super::{millstream, succeeded};

const PORTS: [&str; 6] = ["--kafka-port", "0", "--registry-port", "0", "--rest-port", "0"];

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_devices_on_a_small_screen_and_follows_keys() {
    tokio::task::block_in_place(|| {
        let flags = ["demo", "--rate", "0", "--count", "300", "--seed", "1"];
        let mut terminal = Terminal::open(&[&flags[..], &PORTS].concat(), &[]);
        terminal.expect("nexus4_3");
        terminal.expect("? keys");
        terminal.send("s");
        terminal.expect("▼READINGS");
        terminal.send("?");
        terminal.expect("turns their order round");
        terminal.send("q");
        terminal.expect("▼READINGS");
        terminal.send("q");
        // What is left on the terminal is the last state.
        terminal.expect("\u{1b}[?1049l");
        terminal.expect("READINGS");
        terminal.ends_with(0);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_cannot_be_drawn_on_gets_lines() {
    tokio::task::block_in_place(|| {
        let flags = ["demo", "--count", "10", "--rate", "0", "--duration", "3"];
        let mut terminal = Terminal::open(&[&flags[..], &PORTS].concat(), &[("TERM", "dumb")]);
        let before = terminal.expect("{\"bootstrap_servers\"");
        assert!(!before.contains('\u{1b}'), "{before:?}");
        terminal.expect("\"readings\":10");
        terminal.ends_with(0);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_devices_are_watched_on_a_small_screen() {
    let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
    let servers = ["--bootstrap-servers", &broker.bootstrap()];
    let flags = ["produce", "json", "--devices", "250", "--count", "20000", "--rate", "0"];
    succeeded(&millstream(&[&flags[..], &servers].concat(), "").await);
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::open(&[&["consume"], &servers[..]].concat(), &[]);
        terminal.expect("20,000 readings");
        terminal.expect("of 1,000");
        terminal.send("G");
        terminal.expect("995–1000 of 1,000");
        terminal.send("s");
        terminal.expect("TOTAL▼");
        terminal.send("q");
        terminal.expect("20000 readings of 1000 devices");
        terminal.ends_with(0);
    });
}
