//! All functions, family by family.

use super::row::{Scalar, TableFunction};
use super::{
    array, bytes, conditional, json, lambda, map, mask, math, misc, regex, string, time, url,
};

/// A family of functions.
pub(super) struct Family {
    /// The name of the family in SHOW FUNCTIONS.
    pub(super) category: &'static str,
    /// Its rows; overloads in the order that ksqlDB lists them.
    pub(super) functions: &'static [Scalar],
}

/// The families, in the order in which they are searched.
pub(super) static FAMILIES: &[Family] = &[
    Family { category: "ARRAY", functions: array::FUNCTIONS },
    Family { category: "CONDITIONAL", functions: conditional::FUNCTIONS },
    Family { category: "CONVERSIONS", functions: bytes::CONVERSIONS },
    Family { category: "DATE / TIME", functions: time::FUNCTIONS },
    Family { category: "JSON", functions: json::FUNCTIONS },
    Family { category: "LAMBDA", functions: lambda::FUNCTIONS },
    Family { category: "MAP", functions: map::FUNCTIONS },
    Family { category: "MATHEMATICAL", functions: conditional::EXTREMES },
    Family { category: "MATHEMATICAL", functions: math::FUNCTIONS },
    Family { category: "OTHER", functions: misc::FUNCTIONS },
    Family { category: "REGULAR EXPRESSION", functions: regex::FUNCTIONS },
    Family { category: "STRING", functions: string::FUNCTIONS },
    Family { category: "STRING", functions: mask::FUNCTIONS },
    Family { category: "STRING", functions: bytes::FUNCTIONS },
    Family { category: "STRING", functions: map::SPLITTERS },
    Family { category: "URL", functions: url::FUNCTIONS },
];

/// The table functions.
pub(super) static TABLE_FUNCTIONS: &[TableFunction] = misc::TABLES;
