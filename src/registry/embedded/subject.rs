//! Names of subjects, which may stand in a context: `:.staging:orders-value` is `orders-value` in `.staging`.
//!
//! Ids are given out by each context alone. A subject without a context stands in the default one, whose name is `.`.

/// The context of subjects that name none.
pub(super) const DEFAULT_CONTEXT: &str = ".";
/// What stands for all contexts in a prefix of subjects.
const ALL_CONTEXTS: &str = ":*:";
/// Subjects that the real registry has for itself.
const RESERVED: [&str; 2] = ["__GLOBAL", "__EMPTY"];

/// The context that a subject stands in.
pub(super) fn context(subject: &str) -> &str {
    split(subject).0
}

/// A subject's context, and what it is called there.
fn split(subject: &str) -> (&str, &str) {
    let in_context = subject.strip_prefix(":.").and_then(|rest| rest.find(':'));
    match in_context {
        // Both colons are of one byte, and the dot belongs to the name of the context.
        Some(end) => (&subject[1..end + 2], &subject[end + 3..]),
        None => (DEFAULT_CONTEXT, subject),
    }
}

/// The name of a subject that is asked for within a context.
pub(super) fn qualify(context: &str, subject: &str) -> String {
    let context = context.trim_matches(':');
    if context.is_empty() || context == DEFAULT_CONTEXT || subject.starts_with(":.") {
        return subject.to_owned();
    }
    format!(":{context}:{subject}")
}

/// How a subject is shown: the default context is not.
pub(super) fn normalise(subject: &str) -> String {
    match split(subject) {
        (DEFAULT_CONTEXT, name) => name.to_owned(),
        _ => subject.to_owned(),
    }
}

/// Whether it can be the name of a subject.
pub(super) fn is_valid(subject: &str) -> bool {
    let (context, name) = split(subject);
    !name.is_empty()
        && !RESERVED.contains(&name)
        && !subject.chars().any(char::is_control)
        && context.starts_with('.')
}

/// Whether a subject is meant by a prefix: without a context it means those of the default one.
pub(super) fn has_prefix(subject: &str, prefix: &str) -> bool {
    if let Some(prefix) = prefix.strip_prefix(ALL_CONTEXTS) {
        return split(subject).1.starts_with(prefix);
    }
    let (wanted, start) = split(prefix);
    let (context, name) = split(subject);
    wanted == context && name.starts_with(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_stands_in_its_context() {
        assert_eq!(split("orders"), (".", "orders"));
        assert_eq!(split(":.staging:orders"), (".staging", "orders"));
        assert_eq!(split(":.:orders"), (".", "orders"));
        assert_eq!(split(":.staging"), (".", ":.staging"));
        assert_eq!(split(":.ü:ö:ä"), (".ü", "ö:ä"));
        assert_eq!(normalise(":.:orders"), "orders");
        assert_eq!(qualify(".staging", "orders"), ":.staging:orders");
        assert_eq!(qualify(":.staging:", "orders"), ":.staging:orders");
        assert_eq!(qualify(".", "orders"), "orders");
    }

    #[test]
    fn a_prefix_means_the_subjects_of_its_context() {
        assert!(has_prefix("orders", "or"));
        assert!(!has_prefix(":.staging:orders", "or"));
        assert!(has_prefix(":.staging:orders", ":.staging:or"));
        assert!(has_prefix(":.staging:orders", ":*:or"));
        assert!(has_prefix("orders", ":*:"));
        assert!(has_prefix(":.staging:orders", ":.staging:"));
    }

    #[test]
    fn a_subject_has_a_name() {
        assert!(is_valid("orders"));
        assert!(!is_valid(""));
        assert!(!is_valid(":.staging:"));
        assert!(!is_valid("a\u{1}"));
        assert!(!is_valid("__GLOBAL"));
    }
}
