//! The flags of `millstream apply`.

use clap::{Args, ValueEnum};

use super::SessionArgs;

/// What it does, shown below the flags.
pub(super) const RULES: &str = "\
What becomes of each statement:
  =  kept      it is there and means the same, whatever its words
  +  created   nothing of its name is there
  ~  replaced  CREATE OR REPLACE takes it: its query goes on with its state
  !  refused   it cannot be replaced, or is no definition: nothing at all is done
Where a stream or table gains columns, queries over it go on as they are, but for those that take all columns (SELECT *): they
are replaced, or refused. A paused query that is replaced runs from then on, which is said; one that is kept stays paused.
What is there and in no file is left alone. An INSERT INTO … SELECT is known by what it does, as its query has no name.
INSERT INTO … VALUES, ALTER, DROP, TERMINATE, connectors and queries are refused. Columns that a statement leaves to the Schema
Registry are those that the server has, unless --property ksql.schema.registry.url says where that is.

Examples:
  millstream apply --dry-run views.sql
  millstream apply types.sql views.sql --server https://ksqldb:8088 --user ann
  sed s/dev_/prod_/ views.sql | millstream apply - --property auto.offset.reset=earliest";

/// Files against a server.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The files of definitions, which are one program in this order; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<std::path::PathBuf>,
    /// The server, one of ours or a ksqlDB, with https:// in front for TLS.
    #[arg(long, value_name = "URL", default_value = "http://localhost:8088")]
    pub(crate) server: String,
    /// Only shows what would be done. Ends with 2 if that is anything.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How it is shown.
    #[arg(long, value_enum, ignore_case = true, default_value_t = ApplyOutput::Text)]
    pub(crate) output: ApplyOutput,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
}

/// How it is shown what becomes of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ApplyOutput {
    /// A line for each thing, below them why some are refused, then how many of each there are.
    Text,
    /// A JSON object a line for each thing: `verdict`, `kind`, `name`, and unless it is left alone `place` (file, line,
    /// column), `reason`, `there` (its statement there, where that differs), `file` (the statement of the file).
    Json,
}
