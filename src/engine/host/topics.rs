//! What a host asks of Kafka and the registry for planning, and what it cleans up there.

use std::time::Duration;

use super::{HostError, Shared};
use crate::engine::reset::delete::{delete_group, delete_topic};
use crate::engine::{Known, Needs, Services};
use crate::kafka::KafkaError;
use crate::kafka::admin::Admin;
use crate::plan::Source;
use crate::registry::Subject;

/// How often it is tried to clean up after a query, while other servers still leave its group.
const CLEAN_TRIES: u32 = 20;

/// How long is waited between these tries.
const CLEAN_WAIT: Duration = Duration::from_millis(500);

/// What is known of what a statement needs.
pub(super) async fn look_up(services: &Services, needs: &Needs) -> Result<Known, HostError> {
    let mut known = Known::default();
    services.look_up::<HostError>(needs, &mut known).await?;
    Ok(known)
}

impl Shared {
    /// Deletes what a query kept in Kafka, beside everything else: its group, its internal topics.
    pub(super) fn forget_query(&self, id: &str) {
        let group = self.group_of(id);
        let admin = Admin::new(&self.services.cluster);
        tokio::spawn(async move { clean_up_after(&admin, &group).await });
    }

    /// Deletes the schemas of a topic's records.
    pub(super) async fn forget_schemas(&self, source: &Source) {
        let Some(registry) = &self.services.registry else { return };
        let topic = source.topic.as_str();
        let sides = [
            (&source.key_format, Subject::of_keys(topic)),
            (&source.value_format, Subject::of_values(topic)),
        ];
        for (spec, subject) in sides {
            if spec.format.supports_schema_inference() {
                match registry.delete(&subject).await {
                    Err(error) if !error.is_not_found() => {
                        tracing::warn!("{subject} is not deleted: {error}");
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Deletes what a query kept; it is tried again while other servers still leave its group.
pub(super) async fn clean_up_after(admin: &Admin, group: &str) {
    let mut tries = 0;
    while let Err(error) = clean_up(admin, group).await {
        tries += 1;
        if tries == CLEAN_TRIES {
            tracing::warn!("what {group} kept is not deleted: {error}");
            return;
        }
        tokio::time::sleep(CLEAN_WAIT).await;
    }
}

async fn clean_up(admin: &Admin, group: &str) -> Result<(), KafkaError> {
    let prefix = format!("{group}-");
    for topic in admin.list_topics().await? {
        let name = topic.name.as_ref();
        let is_internal = name.ends_with("-changelog") || name.ends_with("-repartition");
        if name.starts_with(&prefix) && is_internal {
            delete_topic(admin, name).await?;
        }
    }
    delete_group(admin, group).await
}
