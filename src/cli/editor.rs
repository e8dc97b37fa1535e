//! The line that a user types: its colours, its completion, its end, and what was typed before.

use std::borrow::Cow;
use std::path::PathBuf;

use reedline::{
    Color, ColumnarMenu, Completer, CompletionResult, Emacs, FileBackedHistory, Highlighter,
    KeyCode, KeyModifiers, MenuBuilder as _, Prompt, PromptEditMode, PromptHistorySearch, Reedline,
    ReedlineEvent, ReedlineMenu, Span, StyledText, Suggestion, ValidationResult, Validator,
    default_emacs_keybindings,
};

use super::complete::complete;
use super::names::SharedNames;
use super::script::is_complete;
use crate::sql::tokens::{TokenClass, tokens};

/// How many lines of what was typed are kept.
const HISTORY_MAX: usize = 10_000;
/// What the menu of completions is called.
const MENU: &str = "completions";

/// An editor of lines, with the history of this file.
pub fn editor(names: SharedNames, history: Option<PathBuf>, has_colors: bool) -> Reedline {
    let menu = ColumnarMenu::default().with_name(MENU).with_marker("");
    let mut keys = default_emacs_keybindings();
    let complete = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(complete));
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    // What it does depends on what is typed, which is looked at outside.
    let end = ReedlineEvent::ExecuteHostCommand(String::new());
    keys.add_binding(KeyModifiers::CONTROL, KeyCode::Char('d'), end);
    let editor = Reedline::create()
        .with_completer(Box::new(Completions { names }))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .with_validator(Box::new(WholeStatements))
        .with_highlighter(Box::new(Colors { is_on: has_colors }))
        .with_history_exclusion_prefix(Some(" ".to_owned()))
        .use_bracketed_paste(true)
        .with_ansi_colors(has_colors);
    // Without a place for it, what was typed is kept for as long as the shell runs.
    match history.and_then(|file| FileBackedHistory::with_file(HISTORY_MAX, file).ok()) {
        Some(history) => editor.with_history(Box::new(history)),
        None => editor,
    }
}

/// The file of what was typed, in the user's directory of state.
pub fn history_file() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("millstream").join("history"))
}

struct Completions {
    names: SharedNames,
}

impl Completer for Completions {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let (start, found) = complete(line.get(..pos).unwrap_or(line), &self.names.lock());
        let suggestion = |one: super::complete::Completion| Suggestion {
            append_whitespace: !matches!(one.kind, "function" | "property" | "topic" | "column"),
            description: None,
            span: Span::new(start, pos),
            value: one.text,
            ..Suggestion::default()
        };
        CompletionResult::fresh(found.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}

struct WholeStatements;

impl Validator for WholeStatements {
    fn validate(&self, line: &str) -> ValidationResult {
        if is_complete(line) { ValidationResult::Complete } else { ValidationResult::Incomplete }
    }
}

/// Colours that can be read on light and on dark ground alike.
struct Colors {
    is_on: bool,
}

impl Highlighter for Colors {
    fn highlight(&self, line: &str, _: usize) -> StyledText {
        let mut styled = StyledText::new();
        let plain = Color::Default.normal();
        if !self.is_on {
            styled.push((plain, line.to_owned()));
            return styled;
        }
        let mut at = 0;
        for token in tokens(line) {
            let style = match token.class {
                TokenClass::Keyword(_) => Color::Default.bold(),
                TokenClass::Text => Color::Green.normal(),
                TokenClass::Number | TokenClass::Variable => Color::Magenta.normal(),
                TokenClass::Stray => Color::Red.normal(),
                TokenClass::Symbol(_) | TokenClass::Name | TokenClass::Quoted => plain,
            };
            push_between(&mut styled, &line[at..token.span.start]);
            styled.push((style, token.span.text(line).to_owned()));
            at = token.span.end;
        }
        push_between(&mut styled, &line[at..]);
        styled
    }
}

/// Adds what lies between tokens: comments, and white space.
fn push_between(styled: &mut StyledText, text: &str) {
    let is_blank = text.trim().is_empty();
    let style = if is_blank { Color::Default.normal() } else { Color::Default.dimmed() };
    if !text.is_empty() {
        styled.push((style, text.to_owned()));
    }
}

/// The prompt: `sql>`, and dots where a statement goes on.
pub struct SqlPrompt;

impl Prompt for SqlPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("sql")
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("...> ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!("(search: {}) ", search.term))
    }
}
