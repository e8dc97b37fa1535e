//! What a session remembers between statements, as ksqlDB's CLI does: properties and variables stay with the client.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::sql::ast::Statement;
use crate::sql::tokens::{TokenClass, tokens};
use crate::sql::{Diagnostic, ParseOptions, read};

/// The property by which variables are left as they are written.
const SUBSTITUTION: &str = "ksql.variable.substitution.enable";

/// What says whether a session may have a property with a value.
pub type PropertyCheck = fn(&str, &str) -> Result<(), Diagnostic>;

/// The properties and variables of a session.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Properties by their names, as SET gives them.
    pub properties: BTreeMap<String, String>,
    /// Variables by their names in small letters.
    pub variables: BTreeMap<String, String>,
    /// The number of the last statement that changed the server, for which the next one waits.
    pub sequence_number: Option<i64>,
}

impl Session {
    /// Keeps what SET, UNSET, DEFINE and UNDEFINE say, and says so; any other statement is none of the session's. A property
    /// is refused for which `check` has a fault, which is shown where its name stands.
    pub fn take(
        &mut self,
        statement: &str,
        check: PropertyCheck,
    ) -> Option<Result<String, Diagnostic>> {
        let parsed = read(statement, &self.parse_options()).statements.pop()?;
        Some(Ok(match parsed.statement {
            Statement::Set { name, value } => {
                if let Err(fault) = check(&name, &value) {
                    let all = tokens(statement);
                    let first = all.iter().find(|token| token.class == TokenClass::Text);
                    return Some(Err(match first {
                        Some(token) => fault.at(token.span, ""),
                        None => fault,
                    }));
                }
                let said = match self.properties.insert(name.clone(), value.clone()) {
                    Some(old) => format!(" (it was '{old}')"),
                    None => String::new(),
                };
                format!("property '{name}' is '{value}'{said}; UNSET '{name}' takes it back")
            }
            Statement::Unset { name } => match self.properties.remove(&name) {
                Some(old) => format!("property '{name}' is no longer '{old}'"),
                None => format!("property '{name}' was not set"),
            },
            Statement::Define { name, value } => {
                self.variables.insert(name.to_lowercase(), value.clone());
                format!("variable {name} is '{value}'")
            }
            Statement::Undefine { name } => match self.variables.remove(&name.to_lowercase()) {
                Some(_) => format!("variable {name} is no longer defined"),
                None => format!("variable {name} was not defined"),
            },
            _ => return None,
        }))
    }

    /// How statements are read under what is set here.
    pub fn parse_options(&self) -> ParseOptions {
        let is_on = self.properties.get(SUBSTITUTION).is_none_or(|value| value != "false");
        let variables = is_on.then(|| self.variables.clone().into_iter().collect());
        ParseOptions { variables, ..ParseOptions::default() }
    }

    /// The properties, as requests carry them.
    pub fn properties_json(&self) -> Value {
        json(&self.properties)
    }

    /// The variables, as requests carry them.
    pub fn variables_json(&self) -> Value {
        json(&self.variables)
    }
}

fn json(map: &BTreeMap<String, String>) -> Value {
    let entry = |(name, value): (&String, &String)| (name.clone(), Value::from(value.as_str()));
    Value::Object(map.iter().map(entry).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, _: &str) -> Result<(), Diagnostic> {
        if name == "nope" { Err(Diagnostic::new("no such property")) } else { Ok(()) }
    }

    #[test]
    fn settings_stay_with_the_client() {
        let mut session = Session::default();
        let mut take = |statement: &str| session.take(statement, check);
        assert!(take("DEFINE where = 'earliest';").is_some_and(|said| said.is_ok()));
        let said = take("SET 'auto.offset.reset' = '${where}';");
        let expected =
            "property 'auto.offset.reset' is 'earliest'; UNSET 'auto.offset.reset' takes it back";
        assert_eq!(said, Some(Ok(expected.to_owned())));
        let refused = take("SET 'nope' = '1';").and_then(Result::err).unwrap();
        assert_eq!(refused.labels[0].0.text("SET 'nope' = '1';"), "'nope'");
        assert_eq!(take("SHOW TABLES;"), None);
        assert_eq!(take("no statement"), None);
        assert_eq!(session.properties_json().to_string(), r#"{"auto.offset.reset":"earliest"}"#);
        assert!(session.take("UNSET 'auto.offset.reset';", check).is_some());
        assert!(session.properties.is_empty());
    }
}
