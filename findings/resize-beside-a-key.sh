#!/bin/sh
# A change of the terminal's size that reaches crossterm together with a key is not told.
#
# Versions:  crate crossterm 0.29.0, on Linux; by default, and with the feature use-dev-tty
# Guess:     read gives one event after the other; a resize and a key that wait at the same time come as two events, in either
#            order, as soon as they are asked for.
# Seen:      by default the key is given and the resize is not, however often it is asked for in two seconds. With use-dev-tty
#            the resize follows the key. By its source, both are one wake-up of the default's event loop, of which what is left
#            is forgotten once the first event is given, and its descriptors are waited for at their edges.
# So:        what fills a terminal stays laid out for the old size, or ignores a key, where somebody types while the window is
#            dragged, and its tests in a pseudo-terminal fail now and then; use-dev-tty mends it.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "keys"
version = "0.0.0"
edition = "2021"

[features]
tty = ["crossterm/use-dev-tty"]

[dependencies]
crossterm = "=0.29.0"
TOML
cat > src/main.rs <<'RUST'
use crossterm::event::{poll, read, Event};
use std::time::Duration;

fn main() {
    crossterm::terminal::enable_raw_mode().unwrap();
    let _ = poll(Duration::from_millis(100));
    println!("ready\r");
    let mut seen = String::new();
    let mut quiet = 0;
    // Whoever types has stopped this meanwhile, so that both wait when it goes on.
    while quiet < 20 {
        if !poll(Duration::from_millis(100)).unwrap() {
            quiet += 1;
            continue;
        }
        match read().unwrap() {
            Event::Resize(..) if !seen.contains("resize") => seen += "resize ",
            Event::Key(_) => seen += "key ",
            _ => {}
        }
    }
    println!("seen: {}\r", seen.trim());
    crossterm::terminal::disable_raw_mode().unwrap();
}
RUST
cat > type.py <<'PYTHON'
import fcntl, os, pty, signal, struct, sys, termios, time

child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
text = b""
while b"ready" not in text:
    text += os.read(terminal, 1000)
time.sleep(0.5)
os.kill(child, signal.SIGSTOP)
time.sleep(0.2)
os.write(terminal, b"x")
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
os.kill(child, signal.SIGCONT)
try:
    while b"seen:" not in text or not text.endswith(b"\n"):
        text += os.read(terminal, 1000)
except OSError:
    pass
print(text.decode().split("seen: ")[1].strip())
PYTHON
for features in "" tty; do
    CARGO_TARGET_DIR="$directory/target$features" cargo build --quiet --features "$features" 2> cargo.log || { cat cargo.log >&2; exit 1; }
    echo "${features:-default}: $(python3 type.py "$directory/target$features/debug/keys")"
done > seen
cat seen
printf 'default: key\ntty: key resize\n' > expected
cmp -s seen expected || { echo "not as it was" >&2; exit 1; }
