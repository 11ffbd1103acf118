//! Fields of `config.json`, checked as they are read.

use serde_json::Value;

use crate::ModelError;

/// The largest of any dimension that is believed: a typo in `config.json` must not become an allocation.
const MOST: u64 = 1 << 24;

pub(crate) fn whole(json: &Value, field: &str) -> Result<usize, ModelError> {
    match &json[field] {
        Value::Null => Err(ModelError::Config(format!("`{field}` is missing"))),
        value => match value.as_u64() {
            Some(n) if (1..=MOST).contains(&n) => Ok(n as usize),
            _ => {
                Err(ModelError::Config(format!("`{field}` is {value}, not a whole number from 1 to {MOST}")))
            }
        },
    }
}

pub(crate) fn whole_or(json: &Value, field: &str, usual: usize) -> Result<usize, ModelError> {
    if json[field].is_null() { Ok(usual) } else { whole(json, field) }
}

pub(crate) fn real(json: &Value, field: &str) -> Result<Option<f64>, ModelError> {
    match &json[field] {
        Value::Null => Ok(None),
        value => match value.as_f64() {
            Some(x) if x.is_finite() && x > 0.0 => Ok(Some(x)),
            _ => Err(ModelError::Config(format!("`{field}` is {value}, not a number above 0"))),
        },
    }
}

pub(crate) fn flag(json: &Value, field: &str, usual: bool) -> bool {
    json[field].as_bool().unwrap_or(usual)
}

/// Refuses a switch that is not where it usually is.
pub(crate) fn only(json: &Value, field: &str, usual: bool) -> Result<(), ModelError> {
    match flag(json, field, usual) == usual {
        true => Ok(()),
        false => Err(ModelError::Unsupported(format!("`{field}: {}` is not supported", !usual))),
    }
}
