//! Rows with labels, numbers or tags, made into examples.

use serde_json::Value;
use spec::{ColumnRole, Example, ProblemKind};

use crate::{
    shape::Mapped,
    tags::{self, Span},
};

/// What may stand between labels that are written as one text.
const BETWEEN: [char; 3] = [',', ';', '|'];

impl Mapped<'_> {
    pub(crate) fn labelled(&mut self) -> Result<Example, ProblemKind> {
        let (text, pair) = self.texts()?;
        let label = match self.value(ColumnRole::Label)? {
            Value::Array(mut list) if list.len() == 1 => self.label(list.remove(0))?,
            value => self.label(value)?,
        };
        Ok(Example::Labelled { text, pair, labels: vec![label] })
    }

    pub(crate) fn labelled_several(&mut self) -> Result<Example, ProblemKind> {
        let (text, pair) = self.texts()?;
        let list = match self.value(ColumnRole::Label)? {
            Value::Array(list) => list,
            Value::String(written) => self.list(&written),
            one => vec![one],
        };
        let labels: Vec<String> =
            list.into_iter().map(|label| self.label(label)).collect::<Result<_, _>>()?;
        Ok(Example::Labelled { text, pair, labels: spec::in_order(labels) })
    }

    pub(crate) fn scored(&mut self) -> Result<Example, ProblemKind> {
        let (text, pair) = self.texts()?;
        let value = match self.value(ColumnRole::Score)? {
            Value::Number(number) => number.as_f64(),
            Value::String(written) => written.trim().parse().ok(),
            _ => None,
        };
        let not_a_number = || ProblemKind::NotANumber { column: self.column(ColumnRole::Score) };
        // Heads compute with 32 bits.
        let score = value.filter(|score: &f64| (*score as f32).is_finite()).ok_or_else(not_a_number)?;
        Ok(Example::Scored { text, pair, score })
    }

    pub(crate) fn tagged_words(&mut self) -> Result<Example, ProblemKind> {
        let words = pieces(self.value(ColumnRole::Words)?).ok_or(ProblemKind::BadTags)?;
        let tags = pieces(self.value(ColumnRole::Tags)?).ok_or(ProblemKind::BadTags)?;
        if words.len() != tags.len() {
            let n = |list: &[Value]| u32::try_from(list.len()).unwrap_or(u32::MAX);
            return Err(ProblemKind::DifferentLengths { words: n(&words), tags: n(&tags) });
        }
        let word = |value| match value {
            Value::String(word) => Ok(word),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(ProblemKind::BadTags),
        };
        let words: Vec<String> = words.into_iter().map(word).collect::<Result<_, _>>()?;
        if words.iter().all(|word| word.trim().is_empty()) {
            return Err(ProblemKind::EmptyText);
        }
        let mut tags: Vec<String> = tags
            .into_iter()
            .map(|tag| tag_named(tag).ok_or(ProblemKind::BadTags))
            .collect::<Result<_, _>>()?;
        tags::begun(&mut tags);
        Ok(Example::Tagged { words, tags })
    }

    pub(crate) fn spans(&mut self) -> Result<Example, ProblemKind> {
        let text = self.text(ColumnRole::Text)?;
        if text.trim().is_empty() {
            return Err(ProblemKind::EmptyText);
        }
        let list = match self.value(ColumnRole::Spans)? {
            Value::String(written) => serde_json::from_str(&written).map_err(|_| ProblemKind::BadSpans)?,
            value => value,
        };
        let Value::Array(list) = list else { return Err(ProblemKind::BadSpans) };
        let spans = list.iter().map(span).collect::<Option<Vec<Span>>>().ok_or(ProblemKind::BadSpans)?;
        let (example, widened) = tags::tagged(&text, spans)?;
        self.repair = widened;
        Ok(example)
    }

    /// The text, and the second one of a pair.
    fn texts(&mut self) -> Result<(String, Option<String>), ProblemKind> {
        let text = self.text(ColumnRole::Text)?;
        let paired = self.mapping.columns.contains_key(&ColumnRole::Pair);
        let pair = if paired { Some(self.text(ColumnRole::Pair)?) } else { None };
        let is_empty = |text: &String| text.trim().is_empty();
        if is_empty(&text) || pair.as_ref().is_some_and(is_empty) {
            return Err(ProblemKind::EmptyText);
        }
        Ok((text, pair))
    }

    fn label(&self, value: Value) -> Result<String, ProblemKind> {
        let label =
            named(value).ok_or_else(|| ProblemKind::NotALabel { column: self.column(ColumnRole::Label) })?;
        if label.is_empty() { Err(ProblemKind::EmptyLabel) } else { Ok(label) }
    }

    /// Labels that are written as one text: a JSON list, or words with commas between them.
    fn list(&self, written: &str) -> Vec<Value> {
        match serde_json::from_str(written) {
            Ok(Value::Array(list)) => list,
            _ => {
                let labels = written.split(BETWEEN).map(str::trim).filter(|label| !label.is_empty());
                labels.map(Value::from).collect()
            }
        }
    }
}

/// A label as it is called: numbers from 0 on as transformers calls what has no name, all else as it stands.
pub(crate) fn named(value: Value) -> Option<String> {
    let numbered = |number: u64| format!("LABEL_{number}");
    match value {
        Value::String(label) => {
            let label = label.trim();
            let is_number = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
            Some(label.parse().ok().filter(|_| is_number).map_or_else(|| label.to_owned(), numbered))
        }
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|n| n.fract() == 0.0 && (0.0..1e9).contains(n));
            Some(whole.map_or_else(|| number.to_string(), |whole| numbered(whole as u64)))
        }
        _ => None,
    }
}

fn tag_named(value: Value) -> Option<String> {
    named(value).filter(|tag| !tag.is_empty())
}

/// A list, or what stands between the spaces of a text.
fn pieces(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list),
        Value::String(written) => match serde_json::from_str(&written) {
            Ok(Value::Array(list)) => Some(list),
            _ => Some(written.split_whitespace().map(Value::from).collect()),
        },
        _ => None,
    }
}

/// `{start, end, label}` under the names in use, or `[start, end, label]`.
pub(crate) fn span(value: &Value) -> Option<Span> {
    let any = |names: &[&str]| names.iter().find_map(|name| value.get(name));
    let (start, end, label) = match value {
        Value::Array(list) => match &list[..] {
            [start, end, label] => (start, end, label),
            _ => return None,
        },
        _ => (
            any(&["start", "start_offset", "start_char", "begin"])?,
            any(&["end", "end_offset", "end_char"])?,
            any(&["label", "type", "entity", "entity_group", "tag", "class"])?,
        ),
    };
    // What lies before the text is as much outside it as what lies behind.
    let at = |value: &Value| value.as_u64().or_else(|| value.as_i64().map(|_| u64::MAX));
    let label = named(label.clone()).filter(|label| !label.is_empty())?;
    Some(Span { start: at(start)?, end: at(end)?, label })
}
