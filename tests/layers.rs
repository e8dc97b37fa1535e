//! The layers of `src/lib.rs`, held as data: a module may name only what its row lists, and the pure ones neither wait,
//! nor start threads, nor read clocks, nor touch files.
//!
//! Every file under `src` is cut into tokens; `crate::…` and `super::…`, alone or in a `use` with braces, are edges. An
//! edge that no row allows fails the test with file, line and both ends.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

#[path = "layers/circles.rs"]
mod circles;

use std::{
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What each module may name besides itself. Modules below one another in this list never name each other upwards.
const LAYERS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("java", &["types"]),
    ("terminal", &[]),
    ("kafka", &[]),
    ("registry", &["types", "kafka"]),
    ("sql", &["types"]),
    ("expr", &["types", "java"]),
    ("formats", &["types", "java", "registry::schema"]),
    ("plan", &["types", "java", "sql", "expr", "formats", "registry::schema"]),
    ("state", &["types", "expr"]),
    ("operators", &["types", "expr", "plan", "state"]),
    ("broker", &["kafka"]),
    (
        "runtime",
        &["types", "java", "registry", "expr", "formats", "plan", "state", "operators", "kafka"],
    ),
    (
        "engine",
        &[
            "types",
            "java",
            "sql",
            "expr",
            "formats",
            "plan",
            "state",
            "operators",
            "kafka",
            "runtime",
            "registry",
        ],
    ),
    (
        "testing",
        &[
            "types",
            "java",
            "sql",
            "expr",
            "formats",
            "plan",
            "state",
            "operators",
            "kafka",
            "runtime",
            "registry",
            "engine",
        ],
    ),
    ("devices", &["types", "terminal", "formats", "registry", "kafka"]),
    ("server", &["types", "java", "sql", "formats", "engine", "kafka::config", "kafka::tls"]),
    ("cli", &["terminal", "sql", "kafka", "server::api"]),
    ("apply", &["types", "sql", "formats", "plan", "registry", "engine", "server::api", "cli"]),
    (
        "parity",
        &[
            "types",
            "sql",
            "plan",
            "operators",
            "runtime",
            "registry",
            "engine",
            "kafka",
            "cli",
            "apply",
        ],
    ),
];

/// Modules that are pure: they never await, start a thread, or use the network.
const PURE: &[&str] = &["types", "java", "sql", "expr", "formats", "plan", "state", "operators"];

/// Words that no pure module has: what waits, what starts or locks threads, what reads a clock or a
/// random source, what touches files or the network.
const IMPURE_WORDS: &[&str] = &[
    "async",
    "await",
    "tokio",
    "Mutex",
    "RwLock",
    "Condvar",
    "mpsc",
    "spawn",
    "sleep",
    "Instant",
    "SystemTime",
    "UNIX_EPOCH",
    "rand",
    "getrandom",
    "fs",
    "File",
    "OpenOptions",
    "UdpSocket",
    "TcpStream",
];

/// Places in pure modules that may have some of these words: checkpoints lie on disk.
const EXCEPTIONS: &[(&str, &[&str])] = &[("src/state/checkpoint", &["fs", "File", "OpenOptions"])];

#[derive(Debug, PartialEq, Eq)]
struct Edge {
    line: usize,
    /// The path from the crate's root, as far as it is plain names.
    to: Vec<String>,
}

#[test]
fn no_module_names_a_layer_above_it() {
    let mut faults = Vec::new();
    for file in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
        faults.extend(check(path, &text));
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    let place = |name: &str| LAYERS.iter().position(|(layer, _)| *layer == name);
    for (row, (layer, names)) in LAYERS.iter().enumerate() {
        for name in *names {
            let root = name.split("::").next().unwrap();
            assert!(
                place(root).is_some_and(|place| place < row),
                "{layer} names {name}, which is not below it"
            );
        }
    }
}

#[test]
fn edges_are_found_however_they_are_written() {
    let found = |path: &str, text: &str| -> Vec<String> {
        edges(Path::new(path), text)
            .iter()
            .map(|edge| format!("{} {}", edge.line, edge.to.join("::")))
            .collect()
    };
    assert_eq!(found("src/sql/lexer.rs", "use crate::types::Value;"), ["1 types::Value"]);
    assert_eq!(
        found(
            "src/sql/lexer.rs",
            "use crate::{\n  types::{Value, Row as R},\n  plan::x::*, expr};"
        ),
        ["2 types::Value", "2 types::Row", "3 plan::x", "3 expr"]
    );
    assert_eq!(
        found("src/sql/lexer.rs", "fn f() -> crate::plan::Plan { x!(super::super::types::A) }"),
        ["1 plan::Plan", "1 types::A"]
    );
    assert_eq!(found("src/sql/mod.rs", "use super::engine::Engine;"), ["1 engine::Engine"]);
    assert_eq!(
        found("src/sql/ast/mod.rs", "mod tests { use super::super::span::S; use super::*; }"),
        ["1 sql::span::S", "1 sql::ast"]
    );
    assert_eq!(
        found(
            "src/sql/mod.rs",
            "// crate::engine\n/// [`crate::engine`]\nconst A: &str = \"crate::engine\";"
        ),
        [""; 0]
    );
}

#[test]
fn a_wrong_edge_fails_with_file_line_and_edge() {
    let file = Path::new("src/types/value.rs");
    assert_eq!(
        check(file, "\nuse crate::kafka::Record;"),
        ["src/types/value.rs:2: types names kafka::Record"]
    );
    assert_eq!(
        check(file, "use crate::nowhere::X;"),
        ["src/types/value.rs:1: types names nowhere::X"]
    );
    assert_eq!(
        check(file, "async fn f() {}"),
        ["src/types/value.rs:1: types is pure, and has the word async"]
    );
    assert_eq!(
        check(Path::new("src/state/table.rs"), "use std::{fs, sync::Mutex};"),
        [
            "src/state/table.rs:1: state is pure, and has the word fs",
            "src/state/table.rs:1: state is pure, and has the word Mutex"
        ]
    );
    assert_eq!(check(Path::new("src/state/checkpoint/log.rs"), "use std::fs::File;"), [""; 0]);
    assert_eq!(check(Path::new("src/cli/mod.rs"), "use crate::server::api::Info;"), [""; 0]);
    assert_eq!(
        check(Path::new("src/cli/mod.rs"), "use crate::server::Server;"),
        ["src/cli/mod.rs:1: cli names server::Server"]
    );
    assert_eq!(check(Path::new("src/main.rs"), "use crate::args::Cli;"), [""; 0]);
}

/// The faults of one file, each as a line for the reader.
fn check(path: &Path, text: &str) -> Vec<String> {
    let module = module_path(path);
    let Some((layer, allowed)) =
        module.first().and_then(|first| LAYERS.iter().find(|(layer, _)| layer == first))
    else {
        // `main`, `demo` and what belongs to them may name all.
        return Vec::new();
    };
    let place = |line: usize| format!("{}:{line}", path.display());
    let mut faults: Vec<String> = edges(path, text)
        .into_iter()
        .filter(|edge| edge.to.first().is_some_and(|root| root != layer))
        .filter(|edge| {
            !allowed.iter().any(|name| {
                name.split("::").zip(&edge.to).all(|(a, b)| a == b)
                    && edge.to.len() >= name.split("::").count()
            })
        })
        .map(|edge| format!("{}: {layer} names {}", place(edge.line), edge.to.join("::")))
        .collect();
    if PURE.contains(layer) {
        let mut words = Vec::new();
        impure_words(tokens(path, text), &mut words);
        let may = |word: &str| {
            EXCEPTIONS.iter().any(|(place, words)| path.starts_with(place) && words.contains(&word))
        };
        words.retain(|(_, word)| !may(word));
        faults.extend(words.into_iter().map(|(line, word)| {
            format!("{}: {layer} is pure, and has the word {word}", place(line))
        }));
    }
    faults
}

fn edges(path: &Path, text: &str) -> Vec<Edge> {
    let mut found = Vec::new();
    walk(tokens(path, text), &module_path(path), &mut found);
    found
}

fn tokens(path: &Path, text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `src/sql/ast/mod.rs` and `src/sql/ast.rs` are the module `sql::ast`.
fn module_path(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = path
        .with_extension("")
        .iter()
        .skip(1)
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if names.last().is_some_and(|last| last == "mod" || last == "lib") {
        names.pop();
    }
    names
}

/// Finds the edges of `stream`, which stands in `module`.
fn walk(stream: TokenStream, module: &[String], found: &mut Vec<Edge>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while at < trees.len() {
        match &trees[at] {
            TokenTree::Ident(word) if word == "crate" || word == "super" => {
                at = follow(&trees, at, module, found).max(at + 1);
                continue;
            }
            TokenTree::Group(group) => {
                let inner = inline_module(&trees, at).map(|name| [module, &[name]].concat());
                walk(group.stream(), inner.as_deref().unwrap_or(module), found);
            }
            _ => {}
        }
        at += 1;
    }
}

/// The name of the module whose braces stand at `at`.
fn inline_module(trees: &[TokenTree], at: usize) -> Option<String> {
    let [.., TokenTree::Ident(keyword), TokenTree::Ident(name)] = &trees[..at] else { return None };
    (keyword == "mod").then(|| name.to_string())
}

/// Follows the path that begins at `at` with `crate` or `super`; returns where it ends.
fn follow(trees: &[TokenTree], at: usize, module: &[String], found: &mut Vec<Edge>) -> usize {
    let first = trees[at].to_string();
    let mut base: Vec<String> = module.to_vec();
    let mut next = at;
    if first == "crate" {
        base.clear();
        next += 1;
    }
    while matches!(trees.get(next), Some(TokenTree::Ident(word)) if word == "super") {
        base.pop();
        next += 1;
        match colons(trees, next) {
            Some(after) if matches!(trees.get(after), Some(TokenTree::Ident(word)) if word == "super") =>
            {
                next = after;
            }
            _ => break,
        }
    }
    let Some(after) = colons(trees, next) else { return next };
    tree(trees, after, base, found)
}

/// Follows a path after its `::`: names, a group of paths, or a star. Returns where it ends.
fn tree(trees: &[TokenTree], mut at: usize, mut base: Vec<String>, found: &mut Vec<Edge>) -> usize {
    let line = trees.get(at).map_or(0, |tree| tree.span().start().line);
    loop {
        match trees.get(at) {
            Some(TokenTree::Ident(name)) if name == "self" => {}
            Some(TokenTree::Ident(name)) => base.push(name.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                for branch in branches(group.stream()) {
                    tree(&branch, 0, base.clone(), found);
                }
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        match colons(trees, at) {
            Some(after) => at = after,
            None => break,
        }
    }
    found.push(Edge { line, to: base });
    at
}

/// Where a `::` at `at` ends.
fn colons(trees: &[TokenTree], at: usize) -> Option<usize> {
    let colon = |at: usize| matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    (colon(at) && colon(at + 1)).then_some(at + 2)
}

/// The parts of a group between its commas.
fn branches(stream: TokenStream) -> Vec<Vec<TokenTree>> {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let comma =
        |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
    trees.split(comma).filter(|branch| !branch.is_empty()).map(<[_]>::to_vec).collect()
}

fn impure_words(stream: TokenStream, words: &mut Vec<(usize, String)>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => impure_words(group.stream(), words),
            TokenTree::Ident(word) if IMPURE_WORDS.iter().any(|impure| word == impure) => {
                words.push((word.span().start().line, word.to_string()));
            }
            _ => {}
        }
    }
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
