//! The headers of a record.

/// The headers of a record: names and values, in order, duplicates included.
pub type Headers<'a> = &'a [(&'a str, Option<&'a [u8]>)];

/// Headers that own their bytes: names and values.
pub type OwnedHeaders = Vec<(String, Option<Vec<u8>>)>;

/// A copy of headers that outlives their batch.
pub fn owned_headers(headers: Headers<'_>) -> OwnedHeaders {
    headers.iter().map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec))).collect()
}
