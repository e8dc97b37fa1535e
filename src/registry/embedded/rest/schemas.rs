//! `/schemas`: schemas by their ids.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::answer::{Answer, Body};
use super::call::Call;
use super::subjects::registered;
use crate::registry::embedded::content::Content;
use crate::registry::embedded::record::write_content;
use crate::registry::embedded::refusal::Refusal;
use crate::registry::embedded::register;
use crate::registry::embedded::state::{Known, State, VersionSpec, Which};
use crate::registry::embedded::subject::{DEFAULT_CONTEXT, context};
use crate::registry::schema::Subject;

/// `GET /schemas?subjectPrefix=&deleted=&latestOnly=&offset=&limit=`
pub(super) async fn list(call: Call) -> Answer {
    let (state, prefix, which) = (call.service.state(), call.prefix(), call.which());
    let skipped = call.number("offset")?.unwrap_or(0);
    let limit = call.number("limit")?.unwrap_or(-1);
    let is_latest_only = call.is("latestOnly");
    let subjects = state.subjects(&prefix, which).into_iter();
    let all = subjects.flat_map(|subject| {
        let versions = state.versions(subject, which);
        let latest = is_latest_only.then(|| state.find(subject, VersionSpec::Latest, which));
        let latest = latest.flatten().map(|(number, _)| number);
        versions
            .filter(move |(number, _)| latest.is_none_or(|latest| *number == latest))
            .map(move |(number, version)| registered(subject, number, version.id, &version.content))
    });
    let shown = all
        .skip(usize::try_from(skipped).unwrap_or(0))
        // Less than none means all.
        .take(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Value::Array(shown.collect()).into())
}

/// `GET /schemas/types`
pub(super) async fn types(_: Call) -> Answer {
    Ok(json!(["JSON", "PROTOBUF", "AVRO"]).into())
}

/// `GET /schemas/ids/{id}?subject=&format=&fetchMaxId=`
pub(super) async fn by_id(call: Call) -> Answer {
    let state = call.service.state();
    let known = known(&call, &state)?;
    let content = shown(&state, &known.content, call.text("format"))?;
    let mut fields = fields(&content);
    if call.is("fetchMaxId") {
        fields.insert("maxId".into(), state.last_id(&context_of(&call)).into());
    }
    Ok(Value::from(fields).into())
}

fn fields(content: &Content) -> Map<String, Value> {
    let mut fields = Map::new();
    write_content(content, &mut fields);
    fields.insert("guid".into(), content.guid().to_string().into());
    fields
}

/// `GET /schemas/ids/{id}/schema?subject=&format=`
pub(super) async fn text(call: Call) -> Answer {
    let state = call.service.state();
    let known = known(&call, &state)?;
    Ok(Body::Text(shown(&state, &known.content, call.text("format"))?.schema.text))
}

/// `GET /schemas/ids/{id}/subjects?deleted=`
pub(super) async fn subjects(call: Call) -> Answer {
    let state = call.service.state();
    let subjects: BTreeSet<&str> =
        uses(&call, &state)?.into_iter().map(|(subject, _)| subject.as_str()).collect();
    Ok(json!(subjects).into())
}

/// `GET /schemas/ids/{id}/versions?deleted=`
pub(super) async fn versions(call: Call) -> Answer {
    let state = call.service.state();
    let versions: Vec<Value> = uses(&call, &state)?
        .into_iter()
        .map(|(subject, version)| json!({ "subject": subject.as_str(), "version": version }))
        .collect();
    Ok(json!(versions).into())
}

/// `GET /schemas/guids/{guid}?format=`
pub(super) async fn by_guid(call: Call) -> Answer {
    let (state, guid) = (call.service.state(), call.guid()?);
    let (_, known) = state.by_guid(guid).ok_or_else(|| Refusal::id_not_found(guid))?;
    let content = shown(&state, &known.content, call.text("format"))?;
    Ok(Value::from(fields(&content)).into())
}

/// `GET /schemas/guids/{guid}/ids`
pub(super) async fn ids_of_guid(call: Call) -> Answer {
    let (state, guid) = (call.service.state(), call.guid()?);
    let (id, known) = state.by_guid(guid).ok_or_else(|| Refusal::id_not_found(guid))?;
    let (subject, _) = known.versions.first().ok_or_else(|| Refusal::id_not_found(guid))?;
    Ok(json!([{ "context": context(subject.as_str()), "id": id.0 }]).into())
}

/// The context in which ids are meant: that of the request, or of the subject that it names.
fn context_of(call: &Call) -> String {
    match (call.context(), call.text("subject")) {
        (Some(context), _) => context.trim_matches(':').to_owned(),
        (None, Some(subject)) => context(subject).to_owned(),
        (None, None) => DEFAULT_CONTEXT.to_owned(),
    }
}

fn known<'s>(call: &Call, state: &'s State) -> Result<&'s Known, Refusal> {
    let id = call.id()?;
    state.by_id(&context_of(call), id).ok_or_else(|| Refusal::id_not_found(id))
}

/// The versions that a schema is, as far as they are asked for.
fn uses<'s>(call: &Call, state: &'s State) -> Result<Vec<(&'s Subject, i32)>, Refusal> {
    let (known, which) = (known(call, state)?, call.which());
    let versions = known.versions.iter().filter(|(subject, version)| {
        state.find(subject, VersionSpec::Number(*version), which).is_some()
    });
    let versions: Vec<_> = versions.map(|(subject, version)| (subject, *version)).collect();
    if versions.is_empty() && which == Which::Active {
        return Err(Refusal::id_not_found(call.id()?));
    }
    Ok(versions)
}

/// A content in the format that is asked for: `serialized` is a file descriptor in Base64.
pub(super) fn shown(
    state: &State,
    content: &Content,
    format: Option<&str>,
) -> Result<Content, Refusal> {
    let mut shown = content.clone();
    if let Some(text) = register::formatted(state, content, format.unwrap_or_default())? {
        shown.schema.text = text;
    }
    Ok(shown)
}
