//! Runs the pieces of a text, one after another, against a server.

use std::io;

use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::client::Client;
use super::command::{self, Command, HELP};
use super::entities;
use super::live;
use super::place::Place;
use super::printer::{Format, Printer};
use super::reading::{Limits, Read, Reading};
use super::refusal::Refusal;
use super::script::{Piece, first_word, placed};
use super::session::{PropertyCheck, Session};
use crate::sql::diagnostic::Color;
use crate::sql::{self, Diagnostic, Span, Variables};

/// How many scripts may run one another.
const SCRIPTS_DEEP_MAX: usize = 16;
/// Statements after which the server knows other names than before.
const CHANGING: [&str; 5] = ["CREATE", "DROP", "ALTER", "INSERT", "TERMINATE"];

/// What becomes of the shell after a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    On,
    /// The user ended a query.
    Cancelled,
    /// A statement was refused.
    Failed,
    /// It ends.
    Quit,
}

/// How a shell is.
pub struct ShellOptions {
    /// How answers are shown.
    pub format: Format,
    /// Whether colours are used.
    pub color: Color,
    /// Whether a person types at a terminal.
    pub is_interactive: bool,
    /// Whether standard output is a terminal.
    pub is_terminal: bool,
    /// When a query ends by itself.
    pub limits: Limits,
    /// What the session begins with.
    pub session: Session,
    /// What says whether a session may have a property.
    pub check_property: PropertyCheck,
    /// What people are told of the server first, where it is none that somebody else runs.
    pub about_server: Option<String>,
}

/// A shell with its session.
pub struct Shell {
    /// The server.
    pub client: Client,
    /// Where answers go.
    pub printer: Printer,
    /// Whether something was done after which the server knows other names.
    pub has_changed: bool,
    /// What was typed before this.
    pub history: Vec<String>,
    session: Session,
    options: ShellOptions,
    interrupts: Signal,
    is_timed: bool,
    depth: usize,
    /// Where what runs stands, if that is in a file.
    place: Option<Place>,
}

impl Shell {
    /// A shell for a server.
    pub fn new(client: Client, options: ShellOptions) -> io::Result<Self> {
        Ok(Self {
            client,
            printer: Printer::new(options.format, options.is_terminal),
            has_changed: false,
            history: Vec::new(),
            session: options.session.clone(),
            interrupts: signal(SignalKind::interrupt())?,
            is_timed: false,
            depth: 0,
            place: None,
            options,
        })
    }

    /// What people are told of the server first, where it is none that somebody else runs.
    pub fn about_server(&self) -> Option<&str> {
        self.options.about_server.as_deref()
    }

    /// Runs a text piece by piece, to its end or to the first that is refused. What is refused in a file is told with its
    /// name, and with the line there.
    pub async fn run(&mut self, text: &str, file: Option<&str>) -> io::Result<Flow> {
        for (start, piece) in placed(text) {
            let started = now();
            let span = Span::new(start, start + piece.text().len());
            self.place = file.map(|file| Place::new(file, text, span));
            let flow = match piece {
                Piece::Command(line) => self.command(line).await?,
                Piece::Statement(statement) => self.statement(statement).await?,
                Piece::Rest(rest) => self.statement(&format!("{rest};")).await?,
                Piece::Left(left) => {
                    let line = left.lines().next().unwrap_or_default();
                    eprintln!("not run, as it has no ; at its end: {line}");
                    Flow::On
                }
            };
            if self.is_timed {
                let taken = started.elapsed().as_secs_f64() * 1e3;
                self.printer.tell(&format!("{taken:.1} ms"))?;
            }
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    async fn statement(&mut self, statement: &str) -> io::Result<Flow> {
        let word = first_word(statement);
        if matches!(word.as_str(), "SET" | "UNSET" | "DEFINE" | "UNDEFINE")
            && let Some(said) = self.session.take(statement, self.options.check_property)
        {
            return match said {
                Ok(said) => self.printer.say(&said).map(|()| Flow::On),
                Err(fault) => Ok(self.show(fault, statement)),
            };
        }
        self.warn_of_unset(statement);
        let done = match word.as_str() {
            "SELECT" => self.select(statement).await,
            "PRINT" => self.print(statement).await,
            _ => self.ask(statement, &word).await,
        };
        match done {
            Ok(flow) => Ok(flow),
            Err(Stop::Refused(refusal)) => self.refuse(&refusal, statement),
            Err(Stop::Broken(error)) => Err(error),
        }
    }

    async fn select(&mut self, statement: &str) -> Result<Flow, Stop> {
        let keys = if self.options.is_interactive && self.printer.row_format() == Format::Table {
            live::keys(&self.client, statement, &mut self.session).await
        } else {
            None
        };
        let stream = tokio::select! {
            stream = self.client.query(statement, &self.session) => stream?,
            _ = self.interrupts.recv() => return Ok(Flow::Cancelled),
        };
        self.read(Reading::new(stream, keys)).await
    }

    async fn print(&mut self, statement: &str) -> Result<Flow, Stop> {
        let stream = tokio::select! {
            stream = self.client.print(statement, &self.session) => stream?,
            _ = self.interrupts.recv() => return Ok(Flow::Cancelled),
        };
        self.read(Reading::new(stream, None)).await
    }

    /// Shows what a query gives until it ends, or the user ends it.
    async fn read(&mut self, mut reading: Reading) -> Result<Flow, Stop> {
        let is_live = self.options.is_interactive;
        let read =
            reading.run(&mut self.printer, &mut self.interrupts, self.options.limits, is_live);
        let read = read.await?;
        let Read { end, query_id, refusal } = read;
        let is_ended_here = !end.is_by_server();
        if let (true, Some(id)) = (is_ended_here, &query_id) {
            self.client.close(id).await;
        }
        match refusal {
            Some(refusal) => Err(refusal.into()),
            None if end.is_by_user() => Ok(Flow::Cancelled),
            None => Ok(Flow::On),
        }
    }

    async fn ask(&mut self, statement: &str, word: &str) -> Result<Flow, Stop> {
        let entities = tokio::select! {
            entities = self.client.statement(statement, &mut self.session) => entities?,
            _ = self.interrupts.recv() => return Ok(Flow::Cancelled),
        };
        self.has_changed |= CHANGING.contains(&word);
        for entity in &entities {
            if let Some(failure) = entities::failure(entity) {
                let message = failure.to_owned();
                return Err(Refusal::Server { code: 50_000, message, raw: entity.clone() }.into());
            }
            self.printer.entity(entity)?;
        }
        Ok(Flow::On)
    }

    fn refuse(&mut self, refusal: &Refusal, statement: &str) -> io::Result<Flow> {
        if self.printer.format == Format::Json
            && let Refusal::Server { raw: Value::Object(raw), .. } = refusal
        {
            let mut raw = raw.clone();
            raw.remove("diagnostic");
            self.printer.write(&format!("{}\n", Value::Object(raw)))?;
        }
        let variables: Variables = self.session.variables.clone().into_iter().collect();
        Ok(self.show(refusal.diagnostic(statement, &variables), statement))
    }

    /// Shows a fault, with its place in the file if the statement comes from one.
    fn show(&self, fault: Diagnostic, statement: &str) -> Flow {
        let color = self.options.color;
        match &self.place {
            Some(place) => eprint!("{}", place.render(fault, statement, color)),
            None => eprint!("{}", fault.render(statement, color)),
        }
        Flow::Failed
    }

    /// Says which variables of a statement are not set: its text is taken as it is written.
    fn warn_of_unset(&self, statement: &str) {
        if !statement.contains("${") {
            return;
        }
        let read = sql::read(statement, &self.session.parse_options());
        for (span, help) in read.statements.iter().flat_map(|parsed| &parsed.unset) {
            let place = self.place.as_ref().and_then(|place| place.of(*span, statement));
            let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
            eprintln!("warning: {place}{help}; without it, the text stays as it is written");
        }
    }

    async fn command(&mut self, line: &str) -> io::Result<Flow> {
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(message) => return self.refuse(&Refusal::Shell(message), line),
        };
        match command {
            Command::Help => self.printer.write(HELP)?,
            Command::Quit => return Ok(Flow::Quit),
            Command::Clear => self.printer.draw("\u{1b}[H\u{1b}[2J\u{1b}[3J")?,
            Command::Output(name) => return self.output(name.as_deref(), line),
            Command::History => self.tell_history()?,
            Command::Version => return self.version(line).await,
            Command::Server(None) => self.printer.say(self.client.url())?,
            Command::Server(Some(url)) => return self.go_to(&url, line).await,
            Command::RunScript(file) => return self.script(&file, line).await,
            Command::Spool(file) => return self.spool(file.as_deref(), line),
            Command::Width(columns) => self.printer.width = (columns > 0).then_some(columns),
            Command::Expanded => {
                self.printer.is_expanded = !self.printer.is_expanded;
                let state = if self.printer.is_expanded { "on" } else { "off" };
                self.printer.say(&format!("rows upright: {state}"))?;
            }
            Command::Timing => {
                self.is_timed = !self.is_timed;
                self.printer
                    .say(&format!("timing: {}", if self.is_timed { "on" } else { "off" }))?;
            }
            Command::Nothing => {}
            Command::Statements(statements) => {
                for statement in statements {
                    let flow = self.statement(&statement).await?;
                    if flow != Flow::On {
                        return Ok(flow);
                    }
                }
            }
        }
        Ok(Flow::On)
    }

    fn tell_history(&mut self) -> io::Result<()> {
        for (index, line) in self.history.iter().enumerate() {
            self.printer.write(&format!(
                "{:>5}  {}\n",
                index + 1,
                line.replace('\n', "\n       ")
            ))?;
        }
        Ok(())
    }

    fn output(&mut self, name: Option<&str>, line: &str) -> io::Result<Flow> {
        let Some(name) = name else {
            self.printer.say(&format!("output: {}", self.printer.format.name()))?;
            return Ok(Flow::On);
        };
        let Some(format) = Format::named(name) else {
            let names: Vec<_> = Format::ALL.iter().map(|(name, _)| *name).collect();
            let message = format!("OUTPUT is one of {}, not '{name}'", names.join(", "));
            return self.refuse(&Refusal::Shell(message), line);
        };
        self.printer.format = format;
        Ok(Flow::On)
    }

    async fn version(&mut self, line: &str) -> io::Result<Flow> {
        match self.client.info().await {
            Ok(info) => {
                let (server, own) =
                    (info["version"].as_str().unwrap_or("?"), env!("CARGO_PKG_VERSION"));
                self.printer.say(&format!("shell {own}, server {server}"))?;
                Ok(Flow::On)
            }
            Err(refusal) => self.refuse(&refusal, line),
        }
    }

    async fn go_to(&mut self, url: &str, line: &str) -> io::Result<Flow> {
        let found = match self.client.at(url) {
            Ok(client) => client.info().await.map(|_| client),
            Err(refusal) => Err(refusal),
        };
        match found {
            Ok(client) => {
                self.client = client;
                self.session.sequence_number = None;
                self.has_changed = true;
                Ok(Flow::On)
            }
            Err(refusal) => self.refuse(&refusal, line),
        }
    }

    async fn script(&mut self, file: &str, line: &str) -> io::Result<Flow> {
        if self.depth >= SCRIPTS_DEEP_MAX {
            let message = format!("{file}: more than {SCRIPTS_DEEP_MAX} scripts run one another");
            return self.refuse(&Refusal::Shell(message), line);
        }
        match tokio::fs::read_to_string(file).await {
            Ok(text) => {
                self.depth += 1;
                let flow = Box::pin(self.run(&text, Some(file))).await;
                self.depth -= 1;
                flow
            }
            Err(error) => {
                self.refuse(&Refusal::Shell(format!("cannot read {file}: {error}")), line)
            }
        }
    }

    fn spool(&mut self, file: Option<&str>, line: &str) -> io::Result<Flow> {
        let Some(name) = file else {
            self.printer.spool(None);
            return Ok(Flow::On);
        };
        match std::fs::File::create(name) {
            Ok(file) => {
                self.printer.spool(Some(file));
                Ok(Flow::On)
            }
            Err(error) => {
                self.refuse(&Refusal::Shell(format!("cannot write {name}: {error}")), line)
            }
        }
    }
}

/// Why a statement stops.
enum Stop {
    /// It is refused.
    Refused(Refusal),
    /// Nobody reads what is written.
    Broken(io::Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell tells people how long a statement took")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
