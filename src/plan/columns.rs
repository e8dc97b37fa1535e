//! Columns by name and type, found by their names at once.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Deref;

use crate::types::SqlType;

/// Columns in order; of those that share a name, the first is found.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    all: Vec<(String, SqlType)>,
    places: OnceCell<HashMap<String, usize>>,
}

impl Columns {
    /// Where the column called `name` is.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        let places = self.places.get_or_init(|| {
            let mut places = HashMap::with_capacity(self.all.len());
            for (place, (name, _)) in self.all.iter().enumerate() {
                places.entry(name.clone()).or_insert(place);
            }
            places
        });
        places.get(name).copied()
    }

    /// Adds columns behind the others.
    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = (String, SqlType)>) {
        self.all.extend(more);
        self.places = OnceCell::new();
    }
}

impl Deref for Columns {
    type Target = [(String, SqlType)];

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl From<Vec<(String, SqlType)>> for Columns {
    fn from(all: Vec<(String, SqlType)>) -> Self {
        Self { all, places: OnceCell::new() }
    }
}

impl FromIterator<(String, SqlType)> for Columns {
    fn from_iter<I: IntoIterator<Item = (String, SqlType)>>(all: I) -> Self {
        all.into_iter().collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_name_is_found_also_after_more_have_come() {
        let column = |name: &str, ty: SqlType| (name.to_owned(), ty);
        let mut columns: Columns =
            [column("A", SqlType::Int), column("B", SqlType::Int), column("A", SqlType::Date)]
                .into_iter()
                .collect();
        assert_eq!((columns.place("A"), columns.place("C")), (Some(0), None));
        columns.extend([column("C", SqlType::Int)]);
        assert_eq!((columns.place("C"), columns.len()), (Some(3), 4));
    }
}
