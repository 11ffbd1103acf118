//! Examples, the columns they come from, and what was wrong with the rows that were left out.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{DatasetId, LabelCount, ScoreSpread, Sha256};

/// Who speaks, spelled as chat templates spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sets the scene; at most once, at the start, for most templates.
    System,
    /// The person.
    User,
    /// The model: what it is taught to say.
    Assistant,
    /// What a tool answered.
    Tool,
}

impl Role {
    /// As chat templates spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, as it stands in the file.
    pub content: String,
}

impl Message {
    /// A message of `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// One thing to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Example {
    /// Running text; all of it is taught.
    Text {
        /// The text.
        text: String,
    },
    /// A prompt and what should follow it, joined with nothing between.
    Completion {
        /// What the model is given.
        prompt: String,
        /// What it is taught to write.
        completion: String,
    },
    /// A conversation, rendered by the model's own chat template.
    Chat {
        /// In order.
        messages: Vec<Message>,
    },
    /// A text, or two that belong together, and what it is.
    Labelled {
        /// The text.
        text: String,
        /// The second text of a pair: a hypothesis to its premise, an answer to its question.
        pair: Option<String>,
        /// Its labels: one where a text has one of several; any number, each once, where several may hold.
        labels: Vec<String>,
    },
    /// A text, or two that belong together, and a number for it.
    Scored {
        /// The text.
        text: String,
        /// The second text of a pair.
        pair: Option<String>,
        /// The number; finite.
        score: f64,
    },
    /// A sentence of which each word has a tag.
    Tagged {
        /// In order.
        words: Vec<String>,
        /// One for each word, IOB2: `B-PER` where an entity begins, `I-PER` inside, `O` outside.
        tags: Vec<String>,
    },
}

/// What the rows of a file look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `prompt` and `completion`.
    PromptCompletion,
    /// `instruction`, `input` (may be empty), `output`.
    Alpaca,
    /// `messages`: a list of `{role, content}`.
    Messages,
    /// `conversations`: a list of `{from, value}`.
    ShareGpt,
    /// A text a row, or a whole file of it.
    Text,
    /// A text, perhaps a second one, and its label.
    Labelled,
    /// A text, perhaps a second one, and a list of labels, which may be empty.
    LabelledSeveral,
    /// A text, perhaps a second one, and a number.
    Scored,
    /// A list of words and a list of their tags.
    TaggedWords,
    /// A text and a list of spans in it, each `{start, end, label}` in characters.
    Spans,
}

/// What a column is to the example made from its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    /// What the model is given.
    Prompt,
    /// What it is taught to write.
    Completion,
    /// Alpaca's task.
    Instruction,
    /// Alpaca's material; may be empty.
    Input,
    /// Alpaca's answer.
    Output,
    /// A system message.
    System,
    /// A list of messages, OpenAI's or ShareGPT's way.
    Messages,
    /// Running text; the text that is labelled.
    Text,
    /// The second text of a pair.
    Pair,
    /// A label, or a list of labels.
    Label,
    /// A number.
    Score,
    /// A list of words.
    Words,
    /// A list of their tags.
    Tags,
    /// A list of spans in the text.
    Spans,
}

/// Which column plays which part; guessed from names and contents, or picked by the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Mapping {
    /// The shape the roles make up.
    pub shape: Shape,
    /// The column of each role, by its name in the file.
    pub columns: BTreeMap<ColumnRole, String>,
}

/// A row that was left out, or kept with a repair, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Problem {
    /// The file's name, without its folder.
    pub file: String,
    /// Counted from 1: the line of a text file, the row of a table.
    pub line: u64,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// Structured, so that a thousand of them can be said in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProblemKind {
    /// The line is not JSON.
    NotJson {
        /// Counted from 1.
        column: u64,
    },
    /// JSON, but not an object.
    NotAnObject,
    /// The row has another number of fields than the header.
    WrongFieldCount {
        /// In this row.
        found: u32,
        /// In the header.
        expected: u32,
    },
    /// A column that the shape needs is missing or null here.
    MissingColumn {
        /// Its name.
        column: String,
    },
    /// A column holds something other than text.
    NotText {
        /// Its name.
        column: String,
    },
    /// A conversation without a message of the assistant.
    NoReply,
    /// The reply is empty.
    EmptyReply,
    /// The prompt is empty.
    EmptyPrompt,
    /// The text is empty.
    EmptyText,
    /// A message's role is not one that is known.
    UnknownRole {
        /// As it stands in the file.
        role: String,
    },
    /// Messages are not a list of objects with a role and a content.
    BadMessages,
    /// Bytes that are not text in the detected encoding; they were replaced and the row kept.
    BadEncoding,
    /// A line longer than can be read.
    LineTooLong {
        /// In bytes.
        limit: u64,
    },
    /// The same example as an earlier row; kept once.
    Duplicate {
        /// The row it repeats.
        first: u64,
    },
    /// The label is empty.
    EmptyLabel,
    /// A column that should hold labels holds something else.
    NotALabel {
        /// Its name.
        column: String,
    },
    /// A column that should hold a number holds something else, or one without end.
    NotANumber {
        /// Its name.
        column: String,
    },
    /// Not a list of words and a list of their tags.
    BadTags,
    /// The words and their tags are not as many.
    DifferentLengths {
        /// Words.
        words: u32,
        /// Tags.
        tags: u32,
    },
    /// Spans are not a list of objects with start, end and label.
    BadSpans,
    /// Two spans share characters.
    OverlappingSpans,
    /// A span is empty, ends before it begins, or lies outside the text.
    SpanOutside,
    /// A span begins or ends inside a word; it was widened to the whole word and the row kept.
    SpanCutsWord,
    /// A row set aside has a label that no row for training has.
    UnknownLabel {
        /// The label.
        label: String,
    },
    /// No other row has this label; the row is kept.
    SingleExample {
        /// The label.
        label: String,
    },
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { column } => write!(f, "not JSON at column {column}"),
            Self::NotAnObject => write!(f, "not a JSON object"),
            Self::WrongFieldCount { found, expected } => {
                write!(f, "{found} fields where the header has {expected}")
            }
            Self::MissingColumn { column } => write!(f, "`{column}` is missing"),
            Self::NotText { column } => write!(f, "`{column}` is not text"),
            Self::NoReply => write!(f, "no reply"),
            Self::EmptyReply => write!(f, "the reply is empty"),
            Self::EmptyPrompt => write!(f, "the prompt is empty"),
            Self::EmptyText => write!(f, "the text is empty"),
            Self::UnknownRole { role } => write!(f, "unknown role `{role}`"),
            Self::BadMessages => write!(f, "not a list of messages with a role and a content"),
            Self::BadEncoding => write!(f, "bytes that are not text were replaced"),
            Self::LineTooLong { limit } => write!(f, "longer than {limit} bytes"),
            Self::Duplicate { first } => write!(f, "the same as row {first}"),
            Self::EmptyLabel => write!(f, "the label is empty"),
            Self::NotALabel { column } => write!(f, "`{column}` is not a label"),
            Self::NotANumber { column } => write!(f, "`{column}` is not a number"),
            Self::BadTags => write!(f, "not a list of words and a list of their tags"),
            Self::DifferentLengths { words, tags } => write!(f, "{words} words and {tags} tags"),
            Self::BadSpans => write!(f, "not a list of spans with start, end and label"),
            Self::OverlappingSpans => write!(f, "two spans overlap"),
            Self::SpanOutside => write!(f, "a span is empty or lies outside the text"),
            Self::SpanCutsWord => write!(f, "a span that cut a word was widened to all of it"),
            Self::UnknownLabel { label } => write!(f, "no row for training has the label `{label}`"),
            Self::SingleExample { label } => write!(f, "the only row with the label `{label}`"),
        }
    }
}

/// How many rows had a trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ProblemTally {
    /// Which, without what differs from row to row; see [`ProblemKind::sort`].
    pub kind: ProblemKind,
    /// How many rows.
    pub n: u64,
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What is learned from.
    Train,
    /// What is looked at while learning, to see whether it helps.
    Validation,
    /// What is looked at once, at the end.
    Test,
}

impl Split {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// As files and options spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much of a data set is set aside. What remains is for training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SplitFractions {
    /// Between 0 and 1.
    pub validation: f64,
    /// Between 0 and 1; `validation + test` is below 1.
    pub test: f64,
    /// Of the shuffle that decides which row goes where.
    pub seed: u64,
}

impl Default for SplitFractions {
    fn default() -> Self {
        Self { validation: 0.1, test: 0.0, seed: 42 }
    }
}

/// Rows of each part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Counts {
    /// Of the training part.
    pub train: u64,
    /// Of the validation part.
    pub validation: u64,
    /// Of the test part.
    pub test: u64,
}

impl Counts {
    /// Of one part.
    pub fn of(&self, split: Split) -> u64 {
        match split {
            Split::Train => self.train,
            Split::Validation => self.validation,
            Split::Test => self.test,
        }
    }
}

/// A kept version of a data set: what stands in its `meta.json`, and in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DatasetInfo {
    /// The same for all versions.
    pub id: DatasetId,
    /// The content: SHA-256 over the examples of all parts, in order.
    pub version: Sha256,
    /// As the person calls it.
    pub name: String,
    /// Where it came from, as paths given.
    pub sources: Vec<String>,
    /// How its rows were read.
    pub mapping: Mapping,
    /// Why so.
    #[serde(default)]
    pub because: String,
    /// How it was divided.
    pub split: SplitFractions,
    /// Rows kept, by part.
    pub counts: Counts,
    /// Rows left out or repaired; at most the first thousand are listed.
    pub problems: Vec<Problem>,
    /// How many there were in all.
    pub n_problems: u64,
    /// What the rows are labelled with and how often, the most frequent first: rows of a label, words of a tag. Empty
    /// where rows have no labels, and in what older versions kept.
    #[serde(default)]
    pub labels: Vec<LabelCount>,
    /// Of tagged words, the kinds of entities and how often each stands there, the most frequent first.
    #[serde(default)]
    pub entities: Vec<LabelCount>,
    /// Of scored texts, how the numbers for training are spread.
    #[serde(default)]
    pub scores: Option<ScoreSpread>,
    /// How many of each kind, those that are not listed included. Empty in what older versions kept.
    #[serde(default)]
    #[cfg_attr(feature = "specta", specta(skip))]
    pub tallies: Vec<ProblemTally>,
}
