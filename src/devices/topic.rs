//! Topics of the device application.

use crate::kafka::admin::{Admin, NewTopic};
use crate::kafka::{Cluster, KafkaError};

/// How many partitions a topic has, which is made if it does not exist.
pub(super) async fn partitions_of(cluster: &Cluster, topic: &NewTopic) -> Result<i32, KafkaError> {
    let admin = Admin::new(cluster);
    let found = async || -> Result<Option<i32>, KafkaError> {
        let found = admin.describe_topic(&topic.name).await?;
        Ok(found.map(|found| found.partitions.len() as i32).filter(|partitions| *partitions > 0))
    };
    if let Some(partitions) = found().await? {
        return Ok(partitions);
    }
    match admin.create_topic(topic).await {
        Ok(()) => Ok(topic.partitions.unwrap_or(1)),
        // Somebody else may have made it meanwhile.
        Err(error) => found().await?.ok_or(error),
    }
}
