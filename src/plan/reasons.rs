//! Why an expression is refused, in the words of its text, and what may help.

use super::PlanError;
use super::expression::{Clause, Scope};
use crate::sql::ast::{self, ExprKind};
use crate::sql::suggest::{self, NameKind};
use crate::sql::visit::children;

impl Scope<'_> {
    /// The error with its place within `expr`, the reason and help.
    pub(super) fn noted(
        &self,
        error: PlanError,
        (reason, help, part): (Option<Box<str>>, Option<Box<str>>, Option<u32>),
        expr: &ast::Expr,
    ) -> PlanError {
        let parts = children(expr);
        let written = |part: usize| parts.get(part).map(|part| self.as_written(part));
        let part = part.and_then(|part| parts.get(part as usize)).map(|part| part.span);
        error
            .at(part.filter(|span| !span.is_empty()).unwrap_or(expr.span))
            .maybe_reason(reason.map(|reason| filled(&reason, written)))
            .maybe_help(help.map(|help| filled(&help, written)))
    }

    /// An expression as it stands in the text, on one line.
    fn as_written(&self, expr: &ast::Expr) -> String {
        let is_written = !expr.span.text(self.text).is_empty();
        let text = if is_written {
            expr.span.text(self.text).split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            self.label(expr)
        };
        match text.char_indices().nth(PART_SHOWN_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// What may help whoever named a column that is not there.
    pub(super) fn column_help(&self, expr: &ast::Expr, name: &str) -> Option<String> {
        let own: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let written: Vec<&str> = self.written.iter().map(String::as_str).collect();
        let names = if written.is_empty() { own } else { written };
        let text = expr.span.text(self.text);
        let is_near =
            || suggest::did_you_mean(&name.to_uppercase(), names.iter().copied()).is_some();
        if let Some(inside) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
            && !names.iter().any(|known| known.eq_ignore_ascii_case(inside))
        {
            let inside = inside.replace('\'', "''");
            return Some(format!("\" stands around names: write '{inside}' for the text"));
        }
        if let Some(unit) = suggest::unit(name) {
            return Some(format!(
                "did you mean {unit}? Functions take units of time in the plural"
            ));
        }
        let alias = self.select.iter().find_map(|item| match item {
            ast::SelectItem::Expr { expr, alias: Some(alias), .. } if alias.text == name => {
                Some(expr)
            }
            _ => None,
        });
        if let (Some(selected), true) = (alias, self.clause != Clause::Select) {
            let (clause, selected) = (self.clause.name(), self.as_written(selected));
            return Some(format!(
                "{name} is a name that SELECT gives, which {clause} does not see: write {selected}"
            ));
        }
        let has_source = matches!(&expr.kind, ExprKind::Column { source: Some(_), .. });
        let unqualified = name.rsplit('.').next().unwrap_or(name);
        if has_source && self.written.is_empty() && !is_near() {
            return suggest::help(NameKind::Column, unqualified, &names);
        }
        suggest::help(NameKind::Column, name, &names)
    }
}

/// The longest part of an expression that is shown whole in a reason.
const PART_SHOWN_MAX: usize = 40;

/// A text with what `written` gives in the place of `{0}`, `{1}` and so on.
fn filled(text: &str, written: impl Fn(usize) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let part = after
            .split_once('}')
            .and_then(|(number, after)| Some((written(number.parse().ok()?)?, after)));
        if let Some((part, after)) = part {
            out.push_str(&part);
            rest = after;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}
