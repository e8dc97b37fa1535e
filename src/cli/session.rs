//! What a session remembers between statements, as ksqlDB's CLI does: properties and variables stay with the client.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::sql::ast::Statement;
use crate::sql::{ParseOptions, Variables, read};

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
    /// Keeps what SET, UNSET, DEFINE and UNDEFINE say, and says so; any other statement is none of the session's.
    pub fn take(&mut self, statement: &str) -> Option<String> {
        let variables: Variables =
            self.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let options = ParseOptions { variables: Some(variables), ..ParseOptions::default() };
        let parsed = read(statement, &options).statements.pop()?;
        Some(match parsed.statement {
            Statement::Set { name, value } => {
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
        })
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

    #[test]
    fn settings_stay_with_the_client() {
        let mut session = Session::default();
        assert!(session.take("DEFINE where = 'earliest';").is_some());
        let said = session.take("SET 'auto.offset.reset' = '${where}';");
        assert_eq!(
            said.as_deref(),
            Some(
                "property 'auto.offset.reset' is 'earliest'; UNSET 'auto.offset.reset' takes it back"
            )
        );
        assert_eq!(session.properties_json().to_string(), r#"{"auto.offset.reset":"earliest"}"#);
        assert!(session.take("UNSET 'auto.offset.reset';").is_some());
        assert!(session.properties.is_empty());
        assert_eq!(session.take("SHOW TABLES;"), None);
        assert_eq!(session.take("no statement"), None);
    }
}
