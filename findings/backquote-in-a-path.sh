#!/bin/sh
# A path with a backquote, as ids of ksqlDB's commands have it: what PyPI's httpx sends, Rust's hyper does not take.
#
# Versions:  PyPI httpx 0.27.2 and 0.28.1; crates hyper 1.7.0, hyper-util 0.1.17, http 1.3.1,
#            tokio 1.48.0; the http module of Node
# Guess:     httpx writes a backquote as %60, which RFC 3986 asks for and which it does with a space; and if it did not, hyper,
#            whose parser of requests (httparse) takes any printable letter of ASCII in a target, would hand it on as it is.
# Seen:      httpx 0.27.2, which clients of ksqlDB are bound to, sends the backquote as it is; 0.28.1 does not. hyper
#            answers 400 with an empty body then, and no handler hears of the request. Node's server takes it, and so does ksqlDB's.
# So:        a server in Rust that stands where one in Java stood has to write %60 before hyper sees the request.
set -eu
directory=$(mktemp -d)
trap 'kill "$node" 2> /dev/null || true; kill "$hyper" 2> /dev/null || true; rm -rf "$directory"' EXIT
node='' hyper=''
cd "$directory"
for version in 0.27.2 0.28.1; do
    python3 -m venv "python-$version" > /dev/null
    "python-$version/bin/pip" install --quiet --disable-pip-version-check "httpx==$version"
done
mkdir -p server/src
cat > server/Cargo.toml <<'TOML'
[package]
name = "server"
version = "0.1.0"
edition = "2021"

[dependencies]
http = "=1.3.1"
hyper = { version = "=1.7.0", features = ["http1", "server"] }
hyper-util = { version = "=0.1.17", features = ["tokio"] }
tokio = { version = "=1.48.0", features = ["macros", "net", "rt"] }
TOML
cat > server/src/main.rs <<'RUST'
use hyper::{body::Incoming, server::conn::http1, service::service_fn, Request, Response};
use hyper_util::rt::TokioIo;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let heard = |request: Request<Incoming>| async move {
        Ok::<_, std::convert::Infallible>(Response::new(request.uri().path().to_owned()))
    };
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(heard)).await;
    }
}
RUST
CARGO_TARGET_DIR=$directory/target cargo build --quiet --manifest-path server/Cargo.toml
target/debug/server > hyper.port &
hyper=$!
cat > server.js <<'JS'
const server = require('http').createServer((request, response) => response.end(request.url));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node server.js > node.port &
node=$!
for file in hyper.port node.port; do
    tries=0
    until [ -s "$file" ] || [ $tries = 50 ]; do sleep 0.1; tries=$((tries + 1)); done
done

cat > ask.py <<'PY'
import sys
import httpx

for name, port in [("hyper", sys.argv[1]), ("node", sys.argv[2])]:
    answer = httpx.get(f"http://127.0.0.1:{port}/status/stream/`S`/create")
    print(f"{name}: {answer.status_code} {answer.text!r}")
PY

for version in 0.27.2 0.28.1; do
    echo "httpx $version"
    timeout 60 "python-$version/bin/python" ask.py "$(cat hyper.port)" "$(cat node.port)"
done | tee seen
diff seen - <<'TEXT'
httpx 0.27.2
hyper: 400 ''
node: 200 '/status/stream/`S`/create'
httpx 0.28.1
hyper: 200 '/status/stream/%60S%60/create'
node: 200 '/status/stream/%60S%60/create'
TEXT
