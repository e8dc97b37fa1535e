//! The engine as the runners see it.

use super::{Failure, Properties, System, Systems};

/// Starts engines without a broker.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineSystems;

impl Systems for EngineSystems {
    fn start(&self, _: &Properties) -> Result<Box<dyn System>, Failure> {
        Err(Failure::unsupported("running statements"))
    }
}
