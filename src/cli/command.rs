//! The shell's own commands: those of ksqlDB's CLI, and short ones that begin with `\`.

/// What the shell itself is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Says what there is.
    Help,
    /// Ends the shell.
    Quit,
    /// Clears the screen.
    Clear,
    /// Shows or sets how answers are shown.
    Output(Option<String>),
    /// Shows what was typed.
    History,
    /// Says which version shell and server have.
    Version,
    /// Shows or sets the server.
    Server(Option<String>),
    /// Runs a file.
    RunScript(String),
    /// Also writes everything to a file, or to none any more.
    Spool(Option<String>),
    /// Sets how wide tables are; 0 for as wide as the terminal.
    Width(usize),
    /// Turns rows that stand upright on or off.
    Expanded,
    /// Turns times on or off.
    Timing,
    /// Is taken, and means nothing here.
    Nothing,
    /// Runs these statements.
    Statements(Vec<String>),
}

/// What is said of the commands.
pub const HELP: &str = "\
Statements end with ; and may have several lines. Ctrl-C ends a query, Ctrl-D on an empty line the
shell, Tab completes.

  \\d [NAME]      streams and tables, or one of them        \\dt, \\ds   tables, streams
  \\df [NAME]     functions, or one of them                 \\dq        queries
  \\l             topics                                    \\x         rows upright, on and off
  \\timing        how long statements take, on and off      \\?, HELP   this
  \\q, EXIT       ends the shell

  OUTPUT [table|vertical|json|csv|markdown]    how answers are shown
  RUN SCRIPT 'FILE', \\i FILE                  runs the statements of a file
  SPOOL 'FILE' | SPOOL OFF                     writes everything to a file too
  SERVER [URL]                                 shows the server, or goes to another
  SET CLI WIDTH N                              tables of N columns; 0 for the terminal's width
  HISTORY, VERSION, CLEAR
";

/// Whether a line is a command and no statement.
pub fn is_command(line: &str) -> bool {
    let mut words = line.trim_start().split(|c: char| c.is_whitespace() || c == ';');
    let first = words.next().unwrap_or_default().to_uppercase();
    let second = words.next().unwrap_or_default().to_uppercase();
    match first.as_str() {
        "RUN" => second == "SCRIPT",
        "SET" => second == "CLI",
        "HELP" | "CLEAR" | "OUTPUT" | "HISTORY" | "VERSION" | "SERVER" | "EXIT" | "QUIT"
        | "SPOOL" | "REQUEST_PIPELINING" => true,
        first => first.starts_with('\\'),
    }
}

/// The command of a line, or what is wrong with it.
pub fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let argument = (!rest.is_empty()).then(|| unquoted(rest));
    if first.starts_with('\\') {
        return short(first, argument);
    }
    Ok(match first.to_uppercase().as_str() {
        "HELP" => Command::Help,
        "EXIT" | "QUIT" => Command::Quit,
        "CLEAR" => Command::Clear,
        "OUTPUT" => Command::Output(argument),
        "HISTORY" => Command::History,
        "VERSION" => Command::Version,
        "SERVER" => Command::Server(argument),
        "SPOOL" => match argument {
            Some(off) if off.eq_ignore_ascii_case("off") => Command::Spool(None),
            Some(file) => Command::Spool(Some(file)),
            None => return Err("SPOOL needs a file in quotes, or OFF".to_owned()),
        },
        "RUN" => match after_word(rest) {
            "" => return Err("RUN SCRIPT needs a file in quotes".to_owned()),
            file => Command::RunScript(unquoted(file)),
        },
        "SET" => return set_cli(after_word(rest)),
        _ => Command::Nothing,
    })
}

/// What stands behind the first word.
fn after_word(text: &str) -> &str {
    text.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim())
}

/// A text without the quotes around it.
fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    inner.map_or_else(|| text.to_owned(), |inner| inner.replace("''", "'"))
}

fn short(name: &str, argument: Option<String>) -> Result<Command, String> {
    let list = |statements: &[&str]| {
        Ok(Command::Statements(statements.iter().map(|one| (*one).to_owned()).collect()))
    };
    match (name, argument) {
        ("\\?" | "\\h", _) => Ok(Command::Help),
        ("\\q", _) => Ok(Command::Quit),
        ("\\x", _) => Ok(Command::Expanded),
        ("\\timing", _) => Ok(Command::Timing),
        ("\\i", Some(file)) => Ok(Command::RunScript(file)),
        ("\\d", Some(name)) => Ok(Command::Statements(vec![format!("DESCRIBE {name};")])),
        ("\\df", Some(name)) => Ok(Command::Statements(vec![format!("DESCRIBE FUNCTION {name};")])),
        ("\\d", None) => list(&["SHOW STREAMS;", "SHOW TABLES;"]),
        ("\\dt", _) => list(&["SHOW TABLES;"]),
        ("\\ds", _) => list(&["SHOW STREAMS;"]),
        ("\\dq", _) => list(&["SHOW QUERIES;"]),
        ("\\df", None) => list(&["SHOW FUNCTIONS;"]),
        ("\\l", _) => list(&["SHOW TOPICS;"]),
        (name, _) => Err(format!("there is no command {name}; \\? shows all")),
    }
}

/// `SET CLI property value`; ksqlDB's other properties mean nothing here.
fn set_cli(rest: &str) -> Result<Command, String> {
    let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let value = unquoted(value.trim());
    match name.to_uppercase().as_str() {
        "WIDTH" => value
            .parse()
            .map(Command::Width)
            .map_err(|_| format!("WIDTH is a number, not '{value}'")),
        "WRAP" | "COLUMN-WIDTH" => Ok(Command::Nothing),
        _ => Err(format!("there is no property {name} of the shell; WIDTH is one")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_statements() {
        for command in
            ["\\d x", "help;", "Run Script 'a';", "SET CLI WIDTH 3", "exit", "output json;"]
        {
            assert!(is_command(command), "{command}");
        }
        for statement in ["SET 'a' = 'b';", "SHOW TABLES;", "RUN", "helper", ""] {
            assert!(!is_command(statement), "{statement}");
        }
    }

    #[test]
    fn commands_take_their_arguments() {
        assert_eq!(parse("OUTPUT json;"), Ok(Command::Output(Some("json".into()))));
        assert_eq!(parse("run script 'it''s.sql';"), Ok(Command::RunScript("it's.sql".into())));
        assert_eq!(parse("spool off;"), Ok(Command::Spool(None)));
        assert_eq!(parse("SET CLI WIDTH 100;"), Ok(Command::Width(100)));
        assert_eq!(parse("\\d a;"), Ok(Command::Statements(vec!["DESCRIBE a;".into()])));
        assert!(parse("\\nope").is_err() && parse("SET CLI WIDTH x").is_err());
    }
}
