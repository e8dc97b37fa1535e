//! The shell: a client of any server that speaks ksqlDB's REST, and what people see of bytes and answers.
//!
//! ```text
//! text ─[script]→ statements ─[session]→ SET, DEFINE, … stay here
//!                     │         [client]→ SELECT, PRINT ─[answer_stream]→ rows ─[reading]→ table, live, lines
//!                     │                   all others ─[entities]→ texts and tables ─┐
//!                     └ commands of the shell                                        └[printer]→ screen, file
//! ```
//!
//! Nothing here knows the engine: a server is one of ours or a ksqlDB's.

pub mod answer_stream;
pub mod client;
pub mod command;
pub mod complete;
pub mod editor;
pub mod entities;
pub mod interactive;
pub mod live;
pub mod names;
pub mod place;
pub mod printer;
pub mod reading;
pub mod refusal;
pub mod script;
pub mod session;
pub mod shell;
pub mod table;
pub mod top;
