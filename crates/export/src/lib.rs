//! What comes out, in the forms that other tools load: a PEFT adapter folder, and a folder with the whole model, be what
//! was learned merged into it or in place of its tensors.
//!
//! **Invariants:** an export is done when it has been read back from the disk by the same loaders that open any
//! model, holds exactly the numbers it should, and its logits agree with the model in the app. Only then does it
//! appear at its place; whatever fails before leaves what stood there as it was.
//!
//! Deliberately absent: where models come from, what a run is, uploading.
//!
//! To add a form: a file beside `adapter.rs` that writes into a [`place::Place`] and checks it with [`read_back`].

mod adapter;
mod card;
mod config;
mod error;
mod labels;
mod merged;
mod opened;
mod place;
mod progress;
mod read_back;
mod shards;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::Serialize;
use spec::ExportForm;

pub use adapter::adapter;
pub use card::{Card, Losses, snippet};
pub use error::ExportError;
pub use merged::merged;
pub use place::IfThere;
pub use progress::{Progress, Watch};
pub use read_back::{Agreement, F32_TOLERANCE, fixed_prompt, logits};
pub use spec::Precision;

/// A tuned model: a base, what was learned beside it or in place of its tensors, and what is told of it. The task and its
/// labels stand in the card's plan.
#[derive(Clone, Copy)]
pub struct Tuned<'a> {
    /// The base's weights.
    pub base: &'a weights::Checkpoint,
    /// What was learned.
    pub learner: &'a adapt::Learner,
    /// Where logits are computed.
    pub device: &'a Device,
    /// The base's tokenizer, whose files stand beside the weights.
    pub tokenizer: &'a text::Tokenizer,
    /// What the model card says.
    pub card: &'a Card,
}

impl Tuned<'_> {
    /// A token that ends a text, by the tokenizer.
    fn end(&self) -> Option<u32> {
        self.tokenizer.stop_ids().into_iter().next()
    }
}

/// What was exported and how well it agrees with the model in the app.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exported {
    /// The folder.
    pub path: PathBuf,
    /// Files in it.
    pub files: u32,
    /// Their size together.
    pub bytes: u64,
    /// Of what was read back, with the model in the app.
    pub agreement: Agreement,
    /// The largest difference between the logits of base and tuned model on the same prompt: that it learned at all.
    pub moved: f32,
}

/// Tokenizer, configuration and card, generously: what is not weights.
const ROOM_BESIDE_WEIGHTS: u64 = 64 << 20;

/// The tokenizer's files and the model card.
fn write_beside_weights(tuned: Tuned<'_>, folder: &Path, form: ExportForm) -> Result<(), ExportError> {
    for (name, bytes) in tuned.tokenizer.files()? {
        atomic::write_whole(&folder.join(name), &bytes)?;
    }
    Ok(atomic::write_whole(&folder.join("README.md"), tuned.card.render(form, tuned.learner).as_bytes())?)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ExportError> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(|e| ExportError::Folder { path: path.to_owned(), source: e.into() })?;
    json.push(b'\n');
    Ok(atomic::write_whole(path, &json)?)
}

#[cfg(test)]
mod tests;
