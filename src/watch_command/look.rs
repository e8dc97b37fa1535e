//! What a server counts, asked for again and again.

use std::time::Duration;

use millstream::cli::client::Client;
use serde_json::Value;

/// How far back points are asked for, before the last look.
const BACK_MS: i64 = 6_000;

/// How long a server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Looks at a server, again and again.
pub(super) struct Look {
    client: Client,
    since_ms: Option<i64>,
}

impl Look {
    /// Has not looked yet.
    pub(super) fn new(client: Client) -> Self {
        Self { client, since_ms: None }
    }

    /// What is counted now, with the points since a little before the last look.
    pub(super) async fn figures(&mut self) -> anyhow::Result<Value> {
        let figures = tokio::time::timeout(ANSWER_WITHIN, self.client.figures(self.since_ms)).await;
        let no_answer =
            |_| anyhow::anyhow!("{}: no answer within {ANSWER_WITHIN:?}", self.client.url());
        let mut figures = figures.map_err(no_answer)??;
        // Who asks knows it by this name.
        figures["server"] = self.client.url().trim_start_matches("http://").into();
        self.since_ms = figures["at"].as_i64().map(|at_ms| at_ms - BACK_MS);
        Ok(figures)
    }
}
