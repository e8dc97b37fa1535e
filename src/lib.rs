//! Millstream runs ksqlDB's SQL on Kafka in one static binary.
//!
//! # Two journeys
//!
//! ```text
//! a statement:  text ─sql→ ast ─plan→ plan ─operators→ topology ─runtime→ running query
//! a record:     bytes ─formats→ rows ─operators→ rows or changes ─formats→ bytes ─kafka→ topic
//! ```
//!
//! 1. [`sql::parse`] takes a text to statements, each with its place in the text.
//! 2. [`engine::Engine`] runs one statement after another over its catalog. What a query is to do
//!    is a [`plan::QueryPlan`], made from statement and catalog alone.
//!    A plan is a graph from sources to a sink; where rows get a new key it falls into
//!    [sub-topologies](plan::SubTopology).
//! 3. [`operators`] make a topology of a sub-topology: an operator for each node, with all that they
//!    remember for one partition. Tables that several operators use stand apart from them.
//! 4. [`runtime::Task`] is one sub-topology on one partition: it puts formats on both ends, and takes
//!    batches of records to batches of records. Rows with a new key pass to other tasks in memory, or
//!    through a topic. Nothing in it knows a broker: tests drive it as it is.
//! 5. [`runtime::live::Instance`] feeds tasks from Kafka: it joins groups, fetches, decodes once for
//!    all queries over a source, produces, commits, and restores what was there before.
//!
//! # Layers
//!
//! A module may name only what its row lists; `tests/layers.rs` holds this table and fails with
//! file, line and edge.
//!
//! | | module | is | may name |
//! |--:|---|---|---|
//! | 1 | [`types`] | values, SQL types, schemas, rows, columns, time, windows, decimals | – |
//! | 1 | [`java`] | what results owe to Java: text of numbers, dates and patterns, hashes | types |
//! | 1 | [`terminal`] | painted lines, keys, tables that are scrolled | – |
//! | 1 | [`kafka`] | bytes only: the client | – |
//! | 2 | [`registry`] | schemas, as a Schema Registry holds them; its client; an embedded one | types kafka |
//! | 2 | [`sql`] | text to syntax tree and back, places, diagnostics | types |
//! | 3 | [`expr`] | typed expressions, casts, built-in functions and aggregates | types java |
//! | 4 | [`formats`] | bytes to rows and back | types java `registry::schema` |
//! | 5 | [`plan`] | names and types resolved: statement + catalog → plan | types java sql expr formats `registry::schema` |
//! | 6 | [`state`] | stores that record their changes, and their checkpoints on disk | types expr |
//! | 7 | [`operators`] | plan → topology, one synchronous operator a file | types expr plan state |
//! | 8 | [`broker`] | the embedded broker | kafka |
//! | 9 | [`runtime`] | tasks, and how they live on Kafka; the clock | types java registry expr formats plan state operators kafka |
//! | 10 | [`engine`] | one statement in, one outcome out; files as applications | 1–9 |
//! | 11 | [`server`] | ksqlDB's REST API over an engine, and the page that browsers are shown; alone knows its JSON | types java sql engine |
//! | 11 | [`testing`] | the case runners of `millstream test` | 1–10 |
//! | 12 | [`devices`] | the device application: readings, rolling statistics | types formats kafka terminal |
//! | 13 | [`cli`] | what people see at a terminal: the shell, and bytes of topics | terminal sql kafka |
//! | 14 | [`apply`] | files of definitions against a server: what is kept, made, replaced, refused | types sql formats plan registry engine `server::api` cli |
//! | 15 | [`parity`] | files on a server and here: whether both write the same bytes | types sql plan operators runtime registry engine kafka cli apply |
//! | | `main`, `demo` | arguments, and what wires things together | all |
//!
//! # The running system
//!
//! ```text
//!  tokio threads (a quarter of the cores)               worker threads (ksql.streams.num.stream.threads)
//!  ┌───────────────────────────────────────┐            ┌──────────────────────────────────────────────┐
//!  │ Fetcher ─▶ pump   (one for a reading) │─ Fetched ─▶│ inbox ─▶ readings: decode once for all queries│
//!  │                                       │◀─ held ────│            │ rows                            │
//!  │ Life of query A  (one for a query)    │─ Command ─▶│            ▼                                 │
//!  │   membership, lease, restore          │            │ Shard of A: tasks ─ stores, caches, inputs   │─ Handover ─▶ inbox
//!  │   Session: outbox, barrier, commit    │◀─ Event ───│   of the partitions that this worker owns    │   of another
//!  │   Producer (its own)                  │            │ Shard of B: …                                │   worker
//!  └──────────────┬────────────────────────┘            └──────────────────────────────────────────────┘
//!                 ▼ sink, repartition topics │ changelogs │ offsets, in this order ─▶ Kafka
//! ```
//!
//! | what | belongs to | others come to it by |
//! |---|---|---|
//! | tasks, stores, caches, what waits in inputs | the worker that owns their partition; a restore fills them before | `Command`, in its inbox (bounded for who can wait) |
//! | fetched bytes | the reading of a worker, at most [1 MB](runtime::live) and what its partitions lack | `Fetched`; its pump stops while it is full |
//! | rows with a new key, in memory | the inputs of the task that gets them | `Handover`; no worker waits for another |
//! | records to be written | the outbox of their query, then its producer's `buffer.memory` | `Event::Given`; where it is full, its workers take no more |
//! | offsets, membership, lease | the life of their query | – |
//! | figures, skipped records | atomics that the query keeps over all its tries, added to a batch at a time | anybody reads them: [`/metrics`](server), and once a second the rings of the host |
//!
//! A query is in one of these states ([`runtime::live::QueryState`]); each waits in its own life, so none delays another:
//!
//! ```text
//!            ┌──────────────── group changes, topic grows, session is over ───────────────┐
//!            ▼                                                                             │
//! start ─▶ Starting: topics, group, restore ── assigned ─▶ Running: take ─▶ barrier ─▶ commit ┤
//!            │  ▲                                            │                             │
//!            │  └─ back-off ── Retrying ◀── broker, topic, panic ──────────────────────────┤
//!            └─ another runs it ─▶ Standby                  │ ▲                            └─▶ Failed: tried again only by
//!                                            PAUSE, commit ─▼ │ RESUME                           a start of the process
//!                                                        Paused: its stores are read, and nothing else moves
//! ```
//!
//! A commit begins as a barrier: the workers of a query say how far they are (`Cut`), read on to the same time (`Level`),
//! drain one sub-topology after the other (`Drained`), and go on at once (`Released`) while what they gave is written,
//! acknowledged and committed by its life. Where rows with new keys go through a topic and are joined by their times, they
//! are read there to its end (`ReadToEnds`) before those who join them are drained; in between, those go on as far as the
//! topic is written (`TellProgress`, `WrittenUpTo`).
//!
//! # What holds
//!
//! - Layers 1–7 never await, start a thread, use the network, or read a clock (and only checkpoints
//!   touch files): the same records in
//!   give the same records out, in tests, in a replay and in production.
//! - Planning is pure: the engine alone replaces the catalog, and looks at topics beforehand.
//! - `kafka` knows bytes, `operators` know rows, only `runtime` knows both.
//! - Operators take batches, and the result is as if records came one by one.
//! - At least once: outputs are written before changelogs, changelogs before offsets, and offsets
//!   before the marks of a checkpoint on disk. Exactly once: the first three are one transaction.
//! - A query is known by its plan: the fingerprint of that travels with its offsets, as does how far its
//!   windows have come. Who runs it writes only while he is sure that nobody else does.
//! - A fault of the user's is a diagnostic with its place. A faulty record is counted, logged and
//!   skipped. A write that failed stops the query, and is tried again from what was committed.
//! - Nothing is unbounded: fetches, queues, caches and parser depth have limits with names.
pub mod types;

pub mod terminal;

pub mod java;

pub mod kafka;

pub mod registry;

pub mod sql;

pub mod expr;

pub mod formats;

pub mod plan;

pub mod state;

pub mod operators;

pub mod broker;

pub mod runtime;

pub mod engine;

pub mod server;

pub mod testing;

pub mod devices;

pub mod cli;

pub mod apply;

pub mod parity;
