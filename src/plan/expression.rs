//! Expressions of the syntax tree, typed against the columns of a row.

use super::columns::Columns;
use super::error::Details;
use super::frame::defs;
use super::name_help::{field_help, function_help, is_of_many_rows};
use super::names::unqualified;
use super::types::resolve_type;
use super::{Catalog, PlanError, Stage};
use crate::expr::functions::{self, ArgType};
use crate::expr::{self, Argument, Expr, Lambda, TypeError, TypeErrorKind};
use crate::sql::ast::{self, ExprKind, Literal, Name};
use crate::sql::{Text, print};
use crate::types::{ColumnDef, Decimal, Schema, SqlType};

/// A clause of a query, which decides how a faulty expression is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    Select,
    Where,
    GroupBy,
    PartitionBy,
    Having,
    JoinOn,
}

impl Clause {
    /// The name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Where => "WHERE",
            Self::GroupBy => "GROUP BY",
            Self::PartitionBy => "PARTITION BY",
            Self::Having => "HAVING",
            Self::JoinOn => "JOIN ON",
        }
    }
}

/// The columns that an expression may name, and what its types may refer to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) columns: &'s [(String, SqlType)],
    /// The keys of the rows.
    pub(super) key: &'s [ColumnDef],
    pub(super) catalog: &'s Catalog,
    /// The whole text that was parsed, to tell lines and columns.
    pub(super) text: &'s Text,
    pub(super) clause: Clause,
    /// The calls that columns of results stand for, which messages show instead.
    pub(super) calls: &'s [ast::Expr],
    /// What is selected, whose names other clauses do not see.
    pub(super) select: &'s [ast::SelectItem],
    /// How the columns are written, where that is not by their names.
    pub(super) written: &'s [String],
    /// The same columns by their names, where these have been put in order.
    pub(super) named: Option<&'s Columns>,
}

/// What the names of an aggregation's results begin with; a number follows.
pub(super) const RESULT_PREFIX: &str = "KSQL_AGG_VARIABLE_";

/// What the names of the results of `OVER` begin with; a number follows.
pub(super) const OVER_PREFIX: &str = "KSQL_OVER_VARIABLE_";

/// The variables of the lambdas around an expression, outermost first.
type Variables<'v> = Vec<(&'v str, SqlType)>;

impl Scope<'_> {
    /// Types an expression.
    pub(super) fn resolve(&self, expr: &ast::Expr) -> Result<Expr, PlanError> {
        self.typed(expr, &mut Vec::new()).map_err(|error| self.in_whole(error, expr))
    }

    /// Refuses the first column of an expression that is not there.
    pub(super) fn resolve_columns(&self, expr: &ast::Expr) -> Result<(), PlanError> {
        let mut result = Ok(());
        super::names::visit(expr, &mut |expr| {
            if let (Ok(()), ExprKind::Column { name, .. }) = (&result, &expr.kind) {
                result = self.column(expr, name).map(|_| ());
            }
        });
        result.map_err(|error| self.in_whole(error, expr))
    }

    /// Shows the whole expression and what it stands over, where ksqlDB does so in the text that it does not log.
    fn in_whole(&self, error: PlanError, expr: &ast::Expr) -> PlanError {
        let text = || self.label(&unqualified(expr));
        match error.details {
            Details::None => error,
            Details::Expression => {
                let details = error.unlogged.clone().unwrap_or_else(|| error.message.clone());
                error.unlogged(format!("{details}\nStatement: {}", text()))
            }
            Details::Schema => {
                // ksqlDB quotes no name of a function here, such as that of `||`.
                let (message, text) =
                    (error.message.clone(), text().replace("`concat`(", "concat("));
                let schema = self.schema();
                error.unlogged(format!(
                    "{message} expression: {text}, schema:{schema}\nStatement: {text}"
                ))
            }
        }
    }

    fn schema(&self) -> Schema {
        Schema { key: self.key.to_vec(), value: defs(self.columns) }
    }

    fn typed<'e>(
        &self,
        expr: &'e ast::Expr,
        variables: &mut Variables<'e>,
    ) -> Result<Expr, PlanError> {
        let typed = self.node(expr, variables)?;
        Ok(typed.labelled(self.label(expr)))
    }

    /// An expression as messages show it.
    pub(super) fn label(&self, expr: &ast::Expr) -> String {
        if self.calls.is_empty() {
            return print::expression(expr);
        }
        let mut shown = expr.clone();
        super::names::rewrite(&mut shown, &mut |expr| {
            let ExprKind::Column { name, .. } = &expr.kind else { return None };
            let prefixes = [RESULT_PREFIX, OVER_PREFIX];
            let number = prefixes.iter().find_map(|prefix| name.text.strip_prefix(prefix))?;
            let index = number.parse::<usize>().ok()?;
            self.calls.get(index).map(|call| call.kind.clone())
        });
        print::expression(&shown)
    }

    fn node<'e>(&self, expr: &'e ast::Expr, vars: &mut Variables<'e>) -> Result<Expr, PlanError> {
        let typed = match &expr.kind {
            ExprKind::Literal(value) => Ok(literal(value)),
            ExprKind::Column { name, .. } => return self.column(expr, name),
            ExprKind::LambdaVariable(name) => return variable(name, vars),
            ExprKind::Sign { sign, value } => {
                let sign = match sign {
                    ast::Sign::Plus => expr::Sign::Plus,
                    ast::Sign::Minus => expr::Sign::Minus,
                };
                Expr::sign(sign, self.typed(value, vars)?)
            }
            ExprKind::Arithmetic { op, left, right } => {
                Expr::arithmetic(arithmetic(*op), self.typed(left, vars)?, self.typed(right, vars)?)
            }
            ExprKind::Comparison { op, left, right } => {
                let (left, right) =
                    (self.against(right, left, vars)?, self.against(left, right, vars)?);
                Expr::comparison(comparison(*op), left, right)
            }
            ExprKind::Logical { op, left, right } => {
                let (left, right) = (self.typed(left, vars)?, self.typed(right, vars)?);
                match op {
                    ast::LogicalOp::And => Expr::and(left, right),
                    ast::LogicalOp::Or => Expr::or(left, right),
                }
            }
            ExprKind::Not(value) => Expr::not(self.typed(value, vars)?),
            ExprKind::IsNull(value) => Expr::is_null(self.typed(value, vars)?, false),
            ExprKind::IsNotNull(value) => Expr::is_null(self.typed(value, vars)?, true),
            ExprKind::Between { value, low, high } => {
                let low = self.against(value, low, vars)?;
                let high = self.against(value, high, vars)?;
                Expr::between(self.typed(value, vars)?, low, high)
            }
            ExprKind::In { value, list } => {
                let list =
                    list.iter().map(|item| self.typed(item, vars)).collect::<Result<_, _>>()?;
                Expr::in_list(self.typed(value, vars)?, list)
            }
            ExprKind::Like { value, pattern, escape } => {
                Expr::like(self.typed(value, vars)?, self.typed(pattern, vars)?, *escape)
            }
            ExprKind::SimpleCase { .. } => Err(TypeError::rule(
                "not yet implemented: io.confluent.ksql.execution.util.ExpressionTypeManager$Visitor.\
                 visitSimpleCaseExpression",
            )),
            ExprKind::Cast { value, ty } => {
                Expr::cast(self.typed(value, vars)?, resolve_type(ty, self.catalog)?)
            }
            ExprKind::Subscript { base, index } => {
                Expr::subscript(self.typed(base, vars)?, self.typed(index, vars)?)
            }
            ExprKind::Field { base, name } => {
                let base = self.typed(base, vars)?;
                let help = field_help(&base, name);
                Expr::field(base, &name.text).map_err(|error| error.maybe_help(help))
            }
            ExprKind::SearchedCase { .. }
            | ExprKind::Array(_)
            | ExprKind::Map(_)
            | ExprKind::Struct(_) => self.composite(&expr.kind, vars)?,
            ExprKind::Call { name, args } => return self.call(expr, name, args, vars),
            ExprKind::Over(over) => return Err(not_selected(over)),
            ExprKind::Lambda { .. } | ExprKind::Unit(_) => {
                Err(TypeError::rule("a lambda or a unit of time can only be an argument"))
            }
        };
        typed.map_err(|error| self.refuse(error, expr))
    }

    /// What is made of several parts: CASE, ARRAY, MAP and STRUCT.
    fn composite<'e>(
        &self,
        kind: &'e ExprKind,
        vars: &mut Variables<'e>,
    ) -> Result<Result<Expr, TypeError>, PlanError> {
        Ok(match kind {
            ExprKind::SearchedCase { whens, otherwise } => {
                let mut typed = Vec::with_capacity(whens.len());
                for when in whens {
                    let condition = self.typed(&when.condition, vars)?;
                    typed.push((condition, self.typed(&when.result, vars)?));
                }
                let otherwise = otherwise.as_ref().map(|value| self.typed(value, vars));
                Expr::case(typed, otherwise.transpose()?)
            }
            ExprKind::Array(items) => {
                let items = items.iter().map(|item| self.typed(item, vars));
                Expr::array(items.collect::<Result<_, _>>()?)
            }
            ExprKind::Map(entries) => {
                let mut typed = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    typed.push((self.typed(key, vars)?, self.typed(value, vars)?));
                }
                Expr::map(typed)
            }
            ExprKind::Struct(fields) => {
                let mut typed = Vec::with_capacity(fields.len());
                for field in fields {
                    typed.push((field.name.text.as_str().into(), self.typed(&field.value, vars)?));
                }
                Expr::structure(typed)
            }
            _ => unreachable!("only expressions of several parts come here"),
        })
    }

    fn column(&self, expr: &ast::Expr, name: &Name) -> Result<Expr, PlanError> {
        let found = match self.named {
            Some(columns) => columns.place(&name.text),
            None => self.columns.iter().position(|(column, _)| *column == name.text),
        };
        let index = found.ok_or_else(|| self.unknown(expr))?;
        Ok(Expr::column(index, name.text.as_str(), self.columns[index].1.clone()))
    }

    /// "SELECT column 'X' cannot be resolved."
    fn unknown(&self, expr: &ast::Expr) -> PlanError {
        let position = expr.span.position(self.text);
        let clause = self.clause.name();
        let name = match &expr.kind {
            ExprKind::Column { source: Some(source), name } => {
                format!("{}.{}", source.text, name.text)
            }
            ExprKind::Column { name, .. } => name.text.clone(),
            _ => print::expression(expr),
        };
        if self.clause == Clause::Where && matches!(name.as_str(), "WINDOWSTART" | "WINDOWEND") {
            let message = "Error in WHERE expression";
            let error = PlanError::analyse(message).at(expr.span);
            return error
                .unlogged(format!("{message}: Unknown column {name}."))
                .with_details(Details::Expression);
        }
        let hint = if self.clause == Clause::PartitionBy {
            format!(
                " '{name}' must be a column in the source schema since PARTITION BY is applied on the \
                 input."
            )
        } else {
            String::new()
        };
        let (line, column) = (position.line, position.column);
        let error = PlanError::analyse(format!(
            "Line: {line}, Col: {column}: {clause} column '{name}' cannot be resolved.{hint}"
        ));
        error.at(expr.span).maybe_help(self.column_help(expr, &name))
    }

    /// `value`, which is compared with `other`: a text beside ROWTIME, WINDOWSTART or WINDOWEND is a time.
    fn against<'e>(
        &self,
        other: &ast::Expr,
        value: &'e ast::Expr,
        vars: &mut Variables<'e>,
    ) -> Result<Expr, PlanError> {
        let is_time = matches!(&other.kind, ExprKind::Column { name, .. }
            if matches!(name.text.as_str(), "ROWTIME" | "WINDOWSTART" | "WINDOWEND"));
        match &value.kind {
            ExprKind::Literal(Literal::String(text)) if is_time => {
                let time = expr::parse_partial_timestamp(text).map_err(|error| {
                    PlanError::analyse(error.message.into_owned()).at(value.span)
                })?;
                Ok(Expr::bigint(time).labelled(print::expression(value)))
            }
            _ => self.typed(value, vars),
        }
    }

    fn call<'e>(
        &self,
        expr: &ast::Expr,
        name: &Name,
        args: &'e [ast::Expr],
        vars: &mut Variables<'e>,
    ) -> Result<Expr, PlanError> {
        let refuse = |error: TypeError| {
            // ksqlDB knows what type such a function has, and finds only then that it is none of single rows.
            let has_type = self.clause == Clause::Where && is_of_many_rows(&name.text);
            let kind = if has_type { TypeErrorKind::Code } else { error.kind };
            let refused = self.refuse(TypeError { kind, ..error }, expr);
            if functions::describe(&name.text).is_some() {
                return refused;
            }
            refused.just_at(name.span).maybe_help(function_help(&name.text))
        };
        let mut typed: Vec<Option<Argument>> = Vec::with_capacity(args.len());
        let mut found: Vec<ArgType> = Vec::with_capacity(args.len());
        for arg in args {
            let argument = match &arg.kind {
                ExprKind::Unit(unit) => Some(Argument::Unit(unit.as_str().into())),
                ExprKind::Lambda { .. } => None,
                _ => Some(Argument::Value(self.typed(arg, vars)?)),
            };
            found.push(match (&argument, &arg.kind) {
                (Some(argument), _) => argument.arg_type(),
                (None, ExprKind::Lambda { params, .. }) => {
                    ArgType::Lambda { arity: params.len(), returns: None }
                }
                (None, _) => ArgType::Null,
            });
            typed.push(argument);
        }
        if typed.iter().any(Option::is_none) {
            let inputs = Expr::lambda_inputs(&name.text, &found).map_err(refuse)?;
            for ((arg, slot), inputs) in args.iter().zip(&mut typed).zip(inputs) {
                if let (ExprKind::Lambda { params, body }, Some(inputs)) = (&arg.kind, inputs) {
                    *slot = Some(Argument::Lambda(self.lambda(params, body, inputs, vars)?));
                }
            }
        }
        Expr::call(&name.text, typed.into_iter().flatten().collect()).map_err(refuse)
    }

    fn lambda<'e>(
        &self,
        params: &'e [Name],
        body: &'e ast::Expr,
        inputs: Vec<SqlType>,
        vars: &mut Variables<'e>,
    ) -> Result<Lambda, PlanError> {
        let first_slot = vars.len();
        vars.extend(params.iter().map(|param| param.text.as_str()).zip(inputs));
        let body = self.typed(body, vars);
        vars.truncate(first_slot);
        Ok(Lambda { first_slot, arity: params.len(), body: body? })
    }

    /// Says of a faulty expression what ksqlDB says in this clause.
    pub(super) fn refuse(&self, error: TypeError, expr: &ast::Expr) -> PlanError {
        let clause = self.clause.name();
        let (hidden, unlogged) = (error.message.clone(), error.unlogged.clone());
        let notes = (error.reason.clone(), error.help.clone(), error.part);
        let refused = match (self.clause, error.kind) {
            (Clause::Where | Clause::Having, TypeErrorKind::Code) => {
                PlanError::new(Stage::Execute, format!("Invalid Predicate: {}.", error.message))
                    .with_details(Details::Schema)
            }
            (Clause::Where | Clause::Having, _) => {
                let message = format!("Error in {clause} expression");
                let refused = PlanError::analyse(&message);
                let refused = match unlogged {
                    Some(details) => refused
                        .unlogged(format!("{message}: {details}"))
                        .with_details(Details::Expression),
                    None => refused
                        .unlogged(format!("{message}: {}", error.message))
                        .with_details(Details::Expression),
                };
                return self.noted(refused, notes, expr).because(hidden);
            }
            (_, TypeErrorKind::Code) => {
                PlanError::analyse(format!("Invalid {}: {}.", capitalised(clause), error.message))
                    .with_details(Details::Schema)
            }
            (_, TypeErrorKind::Crash) => PlanError::analyse(format!(
                "Unexpected error generating code for {}",
                capitalised(clause)
            )),
            (_, TypeErrorKind::Rule | TypeErrorKind::Statement) => {
                PlanError::analyse(error.message)
            }
        };
        let refused = match unlogged {
            Some(unlogged) => refused.unlogged(unlogged),
            None => refused,
        };
        self.noted(refused, notes, expr)
    }
}

/// What is said of a call over rows where there are none.
fn not_selected(over: &ast::Over) -> PlanError {
    let error = PlanError::execute("OVER can only stand in the SELECT of a query over a stream");
    error.at(over.span)
}

fn capitalised(clause: &str) -> &str {
    if clause == "SELECT" { "Select" } else { clause }
}

fn literal(literal: &Literal) -> Expr {
    match literal {
        Literal::Null => Expr::null(),
        Literal::Boolean(value) => Expr::boolean(*value),
        Literal::Integer(value) => Expr::int(*value),
        Literal::Bigint(value) => Expr::bigint(*value),
        Literal::Double(value) => Expr::double(*value),
        Literal::Decimal(digits) => {
            Decimal::parse(digits).map_or_else(|_| Expr::null(), Expr::decimal)
        }
        Literal::String(text) => Expr::string(text.as_str()),
    }
}

fn variable(name: &Name, variables: &[(&str, SqlType)]) -> Result<Expr, PlanError> {
    let found = variables.iter().rposition(|(variable, _)| *variable == name.text);
    let slot = found.ok_or_else(|| {
        PlanError::analyse(format!("lambda variable {} is not bound", name.text)).at(name.span)
    })?;
    Ok(Expr::variable(slot, name.text.as_str(), variables[slot].1.clone()))
}

fn arithmetic(op: ast::ArithmeticOp) -> expr::ArithmeticOp {
    match op {
        ast::ArithmeticOp::Add => expr::ArithmeticOp::Add,
        ast::ArithmeticOp::Subtract => expr::ArithmeticOp::Subtract,
        ast::ArithmeticOp::Multiply => expr::ArithmeticOp::Multiply,
        ast::ArithmeticOp::Divide => expr::ArithmeticOp::Divide,
        ast::ArithmeticOp::Modulus => expr::ArithmeticOp::Modulus,
    }
}

fn comparison(op: ast::Comparison) -> expr::Comparison {
    match op {
        ast::Comparison::Equal => expr::Comparison::Equal,
        ast::Comparison::NotEqual => expr::Comparison::NotEqual,
        ast::Comparison::Less => expr::Comparison::Less,
        ast::Comparison::LessOrEqual => expr::Comparison::LessOrEqual,
        ast::Comparison::Greater => expr::Comparison::Greater,
        ast::Comparison::GreaterOrEqual => expr::Comparison::GreaterOrEqual,
        ast::Comparison::DistinctFrom => expr::Comparison::DistinctFrom,
    }
}
