//! A row and a mapping of its columns make an example, or a reason why not.

use serde_json::Value;
use spec::{ColumnRole, Example, Mapping, Message, ProblemKind, Role, Shape, ShapeSheet};

use crate::{Unreadable, chat, row::Fields};

/// The example that `fields` hold.
///
/// - prompt and completion: joined with nothing between, as they stand; lists of messages make a conversation.
/// - Alpaca: a conversation. The user says the instruction, a blank line and the input, or the instruction alone where
///   the input is empty; the assistant says the output.
/// - messages, ShareGPT: a conversation; a system column goes before it unless it begins with a system message.
/// - labels, numbers, tags: see `labelled.rs`.
///
/// With what was repaired in it, if anything was.
pub(crate) fn example(
    mapping: &Mapping,
    fields: &mut Fields,
) -> Result<(Example, Option<ProblemKind>), ProblemKind> {
    let mut row = Mapped { mapping, fields, repair: None };
    let example = match mapping.shape {
        Shape::Text => {
            let text = row.text(ColumnRole::Text)?;
            if text.trim().is_empty() { Err(ProblemKind::EmptyText) } else { Ok(Example::Text { text }) }
        }
        Shape::PromptCompletion => row.pair(),
        Shape::Alpaca => row.alpaca(),
        Shape::Messages | Shape::ShareGpt => {
            let messages = chat::messages(row.value(ColumnRole::Messages)?)?;
            row.chat(messages)
        }
        Shape::Labelled => row.labelled(),
        Shape::LabelledSeveral => row.labelled_several(),
        Shape::Scored => row.scored(),
        Shape::TaggedWords => row.tagged_words(),
        Shape::Spans => row.spans(),
    }?;
    Ok((example, row.repair))
}

/// The roles that a shape needs, and those it can use.
pub(crate) fn roles(shape: Shape) -> (&'static [ColumnRole], &'static [ColumnRole]) {
    use ColumnRole::*;
    match shape {
        Shape::Text => (&[Text], &[]),
        Shape::PromptCompletion => (&[Prompt, Completion], &[System]),
        Shape::Alpaca => (&[Instruction, Output], &[Input, System]),
        Shape::Messages | Shape::ShareGpt => (&[Messages], &[System]),
        Shape::Labelled | Shape::LabelledSeveral => (&[Text, Label], &[Pair]),
        Shape::Scored => (&[Text, Score], &[Pair]),
        Shape::TaggedWords => (&[Words, Tags], &[]),
        Shape::Spans => (&[Text, ColumnRole::Spans], &[]),
    }
}

/// Every shape, the most usual first, with the roles it needs and those it can use.
pub fn shapes() -> Vec<ShapeSheet> {
    let sheet = |(shape, label, help): (Shape, &str, &str)| {
        let (needs, may) = roles(shape);
        ShapeSheet {
            shape,
            label: label.to_owned(),
            help: help.to_owned(),
            needs: needs.to_vec(),
            may: may.to_vec(),
        }
    };
    [
        (
            Shape::PromptCompletion,
            "Prompt and completion",
            "Each row has a prompt and what the model should write after it.",
        ),
        (
            Shape::Messages,
            "Conversation",
            "Each row has a column with a list of messages, each with a role and a content.",
        ),
        (
            Shape::Alpaca,
            "Instruction, input and output",
            "Each row has a task, perhaps some material for it, and the answer.",
        ),
        (
            Shape::ShareGpt,
            "Conversation, ShareGPT's way",
            "Each row has a column with a list of messages, each with `from` and `value`.",
        ),
        (Shape::Text, "Running text", "Each row is a text that the model learns to write as it stands."),
        (Shape::Labelled, "Text and label", "Each row has a text, or two, and the one label that it has."),
        (
            Shape::LabelledSeveral,
            "Text and labels",
            "Each row has a text, or two, and a list of every label that holds.",
        ),
        (Shape::Scored, "Text and number", "Each row has a text, or two, and a number for it."),
        (
            Shape::TaggedWords,
            "Words and tags",
            "Each row has a list of words and a list with a tag for each of them.",
        ),
        (
            Shape::Spans,
            "Text and spans",
            "Each row has a text and a list of what is marked in it, each with start, end and label.",
        ),
    ]
    .map(sheet)
    .into()
}

/// As said to a person.
pub(crate) fn role_name(role: ColumnRole) -> &'static str {
    match role {
        ColumnRole::Prompt => "prompt",
        ColumnRole::Completion => "completion",
        ColumnRole::Instruction => "instruction",
        ColumnRole::Input => "input",
        ColumnRole::Output => "output",
        ColumnRole::System => "system message",
        ColumnRole::Messages => "messages",
        ColumnRole::Text => "text",
        ColumnRole::Pair => "second text",
        ColumnRole::Label => "label",
        ColumnRole::Score => "number",
        ColumnRole::Words => "words",
        ColumnRole::Tags => "tags",
        ColumnRole::Spans => "spans",
    }
}

/// That `mapping` has a column for each role its shape needs.
pub(crate) fn check(mapping: &Mapping) -> Result<(), Unreadable> {
    let missing = roles(mapping.shape).0.iter().find(|role| !mapping.columns.contains_key(role));
    missing.map_or(Ok(()), |role| Err(Unreadable::IncompleteMapping { role: role_name(*role) }))
}

/// A row under a mapping.
pub(crate) struct Mapped<'a> {
    pub(crate) mapping: &'a Mapping,
    pub(crate) fields: &'a mut Fields,
    /// What was repaired in it.
    pub(crate) repair: Option<ProblemKind>,
}

impl Mapped<'_> {
    fn pair(&mut self) -> Result<Example, ProblemKind> {
        let (prompt, completion) = (self.value(ColumnRole::Prompt)?, self.value(ColumnRole::Completion)?);
        if prompt.is_array() || completion.is_array() {
            let mut messages = self.said_by(Role::User, prompt, ColumnRole::Prompt)?;
            messages.extend(self.said_by(Role::Assistant, completion, ColumnRole::Completion)?);
            return self.chat(messages);
        }
        let prompt = self.as_text(prompt, ColumnRole::Prompt)?;
        let completion = self.as_text(completion, ColumnRole::Completion)?;
        match () {
            () if prompt.trim().is_empty() => Err(ProblemKind::EmptyPrompt),
            () if completion.trim().is_empty() => Err(ProblemKind::EmptyReply),
            () if self.mapping.columns.contains_key(&ColumnRole::System) => {
                self.chat(vec![Message::new(Role::User, prompt), Message::new(Role::Assistant, completion)])
            }
            () => Ok(Example::Completion { prompt, completion }),
        }
    }

    fn said_by(&self, role: Role, value: Value, column: ColumnRole) -> Result<Vec<Message>, ProblemKind> {
        match value {
            Value::String(text) => Ok(vec![Message::new(role, text)]),
            list @ Value::Array(_) => chat::messages(list),
            other => Ok(vec![Message::new(role, self.as_text(other, column)?)]),
        }
    }

    fn alpaca(&mut self) -> Result<Example, ProblemKind> {
        let instruction = self.text(ColumnRole::Instruction)?;
        let input = self.optional(ColumnRole::Input)?;
        let output = self.text(ColumnRole::Output)?;
        let asked = match (instruction.trim().is_empty(), input) {
            (false, None) => instruction,
            (false, Some(input)) => format!("{instruction}\n\n{input}"),
            (true, Some(input)) => input,
            (true, None) => return Err(ProblemKind::EmptyPrompt),
        };
        self.chat(vec![Message::new(Role::User, asked), Message::new(Role::Assistant, output)])
    }

    fn chat(&mut self, mut messages: Vec<Message>) -> Result<Example, ProblemKind> {
        let has_system = messages.first().is_some_and(|m| m.role == Role::System);
        if let Some(system) = self.optional(ColumnRole::System)?.filter(|_| !has_system) {
            messages.insert(0, Message::new(Role::System, system));
        }
        chat::check(&messages)?;
        Ok(Example::Chat { messages })
    }

    pub(crate) fn column(&self, role: ColumnRole) -> String {
        self.mapping.columns.get(&role).cloned().unwrap_or_default()
    }

    pub(crate) fn value(&mut self, role: ColumnRole) -> Result<Value, ProblemKind> {
        let column = self.column(role);
        match self.fields.take(&column) {
            None | Some(Value::Null) => Err(ProblemKind::MissingColumn { column }),
            Some(value) => Ok(value),
        }
    }

    /// Numbers and truth values count as text: a label may be a number.
    fn as_text(&self, value: Value, role: ColumnRole) -> Result<String, ProblemKind> {
        match value {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            _ => Err(ProblemKind::NotText { column: self.column(role) }),
        }
    }

    pub(crate) fn text(&mut self, role: ColumnRole) -> Result<String, ProblemKind> {
        let value = self.value(role)?;
        self.as_text(value, role)
    }

    /// `None` where the role has no column, or the row nothing in it.
    fn optional(&mut self, role: ColumnRole) -> Result<Option<String>, ProblemKind> {
        match self.mapping.columns.get(&role).and_then(|column| self.fields.take(column)) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Ok(Some(self.as_text(value, role)?).filter(|text| !text.trim().is_empty())),
        }
    }
}
