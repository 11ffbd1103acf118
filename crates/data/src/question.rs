//! A text as tokens and what is to be said of it, for models that answer with a head instead of writing.

/// What a head is taught to say of one text.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The one label it has, by its place among the task's labels.
    Label(u32),
    /// For each of the task's labels, whether it has it.
    Labels(Vec<bool>),
    /// A number.
    Number(f32),
    /// The label of each token, `[len]`; none where nothing is taught: special tokens, later pieces of a word.
    Tags(Vec<Option<u32>>),
}

/// One text for the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Token ids with the special tokens that the model's own tokenizer puts around a text, `[len]`.
    pub ids: Vec<u32>,
    /// Which of a pair's two texts a token belongs to, `[len]`: 0 or 1. None for a single text.
    pub type_ids: Option<Vec<u32>>,
    /// What is to be said of it.
    pub answer: Answer,
}
