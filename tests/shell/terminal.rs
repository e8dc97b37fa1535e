//! `millstream sql` in a terminal of its own: what is typed, shown, completed and ended there.

use std::io::{Read as _, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::server::Server;

/// How long something is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal with the shell in it, or another command.
pub(crate) struct Terminal {
    pub(crate) master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    input: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    /// All that came and was not yet looked for.
    seen: String,
    _state: tempfile::TempDir,
}

pub(crate) fn size(columns: u16) -> PtySize {
    PtySize { rows: 24, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    fn open(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::of("sql", arguments, environment)
    }

    pub(crate) fn of(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(size(80)).unwrap();
        let state = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_millstream"));
        command.arg(name);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        command.env("XDG_STATE_HOME", state.path());
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let input = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { master: pair.master, child, input, output, seen: String::new(), _state: state }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Waits for a text, and gives what came before it.
    pub(crate) fn expect(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.seen.find(text) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let Ok(bytes) = self.output.recv_timeout(PATIENCE) else {
                panic!("no {text:?} in {:?}", self.seen);
            };
            let came = String::from_utf8_lossy(&bytes).into_owned();
            // What a terminal answers where the cursor is asked for.
            if came.contains("\u{1b}[6n") {
                self.send("\u{1b}[1;1R");
            }
            self.seen.push_str(&came);
        }
    }

    /// Waits for the prompt, which is drawn until the shell waits for a key.
    fn prompt(&mut self) {
        self.expect("> ");
    }

    pub(crate) fn ends_with(&mut self, code: u32) {
        let (sender, ended) = channel();
        let mut child = std::mem::replace(
            &mut self.child,
            Box::new(std::process::Command::new("true").spawn().unwrap()),
        );
        std::thread::spawn(move || sender.send(child.wait().unwrap().exit_code()));
        assert_eq!(ended.recv_timeout(PATIENCE), Ok(code));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_several_lines_are_run_and_the_end_is_orderly() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::open(&[&server.url], &[]);
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
        let mut terminal = Terminal::open(&[&server.url], &[]);
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
        let mut terminal = Terminal::open(&[&server.url], &[]);
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
        let mut terminal = Terminal::open(&[&server.url], &[]);
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
        let mut terminal = Terminal::open(&[&server.url], &[]);
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
            let mut terminal = Terminal::open(&[&server.url], environment);
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
        let mut terminal = Terminal::open(&["127.0.0.1:1"], &[]);
        terminal.expect("cannot talk to http://127.0.0.1:1");
        terminal.ends_with(1);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_statement_keeps_nobody_in_the_shell() {
    let server = Server::start().await;
    tokio::task::block_in_place(|| {
        let mut terminal = Terminal::open(&[&server.url], &[]);
        terminal.prompt();
        terminal.send("SELECT *\r");
        terminal.expect("...> ");
        terminal.send("\\q\r");
        terminal.expect("not run, as it has no ; at its end: SELECT *");
        terminal.ends_with(0);
        let mut terminal = Terminal::open(&[&server.url], &[]);
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
        let mut terminal = Terminal::open(&[], &[]);
        terminal.expect("an engine and a broker of this shell, in memory");
        terminal.expect("service millstream_sql_; \\? for help");
        terminal.prompt();
        terminal.send("\u{4}");
        terminal.ends_with(0);
    });
}
