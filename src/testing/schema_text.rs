//! Schemas written in different ways, made comparable.

/// The words and marks of a schema, with one spelling for each type and no difference between
/// names with and without back quotes.
pub(super) fn normalised(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if first == '`' {
            rest[1..].find('`').map_or(rest.len(), |at| at + 2)
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(end);
        tokens.push(spelled(token));
        rest = after.trim_start();
    }
    tokens.retain(|token| token != "PRIMARY");
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn spelled(token: &str) -> String {
    match token.strip_prefix('`') {
        Some(name) => name.trim_end_matches('`').to_owned(),
        None => match &*token.to_uppercase() {
            "INT" => "INTEGER".to_owned(),
            "VARCHAR" => "STRING".to_owned(),
            other => other.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_count_but_case_in_quotes_does() {
        assert_eq!(
            normalised("K VARCHAR PRIMARY KEY,v int"),
            normalised("`K` STRING KEY, `V` INTEGER")
        );
        assert_ne!(normalised("`v` INT"), normalised("`V` INT"));
        assert_eq!(normalised("A ARRAY<INT>"), normalised("`A` ARRAY < INTEGER >"));
    }
}
