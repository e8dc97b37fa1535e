//! What is shown of what is decided: a line for each object, or a JSON object.

use std::fmt::Write as _;

use millstream::apply::{Action, Decision, Verdict};
use millstream::sql::diagnostic::Color;
use serde_json::{Value, json};

use crate::files::Files;

/// What is decided, with the files that it is about.
pub(crate) struct Shown<'d> {
    decision: &'d Decision,
    files: &'d Files,
    is_dry: bool,
}

/// What becomes of an object, in a word: what is done, or would be.
pub(crate) fn word(verdict: &Verdict, is_dry: bool) -> &'static str {
    match (verdict, is_dry) {
        (Verdict::Kept, _) => "kept",
        (Verdict::Created, false) => "created",
        (Verdict::Created, true) => "to be created",
        (Verdict::Replaced, false) => "replaced",
        (Verdict::Replaced, true) => "to be replaced",
        (Verdict::Refused(_), _) => "refused",
    }
}

impl<'d> Shown<'d> {
    /// What is decided about files; nothing of it is done if `is_dry`.
    pub(crate) fn new(decision: &'d Decision, files: &'d Files, is_dry: bool) -> Self {
        Self { decision, files, is_dry }
    }

    /// A line for each object; below all of them, why some are refused, with both texts; then how many of each there are.
    pub(crate) fn text(&self, color: Color) -> String {
        let Decision { actions, left_alone, .. } = self.decision;
        let mut out = String::new();
        let kinds =
            actions.iter().map(|action| &action.kind).chain(left_alone.iter().map(|one| &one.kind));
        let kind = kinds.map(|kind| kind.chars().count()).max().unwrap_or(0);
        let names =
            actions.iter().map(|action| &action.name).chain(left_alone.iter().map(|one| &one.name));
        let name = names.map(|name| name.chars().count()).max().unwrap_or(0);
        for action in actions {
            let (sign, paint) = sign(&action.verdict);
            let (before, after) = match color {
                Color::Ansi => (paint, "\u{1b}[0m"),
                Color::Never => ("", ""),
            };
            let place = self.files.place(action.place);
            let said = word(&action.verdict, self.is_dry);
            let note = action.note.as_deref().or(unplaced(action));
            let note = note.map(|note| format!(": {note}")).unwrap_or_default();
            let line = format!(
                "{sign} {:<kind$}  {:<name$}  {place}  {said}{note}",
                action.kind, action.name
            );
            let _ = writeln!(out, "{before}{}{after}", line.trim_end()); // writing to a text cannot fail
        }
        for one in left_alone {
            let _ =
                writeln!(out, "  {:<kind$}  {:<name$}  in no file, left alone", one.kind, one.name);
        }
        for action in actions {
            self.refusal(&mut out, action, color);
        }
        let _ = writeln!(out, "{}", self.summary());
        out
    }

    fn refusal(&self, out: &mut String, action: &Action, color: Color) {
        let Verdict::Refused(fault) = &action.verdict else { return };
        if action.note.is_none() && unplaced(action).is_some() {
            return;
        }
        out.push('\n');
        indent(out, "", &self.files.render(fault, color));
        if let Some(there) = &action.there {
            indent(out, "there: ", there);
            indent(out, "file:  ", &action.file);
        }
    }

    fn summary(&self) -> String {
        let count = |is_one: fn(&Verdict) -> bool| {
            self.decision.actions.iter().filter(|action| is_one(&action.verdict)).count()
        };
        let counts = [
            (count(|verdict| *verdict == Verdict::Kept), Verdict::Kept),
            (count(|verdict| *verdict == Verdict::Created), Verdict::Created),
            (count(|verdict| *verdict == Verdict::Replaced), Verdict::Replaced),
        ];
        let counts =
            counts.map(|(count, verdict)| format!("{count} {}", word(&verdict, self.is_dry)));
        let refused = count(|verdict| matches!(verdict, Verdict::Refused(_)));
        let counts = counts.join(", ");
        match (refused, self.is_dry) {
            (0, false) => counts,
            (0, true) => format!("{counts}; nothing is done yet"),
            (refused, _) => format!("{counts}, {refused} refused; nothing is done"),
        }
    }

    /// A JSON object a line.
    pub(crate) fn json(&self) -> String {
        let actions = self.decision.actions.iter().map(|action| self.action(action));
        let alone = self
            .decision
            .left_alone
            .iter()
            .map(|one| json!({ "verdict": "left alone", "kind": one.kind, "name": one.name }));
        actions.chain(alone).fold(String::new(), |mut out, object| {
            let _ = writeln!(out, "{object}"); // writing to a text cannot fail
            out
        })
    }

    fn action(&self, action: &Action) -> Value {
        let fault = match &action.verdict {
            Verdict::Refused(fault) => Some(fault.message.as_str()),
            _ => None,
        };
        let reasons: Vec<&str> = action.note.as_deref().into_iter().chain(fault).collect();
        let reason = (!reasons.is_empty()).then(|| reasons.join(": "));
        json!({
            "verdict": word(&action.verdict, self.is_dry),
            "kind": action.kind,
            "name": action.name,
            "place": self.files.place(action.place),
            "reason": reason,
            "there": action.there,
            "file": action.file,
        })
    }
}

/// Why something is refused that is at no fault itself, as it is over what another statement was to make.
fn unplaced(action: &Action) -> Option<&str> {
    match &action.verdict {
        Verdict::Refused(fault) if fault.labels.is_empty() => Some(&fault.message),
        _ => None,
    }
}

fn sign(verdict: &Verdict) -> (char, &'static str) {
    match verdict {
        Verdict::Kept => ('=', "\u{1b}[2m"),
        Verdict::Created => ('+', "\u{1b}[32m"),
        Verdict::Replaced => ('~', "\u{1b}[33m"),
        Verdict::Refused(_) => ('!', "\u{1b}[31m"),
    }
}

/// Writes a text below a line, its lines below one another.
fn indent(out: &mut String, name: &str, text: &str) {
    for (at, line) in text.trim_end().lines().enumerate() {
        let name = if at == 0 { name.to_owned() } else { " ".repeat(name.len()) };
        let _ = writeln!(out, "{}", format!("    {name}{line}").trim_end()); // writing to a text cannot fail
    }
}
