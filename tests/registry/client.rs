//! The client, against our registry and against servers that fail on purpose.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use millstream::registry::client::Login;
use millstream::registry::{
    Reference, RegistryClient, RegistryConfig, RegistryError, Schema, SchemaId, SchemaType, Subject,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::registry::Registry;

const USER: &str =
    r#"{"type":"record","name":"User","namespace":"n","fields":[{"name":"name","type":"string"}]}"#;
const ORDER: &str =
    r#"{"type":"record","name":"Order","namespace":"n","fields":[{"name":"user","type":"User"}]}"#;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("client: what is registered is found by id, version and text", found),
        trial("client: a schema comes with all that it uses", with_imports),
        trial("client: refusals are told with URL, status, code and words", refused),
        trial("client: an id is asked for once, however many ask", asked_once),
        trial("client: the next URL is asked where one is dead", fails_over),
        trial("client: what a moment may mend is tried again", tries_again),
        trial("client: it gives up in the end, and says where", gives_up),
        trial("client: it logs in", logs_in),
        trial("client: it trusts the certificates that it is told, and no others", trusts),
    ]
}

/// A test that waits.
pub(crate) fn trial<F: Future<Output = ()> + 'static>(name: &str, run: fn() -> F) -> Trial {
    Trial::test(name, move || -> Result<(), Failed> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(run());
        Ok(())
    })
}

/// A client that does not wait long.
fn client(urls: &str) -> RegistryClient {
    let config = RegistryConfig {
        backoff: Duration::from_millis(10),
        backoff_max: Duration::from_millis(20),
        ..RegistryConfig::new(urls).unwrap()
    };
    RegistryClient::new(config).unwrap()
}

fn avro(text: &str) -> Schema {
    Schema::new(SchemaType::Avro, text)
}

async fn found() {
    let registry = Registry::start().await;
    let client = client(&registry.url);
    let subject = Subject::new("a/b c");
    let id = client.register(&subject, &avro(USER)).await.unwrap();
    assert_eq!(client.known(id), None);
    assert_eq!(client.by_id(id).await.unwrap().text, USER);
    assert_eq!(client.known(id).unwrap().text, USER);
    let latest = client.latest(&subject).await.unwrap();
    assert_eq!((latest.id, latest.version, &latest.schema), (id, 1, &avro(USER)));
    assert_eq!(*client.version(&subject, 1).await.unwrap(), latest);
    assert_eq!(client.look_up(&subject, &avro(USER)).await.unwrap(), latest);
    assert_eq!(client.subjects().await.unwrap(), std::slice::from_ref(&subject));
    assert!(client.test(&subject, &avro(USER)).await.unwrap().is_compatible);
    let other = client.test(&subject, &avro("\"int\"")).await.unwrap();
    if registry.is_own() {
        assert!(!other.is_compatible && other.messages[0].contains("TYPE_MISMATCH"), "{other:?}");
    }
    client.delete(&subject).await.unwrap();
    assert!(client.latest(&subject).await.unwrap_err().is_not_found());
    assert_eq!(client.by_id(id).await.unwrap().text, USER);
    registry.stop().await;
}

async fn with_imports() {
    let registry = Registry::start().await;
    let first = client(&registry.url);
    let (user, order) = (Subject::new("user"), Subject::of_values("orders"));
    first.register(&user, &avro(USER)).await.unwrap();
    let reference = Reference { name: "n.User".into(), subject: user, version: 1 };
    let schema = Schema { references: vec![reference], ..avro(ORDER) };
    let id = first.register(&order, &schema).await.unwrap();
    let found = client(&registry.url).by_id(id).await.unwrap();
    assert_eq!(found.text, ORDER);
    let imports: Vec<_> =
        found.imports.iter().map(|import| (&*import.name, &*import.text)).collect();
    assert_eq!(imports, [("n.User", USER)]);
    registry.stop().await;
}

async fn refused() {
    let registry = Registry::start().await;
    let client = client(&registry.url);
    let error = client.by_id(SchemaId(7)).await.unwrap_err();
    let told = format!(
        "the schema registry at {}/schemas/ids/7 answers 404, error code 40403: ",
        registry.url
    );
    assert!(error.to_string().starts_with(&told), "{error}");
    assert!(error.is_not_found() && !error.is_retriable());
    let subject = Subject::new("s");
    client.register(&subject, &avro("\"int\"")).await.unwrap();
    let refused = client.register(&subject, &avro("\"string\"")).await;
    if registry.is_own() {
        // Apicurio takes anything unless it is told otherwise.
        let error = refused.unwrap_err();
        assert!(error.is_incompatible(), "{error}");
    }
    let error = client.register(&subject, &avro("nope")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Refused { code: Some(42201), .. }), "{error}");
    registry.stop().await;
}

/// A server that answers each connection's first request with the next of these, and remembers what was asked.
async fn server(answers: Vec<(u16, &'static str)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                if stream.read_buf(&mut request).await.unwrap() == 0 {
                    break;
                }
            }
            heard.lock().unwrap().push(String::from_utf8(request).unwrap());
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, asked)
}

const INT: (u16, &str) = (200, r#"{"schema":"\"int\""}"#);

async fn asked_once() {
    let (url, asked) = server(vec![INT]).await;
    let client = client(&url);
    let all: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.by_id(SchemaId(1)).await })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap().unwrap().text, "\"int\"");
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
}

/// A URL at which nobody listens.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn fails_over() {
    let (url, asked) = server(vec![INT, INT]).await;
    let client = client(&format!("{},{url}/base/", dead().await));
    assert_eq!(client.by_id(SchemaId(1)).await.unwrap().text, "\"int\"");
    assert_eq!(client.by_id(SchemaId(2)).await.unwrap().text, "\"int\"");
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with("GET /base/schemas/ids/1 HTTP/1.1\r\n"), "{asked:?}");
}

async fn tries_again() {
    let (url, asked) = server(vec![(500, "{}"), (503, "busy"), (429, ""), INT]).await;
    assert_eq!(client(&url).by_id(SchemaId(1)).await.unwrap().text, "\"int\"");
    assert_eq!(asked.lock().unwrap().len(), 4);
}

async fn gives_up() {
    let (one, other) = (dead().await, dead().await);
    let error = client(&format!("{one},{other}")).by_id(SchemaId(1)).await.unwrap_err();
    let RegistryError::Unreachable { url, cause } = &error else { panic!("{error}") };
    assert!(url.starts_with(&one) || url.starts_with(&other), "{error}");
    assert!(cause.contains("refused"), "{error}");
    let (url, asked) = server(vec![(502, "<html>bad gateway</html>"); 4]).await;
    let error = client(&url).by_id(SchemaId(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the schema registry at {url}/schemas/ids/1 answers 502: <html>bad gateway</html>")
    );
    assert_eq!(asked.lock().unwrap().len(), 4);
    let (url, asked) = server(vec![(200, "<html>hello</html>")]).await;
    let error = client(&url).by_id(SchemaId(1)).await.unwrap_err();
    assert!(matches!(error, RegistryError::Malformed { .. }), "{error}");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

async fn logs_in() {
    for (properties, header) in [
        (
            &[
                ("basic.auth.credentials.source", "USER_INFO"),
                ("basic.auth.user.info", "alice:secret"),
            ][..],
            "authorization: Basic YWxpY2U6c2VjcmV0\r\n",
        ),
        (
            &[("bearer.auth.credentials.source", "STATIC_TOKEN"), ("bearer.auth.token", "abc")],
            "authorization: Bearer abc\r\n",
        ),
    ] {
        let (url, asked) =
            server(vec![INT, (401, r#"{"error_code":401,"message":"Unauthorized"}"#)]).await;
        let mut all = BTreeMap::from([("ksql.schema.registry.url".to_owned(), url)]);
        all.extend(
            properties
                .iter()
                .map(|(name, value)| (format!("ksql.schema.registry.{name}"), (*value).to_owned())),
        );
        let config = RegistryConfig::from_properties(&all).unwrap().unwrap();
        let client = RegistryClient::new(config).unwrap();
        client.by_id(SchemaId(1)).await.unwrap();
        let error = client.by_id(SchemaId(2)).await.unwrap_err();
        assert!(error.is_forbidden() && !error.is_retriable(), "{error}");
        let asked = asked.lock().unwrap();
        assert!(asked.iter().all(|request| request.contains(header)), "{asked:?}");
    }
    // Our own registry lets in who presents what the broker asks for, and nobody else.
    let user = ("alice".to_owned(), "secret".to_owned());
    let registry = Registry::start_for(Some(user)).await;
    if registry.is_own() {
        let error = client(&registry.url).subjects().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        let login = Login::Basic { name: "alice".into(), password: "secret".into() };
        let config =
            RegistryConfig { login: Some(login), ..RegistryConfig::new(&registry.url).unwrap() };
        assert_eq!(RegistryClient::new(config).unwrap().subjects().await, Ok(Vec::new()));
    }
    registry.stop().await;
}

/// A server with the certificate of `tests/registry/tls`, which is for `localhost` and nobody vouches for.
async fn secure_server() -> String {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registry/tls");
    let certificate = CertificateDer::from_pem_file(files.join("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(files.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not trust us goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let (_, body) = INT;
            let head = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body.as_bytes()).await;
            let _ = stream.flush().await;
        }
    });
    format!("https://localhost:{port}")
}

async fn trusts() {
    let url = secure_server().await;
    let ask = async |url: &str, properties: &[(&str, &str)]| {
        let mut all = BTreeMap::from([
            ("ksql.schema.registry.url".to_owned(), url.to_owned()),
            ("ksql.schema.registry.max.retries".to_owned(), "0".to_owned()),
        ]);
        all.extend(properties.iter().map(|(name, value)| {
            (format!("ksql.schema.registry.ssl.{name}"), (*value).to_owned())
        }));
        let config = RegistryConfig::from_properties(&all)?.unwrap();
        RegistryClient::new(config)?.by_id(SchemaId(1)).await
    };
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/registry/tls/certificate.pem");
    let trust = ("truststore.location", certificate);
    assert_eq!(ask(&url, &[trust]).await.unwrap().text, "\"int\"");
    let error = ask(&url, &[]).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    // It is for a name, and the address has another one.
    let by_address = url.replace("localhost", "127.0.0.1");
    let error = ask(&by_address, &[trust]).await.unwrap_err();
    assert!(error.to_string().contains("not valid for name"), "{error}");
    let any_host = ("endpoint.identification.algorithm", "");
    assert_eq!(ask(&by_address, &[trust, any_host]).await.unwrap().text, "\"int\"");
    let error = ask(&url, &[("truststore.location", "nowhere.pem")]).await.unwrap_err();
    assert!(error.to_string().contains("nowhere.pem"), "{error}");
}
