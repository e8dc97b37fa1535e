//! `POST /query` and `POST /query-stream`: the rows of a `SELECT`, the records of a `PRINT`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};

use super::api::rows::Framing;
use super::body::without_type;
use super::elsewhere::Question;
use super::negotiate::{Form, form};
use super::shared::Shared;
use super::{body, streamed};
use crate::engine::host::{Asked, HostError, NoTopic, Request, RowMessages};

/// `POST /query`.
pub(super) async fn query(
    State(shared): State<Arc<Shared>>,
    version: Version,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let Some(form) = form(&headers, Form::V1) else { return not_acceptable() };
    // What others call JSON is here what it was before there was another form.
    let framing = match form {
        Form::Delimited => Framing::Lines,
        Form::V1 | Form::Json => Framing::Objects,
        Form::Protobuf => return not_acceptable(),
    };
    if let Some(refusal) = body::form_refusal(&headers) {
        return refusal;
    }
    let object = body::object(&bytes, body::KSQL.class);
    match object.map(|object| body::request(&object, &body::KSQL)) {
        Ok(request) if request.text.is_empty() => {
            body::generic(40000, "\"ksql\" field must be populated")
        }
        Ok(request) => {
            let question = Question { path: "/query", version, headers: &headers, body: &bytes };
            answer(&shared, (question, &request), framing, Path::Query).await
        }
        Err(error) => body::unread(&error),
    }
}

/// `POST /query-stream`.
pub(super) async fn query_stream(
    State(shared): State<Arc<Shared>>,
    version: Version,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let Some(form) = form(&headers, Form::Delimited) else { return not_acceptable() };
    let framing = match form {
        Form::Delimited => Framing::Lines,
        Form::Json => Framing::Array,
        Form::V1 | Form::Protobuf => Framing::Objects,
    };
    if let Some(refusal) = body::form_refusal(&headers) {
        return refusal;
    }
    let object = match body::object(&bytes, body::SQL.class) {
        Ok(object) => object,
        Err(error) => return body::unread(&error),
    };
    if let Err(error) = body::required(&object, (body::SQL.class, "sql"), &bytes) {
        return body::unread(&error);
    }
    let request = body::request(&object, &body::SQL);
    let gives_messages = form == Form::Protobuf;
    let question = Question { path: "/query-stream", version, headers: &headers, body: &bytes };
    answer(&shared, (question, &request), framing, Path::QueryStream { gives_messages }).await
}

/// `POST /close-query`.
pub(super) async fn close(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Response {
    const CLASS: &str = "CloseQueryArgs";
    let id = body::object(&bytes, CLASS).and_then(|object| {
        let id = body::required(&object, (CLASS, "queryId"), &bytes)?;
        Ok(id.as_str().unwrap_or_default().to_owned())
    });
    let id = match id {
        Ok(id) => id,
        Err(error) => return body::unread(&error),
    };
    if shared.queries.close(&id) {
        return StatusCode::OK.into_response();
    }
    without_type(body::generic(40000, format!("No query with id {id}")))
}

fn not_acceptable() -> Response {
    StatusCode::NOT_ACCEPTABLE.into_response()
}

/// Which of the two paths of queries was asked.
#[derive(Clone, Copy, Debug)]
enum Path {
    /// `/query`.
    Query,
    /// `/query-stream`, whose rows may be Protobuf messages.
    QueryStream { gives_messages: bool },
}

/// Why there are no rows. ksqlDB names the type of an answer to the older path alone, and there to what it cannot read;
/// and tells what it cannot read with the statement.
fn refuse(headers: &HeaderMap, mut error: HostError, framing: Framing, path: Path) -> Response {
    let is_older = matches!(path, Path::Query);
    let at = error.unread_at.take();
    if let (Some(at), Some(statement)) = (&at, &error.statement) {
        error.message.push_str("\nStatement: ");
        error.message.push_str(statement);
        if is_older {
            error.message.push_str("\nCaused by: ");
            error.message.push_str(at);
            error.message.push_str(": Syntax error at ");
            error.message.push_str(at);
        }
    }
    let is_unresolved = error.message.starts_with("Exception while preparing statement");
    let says_type = at.is_some() || (is_unresolved && framing == Framing::Objects);
    let response = body::error_for(headers, &error);
    if is_older && says_type { response } else { without_type(response) }
}

/// Starts what was asked for; its rows come as they are made.
async fn answer(
    shared: &Arc<Shared>,
    (question, request): (Question<'_>, &Request),
    framing: Framing,
    path: Path,
) -> Response {
    let Question { version, headers, .. } = question;
    match (shared.host.ask(request).await, path) {
        (Ok(Asked::Query(reading)), Path::QueryStream { gives_messages: true }) => {
            match RowMessages::of(&reading.columns) {
                Ok(messages) => {
                    streamed::rows(shared, *reading, (framing, version), Some(messages)).await
                }
                Err(error) => refuse(headers, error, framing, path),
            }
        }
        (Ok(Asked::Query(reading)), _) => {
            streamed::rows(shared, *reading, (framing, version), None).await
        }
        (Ok(Asked::Print(_) | Asked::NoTopic(_)), Path::Query) if version >= Version::HTTP_2 => {
            StatusCode::METHOD_NOT_ALLOWED.into_response()
        }
        (Ok(Asked::Print(printing)), Path::Query) => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            (json, streamed::records(*printing, true)).into_response()
        }
        (Ok(Asked::Print(printing)), Path::QueryStream { .. }) => {
            streamed::records(*printing, false)
        }
        (Ok(Asked::NoTopic(topic)), Path::Query) => body::generic(40000, not_found(&topic)),
        (Ok(Asked::NoTopic(topic)), Path::QueryStream { .. }) => {
            without_type(body::generic(40001, format!("Topic does not exist: {}", topic.name)))
        }
        (Ok(Asked::Other(class)), Path::Query) => {
            let class = format!("io.confluent.ksql.parser.tree.{class}");
            let message = format!("Statement type `{class}' not supported for this resource");
            body::generic(40000, message)
        }
        (Ok(Asked::Other(_)), Path::QueryStream { .. }) => {
            without_type(body::generic(40001, "Neither a query nor a print statement"))
        }
        (Err(error), path) => {
            let properties = shared.host.properties();
            match shared.elsewhere.ask(properties, &error, question).await {
                Some(Ok(response)) => response,
                asked => {
                    let error = asked.and_then(Result::err).unwrap_or(error);
                    refuse(headers, error, framing, path)
                }
            }
        }
    }
}

/// There is no such topic; those are named that are called so but for their case.
fn not_found(topic: &NoTopic) -> String {
    let NoTopic { name, alike } = topic;
    let mut message = format!(
        "Could not find topic '{name}', or the KSQL user does not have permissions to list the topic. Topic \
         names are case-sensitive."
    );
    if !alike.is_empty() {
        let alike: Vec<_> = alike.iter().map(|name| format!("\tprint {name};")).collect();
        message.push_str("\nDid you mean:\n");
        message.push_str(&alike.join("\n"));
    }
    message
}
