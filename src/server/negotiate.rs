//! In which form an answer is wanted.

use axum::http::{HeaderMap, header};

/// A form of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `application/vnd.ksqlapi.delimited.v1`: a JSON value a line.
    Delimited,
    /// `application/json`: an array.
    Json,
    /// `application/vnd.ksql.v1+json`: an array of objects.
    V1,
    /// `application/vnd.ksql.v1+protobuf`: the same, with rows as Protobuf messages.
    Protobuf,
}

/// The media types of forms.
const FORMS: &[(&str, Form)] = &[
    ("application/vnd.ksqlapi.delimited.v1", Form::Delimited),
    ("application/json", Form::Json),
    ("application/vnd.ksql.v1+json", Form::V1),
    ("application/vnd.ksql.v1+protobuf", Form::Protobuf),
];

/// The form that is wanted most; `default` where nothing is said. None if it is one that there is not.
pub(super) fn form(headers: &HeaderMap, default: Form) -> Option<Form> {
    let Some(ranges) = ranges(headers) else { return Some(default) };
    ranges.iter().find_map(|range| {
        let exact = FORMS.iter().find(|(name, _)| name == range).map(|(_, form)| *form);
        exact.or((range == "*/*" || range == "application/*").then_some(Form::Delimited))
    })
}

/// Whether JSON is wanted, or anything.
pub(super) fn takes_json(headers: &HeaderMap) -> bool {
    const JSON: &[&str] =
        &["application/json", "application/vnd.ksql.v1+json", "application/*", "*/*"];
    ranges(headers).is_none_or(|ranges| ranges.iter().any(|range| JSON.contains(&range.as_str())))
}

/// Whether a web page is wanted: browsers name it, and no client of ksqlDB's does.
pub(super) fn takes_page(headers: &HeaderMap) -> bool {
    ranges(headers).is_some_and(|ranges| ranges.iter().any(|range| range == "text/html"))
}

/// Whether the text of `/metrics` is taken. ksqlDB has no such path, and clients that take its own types alone hear that.
pub(super) fn takes_metrics(headers: &HeaderMap) -> bool {
    const TAKEN: [&str; 4] = ["text/plain", "application/openmetrics-text", "text/*", "*/*"];
    ranges(headers).is_none_or(|ranges| ranges.iter().any(|range| TAKEN.contains(&range.as_str())))
}

/// What `Accept` says, the most wanted first; nothing if it says nothing.
fn ranges(headers: &HeaderMap) -> Option<Vec<String>> {
    let accept = headers.get(header::ACCEPT)?.to_str().ok()?.trim();
    if accept.is_empty() {
        return None;
    }
    let mut ranges: Vec<(String, f32)> = Vec::new();
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse().ok());
        ranges.push((name, quality.unwrap_or(1.0)));
    }
    ranges.retain(|(_, quality)| *quality > 0.0);
    ranges.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    Some(ranges.into_iter().map(|(name, _)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn wanted(accept: &'static str) -> Option<Form> {
        let headers = [(header::ACCEPT, HeaderValue::from_static(accept))];
        form(&headers.into_iter().collect(), Form::V1)
    }

    #[test]
    fn the_form_that_is_wanted_most_is_given() {
        assert_eq!(form(&HeaderMap::new(), Form::V1), Some(Form::V1));
        assert_eq!(wanted("*/*"), Some(Form::Delimited));
        assert_eq!(wanted("application/json, */*"), Some(Form::Json));
        assert_eq!(
            wanted("application/json; q=0.5, application/vnd.ksqlapi.delimited.v1"),
            Some(Form::Delimited)
        );
        assert_eq!(wanted("text/plain"), None);
        assert_eq!(wanted("application/json;q=0"), None);
    }
}
