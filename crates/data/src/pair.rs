//! A source and what is to be made of it, as tokens, for models that read the one and write the other.

/// One source with its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is read, with the special tokens that the model's own tokenizer puts around a text, `[n]`.
    pub source: Vec<u32>,
    /// What is written, the end token included unless it was cut; all of it is taught, `[m]`.
    pub target: Vec<u32>,
}
