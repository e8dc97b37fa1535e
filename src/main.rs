//! The `millstream` command: parses arguments and wires the layers together.

fn main() {}
