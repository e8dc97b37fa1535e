//! A server that answers as ksqlDB does, made for these tests: a few sources, statements and queries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A part of an answer.
enum Chunk {
    Text(String),
    Pause(Duration),
    /// Waits until the client goes.
    Forever,
}

/// A running server, and what it was asked: path and body of each request.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, seen.clone()));
            }
        });
        Self { url, requests }
    }

    /// The bodies that came to a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<Value> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|(own, _)| own == path).map(|(_, body)| body.clone()).collect()
    }
}

/// Answers one request; the connection ends with it.
async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<(String, Value)>>>) -> Option<()> {
    let mut bytes = Vec::new();
    let (head, body_start) = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    while bytes.len() < body_start + length.unwrap_or(0) {
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
    let path = head.split(' ').nth(1)?.to_owned();
    let body: Value = serde_json::from_slice(&bytes[body_start..]).unwrap_or_default();
    seen.lock().unwrap().push((path.clone(), body.clone()));
    let is_known = !head.contains("uthorization") || head.contains("Basic YW5uOnNlY3JldA==");
    let (status, chunks) = if is_known { answer(&path, &body) } else { (401, Vec::new()) };
    let head =
        format!("HTTP/1.1 {status} X\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    for chunk in chunks {
        match chunk {
            Chunk::Text(text) => {
                let chunk = format!("{:x}\r\n{text}\r\n", text.len());
                stream.write_all(chunk.as_bytes()).await.ok()?;
            }
            Chunk::Pause(pause) => tokio::time::sleep(pause).await,
            Chunk::Forever => {
                let mut rest = [0];
                stream.read_exact(&mut rest).await.ok()?;
                return None;
            }
        }
    }
    stream.write_all(b"0\r\n\r\n").await.ok()
}

fn text(value: &Value) -> Vec<Chunk> {
    vec![Chunk::Text(value.to_string())]
}

fn error(status: u16, code: i64, message: &str) -> (u16, Vec<Chunk>) {
    let entity = json!({"@type": "statement_error", "error_code": code, "message": message,
        "statementText": "", "entities": []});
    (status, text(&entity))
}

fn answer(path: &str, body: &Value) -> (u16, Vec<Chunk>) {
    match path.split('?').next().unwrap_or_default() {
        "/v1/millstream/figures" => (200, text(&figures())),
        "/info" => (
            200,
            text(&json!({"KsqlServerInfo": {"version": "7.4.0", "kafkaClusterId": "c",
            "ksqlServiceId": "default_", "serverStatus": "RUNNING"}})),
        ),
        "/ksql" => statement(body["ksql"].as_str().unwrap_or_default()),
        "/query-stream" => query(body["sql"].as_str().unwrap_or_default()),
        "/query" => (
            200,
            vec![Chunk::Text(
                "Key format: KAFKA_STRING\nValue format: JSON or KAFKA_STRING\n\
             rowtime: 2024/01/01 00:00:00.000 Z, key: a, value: {\"N\":1}, partition: 0\n"
                    .into(),
            )],
        ),
        "/close-query" => (200, Vec::new()),
        _ => (404, Vec::new()),
    }
}

/// What a server of ours counts: one query that is behind, and one that fails.
fn figures() -> Value {
    let query = |id: &str, state: &str, read: i64, lag: i64| {
        json!({
            "id": id, "state": state, "cause": null, "lag": lag, "stored_rows": 0, "skipped": {}, "failures": 1,
            "over_time": { "read_per_second": [read], "written_per_second": [1] },
        })
    };
    let queries = [
        query("CTAS_DEVICE_ACTIVITY_COUNTS_1", "retrying", 100, 0),
        query("CSAS_LARGE_2", "running", 10, 7),
    ];
    json!({ "at": 1_700_000_000_000_i64, "server": "here:1", "busy_share": 0.1, "queries": queries, "topics": [] })
}

fn field(name: &str, ty: &str, is_key: bool) -> Value {
    let mut field =
        json!({"name": name, "schema": {"type": ty, "fields": null, "memberSchema": null}});
    if is_key {
        field["type"] = "KEY".into();
    }
    field
}

fn statement(sql: &str) -> (u16, Vec<Chunk>) {
    let fields = json!([field("DEVICE", "STRING", true), field("COUNT", "BIGINT", false)]);
    let entity = match sql {
        "SHOW STREAMS;" => {
            json!({"@type": "streams", "statementText": sql, "warnings": [], "streams": [
            {"type": "STREAM", "name": "READINGS", "topic": "readings", "keyFormat": "KAFKA",
             "valueFormat": "JSON", "isWindowed": false}]})
        }
        "SHOW TABLES;" => {
            json!({"@type": "tables", "statementText": sql, "warnings": [], "tables": [
            {"type": "TABLE", "name": "HITS", "topic": "hits", "keyFormat": "KAFKA",
             "valueFormat": "JSON", "isWindowed": false}]})
        }
        "SHOW FUNCTIONS;" => {
            json!({"@type": "function_names", "statementText": sql, "warnings": [],
            "functions": [{"name": "UCASE", "type": "SCALAR", "category": "STRING"}]})
        }
        "LIST PROPERTIES;" | "SHOW PROPERTIES;" => {
            json!({"@type": "properties", "statementText": sql, "warnings": [],
            "properties": [{"name": "auto.offset.reset", "scope": "KSQL", "value": "latest", "editable": true, "level": "QUERY"}]})
        }
        _ if sql.starts_with("EXPLAIN") => {
            json!({"@type": "queryDescription", "statementText": sql, "warnings": [],
            "queryDescription": {"id": "transient_HITS_1", "statementText": sql, "fields": fields,
            "sources": ["HITS"], "sinks": []}})
        }
        _ if sql.starts_with("DESCRIBE") => {
            let is_table = sql.to_uppercase().contains("HITS");
            let (name, ty) = if is_table { ("HITS", "TABLE") } else { ("READINGS", "STREAM") };
            json!({"@type": "sourceDescription", "statementText": sql, "warnings": [], "sourceDescription": {
                "name": name, "windowType": null, "readQueries": [], "writeQueries": [], "fields": fields,
                "type": ty, "topic": name.to_lowercase(), "keyFormat": "KAFKA", "valueFormat": "JSON"}})
        }
        _ if sql.starts_with("CREATE") => json!({"@type": "currentStatus", "statementText": sql,
            "commandId": "stream/`A`/create", "commandSequenceNumber": 7, "warnings": [],
            "commandStatus": {"status": "SUCCESS", "message": "Stream created", "queryId": null}}),
        _ if sql.starts_with("INSERT") => return (200, text(&json!([]))),
        _ => {
            return error(
                400,
                40_001,
                "line 1:6: Syntax Error\nSyntax error at or near 'TABELS' at line 1:6",
            );
        }
    };
    (200, text(&json!([entity])))
}

fn query(sql: &str) -> (u16, Vec<Chunk>) {
    let header = |schema: &str| {
        Chunk::Text(format!("[{}", json!({"header": {"queryId": "q_1", "schema": schema}})))
    };
    let row = |columns: Value| Chunk::Text(format!(",\n{}", json!({"row": {"columns": columns}})));
    let counts = "`DEVICE` STRING, `COUNT` BIGINT";
    match sql.replace('\n', " ").as_str() {
        "SELECT * FROM hits;" => (
            200,
            vec![
                header("`DEVICE` STRING KEY, `COUNT` BIGINT"),
                row(json!(["a", 1])),
                row(json!(["漢字", 22])),
                Chunk::Text("]".into()),
            ],
        ),
        _ if sql.contains("FROM hits EMIT") => (
            200,
            vec![
                header(counts),
                row(json!(["a", 1])),
                row(json!(["b", 5])),
                Chunk::Pause(Duration::from_millis(500)),
                row(json!(["a", 2])),
                Chunk::Forever,
            ],
        ),
        _ if sql.contains("FROM readings EMIT") => {
            (200, vec![header(counts), row(json!(["a", 1])), row(json!(["a", 2])), Chunk::Forever])
        }
        _ if sql.contains("FROM broken") => (
            200,
            vec![
                header(counts),
                row(json!(["a", 1])),
                Chunk::Text(format!(
                    ",\n{}",
                    json!({"errorMessage": {"@type": "generic_error",
                "error_code": 50_000, "message": "the query has died"}})
                )),
            ],
        ),
        _ => error(400, 40_001, "Line: 1, Col: 8: SELECT column 'NOPE' cannot be resolved."),
    }
}
