//! Rows that a client sends one after the other, each a JSON object: `/inserts-stream`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::json_row;
use super::{Host, HostError, Shared};
use crate::kafka::produce::Acknowledgement;
use crate::plan::insert_target;
use crate::runtime::RowWriter;
use crate::sql::ast::Name;
use crate::sql::identifier_text;

/// A row on its way to Kafka.
#[derive(Debug)]
pub struct BegunRow(Acknowledgement);

/// What takes the rows of a source.
pub struct Inserting {
    shared: Arc<Shared>,
    writer: RowWriter,
}

impl Host {
    /// Begins to take rows for a source, named as in a statement.
    pub async fn insert_into(&self, target: &str) -> Result<Inserting, HostError> {
        let shared = &self.shared;
        shared.log()?;
        shared.check_takes_rows()?;
        let engine = shared.state().engine().clone();
        let source = insert_target(&Name::new(identifier_text(target)), engine.catalog())?;
        let writer = shared.row_writer(source).await?;
        Ok(Inserting { shared: Arc::clone(shared), writer })
    }
}

impl Shared {
    /// Whether clients may give rows at all: `ksql.insert.into.values.enabled`.
    pub(super) fn check_takes_rows(&self) -> Result<(), HostError> {
        if self.properties.flag("ksql.insert.into.values.enabled", true)? {
            return Ok(());
        }
        Err(HostError::request(
            "The server has disabled INSERT INTO ... VALUES functionality. To enable it, restart your ksqlDB \
             server with 'ksql.insert.into.values.enabled'=true",
        ))
    }
}

impl Inserting {
    /// Begins to write a row.
    pub async fn begin(&self, row: Map<String, Value>) -> Result<BegunRow, HostError> {
        let source = self.writer.source();
        let record = self.writer.write(&json_row::inserted(row, source)?);
        let record = record.map_err(|error| HostError::server(error.message))?;
        self.shared.send(&source.topic, &record).await.map(BegunRow)
    }

    /// Waits until a row is written.
    pub async fn written(&self, row: BegunRow) -> Result<(), HostError> {
        self.shared.acknowledged(row.0, self.writer.source()).await
    }
}
