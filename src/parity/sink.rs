//! One sink: its two topics with all that belongs to them.

use super::compare::compare as compare_records;
use super::differences::{Comparison, DifferenceKind};
use super::error::ParityError;
use super::feeding::Feeding;
use super::record::Placed;
use super::rewrite::SinkPair;
use super::topics::{self, Shape};
use crate::engine::Services;
use crate::kafka::admin::Admin;
use crate::registry::{RegistryClient, Schema, Subject};

/// Compares what both sides have of a sink: topic, schemas, records.
pub(super) async fn compare(
    services: &Services,
    pair: &SinkPair,
    ours: &[Placed],
    mut feeding: Feeding,
) -> Result<Comparison, ParityError> {
    let admin = Admin::new(&services.cluster);
    let our_shape = topics::shape(&admin, &pair.ours).await?;
    let their_shape = topics::shape(&admin, &pair.theirs).await?;
    let mut about = Comparison::default();
    let (Some(our_shape), Some(their_shape)) = (&our_shape, &their_shape) else {
        let note =
            format!("ours: {}, theirs: {}", told(our_shape.is_some()), told(their_shape.is_some()));
        about.differs_in(DifferenceKind::Topic, note);
        return Ok(about);
    };
    compare_shapes(&mut about, our_shape, their_shape);
    if let Some(registry) = &services.registry {
        compare_schemas(&mut about, registry, pair).await?;
    }
    let mut read = topics::read(&services.cluster, [pair.theirs.as_str()]).await?;
    let mut theirs = read.remove(&pair.theirs).unwrap_or_default();
    let mut ours = ours.to_vec();
    if our_shape.partitions != their_shape.partitions {
        // Told once, not with each record.
        ours.iter_mut().chain(&mut theirs).for_each(|placed| placed.partition = 0);
    }
    let is_compacted = |shape: &Shape| shape.cleanup_policy.contains("compact");
    feeding.is_compacted = (is_compacted(our_shape) && topics::has_gaps(&ours))
        || (is_compacted(their_shape) && topics::has_gaps(&theirs));
    let mut found = compare_records(&ours, &theirs, &feeding);
    for (kind, count) in about.different {
        *found.different.entry(kind).or_default() += count;
    }
    found.first = about.first.or(found.first);
    Ok(found)
}

fn told(is_there: bool) -> &'static str {
    if is_there { "there" } else { "not there" }
}

fn compare_shapes(about: &mut Comparison, ours: &Shape, theirs: &Shape) {
    if ours.partitions != theirs.partitions {
        let note = format!("ours: {}, theirs: {}", ours.partitions, theirs.partitions);
        about.differs_in(DifferenceKind::PartitionCount, note);
    }
    if ours.cleanup_policy != theirs.cleanup_policy {
        let note = format!("ours: {}, theirs: {}", ours.cleanup_policy, theirs.cleanup_policy);
        about.differs_in(DifferenceKind::CleanupPolicy, note);
    }
}

async fn compare_schemas(
    about: &mut Comparison,
    registry: &RegistryClient,
    pair: &SinkPair,
) -> Result<(), ParityError> {
    for of in [Subject::of_keys, Subject::of_values] {
        let ours = latest(registry, &of(&pair.ours)).await?;
        let theirs = latest(registry, &of(&pair.theirs)).await?;
        if ours != theirs {
            let text = |schema: &Option<Schema>| {
                schema.as_ref().map_or_else(
                    || "none".to_owned(),
                    |schema| format!("{} {}", schema.ty, schema.text),
                )
            };
            let note =
                format!("{}: ours: {}, theirs: {}", of(&pair.name), text(&ours), text(&theirs));
            about.differs_in(DifferenceKind::Schema, note);
        }
    }
    Ok(())
}

/// The newest schema of a subject, if there is one.
async fn latest(
    registry: &RegistryClient,
    subject: &Subject,
) -> Result<Option<Schema>, ParityError> {
    match registry.latest(subject).await {
        Ok(registered) => Ok(Some(registered.schema)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
