//! Parquet: strings, numbers, and lists of structs for messages. Only the wanted columns are read.

use std::{
    fs::File,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parquet::{
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
    schema::types::Type,
};
use serde_json::{Map, Value};

use super::{Format, Head, class_names::ClassNames};
use crate::{
    Unreadable,
    row::{Fields, Raw, Want},
    source::{Origin, Source},
};

pub(crate) struct Parquet;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "Parquet"
    }

    fn claims(&self, head: &Head) -> bool {
        head.bytes.starts_with(b"PAR1")
    }

    fn read(
        &self,
        source: &Source,
        want: Want,
        each: &mut dyn FnMut(Raw) -> ControlFlow<()>,
    ) -> Result<(), Unreadable> {
        // The library panics on some files that were made to harm; that must end the reading and nothing else.
        let read = catch_unwind(AssertUnwindSafe(|| match &source.origin {
            Origin::File(path) => {
                let file = File::open(path).map_err(|e| Unreadable::io(&source.name, e))?;
                rows(source, SerializedFileReader::new(file), want, each)
            }
            Origin::Bytes(bytes) => {
                rows(source, SerializedFileReader::new(bytes::Bytes::from_owner(bytes.clone())), want, each)
            }
        }));
        read.unwrap_or_else(|_| Err(broken(source, 0, "its pages contradict each other")))
    }
}

fn rows<R: FileReader>(
    source: &Source,
    reader: Result<R, ParquetError>,
    want: Want,
    each: &mut dyn FnMut(Raw) -> ControlFlow<()>,
) -> Result<(), Unreadable> {
    let failed = |row, error: ParquetError| broken(source, row, &error.to_string());
    let reader = reader.map_err(|e| failed(0, e))?;
    let schema = reader.metadata().file_metadata().schema();
    let Some(projection) = wanted(schema, want).map_err(|e| failed(0, e))? else {
        return Ok(());
    };
    let metadata = reader.metadata().file_metadata().key_value_metadata();
    let written = metadata.into_iter().flatten().find(|entry| entry.key == "huggingface");
    let names = ClassNames::of(written.and_then(|entry| entry.value.as_deref()));
    let n_rows = reader.metadata().file_metadata().num_rows().max(1) as f64;
    let all = reader.get_row_iter(Some(projection)).map_err(|e| failed(0, e))?;
    for (row, read) in (1..).zip(all) {
        // Columns lie one after another: rows tell how far it is, bytes do not.
        source.is_at((source.size() as f64 * (row as f64 / n_rows).min(1.0)) as u64);
        let read = read.map_err(|e| failed(row, e))?;
        let cells = read.into_columns().into_iter();
        let found = cells
            .filter_map(|(name, field)| Some((want.column(&name)?, names.spelled(&name, value(&field)))));
        let found = found.collect();
        if each(Raw { line: row, found: Ok(Fields(found)) }).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// The schema cut down to the wanted columns; `None` if there is none of them.
fn wanted(schema: &Type, want: Want) -> Result<Option<Type>, ParquetError> {
    let is_wanted = |field: &Arc<Type>| want.column(field.name()).is_some();
    let fields: Vec<_> = schema.get_fields().iter().filter(|f| is_wanted(f)).cloned().collect();
    if fields.is_empty() {
        return Ok(None);
    }
    Type::group_type_builder(schema.name()).with_fields(fields).build().map(Some)
}

/// Columns without a type annotation hold bytes; most of those are text.
fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(v) => (*v).into(),
        Field::Byte(v) => (*v).into(),
        Field::Short(v) => (*v).into(),
        Field::Int(v) => (*v).into(),
        Field::Long(v) => (*v).into(),
        Field::UByte(v) => (*v).into(),
        Field::UShort(v) => (*v).into(),
        Field::UInt(v) => (*v).into(),
        Field::ULong(v) => (*v).into(),
        Field::Float16(v) => f32::from(*v).into(),
        Field::Float(v) => (*v).into(),
        Field::Double(v) => (*v).into(),
        Field::Str(text) => text.as_str().into(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into(),
        Field::Group(row) => {
            row.get_column_iter().map(|(k, v)| (k.clone(), value(v))).collect::<Map<_, _>>().into()
        }
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        Field::MapInternal(map) => {
            map.entries().iter().map(|(k, v)| Value::from(vec![value(k), value(v)])).collect()
        }
        // Dates, times and decimals print as people write them.
        other => other.to_string().into(),
    }
}

fn broken(source: &Source, row: u64, what: &str) -> Unreadable {
    let at = if row == 0 { "in its header".to_owned() } else { format!("at row {row}") };
    Unreadable::Broken { file: source.name.clone(), at, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::{rows, rows_wanted};
    use ::parquet::{
        basic::Compression,
        data_type::{ByteArray, ByteArrayType, Int64Type},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };
    use expect_test::expect;

    /// Two conversations and a number each, as pandas and `datasets` write them.
    fn file(compression: Compression) -> Vec<u8> {
        let schema = "message schema {
            OPTIONAL INT64 n;
            OPTIONAL group messages (LIST) { REPEATED group list { OPTIONAL group element {
                OPTIONAL BYTE_ARRAY role (STRING); OPTIONAL BYTE_ARRAY content; } } }
        }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[7], Some(&[1, 0]), None).unwrap();
        column.close().unwrap();
        for texts in [["user", "assistant", "user"], ["Hi", "Hello.", "Who?"]] {
            let mut column = group.next_column().unwrap().unwrap();
            let texts = texts.map(ByteArray::from);
            column.typed::<ByteArrayType>().write_batch(&texts, Some(&[4, 4, 4]), Some(&[0, 1, 0])).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    }

    #[test]
    fn lists_of_structs_are_read() {
        expect![[r#"
            Parquet
            1: n=7 messages=[{"content":"Hi","role":"user"},{"content":"Hello.","role":"assistant"}]
            2: n=null messages=[{"content":"Who?","role":"user"}]
        "#]]
        .assert_eq(&rows("a.parquet", &file(Compression::UNCOMPRESSED)));
    }

    #[test]
    fn compression_changes_nothing() {
        let plain = rows("a.parquet", &file(Compression::UNCOMPRESSED));
        let packed = [
            Compression::SNAPPY,
            Compression::GZIP(Default::default()),
            Compression::ZSTD(Default::default()),
        ];
        for compression in packed {
            assert_eq!(rows("a.parquet", &file(compression)), plain, "{compression}");
        }
    }

    #[test]
    fn only_wanted_columns_are_read() {
        let file = file(Compression::SNAPPY);
        expect![[r#"
            Parquet
            1: n=7
            2: n=null
        "#]]
        .assert_eq(&rows_wanted("a.parquet", &file, Want::Only(&["n".into()])));
    }

    #[test]
    fn a_file_cut_short_or_changed_anywhere_is_an_error_and_not_a_panic() {
        let whole = file(Compression::SNAPPY);
        for at in 0..whole.len() {
            rows("a.parquet", &whole[..at]);
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            rows("a.parquet", &changed);
        }
    }
}
