//! The schema that ksqlDB registers for columns, byte for byte.

use crate::types::{ColumnDef, SqlType};

/// The record of values without a name of their own.
const DEFAULT_NAME: &str = "io.confluent.ksql.avro_schemas.KsqlDataSourceSchema";

/// The namespace of the records of keys without a name of their own.
const NAMESPACE: &str = "io.confluent.ksql.avro_schemas";

/// The name of the record of the keys of a source: `MY_SOURCE` has `MySourceKey`.
pub(in crate::formats) fn key_name(source: &str) -> String {
    let camel: String = source
        .split('_')
        .map(|word| {
            let mut chars = word.chars();
            let first = chars.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(chars.map(|c| c.to_ascii_lowercase())).collect::<String>()
        })
        .collect();
    format!("{NAMESPACE}.{camel}Key")
}

/// The schema of `columns`, or Avro's message about a name that it does not take.
pub(in crate::formats) fn schema_text(
    columns: &[ColumnDef],
    wrapped: bool,
    full_name: Option<&str>,
) -> Result<String, String> {
    let full_name = full_name.unwrap_or(DEFAULT_NAME);
    let mut text = Text { out: String::new() };
    match columns {
        [column] if !wrapped => text.plain(&column.ty, full_name, "")?,
        _ => {
            let fields = columns.iter().map(|column| (&*column.name, &column.ty));
            text.record(fields, full_name, "")?;
        }
    }
    Ok(text.out)
}

struct Text {
    out: String,
}

impl Text {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn quoted(&mut self, text: &str) {
        // Whatever is quoted here has been checked to be a name, which holds nothing to escape.
        self.out.push('"');
        self.out.push_str(text);
        self.out.push('"');
    }

    /// A type that may be NULL.
    fn nullable(&mut self, ty: &SqlType, name: &str, namespace: &str) -> Result<(), String> {
        self.push("[\"null\",");
        self.plain(ty, name, namespace)?;
        self.push("]");
        Ok(())
    }

    /// A type; `name` is that of the record, if it is one, and `namespace` that of what is around it.
    fn plain(&mut self, ty: &SqlType, name: &str, namespace: &str) -> Result<(), String> {
        match ty {
            SqlType::Boolean => self.push("\"boolean\""),
            SqlType::Int => self.push("\"int\""),
            SqlType::Bigint => self.push("\"long\""),
            SqlType::Double => self.push("\"double\""),
            SqlType::String => self.push("\"string\""),
            SqlType::Bytes => self.push("\"bytes\""),
            SqlType::Decimal { precision, scale } => {
                self.push(&format!(
                    "{{\"type\":\"bytes\",\"scale\":{scale},\"precision\":{precision},\
                     \"connect.version\":1,\"connect.parameters\":{{\"scale\":\"{scale}\",\
                     \"connect.decimal.precision\":\"{precision}\"}},\"connect.name\":\
                     \"org.apache.kafka.connect.data.Decimal\",\"logicalType\":\"decimal\"}}"
                ));
            }
            SqlType::Date => self.logical("int", "Date", "date"),
            SqlType::Time => self.logical("int", "Time", "time-millis"),
            SqlType::Timestamp => self.logical("long", "Timestamp", "timestamp-millis"),
            SqlType::Array(item) => {
                self.push("{\"type\":\"array\",\"items\":");
                self.nullable(item, name, namespace)?;
                self.push("}");
            }
            SqlType::Map(key, value) => self.map(key, value, name, namespace)?,
            SqlType::Struct(ty) => {
                let fields = ty.fields.iter().map(|field| (&*field.name, &field.ty));
                self.record(fields, name, namespace)?;
            }
        }
        Ok(())
    }

    fn logical(&mut self, ty: &str, class: &str, logical: &str) {
        self.push(&format!(
            "{{\"type\":\"{ty}\",\"connect.version\":1,\"connect.name\":\
             \"org.apache.kafka.connect.data.{class}\",\"logicalType\":\"{logical}\"}}"
        ));
    }

    fn map(
        &mut self,
        key: &SqlType,
        value: &SqlType,
        name: &str,
        namespace: &str,
    ) -> Result<(), String> {
        self.push("{\"type\":\"array\",\"items\":");
        let inner = self.begin_record(name, namespace)?;
        self.field("key", key, &format!("{name}_MapKey"), &inner)?;
        self.push(",");
        self.field("value", value, &format!("{name}_MapValue"), &inner)?;
        self.push("],\"connect.internal.type\":\"MapEntry\"},\"connect.name\":");
        self.quoted(name);
        self.push("}");
        Ok(())
    }

    fn record<'f>(
        &mut self,
        fields: impl Iterator<Item = (&'f str, &'f SqlType)>,
        name: &str,
        namespace: &str,
    ) -> Result<(), String> {
        let inner = self.begin_record(name, namespace)?;
        for (index, (field, ty)) in fields.enumerate() {
            if index > 0 {
                self.push(",");
            }
            let field = field.replace('.', "_");
            self.field(&field, ty, &format!("{name}_{field}"), &inner)?;
        }
        self.push("],\"connect.name\":");
        self.quoted(name);
        self.push("}");
        Ok(())
    }

    /// Writes the head of a record, up to its fields; its namespace.
    fn begin_record(&mut self, name: &str, namespace: &str) -> Result<String, String> {
        let (own, short) = name.rsplit_once('.').unwrap_or(("", name));
        check_name(short)?;
        self.push("{\"type\":\"record\",\"name\":");
        self.quoted(short);
        if own != namespace {
            self.push(",\"namespace\":");
            self.quoted(own);
        }
        self.push(",\"fields\":[");
        Ok(own.to_owned())
    }

    fn field(
        &mut self,
        name: &str,
        ty: &SqlType,
        record: &str,
        namespace: &str,
    ) -> Result<(), String> {
        check_name(name)?;
        self.push("{\"name\":");
        self.quoted(name);
        self.push(",\"type\":");
        self.nullable(ty, record, namespace)?;
        self.push(",\"default\":null}");
        Ok(())
    }
}

/// Avro's own check of a name.
fn check_name(name: &str) -> Result<(), String> {
    let is_first = |c: char| c.is_alphabetic() || c == '_';
    match name.chars().next() {
        None => return Err("Empty name".to_owned()),
        Some(first) if !is_first(first) => {
            return Err(format!("Illegal initial character: {name}"));
        }
        Some(_) => {}
    }
    if name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        Ok(())
    } else {
        Err(format!("Illegal character in: {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_after_their_source() {
        assert_eq!(key_name("OUT"), "io.confluent.ksql.avro_schemas.OutKey");
        assert_eq!(key_name("MY_OUT2"), "io.confluent.ksql.avro_schemas.MyOut2Key");
    }

    #[test]
    fn names_are_those_that_avro_takes() {
        let text = |name: &str| schema_text(&[ColumnDef::new(name, SqlType::Int)], true, Some("T"));
        assert_eq!(
            text("A").unwrap(),
            "{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"A\",\"type\":[\"null\",\
             \"int\"],\"default\":null}],\"connect.name\":\"T\"}"
        );
        assert_eq!(text("with-dash").unwrap_err(), "Illegal character in: with-dash");
        assert_eq!(text("1st").unwrap_err(), "Illegal initial character: 1st");
        assert!(text("é").is_ok());
        assert!(text("a.b").unwrap().contains("\"a_b\""));
    }
}
