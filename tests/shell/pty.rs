//! A terminal of its own, in which commands think that somebody sits before them.

use std::io::{Read as _, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long something is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a command may write until it has written what is waited for.
const OUTPUTS_MAX: usize = 300;

/// A terminal with a command in it.
pub(super) struct Terminal {
    pub(super) master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    input: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    /// All that came and was not yet looked for.
    seen: String,
    _state: tempfile::TempDir,
}

pub(super) fn size(columns: u16) -> PtySize {
    PtySize { rows: 24, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// A terminal of 80 columns and 24 lines with the shell in it.
    pub(super) fn shell(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::open(&[&["sql"], arguments].concat(), environment)
    }

    /// The same with another command.
    pub(super) fn open(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(size(80)).unwrap();
        let state = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_millstream"));
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

    /// Types a text.
    pub(super) fn send(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Waits for a text, and gives what came before it.
    pub(super) fn expect(&mut self, text: &str) -> String {
        // Something that is drawn again and again never falls silent.
        for _ in 0..OUTPUTS_MAX {
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
        panic!("no {text:?} in {:?}", self.seen);
    }

    /// Waits for the prompt, which is drawn until the shell waits for a key.
    pub(super) fn prompt(&mut self) {
        self.expect("> ");
    }

    /// Waits until the command ends, with this exit code.
    pub(super) fn ends_with(&mut self, code: u32) {
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
