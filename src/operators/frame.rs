//! Gives rows of a table the columns that expressions over it can name.

use super::{Context, Minds, Operator, Outcome};
use crate::plan::SourceColumn;
use crate::types::{Column, Rows, SqlType, Value, Window};

/// Gives rows the columns that expressions over their table can name.
pub(super) struct Frame {
    columns: Vec<(SourceColumn, SqlType)>,
}

impl Frame {
    pub(super) fn new(columns: Vec<(SourceColumn, SqlType)>) -> Self {
        Self { columns }
    }

    fn column<'a>(from: SourceColumn, ty: &SqlType, rows: &Rows<'a>) -> Column<'a> {
        let each =
            |value: &dyn Fn(usize) -> Value<'a>| Column::from_values(ty, (0..rows.len).map(value));
        match from {
            SourceColumn::Value(place) => {
                rows.value.get(place).cloned().unwrap_or_else(|| each(&|_| Value::Null))
            }
            SourceColumn::RowTime => each(&|row| Value::Bigint(rows.meta.timestamps[row])),
            SourceColumn::Key(place) => match rows.key.columns.get(place) {
                Some(column) => each(&|row| column.value(rows.key.position(row))),
                None => each(&|_| Value::Null),
            },
            SourceColumn::WindowStart => each(&|row| bound(rows, row, |window| window.start.0)),
            SourceColumn::WindowEnd => each(&|row| bound(rows, row, |window| window.end.0)),
            SourceColumn::Header(_) | SourceColumn::RowPartition | SourceColumn::RowOffset => {
                each(&|_| Value::Null)
            }
        }
    }
}

fn bound<'a>(rows: &Rows<'a>, row: usize, of: impl Fn(Window) -> i64) -> Value<'a> {
    rows.meta.window(row).map_or(Value::Null, |window| Value::Bigint(of(window)))
}

impl Operator for Frame {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, _ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let columns = self.columns.iter().map(|(from, ty)| Self::column(*from, ty, rows));
        Rows { value: columns.collect(), ..rows.clone() }.into()
    }
}
