//! `/config` and `/mode`: what may be registered, under all subjects and under one.

use serde_json::json;

use super::answer::Answer;
use super::call::{Call, Given};
use crate::registry::embedded::refusal::Refusal;
use crate::registry::embedded::settings;

/// `GET /config`, `GET /config/{subject}?defaultToGlobal=`
pub(super) async fn level(call: Call) -> Answer {
    let (state, subject) = (call.service.state(), call.subject_or_all());
    let level = settings::level(&state, subject.as_ref(), call.is("defaultToGlobal"))?;
    Ok(json!({ "compatibilityLevel": level.to_string() }).into())
}

/// `PUT /config`, `PUT /config/{subject}`
pub(super) async fn set_level(call: Call, given: Given) -> Answer {
    let subject = call.subject_or_all();
    let level = given.text("compatibility").parse().map_err(|()| Refusal::invalid_level())?;
    let set = call.service.change(move |_| Ok(settings::set_level(subject, level))).await?;
    Ok(json!({ "compatibility": set.to_string() }).into())
}

/// `DELETE /config`, `DELETE /config/{subject}`
pub(super) async fn delete_level(call: Call) -> Answer {
    let subject = call.subject_or_all();
    let old = call.service.change(move |state| settings::delete_level(state, subject)).await?;
    Ok(json!({ "compatibilityLevel": old.to_string() }).into())
}

/// `GET /mode`, `GET /mode/{subject}?defaultToGlobal=`
pub(super) async fn mode(call: Call) -> Answer {
    let (state, subject) = (call.service.state(), call.subject_or_all());
    let mode = settings::mode(&state, subject.as_ref(), call.is("defaultToGlobal"))?;
    Ok(json!({ "mode": mode.to_string() }).into())
}

/// `PUT /mode?force=`, `PUT /mode/{subject}?force=`
pub(super) async fn set_mode(call: Call, given: Given) -> Answer {
    let (subject, is_forced) = (call.subject_or_all(), call.is("force"));
    let mode = given.text("mode").parse().map_err(|()| Refusal::invalid_mode())?;
    let set = call
        .service
        .change(move |state| settings::set_mode(state, subject, mode, is_forced))
        .await?;
    Ok(json!({ "mode": set.to_string() }).into())
}

/// `DELETE /mode`, `DELETE /mode/{subject}`
pub(super) async fn delete_mode(call: Call) -> Answer {
    let subject = call.subject_or_all();
    let old = call.service.change(move |state| settings::delete_mode(state, subject)).await?;
    Ok(json!({ "mode": old.to_string() }).into())
}
