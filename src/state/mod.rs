//! Stores of a task: keyed rows, by key, by window and by session.
//!
//! A store knows bytes and slots, not Kafka: what changes is handed to the caller, which writes it
//! to the changelog topic, and to a local [`checkpoint`] if there is one.

pub mod checkpoint;
mod key_index;
mod sessions;
mod table;
mod windows;

pub use key_index::KeyIndex;
pub use sessions::SessionIndex;
pub use table::{TableRow, TableStore};
pub use windows::WindowIndex;
