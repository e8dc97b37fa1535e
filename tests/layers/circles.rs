//! No circle between files: what a file names, and what these name in turn, never comes back to it.
//!
//! A path leads to the file that *defines* what it names, through every `use` on its way, so a name that is passed on by
//! the file of a module counts as if it had been named where it stands. Tests are left out, and so is a `pub use` of a
//! module's own parts: it is that module's face.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{branches, colons, module_path, rust_files, tokens};

type Names = Vec<String>;

/// Where circles are allowed, and why. The list may only get shorter.
const ALLOWED: &[(&str, &str)] = &[
    (
        "registry/embedded/language/",
        "types of a language's schemas stand in the file that reads them",
    ),
    ("registry/embedded/rest/", "routes and their handlers share what refuses and shows"),
];

/// What one file says of itself.
#[derive(Debug, Default)]
struct File {
    /// Its place under `src`.
    path: String,
    /// What it defines, modules of other files aside.
    defines: BTreeSet<String>,
    /// The names that it takes from elsewhere, and where each leads.
    takes: BTreeMap<String, Names>,
    /// The modules all of whose names it takes.
    takes_all: Vec<Names>,
    /// All that it names, with the line.
    names: Vec<(usize, Names)>,
}

/// A path in the text of a file.
struct Mention {
    line: usize,
    path: Names,
    /// What it is called here, if that is not its last name.
    renamed: Option<String>,
}

type Files = BTreeMap<Names, File>;

#[test]
fn no_circle_between_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = rust_files(&root.join("src")).into_iter().map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"), text)
    });
    let mut faults = String::new();
    let is_allowed = |circle: &BTreeMap<String, Vec<String>>| {
        ALLOWED.iter().any(|(place, _)| circle.keys().all(|file| file.starts_with(place)))
    };
    for circle in circles(&read(files)).into_iter().filter(|circle| !is_allowed(circle)) {
        let _ = writeln!(faults, "{} files name each other in a circle:", circle.len());
        for (file, named) in circle {
            let _ = writeln!(faults, "  {file}: {}", named.join(", "));
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let found = |files: &[(&str, &str)]| -> Vec<Vec<String>> {
        let files = files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned()));
        let circles = circles(&read(files));
        circles.into_iter().map(|circle| circle.into_keys().collect()).collect()
    };
    let circle = vec![vec!["a/x.rs".to_owned(), "a/y.rs".to_owned()]];
    let face = "mod x; mod y; pub use x::X; pub use y::{Y as Z, made};";
    let y = "pub struct Y; pub fn made() -> super::x::X {}";
    // By its own path, by the face of the module, by another name, in braces, with a star, and without a `use`.
    for x in [
        "use super::y::Y; pub struct X;",
        "use super::Z; pub struct X;",
        "use crate::a::{self, Z as W}; pub struct X;",
        "use super::y; pub struct X(y::Y);",
        "use super::*; pub struct X;",
        "pub struct X; impl X { fn f() { crate::a::made() } }",
    ] {
        assert_eq!(found(&[("a/mod.rs", face), ("a/x.rs", x), ("a/y.rs", y)]), circle, "{x}");
    }
    // What a module only passes on makes no circle, nor does a test, nor a name of the file's own.
    for x in [
        "pub struct X;",
        "use super::x; pub struct X;",
        "pub struct X; #[cfg(test)] mod tests { use super::super::y::Y; }",
        "pub struct X; #[cfg(test)] use super::y::Y;",
        "/// [`super::y::Y`]\npub struct X;",
        "pub struct X; pub(in crate::a::y) fn f() {}",
    ] {
        assert!(found(&[("a/mod.rs", face), ("a/x.rs", x), ("a/y.rs", y)]).is_empty(), "{x}");
    }
    // The file of a module and a part of it are two files.
    assert_eq!(
        found(&[("a.rs", "mod x; struct A(x::X);"), ("a/x.rs", "pub struct X; use super::A;")]),
        [["a.rs", "a/x.rs"]]
    );
}

fn read(files: impl Iterator<Item = (String, String)>) -> Files {
    let mut read: Files = files
        .filter(|(path, _)| !path.contains("/tests"))
        .map(|(path, text)| {
            let module = module_path(Path::new(&path));
            let stream = tokens(Path::new(&path), &text);
            let mut file =
                File { path: path.trim_start_matches("src/").to_owned(), ..File::default() };
            file.scan(stream, &module, true);
            (module, file)
        })
        .collect();
    // A path that begins with none of `crate`, `self` and `super` begins with a part of the file, or with a name that it takes.
    let modules: BTreeSet<Names> = read.keys().cloned().collect();
    for (module, file) in &mut read {
        file.names.retain_mut(|(_, path)| {
            let Some(first) = path.first().cloned() else { return false };
            let Some(bare) = first.strip_prefix('?') else { return true };
            let part = [module.as_slice(), &[bare.to_owned()]].concat();
            let start = match file.takes.get(bare) {
                Some(taken) => taken.clone(),
                None if modules.contains(&part) => part,
                None => return false,
            };
            path.splice(..1, start);
            true
        });
    }
    read
}

impl File {
    /// Reads `stream`, which stands in `module`; at the `top` are the items that other files can name.
    fn scan(&mut self, stream: TokenStream, module: &[String], top: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < trees.len() {
            match &trees[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    at = if is_test(&trees, at) { item_end(&trees, at + 2) } else { at + 2 };
                    continue;
                }
                TokenTree::Ident(word) if word == "pub" && is_parenthesis(&trees, at + 1) => {
                    at += 1;
                }
                TokenTree::Ident(word) if word == "use" => {
                    at = self.take(&trees, at, module);
                    continue;
                }
                TokenTree::Ident(_) if colons(&trees, at + 1).is_some() => {
                    let mut found = Vec::new();
                    at = path(&trees, at, &[], module, &mut found);
                    self.names.extend(found.into_iter().map(|name| (name.line, name.path)));
                    continue;
                }
                TokenTree::Ident(word) if top => self.define(word, &trees, at),
                TokenTree::Group(group) => self.scan(group.stream(), module, false),
                _ => {}
            }
            at += 1;
        }
    }

    fn define(&mut self, word: &proc_macro2::Ident, trees: &[TokenTree], at: usize) {
        const ITEMS: [&str; 9] =
            ["struct", "enum", "trait", "fn", "const", "static", "type", "union", "macro_rules"];
        if ITEMS.iter().any(|item| word == item) {
            let name = trees[at + 1..].iter().find_map(|tree| match tree {
                TokenTree::Ident(name) if name != "mut" => Some(name.to_string()),
                _ => None,
            });
            self.defines.extend(name);
        }
    }

    /// Reads the `use` at `at`; returns where it ends.
    fn take(&mut self, trees: &[TokenTree], at: usize, module: &[String]) -> usize {
        let is_public = at.checked_sub(1).is_some_and(|before| {
            is_parenthesis(trees, before)
                || matches!(&trees[before], TokenTree::Ident(word) if word == "pub")
        });
        let mut found = Vec::new();
        let end = path(trees, at + 1, &[], module, &mut found);
        for mention in found {
            let Mention { line, path: mut names, renamed } = mention;
            // What a module passes on of its own parts is its face; other names that begin so are crates.
            let own = names[0].strip_prefix('?').map(str::to_owned);
            if let Some(own) = &own {
                names.splice(..1, [module, std::slice::from_ref(own)].concat());
            }
            if !is_public || !names.starts_with(module) {
                self.names.push((line, names.clone()));
            }
            match names.last().map(String::as_str) {
                Some("*") => {
                    names.pop();
                    self.takes_all.push(names);
                }
                Some(last) => {
                    let called = renamed.unwrap_or_else(|| last.to_owned());
                    self.takes.insert(called, names);
                }
                None => {}
            }
        }
        end
    }
}

/// Whether parentheses stand at `at`, such as those of `pub(super)`.
fn is_parenthesis(trees: &[TokenTree], at: usize) -> bool {
    matches!(trees.get(at), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// Whether the attribute at `at` is `#[cfg(test)]`.
fn is_test(trees: &[TokenTree], at: usize) -> bool {
    matches!(trees.get(at + 1), Some(TokenTree::Group(group)) if group.to_string().replace(' ', "") == "[cfg(test)]")
}

/// Where the item that begins at `at` ends: behind its braces or its semicolon.
fn item_end(trees: &[TokenTree], mut at: usize) -> usize {
    while let Some(tree) = trees.get(at) {
        at += 1;
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
            // The braces of a `use` are not the end of it.
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Brace && !is_semicolon(trees, at) =>
            {
                break;
            }
            _ => {}
        }
    }
    at
}

fn is_semicolon(trees: &[TokenTree], at: usize) -> bool {
    matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ';')
}

/// Follows the path at `at`, which goes on from `base` or begins in `module`. Returns where it ends.
fn path(
    trees: &[TokenTree],
    mut at: usize,
    base: &[String],
    module: &[String],
    found: &mut Vec<Mention>,
) -> usize {
    let line = trees.get(at).map_or(0, |tree| tree.span().start().line);
    let mut names = base.to_vec();
    let mut begins = base.is_empty();
    let mut renamed = None;
    loop {
        match trees.get(at) {
            Some(TokenTree::Ident(word)) if begins && word == "crate" => names = Vec::new(),
            Some(TokenTree::Ident(word)) if begins && word == "self" => names = module.to_vec(),
            Some(TokenTree::Ident(word)) if word == "super" => {
                if begins {
                    names = module.to_vec();
                }
                names.pop();
            }
            Some(TokenTree::Ident(word)) if word == "self" => {}
            Some(TokenTree::Ident(word)) if begins => names.push(format!("?{word}")),
            Some(TokenTree::Ident(word)) => names.push(word.to_string()),
            Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => names.push("*".to_owned()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                for branch in branches(group.stream()) {
                    path(&branch, 0, &names, module, found);
                }
                return at + 1;
            }
            _ => break,
        }
        begins = false;
        at += 1;
        match colons(trees, at) {
            Some(after) => at = after,
            None => break,
        }
    }
    if let (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))) =
        (trees.get(at), trees.get(at + 1))
        && word == "as"
    {
        renamed = Some(name.to_string());
        at += 2;
    }
    if !names.is_empty() {
        found.push(Mention { line, path: names, renamed });
    }
    at
}

/// The files that `path` leads to: the one that defines what it names, or all that a star brings.
fn targets(path: &[String], files: &Files, depth: usize) -> Vec<Names> {
    let known = (0..=path.len()).rev().find(|end| files.contains_key(&path[..*end]));
    let (Some(end), true) = (known, depth < 10) else { return Vec::new() };
    let (module, rest) = path.split_at(end);
    let (file, here) = (&files[module], vec![module.to_vec()]);
    let Some((name, after)) = rest.split_first() else { return here };
    if name == "*" {
        let taken = file.takes.values().flat_map(|taken| targets(taken, files, depth + 1));
        return taken.chain(here).collect();
    }
    if file.defines.contains(name) {
        return here;
    }
    if let Some(taken) = file.takes.get(name) {
        return targets(&[taken.as_slice(), after].concat(), files, depth + 1);
    }
    let from_all = file.takes_all.iter().find_map(|module| {
        let from = files.get(module)?;
        let has = from.defines.contains(name) || from.takes.contains_key(name);
        has.then(|| targets(&[module.as_slice(), rest].concat(), files, depth + 1))
    });
    from_all.unwrap_or(here)
}

/// The largest sets of files that all lead to each other, with what each names of its set.
fn circles(files: &Files) -> Vec<BTreeMap<String, Vec<String>>> {
    let mut edges: BTreeMap<&Names, BTreeMap<Names, String>> = BTreeMap::new();
    for (module, file) in files {
        let named = edges.entry(module).or_default();
        for (line, path) in &file.names {
            for target in targets(path, files, 0) {
                if &target != module {
                    let said = format!("{} (line {line})", path.join("::"));
                    named.entry(target).or_insert(said);
                }
            }
        }
    }
    let reached: BTreeMap<&Names, BTreeSet<&Names>> =
        files.keys().map(|module| (module, reach(module, &edges))).collect();
    let mut done: BTreeSet<&Names> = BTreeSet::new();
    let mut circles = Vec::new();
    for module in files.keys() {
        let circle: BTreeSet<&Names> = reached[module]
            .iter()
            .copied()
            .filter(|other| reached[other].contains(module))
            .collect();
        if circle.len() < 2 || !done.insert(module) {
            continue;
        }
        done.extend(&circle);
        let named = |module: &Names| {
            let within = edges[module].iter().filter(|(target, _)| circle.contains(target));
            within.map(|(_, said)| said.clone()).collect()
        };
        circles.push(
            circle.iter().map(|module| (files[*module].path.clone(), named(module))).collect(),
        );
    }
    circles
}

/// All that `from` leads to.
fn reach<'a>(
    from: &'a Names,
    edges: &'a BTreeMap<&'a Names, BTreeMap<Names, String>>,
) -> BTreeSet<&'a Names> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for target in edges.get(module).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(target) {
                next.push(target);
            }
        }
    }
    reached
}
