//! How the records of a case's topics are laid out, for whoever runs its statements somewhere else.

use super::case::{Case, CaseRecord};
use super::check::check_record;
use super::encode;
use super::engine_system::EngineSystem;
use super::failure::Failure;
use super::run::{create_topics, topics_of};
use super::system::{Record, System};
use super::topic_spec::TopicSpec;
use crate::registry::{Schema, SchemaId, Subject};

/// An engine that knows the sources of a case, and by them how records of their topics are laid out.
pub struct Layouts {
    system: EngineSystem,
}

impl Layouts {
    /// Makes the topics of a case, with their schemas; none of its statements is run.
    pub fn new(case: &Case) -> Result<Self, Failure> {
        let mut system = EngineSystem::start(&case.properties);
        system.engine = system.engine.with_clients();
        create_topics(&mut system, case)?;
        Ok(Self { system })
    }

    /// The topics of a case, with their partitions where these are given.
    pub fn topics(&self, case: &Case) -> Vec<TopicSpec> {
        topics_of(&self.system, case)
    }

    /// The schemas that are registered so far, in the order of their ids.
    pub fn schemas(&self) -> Vec<(Subject, SchemaId, Schema)> {
        self.system.registry.all()
    }

    /// Runs statements.
    pub fn execute(&mut self, statements: &str) -> Result<(), Failure> {
        self.system.execute(statements).map(|_| ())
    }

    /// The topics that each query reads, in the order in which the queries were made.
    pub fn query_topics(&self) -> Vec<Vec<String>> {
        self.system.queries().iter().map(|query| self.system.query_topics(query)).collect()
    }

    /// Lays out a record as a source over its topic has it.
    pub fn encode(&self, record: &CaseRecord) -> Result<Record, Failure> {
        let source = self.system.source_on(&record.topic);
        encode::record(&self.system, source.as_ref(), record)
    }

    /// Says how a record differs from one that the case expects.
    pub fn check(&self, case: &Case, expected: &CaseRecord, actual: &Record) -> Result<(), String> {
        check_record(&self.system, case, expected, actual)
    }
}
