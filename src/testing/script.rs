//! Files of `.sql` cases: statements that write records, run queries and say what is to come of them.
//!
//! ```sql
//! --@test: a filter that is added
//! --@expected.error: io.confluent.ksql.util.KsqlException      -- where a statement is to fail
//! --@expected.message: a part of the message
//! CREATE STREAM …;
//! INSERT INTO a (id) VALUES (1);
//! ASSERT VALUES b (id) VALUES (1);
//! ```

use std::path::{Path, PathBuf};

use super::case::{Case, ExpectedError, Unreadable};

const TEST: &str = "--@test:";
const ERROR: &str = "--@expected.error:";
const MESSAGE: &str = "--@expected.message:";

/// Where scripts lie that others run, beside the folders of those.
const SUPPORT: &str = "sql-tests-support";

/// The cases of a file. What stands before the first of them belongs to none.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<Result<Case, Unreadable>>> {
    let text = std::fs::read_to_string(path)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    Ok(cases(&stem, &text, &folder).into_iter().map(Ok).collect())
}

fn cases(stem: &str, text: &str, folder: &Path) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    // Names that follow each other are of one case.
    let mut is_named = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix(TEST) {
            let name = name.trim();
            match cases.last_mut().filter(|_| is_named) {
                Some(case) => case.name.extend([", ", name]),
                None => cases.push(Case {
                    name: format!("{stem} - {name}"),
                    is_enabled: true,
                    script_folder: Some(folder.to_owned()),
                    ..Case::default()
                }),
            }
            is_named = true;
            continue;
        }
        is_named = false;
        let Some(case) = cases.last_mut() else { continue };
        if let Some(class) = line.strip_prefix(ERROR) {
            expected(case).class = Some(class.trim().to_owned());
        } else if let Some(message) = line.strip_prefix(MESSAGE) {
            expected(case).message = Some(message.trim().to_owned());
        } else {
            case.statements.extend([line, "\n"]);
        }
    }
    cases
}

fn expected(case: &mut Case) -> &mut ExpectedError {
    case.expected_error.get_or_insert_default()
}

/// The text of a script that a case runs: it lies where its name says, from the folder of the case on, or among those that
/// serve several folders.
pub(super) fn script(folder: &Path, file: &str) -> std::io::Result<String> {
    let name = file.trim_start_matches('/');
    let besides = folder.ancestors().map(|above| above.join(SUPPORT).join(name));
    let mut places = [PathBuf::from(file), folder.join(name)].into_iter().chain(besides);
    let found = places.find(|place| place.is_file());
    std::fs::read_to_string(found.unwrap_or_else(|| folder.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_falls_into_cases_with_what_they_expect() {
        let text = "-- a comment\n--@test: one\nA;\n--@test: two\n--@test: too\n\
                    --@expected.error: a.B\n--@expected.message: no (x)\nB;\nC;\n";
        let cases = cases("file", text, Path::new(""));
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["file - one", "file - two, too"]);
        assert_eq!((&*cases[0].statements, &*cases[1].statements), ("A;\n", "B;\nC;\n"));
        assert!(cases[0].expected_error.is_none());
        let expected = cases[1].expected_error.as_ref().unwrap();
        assert_eq!(expected.class.as_deref(), Some("a.B"));
        assert_eq!(expected.message.as_deref(), Some("no (x)"));
    }
}
