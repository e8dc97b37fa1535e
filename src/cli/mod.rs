//! What people see of bytes and answers at a terminal.
//!
//! [`detected`] tells what the keys and values of a topic look like, where no schema says it.

pub mod detected;
