//! What can be named in a statement, as the server knows it, for completion.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::client::Client;
use super::session::Session;

/// How many sources are asked for their columns.
const DESCRIBED_MAX: usize = 100;

/// Names, by what they are of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The columns of streams and tables, by the names of those.
    pub sources: BTreeMap<String, Vec<String>>,
    /// Functions.
    pub functions: Vec<String>,
    /// Properties that SET takes.
    pub properties: Vec<String>,
    /// Topics.
    pub topics: Vec<String>,
}

/// Names that are looked up while the user types.
#[derive(Debug, Clone, Default)]
pub struct SharedNames(Arc<Mutex<Names>>);

impl SharedNames {
    /// The names as they are known now.
    pub fn lock(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the server for all names; what it does not tell is left out.
    pub async fn refresh(&self, client: &Client) {
        let mut names = Names::default();
        for (statement, list) in [("SHOW STREAMS;", "streams"), ("SHOW TABLES;", "tables")] {
            let found = list_of(client, statement, list).await;
            names.sources.extend(found.into_iter().map(|name| (name, Vec::new())));
        }
        names.functions = list_of(client, "SHOW FUNCTIONS;", "functions").await;
        names.properties = list_of(client, "LIST PROPERTIES;", "properties").await;
        names.topics = list_of(client, "SHOW TOPICS;", "topics").await;
        // Those whose columns are known keep them until they are asked again.
        {
            let mut known = self.lock();
            for (name, columns) in &mut names.sources {
                *columns = known.sources.remove(name).unwrap_or_default();
            }
            *known = names.clone();
        }
        for source in names.sources.keys().take(DESCRIBED_MAX) {
            let statement = format!("DESCRIBE `{}`;", source.replace('`', "``"));
            let Ok(entities) = client.statement(&statement, &mut Session::default()).await else {
                continue;
            };
            let fields = entities.first().map(|entity| &entity["sourceDescription"]["fields"]);
            let columns = fields.map(names_of).unwrap_or_default();
            self.lock().sources.insert(source.clone(), columns);
        }
    }
}

async fn list_of(client: &Client, statement: &str, list: &str) -> Vec<String> {
    let entities = client.statement(statement, &mut Session::default()).await.unwrap_or_default();
    entities.first().map(|entity| names_of(&entity[list])).unwrap_or_default()
}

fn names_of(list: &Value) -> Vec<String> {
    let objects = list.as_array().into_iter().flatten();
    let mut names: Vec<String> =
        objects.filter_map(|object| Some(object["name"].as_str()?.to_owned())).collect();
    names.sort();
    names.dedup();
    names
}
