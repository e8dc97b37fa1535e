//! `SHOW PROPERTIES`.

use super::Shared;
use super::answer::PropertyText;
use super::request::check_overridable;
use super::scope::Scope;
use crate::engine::known_properties::is_immutable;

impl Shared {
    pub(super) fn list_properties(&self, scope: &Scope) -> Vec<PropertyText> {
        let of_session = scope.session.overrides();
        let all = scope.session.over(&self.properties);
        let is_secret = |name: &str| name.contains("password") || name.contains("jaas");
        let shown = all.iter().filter(|(name, _)| !is_secret(name));
        let text = |(name, value): (&str, &str)| PropertyText {
            name: name.to_owned(),
            value: value.to_owned(),
            is_editable: check_overridable(name, &self.properties).is_ok() && !is_immutable(name),
            is_of_session: of_session.get(name).is_some(),
        };
        shown.map(text).collect()
    }
}
