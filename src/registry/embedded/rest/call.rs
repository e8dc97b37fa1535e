//! What a request is about: names in its path, parameters, a JSON body.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;

use super::refused;
use crate::registry::embedded::content::Content;
use crate::registry::embedded::record::read_content;
use crate::registry::embedded::refusal::Refusal;
use crate::registry::embedded::service::Service;
use crate::registry::embedded::state::{VersionSpec, Which};
use crate::registry::embedded::subject::{normalise, qualify};
use crate::registry::schema::{SchemaId, Subject};

/// The content types that a body may have.
const TYPES: [&str; 4] = [
    "application/vnd.schemaregistry.v1+json",
    "application/vnd.schemaregistry+json",
    "application/json",
    "application/octet-stream",
];

/// Who is asked, and what about.
pub(super) struct Call {
    pub(super) service: Service,
    path: HashMap<String, String>,
    parameters: HashMap<String, String>,
}

impl FromRequestParts<Service> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Response> {
        let path: Result<Path<HashMap<String, String>>, _> =
            Path::from_request_parts(parts, service).await;
        let Path(path) = path.map_err(|_| refused(Refusal::new(404, "HTTP 404 Not Found")))?;
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let parameters = form_urlencoded::parse(query).into_owned().collect();
        Ok(Self { service: service.clone(), path, parameters })
    }
}

impl Call {
    /// A name in the path.
    fn name(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A text among the parameters.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Whether a parameter is `true`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A number among the parameters; one that is none is 404, as the real registry has it.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let number = self.text(name).map(str::parse).transpose();
        number.map_err(|_| Refusal::new(404, "HTTP 404 Not Found"))
    }

    /// The context of the request, if it is within one.
    pub(super) fn context(&self) -> Option<&str> {
        self.path.get("context").map(String::as_str)
    }

    /// The subject that it is about.
    pub(super) fn subject(&self) -> Subject {
        self.qualified(self.name("subject"))
    }

    /// The subject that it is about, unless it is about all.
    pub(super) fn subject_or_all(&self) -> Option<Subject> {
        self.path.contains_key("subject").then(|| self.subject())
    }

    /// A subject as the context of the request has it.
    pub(super) fn qualified(&self, name: &str) -> Subject {
        Subject::new(normalise(&qualify(self.context().unwrap_or_default(), name)))
    }

    /// The version that it is about.
    pub(super) fn version(&self) -> Result<VersionSpec, Refusal> {
        VersionSpec::parse(self.name("version"))
    }

    /// The id that it is about.
    pub(super) fn id(&self) -> Result<SchemaId, Refusal> {
        let id = self.name("id").parse();
        id.map(SchemaId).map_err(|_| Refusal::new(404, "HTTP 404 Not Found"))
    }

    /// The number of a content that it is about.
    pub(super) fn guid(&self) -> Result<uuid::Uuid, Refusal> {
        let guid = self.name("guid");
        guid.parse().map_err(|_| Refusal::id_not_found(guid))
    }

    /// Which versions are meant, by `deleted` and `deletedOnly`.
    pub(super) fn which(&self) -> Which {
        match (self.is("deletedOnly"), self.is("deleted")) {
            (true, _) => Which::Deleted,
            (false, true) => Which::All,
            (false, false) => Which::Active,
        }
    }

    /// The prefix of the subjects that are asked for.
    pub(super) fn prefix(&self) -> String {
        match (self.context(), self.text("subjectPrefix")) {
            (Some(context), prefix) => qualify(context, prefix.unwrap_or_default()),
            (None, Some(prefix)) => prefix.to_owned(),
            (None, None) => ":*:".to_owned(),
        }
    }
}

/// A body of JSON.
pub(super) struct Given(Value);

impl FromRequest<Service> for Given {
    type Rejection = Response;

    async fn from_request(request: Request, service: &Service) -> Result<Self, Response> {
        let given = request.headers().get(CONTENT_TYPE).map(|value| {
            let name = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            name.trim().to_ascii_lowercase()
        });
        if given.is_some_and(|given| !TYPES.contains(&given.as_str())) {
            return Err(refused(Refusal::new(415, "HTTP 415 Unsupported Media Type")));
        }
        let body = Bytes::from_request(request, service).await.map_err(|rejection| {
            let code = i32::from(rejection.status().as_u16());
            refused(Refusal::new(code, rejection.body_text()))
        })?;
        let body: Value = serde_json::from_slice(&body)
            .map_err(|error| refused(Refusal::new(400, format!("not JSON: {error}"))))?;
        if !body.is_object() {
            return Err(refused(Refusal::new(400, "the body is no JSON object")));
        }
        Ok(Self(body))
    }
}

impl Given {
    /// A text in it; what is no text counts as none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number in it that is meant: 0 and -1 stand for none.
    pub(super) fn number(&self, name: &str, least: i32) -> Option<i32> {
        let number = self.0.get(name).and_then(Value::as_i64)?;
        i32::try_from(number).ok().filter(|number| *number >= least)
    }

    /// The schema in it.
    pub(super) fn content(&self) -> Result<Content, Refusal> {
        read_content(&self.0).map_err(Refusal::invalid_schema)
    }
}
