//! How large types may be. A type that is named is put in wherever it stands, so that a few lines could make one that no
//! memory holds.

use super::PlanError;
use crate::sql::DEPTH_MAX;
use crate::types::{ColumnDef, SqlType};

/// The most types, fields and elements within one type, itself included.
pub const TYPE_PARTS_MAX: usize = 10_000;

/// The most of them within all columns of a stream or table.
pub const COLUMNS_PARTS_MAX: usize = 100_000;

/// What is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooLarge {
    /// There are too many parts.
    Parts,
    /// They lie too deep within one another.
    Depth,
}

/// How many parts a type has, counted no further than `most`.
pub(super) fn parts(ty: &SqlType, most: usize) -> Result<usize, TooLarge> {
    let mut count = 0;
    let mut left = vec![(ty, 1)];
    while let Some((ty, depth)) = left.pop() {
        count += 1;
        if depth > DEPTH_MAX {
            return Err(TooLarge::Depth);
        }
        match ty {
            SqlType::Array(item) => left.push((item, depth + 1)),
            SqlType::Map(key, value) => left.extend([(&**key, depth + 1), (&**value, depth + 1)]),
            SqlType::Struct(ty) => {
                left.extend(ty.fields.iter().map(|field| (&field.ty, depth + 1)));
            }
            _ => {}
        }
        if count + left.len() > most {
            return Err(TooLarge::Parts);
        }
    }
    Ok(count)
}

/// Refuses a type that is too large.
pub(super) fn check_type(ty: &SqlType) -> Result<(), PlanError> {
    parts(ty, TYPE_PARTS_MAX).map(|_| ()).map_err(|too_large| match too_large {
        TooLarge::Parts => PlanError::prepare(format!("a type has at most {TYPE_PARTS_MAX} parts"))
            .because("with all types that it names put in, this one has more"),
        TooLarge::Depth => {
            PlanError::prepare(format!("types lie at most {DEPTH_MAX} deep within one another"))
                .because("with all types that it names put in, this one lies deeper")
        }
    })
}

/// Refuses columns that are too large together; the place of the first that is one too many comes with the error.
pub(super) fn check_columns<'c>(
    columns: impl IntoIterator<Item = &'c ColumnDef>,
) -> Result<(), (usize, PlanError)> {
    let mut left = COLUMNS_PARTS_MAX;
    for (place, column) in columns.into_iter().enumerate() {
        match parts(&column.ty, left) {
            Ok(count) => left -= count,
            Err(TooLarge::Depth) => {
                let message = format!("types lie at most {DEPTH_MAX} deep within one another");
                return Err((place, PlanError::execute(message)));
            }
            Err(TooLarge::Parts) => {
                let message = format!(
                    "the columns of a stream or table have at most {COLUMNS_PARTS_MAX} parts together"
                );
                return Err((place, PlanError::execute(message)));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::StructType;

    /// `STRUCT<a T, b T>` of itself, so many times; its parts are shared.
    fn doubled(times: usize) -> SqlType {
        (0..times).fold(SqlType::Int, |ty, _| {
            SqlType::Struct(StructType::new([("A", ty.clone()), ("B", ty)]))
        })
    }

    #[test]
    fn parts_are_counted_no_further_than_to_the_limit() {
        assert_eq!(parts(&doubled(3), 100), Ok(15));
        assert_eq!(parts(&doubled(3), 14), Err(TooLarge::Parts));
        // All of them could never be counted.
        assert_eq!(parts(&doubled(60), TYPE_PARTS_MAX), Err(TooLarge::Parts));
        let deep = (0..DEPTH_MAX).fold(SqlType::Int, |ty, _| SqlType::array(ty));
        assert_eq!(parts(&deep, TYPE_PARTS_MAX), Err(TooLarge::Depth));
    }

    #[test]
    fn columns_are_counted_together() {
        let large = (0..COLUMNS_PARTS_MAX / 1_000).map(|_| ColumnDef::new("C", doubled(9)));
        let columns: Vec<ColumnDef> = large.collect();
        assert_eq!(check_columns(&columns[..90]), Ok(()));
        assert_eq!(check_columns(&columns).unwrap_err().0, COLUMNS_PARTS_MAX / 1_023);
    }
}
