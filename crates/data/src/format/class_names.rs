//! What numbers in a Parquet file are called: the library `datasets` writes the names of classes beside the columns, as
//! JSON under the key `huggingface`.

use std::collections::HashMap;

use serde_json::Value;

/// The names of classes, by column.
#[derive(Debug, Default)]
pub(crate) struct ClassNames(HashMap<String, Vec<String>>);

impl ClassNames {
    /// As `written` says; none where it says nothing that is understood.
    pub(crate) fn of(written: Option<&str>) -> Self {
        let said = written.and_then(|written| serde_json::from_str::<Value>(written).ok());
        let features = said.as_ref().and_then(|said| said["info"]["features"].as_object());
        let names = |(column, feature): (&String, &Value)| Some((column.clone(), named(feature)?));
        Self(features.into_iter().flatten().filter_map(names).collect())
    }

    /// `value` of `column` with its numbers replaced by their names; a number without one stays.
    pub(crate) fn spelled(&self, column: &str, value: Value) -> Value {
        match self.0.get(column) {
            Some(names) => spelled(names, value),
            None => value,
        }
    }
}

fn spelled(names: &[String], value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(|value| spelled(names, value)).collect(),
        value => {
            let place = value.as_u64().and_then(|place| usize::try_from(place).ok());
            place.and_then(|place| names.get(place)).map_or(value, |name| name.as_str().into())
        }
    }
}

/// Of a class label, or of a list of such: `{"feature": {"names": […], "_type": "ClassLabel"}, "_type": "Sequence"}`, or the
/// list with the feature in it that older versions wrote.
fn named(feature: &Value) -> Option<Vec<String>> {
    let inner = feature.get(0).or_else(|| feature.get("feature")).unwrap_or(feature);
    if inner["_type"] != "ClassLabel" {
        return None;
    }
    inner["names"].as_array()?.iter().map(|name| Some(name.as_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_have_the_names_that_the_data_set_gives_them() {
        let class = json!({"names": ["O", "B-PER"], "_type": "ClassLabel"});
        let said = json!({"info": {"features": {
            "label": class, "tags": {"feature": class, "_type": "Sequence"}, "old": [class],
            "text": {"dtype": "string", "_type": "Value"},
        }}});
        let names = ClassNames::of(Some(&said.to_string()));
        assert_eq!(names.spelled("label", json!(1)), "B-PER");
        assert_eq!(names.spelled("tags", json!([1, 0, 7])), json!(["B-PER", "O", 7]));
        assert_eq!(names.spelled("old", json!([0])), json!(["O"]));
        assert_eq!(names.spelled("text", json!(1)), 1);
        assert_eq!(ClassNames::of(Some("{oops")).spelled("label", json!(1)), 1);
        assert_eq!(ClassNames::of(None).spelled("label", json!(-1)), -1);
    }
}
