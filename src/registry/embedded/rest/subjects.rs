//! `/subjects`: what is registered under which name.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Body};
use super::call::{Call, Given};
use super::schemas::shown;
use crate::registry::embedded::content::Content;
use crate::registry::embedded::record::write_content;
use crate::registry::embedded::refusal::Refusal;
use crate::registry::embedded::register::{self, Registered, Registration};
use crate::registry::embedded::remove::{self, Deletion};
use crate::registry::schema::{SchemaId, Subject};

/// `GET /contexts`
pub(super) async fn contexts(call: Call) -> Answer {
    Ok(json!(call.service.state().contexts()).into())
}

/// `GET /subjects?subjectPrefix=&deleted=&deletedOnly=`
pub(super) async fn list(call: Call) -> Answer {
    let (state, prefix) = (call.service.state(), call.prefix());
    let subjects = state.subjects(&prefix, call.which());
    Ok(json!(subjects.iter().map(|subject| subject.as_str()).collect::<Vec<_>>()).into())
}

/// `GET /subjects/{subject}/versions?deleted=&deletedOnly=`
pub(super) async fn versions(call: Call) -> Answer {
    let (state, subject) = (call.service.state(), call.subject());
    let versions: Vec<i32> =
        state.versions(&subject, call.which()).map(|(number, _)| number).collect();
    if versions.is_empty() {
        return Err(Refusal::subject_not_found(&subject));
    }
    Ok(json!(versions).into())
}

/// `GET /subjects/{subject}/versions/{version}?deleted=&format=`
pub(super) async fn version(call: Call) -> Answer {
    let (state, subject) = (call.service.state(), call.subject());
    let (number, version) = state.version(&subject, call.version()?, call.which())?;
    let content = shown(&state, &version.content, call.text("format"))?;
    Ok(registered(&subject, number, version.id, &content).into())
}

/// `GET /subjects/{subject}/versions/{version}/schema?deleted=&format=`
pub(super) async fn text(call: Call) -> Answer {
    let (state, subject) = (call.service.state(), call.subject());
    let (_, version) = state.version(&subject, call.version()?, call.which())?;
    let content = shown(&state, &version.content, call.text("format"))?;
    Ok(Body::Text(content.schema.text))
}

/// `GET /subjects/{subject}/versions/{version}/referencedby`
pub(super) async fn referenced_by(call: Call) -> Answer {
    let (state, subject) = (call.service.state(), call.subject());
    let (number, _) = state.version(&subject, call.version()?, call.which())?;
    let users = state.users(&subject, number);
    Ok(json!(users.iter().map(|id| id.0).collect::<Vec<_>>()).into())
}

/// `POST /subjects/{subject}/versions?normalize=`
pub(super) async fn register(call: Call, given: Given) -> Answer {
    let (subject, normalize) = (call.subject(), call.is("normalize"));
    let registration = Registration {
        content: given.content()?,
        id: given.number("id", 0).map(SchemaId),
        version: given.number("version", 1),
    };
    let registered = call
        .service
        .change(move |state| register::register(state, &subject, registration, normalize))
        .await?;
    Ok(answer(&registered).into())
}

/// What a registration has come to. The schema is not in it: clients take one that is for what they sent, in their own
/// format.
fn answer(registered: &Registered) -> Value {
    json!({
        "id": registered.id.0,
        "version": registered.version,
        "guid": registered.content.guid().to_string()
    })
}

/// `POST /subjects/{subject}?normalize=&deleted=`
pub(super) async fn look_up(call: Call, given: Given) -> Answer {
    let (subject, normalize, which) = (call.subject(), call.is("normalize"), call.which());
    let content = given.content()?;
    let asked = subject.clone();
    let found = call
        .service
        .ask(move |state| register::look_up(state, &asked, content, normalize, which))
        .await?;
    Ok(registered(&subject, found.version, found.id, &found.content).into())
}

/// `DELETE /subjects/{subject}?permanent=`
pub(super) async fn delete(call: Call) -> Answer {
    let (subject, deletion) = (call.subject(), deletion(&call));
    let deleted =
        call.service.change(move |state| remove::delete_subject(state, &subject, deletion)).await?;
    Ok(json!(deleted).into())
}

/// `DELETE /subjects/{subject}/versions/{version}?permanent=`
pub(super) async fn delete_version(call: Call) -> Answer {
    let (subject, deletion, version) = (call.subject(), deletion(&call), call.version()?);
    let deleted = call
        .service
        .change(move |state| remove::delete_version(state, &subject, version, deletion))
        .await?;
    Ok(json!(deleted).into())
}

fn deletion(call: &Call) -> Deletion {
    if call.is("permanent") { Deletion::Permanent } else { Deletion::Soft }
}

/// A version as it is shown.
pub(super) fn registered(
    subject: &Subject,
    version: i32,
    id: SchemaId,
    content: &Content,
) -> Value {
    let mut fields = Map::new();
    fields.insert("subject".into(), subject.as_str().into());
    fields.insert("version".into(), version.into());
    fields.insert("id".into(), id.0.into());
    fields.insert("guid".into(), content.guid().to_string().into());
    write_content(content, &mut fields);
    fields.into()
}
