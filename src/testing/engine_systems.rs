//! Engines for cases: one for each.

use super::case::Case;
use super::engine_script;
use super::engine_system::EngineSystem;
use super::{Failure, Properties, System, Systems};

/// Starts engines without a broker.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineSystems;

impl Systems for EngineSystems {
    fn start(&self, properties: &Properties) -> Result<Box<dyn System>, Failure> {
        Ok(Box::new(EngineSystem::start(properties)))
    }

    fn run_script(&self, case: &Case) -> Result<(), Failure> {
        let mut system = EngineSystem::start(&case.properties);
        system.takes_assertions = true;
        engine_script::run(&mut system, case)
    }
}
