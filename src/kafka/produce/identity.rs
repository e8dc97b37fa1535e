//! Who a producer is: an id and an epoch that a broker gives out.
use std::time::Duration;

use kafka_protocol::messages::{InitProducerIdRequest, ProducerId, TransactionalId};

use super::batch::Identity;
use super::queue::Queue;
use super::state::Shared;
use crate::kafka::api::Api;
use crate::kafka::cluster::{Route, text};
use crate::kafka::error::KafkaError;

/// Asks for a producer id, or for the next epoch of the one that `present` names.
pub(super) async fn init_producer(
    shared: &Shared,
    present: Identity,
) -> Result<Identity, KafkaError> {
    let timeout = shared.options.transaction_timeout;
    let timeout = timeout.unwrap_or(shared.cluster.config().transaction_timeout).as_millis();
    let transactional_id = shared.options.transactional_id.as_deref();
    let mut request = InitProducerIdRequest::default()
        .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
        .with_transaction_timeout_ms(i32::try_from(timeout).unwrap_or(i32::MAX));
    if present != Identity::NONE {
        request = request
            .with_producer_id(ProducerId(present.producer_id))
            .with_producer_epoch(present.epoch);
    }
    let target = transactional_id.unwrap_or("the producer");
    let check = |response: &kafka_protocol::messages::InitProducerIdResponse| {
        KafkaError::check(InitProducerIdRequest::NAME, target, response.error_code)
    };
    let response = if let Some(coordinator) = &shared.coordinator {
        coordinator.call(&request, check).await?
    } else {
        let at_once = shared.cluster.with_patience(Duration::ZERO);
        at_once.call(Route::Any, &request, check).await?
    };
    Ok(Identity { producer_id: response.producer_id.0, epoch: response.producer_epoch })
}

impl Shared {
    /// Whether something is to be written that nobody can number.
    ///
    /// A transactional producer gets its identity when its caller asks for it.
    pub(super) fn lacks_identity(&self) -> bool {
        let mut state = self.lock();
        let has_work = |queue: &mut Queue| !queue.waiting.is_empty();
        !self.is_transactional() && state.identity.is_none() && state.all_queues().any(has_work)
    }

    /// Goes on as `identity`; in transactions, where nothing is in flight, everywhere and from the first number on.
    pub(super) fn set_identity(&self, identity: Identity) {
        let mut state = self.lock();
        state.identity = Some(identity);
        if self.is_transactional() {
            for queue in state.all_queues() {
                queue.numbers.begin(identity, &mut queue.waiting);
            }
        }
        drop(state);
        self.wake();
    }
}
