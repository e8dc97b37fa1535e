//! `GET /v1/millstream/language`: the language as it is here, as JSON: what `SHOW FUNCTIONS`, `DESCRIBE FUNCTION` and the parser go
//! by, in one answer, for a reference or an editor.
//!
//! ```json
//! { "functions": [ { "name": "INSTR", "kind": "SCALAR", "category": "STRING",
//!                    "overloads": [ { "call": "INSTR(VARCHAR value, VARCHAR part)", "returns": "INT",
//!                                     "summary": "Finds …", "examples": [ [ "INSTR('stream', 'ea')", "4" ] ] } ] } ],
//!   "elsewhere": [ [ "LOWER", "LCASE" ] ],
//!   "statements": [ "SELECT", "CREATE" ],
//!   "words": [ { "word": "ADVANCE", "is_reserved": false } ],
//!   "formats": [ "JSON", "AVRO" ],
//!   "options": [ { "statement": "CREATE … AS SELECT", "names": [ "KAFKA_TOPIC" ] } ] }
//! ```
//! `elsewhere` has names of functions in other systems and what they are here. A name that is a reserved word needs quotes. Of
//! an aggregate, an example has the arguments of successive rows with `;` between them, and the result.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::body;
use super::shared::Shared;
use crate::engine::host::{FunctionReference, Language, OverloadReference};

/// `GET /v1/millstream/language`.
pub(super) async fn language(State(shared): State<Arc<Shared>>) -> Response {
    let Language { functions, elsewhere, statements, words, formats, options } =
        shared.host.language();
    let words =
        words.iter().map(|(word, is_reserved)| json!({ "word": word, "is_reserved": is_reserved }));
    let options =
        options.iter().map(|(statement, names)| json!({ "statement": statement, "names": names }));
    body::json(&json!({
        "functions": functions.iter().map(function).collect::<Vec<Value>>(),
        "elsewhere": elsewhere,
        "statements": statements,
        "words": words.collect::<Vec<Value>>(),
        "formats": formats,
        "options": options.collect::<Vec<Value>>(),
    }))
    .into_response()
}

fn function(function: &FunctionReference) -> Value {
    let FunctionReference { name, kind, category, overloads } = function;
    let overloads = overloads.iter().map(|overload| {
        let OverloadReference { call, returns, summary, examples } = overload;
        json!({ "call": call, "returns": returns, "summary": summary, "examples": examples })
    });
    let overloads: Vec<Value> = overloads.collect();
    json!({ "name": name, "kind": kind, "category": category, "overloads": overloads })
}
