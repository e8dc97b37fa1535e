//! `/compatibility`: whether a schema could be registered.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::{Call, Given};
use crate::registry::embedded::register::{self, Against};

/// `POST /compatibility/subjects/{subject}/versions?verbose=&normalize=`
pub(super) async fn with_subject(call: Call, given: Given) -> Answer {
    test(&call, &given, Against::Subject).await
}

/// `POST /compatibility/subjects/{subject}/versions/{version}?verbose=&normalize=`
pub(super) async fn with_version(call: Call, given: Given) -> Answer {
    let version = call.version()?;
    test(&call, &given, Against::Version(version)).await
}

async fn test(call: &Call, given: &Given, against: Against) -> Answer {
    let (subject, normalize) = (call.subject(), call.is("normalize"));
    let content = given.content()?;
    let differences = call
        .service
        .ask(move |state| register::test(state, &subject, content, normalize, against))
        .await?;
    let mut fields = Map::new();
    fields.insert("is_compatible".into(), differences.is_empty().into());
    if call.is("verbose") {
        fields.insert("messages".into(), differences.into());
    }
    Ok(Value::from(fields).into())
}
