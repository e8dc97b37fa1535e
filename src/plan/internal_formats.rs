//! How keys and values of internal topics and of stores are written.

use crate::formats::{Format, FormatSpec, Role};
use crate::plan::PlanContext;
use crate::types::ColumnDef;

/// How the keys of a repartition topic and of its store are written: as those of the source, or as
/// JSON where that format cannot hold them.
pub(super) fn internal_key_format(
    source: &FormatSpec,
    key: &[ColumnDef],
    ctx: &PlanContext<'_>,
) -> FormatSpec {
    let spec = if source.format == Format::None {
        Format::from_name(&ctx.config.default_key_format).unwrap_or(Format::Kafka).into()
    } else {
        source.clone()
    };
    if spec.validate(key, Role::Key).is_ok() { spec } else { Format::Json.into() }
}

/// How values of internal topics are written: as those of the source, its wrapping left out.
pub(super) fn internal_value_format(source: &FormatSpec) -> FormatSpec {
    FormatSpec { wrap: None, ..source.clone() }
}
