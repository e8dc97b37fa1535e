//! Produce: one checked batch for each partition, appended under the rules of sequences and transactions.
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::api::transaction_version_2;
use super::background;
use super::batch::Batch;
use super::call::Call;
use super::faults::ProduceFault;
use super::log::Appended;
use super::shared::Broker;
use super::validate::{RecordRules, Refusal};
use crate::kafka::TopicPartition;

/// Appends the batches of a request; no answer if the producer wants none.
pub(super) async fn produce(
    broker: &Broker,
    call: &Call,
    request: ProduceRequest,
) -> Option<ProduceResponse> {
    let asked = Asked { broker, version: call.version, acks: request.acks };
    let mut wait = Wait::Not;
    let mut responses = Vec::with_capacity(request.topic_data.len());
    for topic in request.topic_data {
        let partitions = topic.partition_data.into_iter().map(|data| {
            let fault = broker.faults.of_batch(&topic.name, data.index);
            wait = wait.and(fault, request.timeout_ms);
            asked.answer(&topic.name, data, fault)
        });
        let partitions = partitions.collect();
        let response = TopicProduceResponse::default().with_name(topic.name);
        responses.push(response.with_partition_responses(partitions));
    }
    match wait {
        Wait::Not => {}
        Wait::For(time) => tokio::time::sleep(time).await,
        Wait::Forever => std::future::pending().await,
    }
    let response = ProduceResponse::default().with_responses(responses);
    (asked.acks != 0).then_some(response)
}

/// A request, as far as all its batches share it.
struct Asked<'a> {
    broker: &'a Broker,
    version: i16,
    acks: i16,
}

/// How long an answer is held back on purpose.
#[derive(Clone, Copy)]
enum Wait {
    Not,
    For(Duration),
    Forever,
}

impl Wait {
    fn and(self, fault: Option<ProduceFault>, timeout_ms: i32) -> Self {
        let also = match fault {
            Some(ProduceFault::Never) => return Self::Forever,
            Some(ProduceFault::Late(time)) => time,
            Some(ProduceFault::Unreplicated) => {
                Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0))
            }
            Some(ProduceFault::Refused(_)) | None => return self,
        };
        match self {
            Self::Not => Self::For(also),
            Self::For(time) => Self::For(time.max(also)),
            Self::Forever => Self::Forever,
        }
    }
}

impl Asked<'_> {
    fn answer(
        &self,
        topic: &TopicName,
        data: PartitionProduceData,
        fault: Option<ProduceFault>,
    ) -> PartitionProduceResponse {
        let index = data.index;
        let appended = match fault {
            Some(ProduceFault::Refused(error)) => Err(error.into()),
            Some(ProduceFault::Unreplicated) => {
                self.append(topic, data).and_then(|_| Err(ResponseError::RequestTimedOut.into()))
            }
            _ => self.append(topic, data),
        };
        let response = PartitionProduceResponse::default().with_index(index);
        match appended {
            Ok(appended) => response
                .with_base_offset(appended.base_offset)
                .with_log_append_time_ms(appended.append_time)
                .with_log_start_offset(appended.start),
            Err(refusal) => {
                tracing::debug!(topic = %topic.0, partition = index, error = %refusal.error, "a batch is refused");
                self.refuse(response, refusal)
            }
        }
    }

    fn refuse(
        &self,
        response: PartitionProduceResponse,
        refusal: Refusal,
    ) -> PartitionProduceResponse {
        let response = response
            .with_error_code(refusal.error.code())
            .with_base_offset(-1)
            .with_log_append_time_ms(-1)
            .with_log_start_offset(-1);
        if self.version < 8 {
            return response;
        }
        let record = |(at, message): (i32, String)| {
            BatchIndexAndErrorMessage::default()
                .with_batch_index(at)
                .with_batch_index_error_message(Some(StrBytes::from_string(message)))
        };
        response
            .with_error_message(refusal.message.map(StrBytes::from_string))
            .with_record_errors(refusal.records.into_iter().map(record).collect())
    }

    fn append(&self, name: &TopicName, data: PartitionProduceData) -> Result<Appended, Refusal> {
        let broker = self.broker;
        if !(-1..=1).contains(&self.acks) {
            return Err(ResponseError::InvalidRequiredAcks.into());
        }
        let records = data.records.ok_or(ResponseError::InvalidRecord)?;
        // Checked and copied while nobody else has to wait.
        let batch = Batch::from_producer(&records)?;
        let now = broker.now();
        let rules = {
            let mut core = broker.core();
            let core = &mut *core;
            if batch.header.is_transactional()
                && self.version >= transaction_version_2::PRODUCE
                && core.topics.has(name, data.index)
            {
                // A partition joins before anybody looks at what is to be written to it.
                let place = (name.as_str(), data.index);
                if let Some(id) = core.transactions.join(&batch.header, place, now)? {
                    core.note_transaction(&id);
                }
            }
            let topic = core.topics.get(name).filter(|_| core.topics.has(name, data.index));
            let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
            if records.len() as i64 > topic.number("max.message.bytes") {
                return Err(ResponseError::MessageTooLarge.into());
            }
            RecordRules::of(topic)
        };
        rules.check(&records, TopicPartition::new(name.as_str(), data.index), now)?;
        let stamp = (!rules.is_create_time()).then_some(now);
        let mut core = broker.core();
        let core = &mut *core;
        if batch.header.is_transactional() {
            core.transactions.check_write(&batch.header, name, data.index)?;
        }
        if broker.config.data_dir.is_none() {
            background::make_room(core, broker.config.memory_bytes_max, records.len() as u64)?;
        }
        Ok(core.topics.log(name, data.index)?.append(batch, stamp)?)
    }
}
