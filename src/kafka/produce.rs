//! x
#[derive(Debug, Clone, PartialEq, Eq)]
/// x
pub struct DeliveryFailure {}
