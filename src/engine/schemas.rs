//! What the schema registry is asked for planning, and what is registered in it of what planning asks for.

use super::{Known, Needs, Program};
use crate::plan::SchemaRequest;
use crate::registry::{RegisteredSchema, RegistryClient, RegistryError};
use crate::sql::Diagnostic;

/// Finds out what a statement needs to know of the registry. What is not there stays unknown.
pub async fn look_up(
    registry: &RegistryClient,
    needs: &Needs,
    known: &mut Known,
) -> Result<(), RegistryError> {
    for subject in &needs.subjects {
        if known.has_subject(subject) {
            continue;
        }
        let Some(RegisteredSchema { id, .. }) = found(registry.latest(subject).await)? else {
            continue;
        };
        if let Some(schema) = found(registry.by_id(id).await)? {
            known.add_subject(subject.clone(), schema.as_ref().clone());
        }
    }
    for id in &needs.schemas {
        if let Some(schema) = found(registry.by_id(*id).await)? {
            known.add_schema(schema.as_ref().clone());
        }
    }
    Ok(())
}

fn found<T>(answer: Result<T, RegistryError>) -> Result<Option<T>, RegistryError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The statements whose schemas the registry would not take, as they do not get on with those before them.
pub(super) async fn refusals(
    registry: &RegistryClient,
    program: &Program,
) -> Result<Vec<Diagnostic>, RegistryError> {
    let mut refused = Vec::new();
    for command in program.done() {
        for SchemaRequest { subject, schema } in &command.change.schemas {
            let Some(verdict) = found(registry.test(subject, schema).await)? else { continue };
            if verdict.is_compatible {
                continue;
            }
            let details = verdict.messages.join(", ");
            let message = format!(
                "Could not register schema for topic: Schema being registered is incompatible with \
                 an earlier schema for subject \"{subject}\", details: [{details}]; error code: 409"
            );
            let help = format!(
                "the compatibility level of {subject} says which changes the registry takes"
            );
            refused
                .push(Diagnostic::new(message).at(command.place, "in this statement").help(help));
        }
    }
    Ok(refused)
}
