//! Topics of the device application.

use std::time::Duration;

use crate::kafka::admin::{Admin, NewTopic};
use crate::kafka::{Cluster, KafkaError, ResponseError};

/// How often, and with what pauses, a topic is looked for that another one has made.
const LOOKS: u32 = 100;
const LOOK_EVERY: Duration = Duration::from_millis(50);

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
    let Err(error) = admin.create_topic(topic).await else {
        return Ok(topic.partitions.unwrap_or(1));
    };
    if !error.is_code(ResponseError::TopicAlreadyExists) {
        return Err(error);
    }
    // Somebody else has made it meanwhile, and the broker that is asked may not have heard of it yet.
    for _ in 0..LOOKS {
        if let Some(partitions) = found().await? {
            return Ok(partitions);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(error)
}
