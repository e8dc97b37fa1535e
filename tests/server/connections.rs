//! Connections, as clients make them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{Ksql, World};

/// Where a file beside the tests is.
macro_rules! file {
    ($name:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/registry/tls/", $name)
    };
}

pub(crate) async fn connect(ksql: &Ksql) -> TcpStream {
    let address = ksql.url().replace("http://", "");
    TcpStream::connect(address).await.unwrap()
}

/// Reads until a text has come.
pub(crate) async fn read_until(stream: &mut TcpStream, wanted: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reading = async {
        let mut buffer = [0; 4096];
        while !bytes.windows(wanted.len()).any(|window| window == wanted) {
            let length = stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "it ended after {:?}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&buffer[..length]);
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_goes_over_to_http_2() {
    let world = World::new().await;
    let ksql = world.server().await;
    let mut stream = connect(&ksql).await;
    let body = "{\"target\":\"NOPE\"}\n";
    let request = format!(
        "POST /inserts-stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n\
         Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut stream, b"\r\n\r\n").await;
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    // The preface and a frame of no settings; a refusal is the answer, of the path that HTTP/1.1 has not.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    read_until(&mut stream, b"Cannot insert values into an unknown stream/table: `NOPE`").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_ends_its_own_connection_alone() {
    let world = World::new().await;
    let ksql = world.server().await;
    let mut garbage = connect(&ksql).await;
    garbage.write_all(b"\0\x01garbage\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let read = garbage.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    // One that says nothing keeps nobody waiting.
    let _silent = connect(&ksql).await;
    assert_eq!(ksql.get("/chc/live").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_say_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, "ann: secret, admin\nbob: secret, guest\n").unwrap();
    let world = World::new().await;
    let properties = [
        ("authentication.method", "BASIC"),
        ("authentication.password.file", file.to_str().unwrap()),
        ("authentication.roles", "admin"),
        ("authentication.realm", "devices"),
        ("authentication.skip.paths", "/chc/*"),
    ];
    let ksql = world.server_with(&properties).await;
    let client = reqwest::Client::new();
    let ask = async |path: &str, login: Option<(&str, &str)>| {
        let request = client.get(format!("{}{path}", ksql.url()));
        let request = match login {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        };
        request.send().await.unwrap()
    };
    let unknown = ask("/info", None).await;
    assert_eq!(unknown.status(), 401);
    assert_eq!(unknown.headers()["www-authenticate"], "Basic realm=\"devices\"");
    let told = unknown.text().await.unwrap();
    assert_eq!(told, r#"{"@type":"generic_error","error_code":40100,"message":"Unauthorized"}"#);
    assert_eq!(ask("/info", Some(("ann", "wrong"))).await.status(), 401);
    assert_eq!(ask("/info", Some(("bob", "secret"))).await.status(), 403);
    assert_eq!(ask("/info", Some(("ann", "secret"))).await.status(), 200);
    assert_eq!(ask("/chc/live", None).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_encrypted_and_clients_have_certificates() {
    let world = World::new().await;
    let properties = [
        ("ssl.keystore.location", file!("certificate.pem")),
        ("ssl.key.location", file!("key.pem")),
        ("ssl.truststore.location", file!("certificate.pem")),
    ];
    let certificate = std::fs::read(file!("certificate.pem")).unwrap();
    let key = std::fs::read(file!("key.pem")).unwrap();
    let client = |has_identity: bool| {
        let authority = reqwest::Certificate::from_pem(&certificate).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([authority]);
        let identity = [certificate.as_slice(), key.as_slice()].concat();
        let client = if has_identity {
            client.identity(reqwest::Identity::from_pem(&identity).unwrap())
        } else {
            client
        };
        client.build().unwrap()
    };
    let ksql = world.server_with(&properties).await;
    let url = format!("{}/info", ksql.url().replace("127.0.0.1", "localhost"));
    let response = client(false).get(&url).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, reqwest::Version::HTTP_2));
    ksql.stop().await;
    let required = [&properties[..], &[("ssl.client.authentication", "REQUIRED")]].concat();
    let ksql = world.server_with(&required).await;
    let url = format!("{}/info", ksql.url().replace("127.0.0.1", "localhost"));
    assert!(client(false).get(&url).send().await.is_err());
    assert_eq!(client(true).get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_allowed_origins_ask_first() {
    let world = World::new().await;
    let origin = "http://dashboard.example";
    let properties = [("access.control.allow.origin", origin)];
    let ksql = world.server_with(&properties).await;
    let ask = async |origin: &str| {
        let url = format!("{}/ksql", ksql.url());
        let request = reqwest::Client::new().request(reqwest::Method::OPTIONS, url);
        let request = request.header("origin", origin);
        request.header("access-control-request-method", "POST").send().await.unwrap()
    };
    let allowed = ask(origin).await;
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-origin"], origin);
    assert_eq!(allowed.headers()["access-control-allow-methods"], "GET,POST,HEAD");
    assert_eq!(ask("http://evil.example").await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_beyond_the_limit_wait_until_others_have_gone() {
    let world = World::new().await;
    let ksql = world.server_with(&[("ksql.server.max.connections", "1")]).await;
    let first = connect(&ksql).await;
    let mut second = connect(&ksql).await;
    second.write_all(b"GET /chc/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(300), second.read_u8()).await;
    assert!(early.is_err(), "it was answered");
    drop(first);
    read_until(&mut second, b"HTTP/1.1 200 OK").await;
}
