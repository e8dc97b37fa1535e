//! What starts engines for the runners.

use super::case::Case;
use super::failure::Failure;
use super::system::{Properties, System};

/// Starts a fresh engine for each case.
pub trait Systems {
    /// An engine in which nothing exists yet.
    fn start(&self, properties: &Properties) -> Result<Box<dyn System>, Failure>;

    /// Runs a `.sql` case to its end; why it fails, if it does.
    fn run_script(&self, case: &Case) -> Result<(), Failure> {
        let _ = case;
        Err(Failure::unsupported("running scripts"))
    }
}
