//! The peer: an axum handler that parses the bodies of queries, and answers what a row would be.

use std::collections::BTreeMap;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;

/// A query, as it is asked.
#[derive(serde::Deserialize)]
struct Query {
    sql: String,
    properties: BTreeMap<String, serde_json::Value>,
}

/// Serves until it is killed.
pub(crate) async fn serve(address: &str) -> Result<()> {
    let handler = async |body: Bytes| match serde_json::from_slice::<Query>(&body) {
        Ok(Query { sql, properties }) => {
            (StatusCode::OK, format!("[\"{}\",{}]\n", sql.len(), properties.len()))
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    };
    let router = Router::new().route("/query-stream", post(handler));
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, router).await?)
}
