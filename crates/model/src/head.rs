//! Models that answer with a head instead of writing: what they are asked for, and which of them a file holds.

use burn::tensor::{Device, Tensor};
use serde_json::Value;
use spec::Task;
use weights::Checkpoint;

use crate::{
    Adapter, Base, BaseLinear, Kept, ModelError, Parameter, Scorer,
    encoder::{Classifier, EncoderConfig, num_labels},
};

/// What the head says something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The whole text: one label, several, or numbers.
    Text,
    /// Each token.
    Tokens,
}

/// Where a head's last layer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFrom {
    /// The file, if it has one of this width.
    File,
    /// Made new: what the file has is for other labels.
    Nothing,
}

/// The head that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadSpec {
    /// What it says something about.
    pub reads: Reads,
    /// Numbers it says: one for each label.
    pub num_labels: usize,
    /// Where its last layer comes from.
    pub from: HeadFrom,
    /// What is made new is made from this.
    pub seed: u64,
}

impl HeadSpec {
    /// The head that the file itself has, by its `config.json`; none if it is not a classifier's.
    ///
    /// # Errors
    /// A number of labels that makes no sense.
    pub fn of(json: &Value) -> Result<Option<Self>, ModelError> {
        let class = json["architectures"][0].as_str().unwrap_or_default();
        let reads = match class {
            _ if class.ends_with("ForSequenceClassification") => Reads::Text,
            _ if class.ends_with("ForTokenClassification") => Reads::Tokens,
            _ => return Ok(None),
        };
        Ok(Some(Self { reads, num_labels: num_labels(json)?, from: HeadFrom::File, seed: 0 }))
    }
}

/// What `config.json` calls the outputs of the file's own head, in their order. None where the file has no head, or one
/// whose outputs have no names.
pub fn labels_of(json: &Value) -> Option<Vec<String>> {
    HeadSpec::of(json).ok()??;
    let names = json["id2label"].as_object()?;
    let label = |place: usize| Some(names.get(&place.to_string())?.as_str()?.to_owned());
    let labels = (0..names.len()).map(label).collect::<Option<Vec<_>>>()?;
    // What transformers writes where nobody named them.
    let unnamed = labels.iter().enumerate().all(|(place, label)| *label == format!("LABEL_{place}"));
    (!unnamed).then_some(labels)
}

/// The head that `task` needs on the model whose `config.json` is `config`; none where the task is to write. The file's
/// own head stays only where it says the same labels in the same order.
pub fn head_spec(task: &Task, config: &Value, seed: u64) -> Option<HeadSpec> {
    let (reads, num_labels) = match task {
        Task::Write | Task::Transform => return None,
        Task::Classify { labels } | Task::ClassifySeveral { labels } => (Reads::Text, labels.len()),
        Task::Score => (Reads::Text, 1),
        Task::Tag { labels } => (Reads::Tokens, labels.len()),
    };
    let own = HeadSpec::of(config).ok().flatten();
    let fits = own.is_some_and(|own| own.reads == reads && own.num_labels == num_labels);
    // Of two losses for one kind of head the file names the one it was taught by.
    let same_loss = match (task, config["problem_type"].as_str()) {
        (Task::ClassifySeveral { .. }, problem) => problem == Some("multi_label_classification"),
        (_, problem) => problem != Some("multi_label_classification"),
    };
    let same_labels = match task {
        Task::Score => true,
        _ => labels_of(config).as_deref() == Some(task.labels()),
    };
    let from = if fits && same_loss && same_labels { HeadFrom::File } else { HeadFrom::Nothing };
    Some(HeadSpec { reads, num_labels, from, seed })
}

/// What transformers calls a model of this `model_type` with such a head: `BertForSequenceClassification`. None where
/// there is no such class.
pub fn head_class(model_type: &str, reads: Reads) -> Option<String> {
    let family = match model_type {
        "bert" => "Bert",
        "roberta" => "Roberta",
        "distilbert" => "DistilBert",
        "modernbert" => "ModernBert",
        "llama" => "Llama",
        "mistral" => "Mistral",
        "qwen2" => "Qwen2",
        "qwen3" => "Qwen3",
        "gemma2" => "Gemma2",
        "gemma3_text" => "Gemma3Text",
        "phi3" => "Phi3",
        "gpt2" => "GPT2",
        _ => return None,
    };
    let head = match reads {
        Reads::Text => "ForSequenceClassification",
        Reads::Tokens => "ForTokenClassification",
    };
    Some(format!("{family}{head}"))
}

/// A text as a head reads it.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Its tokens, special ones included; at least one.
    pub ids: &'a [u32],
    /// Which of a pair's two texts each token belongs to, as many as `ids`. None for a single text.
    pub type_ids: Option<&'a [u32]>,
}

/// A frozen model with a head.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one for a process")]
pub enum HeadModel {
    /// Reads in both directions.
    Encoder(Classifier),
    /// Reads on, and answers at the end.
    Decoder(Scorer),
}

impl HeadModel {
    /// Reads model and head. What the file does not have of the head, or has for another number of labels, is made new;
    /// [`born`](Base::born) says what that was.
    ///
    /// # Errors
    /// A kind of model that cannot be given such a head, a tensor that is missing, or one of another shape than the
    /// configuration makes it.
    pub fn open(checkpoint: &Checkpoint, spec: HeadSpec, device: &Device) -> Result<Self, ModelError> {
        Self::open_as(checkpoint, spec, Kept::default(), device)
    }

    /// The same, the weights under the head kept as `how` says.
    ///
    /// # Errors
    /// As [`open`](Self::open), or a device that cannot compute with weights that are kept so.
    pub fn open_as(
        checkpoint: &Checkpoint,
        spec: HeadSpec,
        how: impl Into<Kept>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        match EncoderConfig::is_one(&checkpoint.config_json()?) {
            true => Ok(Self::Encoder(Classifier::open_as(checkpoint, spec, how, device)?)),
            false => Ok(Self::Decoder(Scorer::open(checkpoint, spec, how.into(), device)?)),
        }
    }

    /// The head.
    pub fn spec(&self) -> HeadSpec {
        match self {
            Self::Encoder(model) => model.spec(),
            Self::Decoder(model) => model.spec(),
        }
    }

    /// The longest text it can read, in tokens.
    pub fn longest(&self) -> usize {
        match self {
            Self::Encoder(model) => model.encoder().config().longest(),
            Self::Decoder(model) => model.longest(),
        }
    }

    /// Rows of the embedding.
    pub fn vocab_size(&self) -> usize {
        match self {
            Self::Encoder(model) => model.encoder().config().vocab_size,
            Self::Decoder(model) => model.decoder().config().vocab_size,
        }
    }

    /// Layers between the embedding and the head.
    pub fn n_layers(&self) -> usize {
        match self {
            Self::Encoder(model) => model.encoder().config().num_hidden_layers,
            Self::Decoder(model) => model.decoder().config().num_hidden_layers,
        }
    }

    /// What the head says, before softmax or sigmoid: a row for each text, or for each token of each text, in the order
    /// given; padding is neither asked for nor given back.
    ///
    /// - `[texts or tokens, num_labels]`
    ///
    /// # Errors
    /// A token beyond the vocabulary, an empty text, or one longer than [`longest`](Self::longest).
    pub fn logits(&self, texts: &[Text<'_>], adapter: &dyn Adapter) -> Result<Tensor<2>, ModelError> {
        let most = self.longest();
        if let Some(text) = texts.iter().find(|text| text.ids.len() > most) {
            return Err(ModelError::TooLong { tokens: text.ids.len(), most });
        }
        let whole = |text: &Text| {
            !text.ids.is_empty() && text.type_ids.is_none_or(|types| types.len() == text.ids.len())
        };
        if texts.is_empty() || !texts.iter().all(whole) {
            return Err(ModelError::EmptyText);
        }
        match self {
            Self::Encoder(model) => model.says(texts, adapter),
            Self::Decoder(model) => model.says(texts, adapter),
        }
    }

    fn base(&self) -> &dyn Base {
        match self {
            Self::Encoder(model) => model,
            Self::Decoder(model) => model,
        }
    }
}

impl Base for HeadModel {
    fn device(&self) -> &Device {
        self.base().device()
    }

    fn linears(&self) -> Vec<BaseLinear<'_>> {
        self.base().linears()
    }

    fn parameters(&self) -> &[Parameter] {
        self.base().parameters()
    }

    fn task_type(&self) -> &'static str {
        self.base().task_type()
    }

    fn fan_in_fan_out(&self) -> bool {
        self.base().fan_in_fan_out()
    }

    fn modules_to_save(&self) -> Vec<String> {
        self.base().modules_to_save()
    }

    fn born(&self) -> &[String] {
        self.base().born()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_those_that_somebody_named() {
        let with = |id2label: Value| {
            labels_of(&json!({"architectures": ["BertForSequenceClassification"], "id2label": id2label}))
        };
        let named = with(json!({"1": "joy", "0": "anger"}));
        assert_eq!(named, Some(vec!["anger".to_owned(), "joy".to_owned()]));
        assert_eq!(with(json!({"0": "LABEL_0", "1": "LABEL_1"})), None);
        assert_eq!(with(json!({"0": "a", "2": "c"})), None, "a place without a name");
        assert_eq!(labels_of(&json!({"architectures": ["BertModel"], "id2label": {"0": "a"}})), None);
    }
}
