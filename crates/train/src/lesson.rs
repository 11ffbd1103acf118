//! What is learned from and by which loss, whatever the model: the border between the loop and what it teaches.

use adapt::Learns;
use data::{Answer, Question, Row};
use kernels::Sum;
use model::{Adapter, Base, Decoder};

use crate::{
    Factor, TrainError,
    objective::{self, Want},
    sums::Parts,
};

/// One thing that is learned from: a row of text, a question with its answer.
pub trait Lesson: Sync {
    /// Short ones of a batch go through the processor as one chain of up to this many tokens: a product with few rows
    /// spends its time on reading the weights.
    const CHAIN: usize = 256;

    /// Tokens that go through the model.
    fn n_tokens(&self) -> usize;

    /// Tokens, labels or numbers that are taught.
    fn n_taught(&self) -> u64;
}

/// A model and how far it is from what lessons teach.
pub trait Objective: Sync {
    /// What is trained.
    type Model: Base;
    /// What it is trained with.
    type Lesson: Lesson;

    /// The model.
    fn model(&self) -> &Self::Model;

    /// What the loss of a lesson is divided by to be a mean.
    fn weight(&self, lesson: &Self::Lesson) -> f64;

    /// Runs `chains` through the model at once; the lessons of a chain may share a row. None if nothing in them is
    /// taught.
    ///
    /// # Errors
    /// Lessons that do not fit the model, or a device that gives up.
    fn forward(
        &self,
        adapter: &dyn Adapter,
        chains: &[Vec<&Self::Lesson>],
        want: Want,
    ) -> Result<Option<Pass>, TrainError>;
}

/// What a forward pass leaves.
pub struct Pass {
    /// Summed over what is taught; an adapter may still be computing it.
    pub loss: Sum,
    /// The gradients of the loss times a number, where they were wanted.
    pub backward: Backward,
    /// What a head said of each lesson, chain after chain; nothing where the model writes.
    pub logits: Vec<Vec<f32>>,
}

/// Runs backward through the graph of a pass; nothing comes back where everything was [taken](kernels::taking) already.
pub type Backward = Box<dyn FnOnce(&Factor) -> Option<burn::tensor::Gradients>>;

impl Pass {
    /// The gradients of `loss · scale` for what learned in it, but for those that somebody took.
    pub(crate) fn gradients(self, learner: &impl Learns, scale: &Factor) -> Parts {
        (self.backward)(scale).map_or_else(Parts::new, |mut all| learner.take_gradients(&mut all))
    }
}

impl Lesson for Row {
    fn n_tokens(&self) -> usize {
        self.ids.len()
    }

    fn n_taught(&self) -> u64 {
        self.n_supervised() as u64
    }
}

impl Lesson for Question {
    /// Encoders are small, and keep little of a token.
    const CHAIN: usize = 512;

    fn n_tokens(&self) -> usize {
        self.ids.len()
    }

    fn n_taught(&self) -> u64 {
        match &self.answer {
            Answer::Label(_) | Answer::Number(_) => 1,
            Answer::Labels(labels) => labels.len() as u64,
            Answer::Tags(tags) => tags.iter().flatten().count() as u64,
        }
    }
}

/// A writer is taught the next token.
impl Objective for Decoder {
    type Model = Self;
    type Lesson = Row;

    fn model(&self) -> &Self {
        self
    }

    fn weight(&self, row: &Row) -> f64 {
        row.n_supervised() as f64
    }

    fn forward(
        &self,
        adapter: &dyn Adapter,
        chains: &[Vec<&Row>],
        want: Want,
    ) -> Result<Option<Pass>, TrainError> {
        let rows: Vec<Row> = chains.iter().map(|chain| joined(chain)).collect();
        let done = objective::forward(self, adapter, &rows, want)?;
        Ok(done.map(|done| Pass {
            loss: done.loss.clone(),
            backward: Box::new(|scale| done.backward(scale)),
            logits: Vec::new(),
        }))
    }
}

/// Rows behind one another. Segments do not see each other, so a chain says what its rows say.
fn joined(chain: &[&Row]) -> Row {
    Row {
        ids: chain.iter().flat_map(|row| &row.ids).copied().collect(),
        taught: chain.iter().flat_map(|row| &row.taught).copied().collect(),
        segments: chain.iter().flat_map(|row| &row.segments).copied().collect(),
    }
}
