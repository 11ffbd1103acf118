//! What was measured before a plan is made.

use spec::{DeviceInfo, LabelCount, ModelId, Prefix, Quantization, Sha256, Trainable};

/// Everything a plan rests on besides what was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The model to start from.
    pub model: ModelFacts,
    /// The data to learn.
    pub data: DataFacts,
    /// Where it will compute.
    pub device: DeviceFacts,
}

/// The base model's shape, in the names of its `config.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFacts {
    /// As the person named it.
    pub id: ModelId,
    /// SHA-256 of its weights.
    pub hash: Sha256,
    /// Weights in all, tied ones counted once.
    pub n_parameters: u64,
    /// Width of the stream between layers.
    pub hidden_size: u32,
    /// Width inside the feed-forward part.
    pub intermediate_size: u32,
    /// Decoder layers.
    pub n_layers: u32,
    /// Attention heads.
    pub n_heads: u32,
    /// Heads of keys and values.
    pub n_kv_heads: u32,
    /// Width of a head.
    pub head_dim: u32,
    /// Tokens it knows.
    pub vocab_size: u32,
    /// The longest text it was made for, in tokens.
    pub max_position_embeddings: u32,
    /// The linear layers of one layer.
    pub linears: Vec<LinearFacts>,
    /// All its tensors by name, as whoever names what learns means them. Empty where only the shape is known.
    pub tensors: Vec<TensorFacts>,
    /// What its file has in blocks.
    pub stored: InBlocks,
    /// How it reads.
    pub kind: ModelKind,
    /// What the outputs of its own head are called, in their order; none where it has no such head.
    pub labels: Option<Vec<String>>,
    /// What its texts begin with.
    pub prefixes: Prefixes,
}

/// What `config.json` of a model that turns texts into others says that these begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes {
    /// All of them: `prefix`.
    pub own: Prefix,
    /// Those of a task: `task_specific_params`.
    pub of_tasks: Vec<String>,
}

/// Numbers that share scales.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InBlocks {
    /// Numbers.
    pub n: u64,
    /// Bytes that they take so.
    pub bytes: u64,
}

/// A tensor of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorFacts {
    /// The checkpoint's name for it.
    pub name: String,
    /// Numbers in it.
    pub n: u64,
}

/// How a model reads, and so what it can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModelKind {
    /// From the beginning on, and writes.
    #[default]
    Decoder,
    /// In both directions, and answers with a head.
    Encoder,
    /// In both directions, and writes another text.
    EncoderDecoder,
}

/// A linear layer that each decoder layer has, and that can be adapted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearFacts {
    /// Its path in the layer: `self_attn.q_proj`.
    pub path: String,
    /// Width of what goes in.
    pub inputs: u32,
    /// Width of what comes out.
    pub outputs: u32,
    /// It belongs to the attention, not to the feed-forward part.
    pub in_attention: bool,
}

impl ModelFacts {
    /// Numbers that each token is multiplied with: all but the tables that it is looked up in. A decoder's serves at its
    /// end once more.
    pub fn n_multiplied(&self) -> u64 {
        let looked_up = u64::from(self.vocab_size) + u64::from(self.max_position_embeddings);
        match self.kind {
            ModelKind::Encoder => self.n_parameters.saturating_sub(looked_up * u64::from(self.hidden_size)),
            ModelKind::Decoder | ModelKind::EncoderDecoder => self.n_parameters,
        }
    }

    /// Numbers of the linear layers within all layers: an encoder-decoder's are counted as if all looked at a source, so
    /// what is no table of tokens is the most.
    pub(crate) fn n_linear(&self) -> u64 {
        let each = self.linears.iter().map(|linear| u64::from(linear.inputs) * u64::from(linear.outputs));
        let table = u64::from(self.vocab_size) * u64::from(self.hidden_size);
        (each.sum::<u64>() * u64::from(self.n_layers)).min(self.n_parameters.saturating_sub(table))
    }

    /// Numbers of the model's own that learn where `trainable` says which: all of them where names are not known. A head
    /// that is made new is not among them.
    pub fn n_learning(&self, trainable: &Trainable) -> u64 {
        let names: Vec<_> = self.tensors.iter().map(|tensor| (tensor.name.as_str(), false)).collect();
        match trainable.reach(&names) {
            Ok(reached) if !names.is_empty() => {
                let learns = self.tensors.iter().zip(reached.learns).filter(|(_, learns)| *learns);
                learns.map(|(tensor, _)| tensor.n).sum()
            }
            _ => self.n_parameters,
        }
    }

    /// Width of what the first half of the feed-forward part says: gate and up side by side, where there is a gate.
    pub(crate) fn inner_dim(&self) -> u64 {
        let inner = |linear: &&LinearFacts| !linear.in_attention && linear.inputs == self.hidden_size;
        match self.linears.iter().filter(inner).map(|linear| u64::from(linear.outputs)).sum() {
            0 => u64::from(self.intermediate_size),
            inner => inner,
        }
    }

    /// Width of all queries together: `n_heads · head_dim`.
    pub fn q_dim(&self) -> u64 {
        u64::from(self.n_heads) * u64::from(self.head_dim)
    }

    /// Width of all keys (and of all values) together: `n_kv_heads · head_dim`.
    pub fn kv_dim(&self) -> u64 {
        u64::from(self.n_kv_heads) * u64::from(self.head_dim)
    }
}

impl LinearFacts {
    /// The seven of most decoders, for one of which only these widths are known: of the stream, inside the feed-forward
    /// part, of all queries and of all keys.
    pub fn usual(hidden: u32, inner: u32, q: u32, kv: u32) -> Vec<Self> {
        [
            ("self_attn.q_proj", hidden, q),
            ("self_attn.k_proj", hidden, kv),
            ("self_attn.v_proj", hidden, kv),
            ("self_attn.o_proj", q, hidden),
            ("mlp.gate_proj", hidden, inner),
            ("mlp.up_proj", hidden, inner),
            ("mlp.down_proj", inner, hidden),
        ]
        .map(|(path, inputs, outputs)| Self {
            path: path.to_owned(),
            inputs,
            outputs,
            in_attention: path.starts_with("self_attn"),
        })
        .to_vec()
    }
}

/// What the examples are; of a mixture, the first of these that occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// Conversations, which need the model's chat template.
    Chat,
    /// Prompts and completions.
    Completion,
    /// Running text.
    Text,
    /// Texts with one label each.
    Labelled,
    /// Texts with any number of labels.
    LabelledSeveral,
    /// Texts with a number.
    Scored,
    /// Words with tags.
    Tagged,
}

/// The data set, as this model's tokenizer cuts it.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFacts {
    /// Which version.
    pub version: Sha256,
    /// Training examples.
    pub n_train: u64,
    /// Validation examples.
    pub n_validation: u64,
    /// What they are.
    pub kind: DataKind,
    /// What they are labelled with, and how often; empty where they are not.
    pub labels: Vec<LabelCount>,
    /// Tokens of each training example, template and end token included, ascending.
    /// A sample will do where there are very many.
    pub lengths: Vec<u32>,
    /// Taught tokens among all, 0 to 1.
    pub supervised_share: f64,
}

/// Training speed that a run had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Tokens a second.
    pub tokens_per_sec: f64,
    /// How its frozen weights were kept.
    pub quantization: Quantization,
}

/// The device, and what was measured on it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceFacts {
    /// Which.
    pub info: DeviceInfo,
    /// Bytes free for a run now, where it is known.
    pub free_memory: Option<u64>,
    /// Processor threads a run may use.
    pub n_threads: u32,
    /// Of this very model on it, from an earlier run.
    pub pace: Option<Pace>,
    /// What a short check on it reached.
    pub flops_per_sec: Option<f64>,
    /// It is a processor with dot products of bfloat16.
    pub has_bf16: bool,
}
