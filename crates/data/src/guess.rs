//! Which column plays which part, judged by names first and by contents where names say nothing.
//!
//! A guess always comes with its reason, so that a person can see when it is wrong and map the columns instead.

mod labelled;

use std::collections::BTreeMap;

use serde_json::Value;
use spec::{ColumnRole, Mapping, Shape};

use crate::{
    chat::{self, Spelling},
    row::{Column, Fields},
};

/// Pairs of names in use for what is asked and what is answered, best known first.
const PAIRS: &[(&str, &str)] = &[
    ("prompt", "completion"),
    ("prompt", "response"),
    ("prompt", "output"),
    ("prompt", "answer"),
    ("question", "answer"),
    ("question", "response"),
    ("question", "output"),
    ("query", "response"),
    ("query", "answer"),
    ("input", "output"),
    ("input", "target"),
    ("inputs", "targets"),
    ("source", "target"),
    ("problem", "solution"),
    ("user", "assistant"),
    ("context", "response"),
    ("dialogue", "summary"),
    ("document", "summary"),
    ("article", "highlights"),
    ("article", "summary"),
    ("text", "summary"),
    ("text", "completion"),
];
/// The same for what is a label where its values are short, and an answer where they are not.
const LONG_LABELS: &[(&str, &str)] = &[
    ("text", "label"),
    ("text", "labels"),
    ("text", "label_text"),
    ("text", "sentiment"),
    ("text", "category"),
    ("text", "class"),
    ("text", "intent"),
    ("text", "emotion"),
    ("text", "topic"),
    ("sentence", "label"),
    ("review", "label"),
    ("review", "sentiment"),
];
const INSTRUCTIONS: &[&str] = &["instruction", "instructions", "question"];
const INPUTS: &[&str] = &["input", "context"];
const OUTPUTS: &[&str] = &["output", "response", "answer", "completion"];
const SYSTEMS: &[&str] = &["system", "system_prompt"];
const TEXTS: &[&str] = &["text", "content", "document", "body"];

/// What the columns of a file seem to be, and why; or why that cannot be told.
pub(crate) fn guess(columns: &[Column], rows: &[Fields]) -> Result<(Mapping, String), String> {
    let look = Look { columns, rows };
    look.messages()
        .or_else(|| look.tagged())
        .or_else(|| look.alpaca())
        .or_else(|| look.pair(PAIRS))
        .or_else(|| look.labelled())
        .or_else(|| look.pair(LONG_LABELS))
        .or_else(|| look.few_values())
        .or_else(|| look.running_text())
        .or_else(|| look.two_texts())
        .ok_or_else(|| {
            "No column names or contents that are known: say which column plays which part.".to_owned()
        })
}

struct Look<'a> {
    columns: &'a [Column],
    rows: &'a [Fields],
}

type Guess = Option<(Mapping, String)>;

impl Look<'_> {
    /// The column of that name, whatever its capitals.
    fn named(&self, name: &str) -> Option<&str> {
        let found = self.columns.iter().find(|c| c.trim().eq_ignore_ascii_case(name));
        found.map(|c| &**c)
    }

    fn any_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.named(name))
    }

    fn first_value(&self, column: &str) -> Option<&Value> {
        self.rows.iter().filter_map(|row| row.get(column)).find(|value| !value.is_null())
    }

    fn spelling(&self, column: &str) -> Option<Spelling> {
        match self.first_value(column)? {
            Value::Array(list) => chat::is_message(list.first()?),
            Value::String(text) if text.trim_start().starts_with('[') => {
                chat::is_message(serde_json::from_str::<Vec<Value>>(text).ok()?.first()?)
            }
            _ => None,
        }
    }

    /// With the system column, if there is one.
    fn with_system(&self, shape: Shape, columns: &[(ColumnRole, &str)]) -> Mapping {
        let system = self.any_of(SYSTEMS).map(|column| (ColumnRole::System, column));
        mapping(shape, columns.iter().copied().chain(system))
    }

    fn messages(&self) -> Guess {
        if let (Some(prompt), Some(completion)) = (self.named("prompt"), self.named("completion"))
            && (self.spelling(prompt).is_some() || self.spelling(completion).is_some())
        {
            let columns = [(ColumnRole::Prompt, prompt), (ColumnRole::Completion, completion)];
            let because = "`prompt` and `completion` hold messages".to_owned();
            return Some((mapping(Shape::PromptCompletion, columns.into_iter()), because));
        }
        let named = ["messages", "conversations", "conversation"].iter().filter_map(|name| self.named(name));
        let all = self.columns.iter().map(|c| &**c);
        let (column, spelling) = named.chain(all).find_map(|c| Some((c, self.spelling(c)?)))?;
        let (shape, keys) = match spelling {
            Spelling::OpenAi => (Shape::Messages, "a role and a content"),
            Spelling::ShareGpt => (Shape::ShareGpt, "`from` and `value`"),
        };
        let because = format!("`{column}` holds lists of messages with {keys}");
        Some((self.with_system(shape, &[(ColumnRole::Messages, column)]), because))
    }

    fn alpaca(&self) -> Guess {
        let system = self.any_of(SYSTEMS);
        // A question with an answer is a plain pair, unless a system message makes it a conversation.
        let asks = if system.is_some() { INSTRUCTIONS } else { &INSTRUCTIONS[..2] };
        let (instruction, output) = (self.any_of(asks)?, self.any_of(OUTPUTS)?);
        let input = self.any_of(INPUTS);
        let mut columns = vec![(ColumnRole::Instruction, instruction), (ColumnRole::Output, output)];
        columns.extend(input.map(|column| (ColumnRole::Input, column)));
        let names: Vec<_> = [Some(instruction), input, Some(output), system].into_iter().flatten().collect();
        let because = format!("columns {} are named as in Alpaca's data", quoted(&names));
        Some((self.with_system(Shape::Alpaca, &columns), because))
    }

    fn pair(&self, names: &[(&str, &str)]) -> Guess {
        let (prompt, completion) = names
            .iter()
            .find_map(|(prompt, completion)| Some((self.named(prompt)?, self.named(completion)?)))?;
        let because = format!("`{prompt}` and `{completion}` are named as a prompt and its completion");
        Some((pair(prompt, completion), because))
    }

    fn running_text(&self) -> Guess {
        let texts = self.texts();
        let (column, because) = match texts[..] {
            [only] => (only, format!("`{only}` is the only column of text")),
            // Beside one more column of text it might as well be a pair.
            [_, _] => return None,
            _ => {
                let column = self.any_of(TEXTS)?;
                (column, format!("`{column}` is named as running text"))
            }
        };
        Some((mapping(Shape::Text, [(ColumnRole::Text, column)].into_iter()), because))
    }

    fn two_texts(&self) -> Guess {
        let [first, second] = self.texts()[..] else { return None };
        let (a, b) = (self.mean_length(first), self.mean_length(second));
        let (prompt, completion, why) = if b > 2 * a {
            (second, first, "the longer")
        } else {
            (first, second, if a > 2 * b { "the longer" } else { "the first" })
        };
        let because = format!(
            "the names of the two columns of text say nothing, so {why}, `{prompt}`, is taken for the prompt and `{completion}` for the completion"
        );
        Some((pair(prompt, completion), because))
    }

    /// Columns that hold strings, and not only numbers written out.
    fn texts(&self) -> Vec<&str> {
        let is_word = |value: &Value| {
            value.as_str().is_some_and(|s| !s.trim().is_empty() && s.trim().parse::<f64>().is_err())
        };
        let holds_words = |column: &&Column| self.rows.iter().any(|row| row.get(column).is_some_and(is_word));
        self.columns.iter().filter(holds_words).map(|c| &**c).collect()
    }

    fn mean_length(&self, column: &str) -> usize {
        let lengths: Vec<_> =
            self.rows.iter().filter_map(|row| row.get(column)?.as_str()).map(str::len).collect();
        lengths.iter().sum::<usize>() / lengths.len().max(1)
    }
}

fn mapping<'a>(shape: Shape, columns: impl Iterator<Item = (ColumnRole, &'a str)>) -> Mapping {
    let columns: BTreeMap<_, _> = columns.map(|(role, column)| (role, column.to_owned())).collect();
    Mapping { shape, columns }
}

fn pair(prompt: &str, completion: &str) -> Mapping {
    let columns = [(ColumnRole::Prompt, prompt), (ColumnRole::Completion, completion)];
    mapping(Shape::PromptCompletion, columns.into_iter())
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
