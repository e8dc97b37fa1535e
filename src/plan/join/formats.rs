//! In which format the keys of a join are, and which sides must be written anew for it.
//!
//! As ksqlDB's `JoinNode.resolveKeyFormats`: a side that has to be re-keyed anyway does not care, of
//! the others the left one decides.

use super::steps::Step;
use crate::formats::{Format, FormatSpec};
use crate::plan::relation::Aliased;
use crate::plan::{PlanContext, PlanError};

/// Settles the formats of all joins, from the last one inwards.
pub(super) fn settle_formats(
    steps: &mut [Step],
    sources: &[Aliased],
    ctx: &PlanContext<'_>,
) -> Result<(), PlanError> {
    let mut forced = None;
    for index in (0..steps.len()).rev() {
        let preferred = forced.take().or_else(|| preferred(steps, index, sources));
        let format = preferred.unwrap_or_else(|| default(index, sources, ctx));
        let step = &mut steps[index];
        step.key_format =
            crate::plan::internal_formats::internal_key_format(&format, &[step.key()], ctx);
        let chosen = step.key_format.clone();
        let right = &sources[index + 1];
        let is_forced = is_forced(step, index, sources);
        step.right_rekeyed |= is_forced || !step.is_foreign && right.source.key_format != chosen;
        if index == 0 {
            step.left_rekeyed |=
                !step.is_foreign && (is_forced || sources[0].source.key_format != chosen);
        } else if !step.left_rekeyed {
            forced = Some(chosen);
        }
        refuse_windowed(step, index, sources)?;
    }
    Ok(())
}

/// Whether keys are written anew though they may be alike: the schemas of a registry may differ where
/// columns do not, and with them the bytes of equal keys.
fn is_forced(step: &Step, index: usize, sources: &[Aliased]) -> bool {
    let (first, right) = (&sources[0].source, &sources[index + 1].source);
    let format = if step.is_foreign { &right.key_format } else { &step.key_format };
    format.format.supports_schema_inference() && !first.is_windowed() && !right.is_windowed()
}

/// The format that a side has already, if it needs no new key.
fn preferred(steps: &[Step], index: usize, sources: &[Aliased]) -> Option<FormatSpec> {
    let step = &steps[index];
    let of_source = |source: &Aliased| {
        let format = &source.source.key_format;
        (format.format != Format::None).then(|| format.clone())
    };
    let left = match index {
        _ if step.left_rekeyed => None,
        0 => of_source(&sources[0]),
        _ => preferred(steps, index - 1, sources),
    };
    left.or_else(|| of_source(&sources[index + 1]).filter(|_| !step.right_rekeyed))
}

/// The format of the first source that has keys.
fn default(index: usize, sources: &[Aliased], ctx: &PlanContext<'_>) -> FormatSpec {
    let mut formats = sources[..=index + 1].iter().map(|aliased| &aliased.source.key_format);
    let first = formats.find(|format| format.format != Format::None).cloned();
    let named =
        || Format::from_name(&ctx.config.default_key_format).unwrap_or(Format::Kafka).into();
    first.unwrap_or_else(named)
}

/// A windowed source cannot get a new key.
fn refuse_windowed(step: &Step, index: usize, sources: &[Aliased]) -> Result<(), PlanError> {
    let is_windowed = |source: &Aliased| source.source.is_windowed();
    let (first, right) = (&sources[0], &sources[index + 1]);
    let left = index == 0 && step.left_rekeyed && is_windowed(first);
    // The size of its windows is part of a key format, unless a registry holds its schema.
    let size = |source: &Aliased| source.source.window.and_then(|window| window.size_ms);
    let differ = is_windowed(first)
        && size(first) != size(right)
        && !right.source.key_format.format.supports_schema_inference();
    if left || differ || step.right_rekeyed && is_windowed(right) {
        return Err(PlanError::analyse(
            "Implicit repartitioning of windowed sources is not supported. See \
             https://github.com/confluentinc/ksql/issues/4385.",
        ));
    }
    Ok(())
}
