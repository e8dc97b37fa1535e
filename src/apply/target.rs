//! The server that files are applied to: one behind its REST, or one in this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::error::ApplyError;
use super::there::There;
use crate::cli::client::Client;
use crate::cli::refusal::Refusal;
use crate::cli::session::Session;
use crate::engine::host::{Host, HostError, Request};
use crate::server::api::{entities, errors};

/// How often a server is asked whether it has done what it took.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How often at most.
const ASKED_MAX: usize = 480;

/// A server that files are applied to.
pub enum Target {
    /// One that is asked by REST, which may be a ksqlDB.
    Rest(Client),
    /// One in this process.
    Here(Arc<Host>),
}

impl Target {
    /// What the server says is there.
    pub async fn look(&self) -> Result<There, ApplyError> {
        let answers = self.run(There::ASKED, &BTreeMap::new()).await?;
        There::of(&answers).map_err(ApplyError::Answer)
    }

    /// Runs statements as one batch, and waits until the server has done what they say.
    pub async fn carry_out(
        &self,
        statements: &str,
        properties: &BTreeMap<String, String>,
    ) -> Result<(), ApplyError> {
        for answer in self.run(statements, properties).await? {
            let Some(command) = answer["commandId"].as_str() else { continue };
            self.wait_for(command, &answer).await?;
        }
        Ok(())
    }

    /// Waits until a command is done.
    async fn wait_for(&self, command: &str, answer: &Value) -> Result<(), ApplyError> {
        let failed = |message: String| ApplyError::Failed {
            statement: answer["statementText"].as_str().unwrap_or(command).to_owned(),
            message,
        };
        let mut status = answer["commandStatus"].clone();
        for _ in 0..ASKED_MAX {
            match status["status"].as_str() {
                Some("SUCCESS") => return Ok(()),
                Some("ERROR" | "TERMINATED") => {
                    return Err(failed(status["message"].as_str().unwrap_or_default().to_owned()));
                }
                _ => {}
            }
            tokio::time::sleep(ASK_AGAIN).await;
            status = self.status(command).await?;
        }
        Err(failed("the server has taken it, and does not come to it".to_owned()))
    }

    async fn run(
        &self,
        statements: &str,
        properties: &BTreeMap<String, String>,
    ) -> Result<Vec<Value>, Refusal> {
        match self {
            Self::Rest(client) => {
                let mut session = Session { properties: properties.clone(), ..Session::default() };
                client.statement(statements, &mut session).await
            }
            Self::Here(host) => {
                let request = Request {
                    text: statements.to_owned(),
                    properties: properties.clone(),
                    ..Request::default()
                };
                let answers = host.run(&request).await.map_err(|error| refusal(&error))?;
                Ok(answers.iter().map(entities::render).collect())
            }
        }
    }

    async fn status(&self, command: &str) -> Result<Value, Refusal> {
        match self {
            Self::Rest(client) => client.status(command).await,
            Self::Here(host) => Ok(host
                .command_status(command)
                .map_or(Value::Null, |status| entities::command_status(&status))),
        }
    }
}

fn refusal(error: &HostError) -> Refusal {
    let (_, told) = errors::render(error);
    Refusal::of_object(&told).unwrap_or_else(|| Refusal::Shell(error.message.clone()))
}
