//! The page that browsers are shown, and what other clients get in its place.

use millstream::engine::host::Host;
use millstream::server::{Server, ServerOptions};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use std::sync::Arc;

use crate::world::{World, client};

/// What a browser accepts that goes to an address.
const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

/// An answer: its status, its headers, its body.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks as a client that goes to where it is sent by hand.
async fn ask(method: Method, url: &str, headers: &[(&str, &str)]) -> Answer {
    let _ = client();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut request = client.request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, body: answer.text().await.unwrap_or_default() }
}

async fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    ask(Method::GET, url, headers).await
}

/// The files that a page names.
fn named(page: &str) -> Vec<String> {
    let places = page.split('"').filter(|part| part.starts_with("/page/"));
    places.map(str::to_owned).collect()
}

#[tokio::test]
async fn browsers_are_shown_a_page_and_clients_go_on_to_info() {
    let world = World::new().await;
    let ksql = world.server().await;
    let url = format!("{}/", ksql.url());
    let page = get(&url, &[("accept", BROWSER)]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.body.contains("<title>Millstream</title>"), "{}", page.body);
    for accept in ["*/*", "application/json", "application/vnd.ksql.v1+json", "text/html;q=0"] {
        let other = get(&url, &[("accept", accept)]).await;
        assert_eq!((other.status, other.header("location")), (307, "/info"), "{accept}");
        assert_eq!((other.body.as_str(), other.header("content-security-policy")), ("", ""));
    }
    let unnamed = get(&url, &[]).await;
    assert_eq!((unnamed.status, unnamed.header("location")), (307, "/info"));
    let head = ask(Method::HEAD, &url, &[("accept", BROWSER)]).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), page.body.len().to_string());
    let posted = ask(Method::POST, &url, &[("accept", BROWSER)]).await;
    assert_eq!(posted.status, 405);
    ksql.stop().await;
}

#[tokio::test]
async fn what_a_page_is_made_of_is_kept_by_browsers_and_the_page_itself_is_asked_for_again() {
    let world = World::new().await;
    let ksql = world.server().await;
    let url = ksql.url();
    let page = get(&format!("{url}/"), &[("accept", BROWSER)]).await;
    assert_eq!(page.header("cache-control"), "no-cache");
    let files = named(&page.body);
    assert_eq!(files.len(), 3, "script, style and icon: {}", page.body);
    for path in &files {
        let file = get(&format!("{url}{path}"), &[]).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("cache-control").contains("immutable"), "{path}");
        assert!(!file.header("content-type").starts_with("application/octet-stream"), "{path}");
        let tag = file.header("etag");
        for known in [tag, &format!("\"other\", {tag}"), "*"] {
            let again = get(&format!("{url}{path}"), &[("if-none-match", known)]).await;
            assert_eq!((again.status, again.body.as_str()), (304, ""), "{known}");
            assert_eq!(again.header("etag"), tag);
        }
        let other = get(&format!("{url}{path}"), &[("if-none-match", "W/\"other\"")]).await;
        assert_eq!((other.status, &other.body), (200, &file.body));
        let small = get(&format!("{url}{path}"), &[("accept-encoding", "br, gzip")]).await;
        assert_eq!(small.header("content-encoding"), "gzip");
        let plain = get(&format!("{url}{path}"), &[("accept-encoding", "gzip;q=0")]).await;
        assert_eq!((plain.header("content-encoding"), &plain.body), ("", &file.body));
    }
    for path in ["/page/nothing.js", "/page/", "/page/..%2Findex.html", "/page/a/b"] {
        assert_eq!(get(&format!("{url}{path}"), &[]).await.status, 404, "{path}");
    }
    ksql.stop().await;
}

#[tokio::test]
async fn the_page_asks_its_own_server_alone_and_nobody_frames_it() {
    let world = World::new().await;
    let ksql = world.server().await;
    let url = ksql.url();
    let page = get(&format!("{url}/"), &[("accept", BROWSER)]).await;
    let mut answers = vec![];
    for path in named(&page.body) {
        answers.push(get(&format!("{url}{path}"), &[]).await);
    }
    answers.push(page);
    for answer in answers {
        let policy = answer.header("content-security-policy");
        for part in policy.split(';').map(str::trim) {
            let (_, sources) = part.split_once(' ').unwrap();
            assert!(["'none'", "'self'"].contains(&sources), "{policy}");
        }
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    let foreign = [("accept", BROWSER), ("origin", "http://evil.example")];
    assert_eq!(get(&format!("{url}/"), &foreign).await.status, 403);
    let rebound = [("accept", BROWSER), ("host", "evil.example")];
    assert_eq!(get(&format!("{url}/"), &rebound).await.status, 403);
    ksql.stop().await;
}

#[tokio::test]
async fn browsers_are_asked_who_uses_them_where_clients_are() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "ann: secret, admin\n").unwrap();
    let properties = [
        ("authentication.method", "BASIC"),
        ("authentication.password.file", users.to_str().unwrap()),
        ("authentication.roles", "admin"),
    ];
    let ksql = world.server_with(&properties).await;
    let url = ksql.url();
    for path in ["/", "/page/index.html"] {
        let refused = get(&format!("{url}{path}"), &[("accept", BROWSER)]).await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.header("www-authenticate").starts_with("Basic realm="));
        // ann:secret
        let named = [("accept", BROWSER), ("authorization", "Basic YW5uOnNlY3JldA==")];
        assert_eq!(get(&format!("{url}{path}"), &named).await.status, 200, "{path}");
    }
    ksql.stop().await;
}

#[tokio::test]
async fn a_page_that_is_opened_early_can_tell_what_the_server_waits_for() {
    let world = World::new().await;
    let (services, options) = world.options(&[]);
    let address = ServerOptions::new("127.0.0.1:0".parse().unwrap());
    let waiting = Server::wait(&options.properties, address).await.unwrap();
    let url = format!("http://{}", waiting.address());
    let page = get(&format!("{url}/"), &[("accept", BROWSER)]).await;
    assert_eq!(page.status, 200);
    for path in named(&page.body) {
        assert_eq!(get(&format!("{url}{path}"), &[]).await.status, 200, "{path}");
    }
    assert_eq!(get(&format!("{url}/"), &[]).await.status, 503);
    assert_eq!(get(&format!("{url}/info"), &[("accept", BROWSER)]).await.status, 503);
    let host = Arc::new(Host::start(services, options).await.unwrap());
    waiting.open(host).stop().await;
}
