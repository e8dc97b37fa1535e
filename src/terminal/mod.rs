//! What fills a terminal: painted lines, keys, and tables that are scrolled.

mod keys;
mod line;
mod scroll;

pub use keys::{Key, Keys};
pub use line::{HUES, Line, Paint, cut, draw, grouped};
pub use scroll::Scroll;
