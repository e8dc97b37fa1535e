//! Values, SQL types, schemas and rows.
