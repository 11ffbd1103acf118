//! An encoder with the head that classifies: a text, or each of its tokens.
//!
//! All heads are `classifier(norm(act(dense(x))))`; the families differ in which of these they have, what they are
//! called, and what `x` is.

use burn::tensor::{Device, Tensor};
use weights::Checkpoint;

use super::{Encoder, EncoderConfig, Family, Rows, bert, distilbert, modernbert, parts::Reader, roberta};
use crate::{
    Activation, Adapter, Base, BaseLinear, HeadFrom, HeadSpec, Kept, Linear, ModelError, Parameter, Reads,
    Text, norm::Norm,
};

/// What the head is given of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    First,
    Mean,
}

/// What a family calls the parts of its head.
pub(super) struct HeadNames {
    pub(super) pooling: Pooling,
    pub(super) before: Option<Before>,
    pub(super) classifier: &'static str,
}

/// What stands before the last linear layer.
pub(super) struct Before {
    /// What PEFT saves it under.
    pub(super) module: &'static str,
    pub(super) dense: &'static str,
    pub(super) act: Activation,
    /// And whether it has a bias.
    pub(super) norm: Option<(&'static str, bool)>,
    pub(super) has_bias: bool,
}

/// A frozen encoder and its head.
#[derive(Clone, Debug)]
pub struct Classifier {
    encoder: Encoder,
    spec: HeadSpec,
    pooling: Pooling,
    before: Option<(Linear, Activation, Option<Norm>)>,
    classifier: Linear,
    parameters: Vec<Parameter>,
    linears: Vec<(String, [usize; 2])>,
    born: Vec<String>,
}

impl Classifier {
    /// Reads encoder and head. What the file does not have of the head, or has for another number of labels, is made
    /// new; [`born`](Base::born) says what that was.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape than the configuration makes it.
    pub fn open(checkpoint: &Checkpoint, spec: HeadSpec, device: &Device) -> Result<Self, ModelError> {
        Self::open_as(checkpoint, spec, Kept::default(), device)
    }

    /// The same, the encoder's weights kept as `how` says; the head's, which learn, are numbers.
    ///
    /// # Errors
    /// As [`open`](Self::open), or a matrix in blocks that is too large for an adapter.
    pub fn open_as(
        checkpoint: &Checkpoint,
        spec: HeadSpec,
        how: impl Into<Kept>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let config = EncoderConfig::from_json(&checkpoint.config_json()?)?;
        let mut read = Reader::new(checkpoint, how.into(), device)?;
        let encoder = Encoder::read(config, &mut read)?;
        let config = encoder.config();
        let names = names(&config.family, spec.reads);
        let (h, seed, spread) = (config.hidden_size, spec.seed, config.initializer_range);
        let mut born = Vec::new();
        let before = match names.before {
            None => None,
            Some(Before { module, dense, act, norm, has_bias }) => {
                let is_new = !read.has(dense, [h, h]);
                if is_new {
                    born.push(last(module).to_owned());
                }
                let path = dense.to_owned();
                let dense = match is_new {
                    true => read.born_dense(path, [h, h], has_bias, spread, seed ^ 1)?,
                    // BERT's pooler is a part of the base, so adapters can speak there as in any other part.
                    false if module == "bert.pooler" => read.dense(path, [h, h], has_bias)?,
                    false => read.head_dense(path, [h, h], has_bias)?,
                };
                let norm = norm
                    .map(|(path, has_bias)| match is_new {
                        true => read.born_norm(path, h, has_bias, config.layer_norm_eps),
                        false => read.norm(path, h, has_bias, config.layer_norm_eps),
                    })
                    .transpose()?;
                Some((dense, act, norm))
            }
        };
        let (path, shape) = (names.classifier.to_owned(), [spec.num_labels, h]);
        let classifier = if spec.from == HeadFrom::File && read.has(&path, shape) {
            read.head_dense(path, shape, true)?
        } else {
            born.push("classifier".to_owned());
            read.born_dense(path, shape, true, spread, seed)?
        };
        born.dedup();
        let Reader { parameters, linears, .. } = read;
        Ok(Self { encoder, spec, pooling: names.pooling, before, classifier, parameters, linears, born })
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The head.
    pub fn spec(&self) -> HeadSpec {
        self.spec
    }

    /// What the last linear layer is given: a vector for each text of `rows`, or for each token.
    ///
    /// - hidden: `[tokens, hidden_size]` → `[texts, hidden_size]` or the same
    pub fn features(&self, hidden: Tensor<2>, rows: &Rows, adapter: &dyn Adapter) -> Tensor<2> {
        self.prepared(
            match (self.spec.reads, self.pooling) {
                (Reads::Tokens, _) => hidden,
                (Reads::Text, Pooling::First) => rows.first(hidden),
                (Reads::Text, Pooling::Mean) => rows.mean(hidden),
            },
            adapter,
        )
    }

    /// What stands before the last linear layer.
    fn prepared(&self, x: Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let Some((dense, act, norm)) = &self.before else { return x };
        let x = act.forward(dense.forward(&x, adapter));
        match norm {
            Some(norm) => norm.forward(x, adapter),
            None => x,
        }
    }

    /// What the head says, before softmax or sigmoid: a row for each text of `rows`, or for each token.
    ///
    /// - ids: the tokens of `rows`, row after row, padding included → `[texts or tokens, num_labels]`
    ///
    /// # Errors
    /// A token beyond the vocabulary, or a text longer than the model has positions for.
    pub fn logits(&self, ids: &[u32], rows: &Rows, adapter: &dyn Adapter) -> Result<Tensor<2>, ModelError> {
        let features = match (self.spec.reads, self.pooling) {
            (Reads::Text, Pooling::First) => self.prepared(self.encoder.firsts(ids, rows, adapter)?, adapter),
            _ => self.features(self.encoder.hidden(ids, rows, adapter)?, rows, adapter),
        };
        Ok(self.classifier.forward(&features, adapter))
    }

    /// The same of `texts`, laid into rows without waste: a row for each text, or for each token of each, in their order.
    ///
    /// # Errors
    /// A token beyond the vocabulary, or a text longer than the model has positions for.
    pub fn says(&self, texts: &[Text<'_>], adapter: &dyn Adapter) -> Result<Tensor<2>, ModelError> {
        let (ids, rows) = Rows::of(self.encoder.config(), texts, self.encoder.device());
        let said = self.logits(&ids, &rows, adapter)?;
        Ok(match self.spec.reads {
            Reads::Text => said,
            Reads::Tokens => rows.tokens(said),
        })
    }
}

impl Base for Classifier {
    fn device(&self) -> &Device {
        self.encoder.device()
    }

    fn linears(&self) -> Vec<BaseLinear<'_>> {
        // `attention.self.query`, `attention.q_lin`, `attn.Wqkv`
        let attends = |path: &str| path.split('.').any(|part| part == "attention" || part == "attn");
        self.linears
            .iter()
            .map(|(path, shape)| BaseLinear { path, shape: *shape, in_attention: attends(path) })
            .collect()
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn task_type(&self) -> &'static str {
        match self.spec.reads {
            Reads::Text => "SEQ_CLS",
            Reads::Tokens => "TOKEN_CLS",
        }
    }

    fn born(&self) -> &[String] {
        &self.born
    }

    /// The last layer, and what was made new.
    fn modules_to_save(&self) -> Vec<String> {
        let mut modules = self.born.clone();
        if !modules.iter().any(|module| module == "classifier") {
            modules.push("classifier".to_owned());
        }
        modules
    }
}

fn names(family: &Family, reads: Reads) -> HeadNames {
    match (family, reads) {
        (Family::ModernBert(modern), _) => modernbert::head(modern),
        (_, Reads::Tokens) => HeadNames { pooling: Pooling::First, before: None, classifier: "classifier" },
        (Family::Bert, Reads::Text) => bert::SEQUENCE,
        (Family::Roberta, Reads::Text) => roberta::SEQUENCE,
        (Family::DistilBert, Reads::Text) => distilbert::SEQUENCE,
    }
}

/// The last part of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
