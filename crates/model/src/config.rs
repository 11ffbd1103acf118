//! The shape of a decoder: what its family says it is, and what `config.json` says, read as transformers 4 and 5
//! write it.

use kernels::Heads;
use serde_json::Value;

use crate::{
    Activation, ModelError, SoftCap, family,
    names::{self, Names},
    read::{flag, real, whole, whole_or},
    rotary::Rotary,
};

/// The shape of a decoder. Fields that every family has are called as in `config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct DecoderConfig {
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward part.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads; divides the query heads.
    pub num_key_value_heads: usize,
    /// Width of a head; even where it is turned.
    pub head_dim: usize,
    /// Added to the variance in norms.
    pub norm_eps: f64,
    /// How a token knows where it stands; none where positions are learned.
    pub rotary: Option<Rotary>,
    /// The longest context the model was made for.
    pub max_position_embeddings: usize,
    /// The output projection is the embedding.
    pub tie_word_embeddings: bool,
    /// Which linear layers have biases.
    pub biases: Biases,
    /// Each head of queries and of keys passes through a norm.
    pub qk_norm: bool,
    /// Between gate and up.
    pub activation: Activation,
    /// Layers that see only so far.
    pub sliding: Option<Sliding>,
    /// What queries are multiplied by; usually `1 / √head_dim`.
    pub attention_scale: f64,
    /// On the scores of attention.
    pub score_cap: SoftCap,
    /// On the scores of the next token.
    pub logit_cap: SoftCap,
    /// What embeddings are multiplied by.
    pub embedding_scale: Option<f64>,
    /// What norms do.
    pub norm: NormKind,
    /// The checkpoint has the weights of linear layers as `[in, out]`; PEFT's name for it.
    pub fan_in_fan_out: bool,
    /// What the parts are called in the checkpoint.
    pub(crate) names: &'static Names,
}

/// Which linear layers have biases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Biases {
    /// Queries, keys and values.
    pub qkv: bool,
    /// The output of the attention.
    pub o: bool,
    /// All of the feed-forward part.
    pub mlp: bool,
}

/// What norms do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// RMSNorm.
    Rms,
    /// RMSNorm whose weight the checkpoint has less one.
    RmsLessOne,
    /// LayerNorm, with a bias.
    Layer,
}

/// Some layers see no further back than a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Sliding {
    /// Tokens a query sees, itself included.
    pub window: usize,
    /// For each layer, whether it has the window.
    pub layers: Vec<bool>,
    /// The rotary embedding of these layers, where it is their own.
    pub rotary: Option<Rotary>,
}

impl DecoderConfig {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] names what the file asks for and the program cannot do;
    /// [`ModelError::Config`] names the field that is missing or contradicts another.
    pub fn from_json(json: &Value) -> Result<Self, ModelError> {
        family::of(json)?.read(json)?.checked()
    }

    /// Its heads, as attention is told of them.
    pub(crate) fn heads(&self) -> Heads {
        Heads {
            queries: self.num_attention_heads,
            groups: self.num_key_value_heads,
            width: self.head_dim,
            scale: self.attention_scale,
            cap: self.score_cap.0,
        }
    }

    /// What Llama and its kin say the same way. A family starts here and adds its own.
    pub(crate) fn common(json: &Value, activation: Activation) -> Result<Self, ModelError> {
        let hidden_size = whole(json, "hidden_size")?;
        let num_attention_heads = whole(json, "num_attention_heads")?;
        let head_dim = whole_or(json, "head_dim", hidden_size / num_attention_heads)?;
        let max_position_embeddings = whole_or(json, "max_position_embeddings", 2048)?;
        Ok(Self {
            vocab_size: whole(json, "vocab_size")?,
            hidden_size,
            intermediate_size: whole(json, "intermediate_size")?,
            num_hidden_layers: whole(json, "num_hidden_layers")?,
            num_attention_heads,
            num_key_value_heads: whole_or(json, "num_key_value_heads", num_attention_heads)?,
            head_dim,
            norm_eps: real(json, "rms_norm_eps")?.unwrap_or(1e-6),
            rotary: Some(Rotary::of(json, max_position_embeddings)?),
            max_position_embeddings,
            tie_word_embeddings: flag(json, "tie_word_embeddings", false),
            biases: Biases::default(),
            qk_norm: false,
            activation,
            sliding: None,
            attention_scale: (head_dim as f64).powf(-0.5),
            score_cap: SoftCap(None),
            logit_cap: SoftCap(None),
            embedding_scale: None,
            norm: NormKind::Rms,
            fan_in_fan_out: false,
            names: &names::LLAMA,
        })
    }

    /// With heads of another width, and scores scaled for it.
    pub(crate) fn with_head_dim(self, head_dim: usize) -> Self {
        Self { head_dim, attention_scale: (head_dim as f64).powf(-0.5), ..self }
    }

    /// That the fields agree with one another.
    fn checked(self) -> Result<Self, ModelError> {
        let refuse = |what: String| Err(ModelError::Config(what));
        let Self { num_attention_heads: heads, num_key_value_heads: kv, head_dim, .. } = self;
        if heads % kv != 0 {
            return refuse(format!("{heads} attention heads cannot share {kv} key-value heads evenly"));
        }
        if head_dim == 0 || (self.rotary.is_some() && head_dim % 2 != 0) {
            return refuse(format!("head_dim is {head_dim}; rotary embedding needs an even one"));
        }
        if let Some(sliding) = &self.sliding
            && sliding.layers.len() != self.num_hidden_layers
        {
            let (told, layers) = (sliding.layers.len(), self.num_hidden_layers);
            return refuse(format!("`layer_types` tells of {told} layers where there are {layers}"));
        }
        Ok(self)
    }

    /// The most tokens of a text that it can tell apart; none where it goes on, if ever worse.
    pub fn most_tokens(&self) -> Option<usize> {
        self.names.embed_positions.map(|_| self.max_position_embeddings)
    }

    /// That layer `i` sees no further back than the window.
    pub(crate) fn slides(&self, i: usize) -> bool {
        self.sliding.as_ref().is_some_and(|sliding| sliding.layers[i])
    }
}

impl Sliding {
    /// `window` in the layers that `layer_types` says, or else in those that `usual` says.
    pub(crate) fn of(
        json: &Value,
        window: usize,
        n_layers: usize,
        usual: impl Fn(usize) -> bool,
    ) -> Result<Option<Self>, ModelError> {
        let kind = |kind: &Value| match kind.as_str() {
            Some("sliding_attention") => Ok(true),
            Some("full_attention") => Ok(false),
            _ => Err(ModelError::Unsupported(format!(
                "`layer_types` has {kind}; sliding_attention and full_attention are supported"
            ))),
        };
        let layers = match &json["layer_types"] {
            Value::Array(kinds) => kinds.iter().map(kind).collect::<Result<Vec<_>, _>>()?,
            _ => (0..n_layers).map(usual).collect(),
        };
        Ok(layers.contains(&true).then_some(Self { window, layers, rotary: None }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn smol() -> Value {
        json!({"model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536,
            "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "rms_norm_eps": 1e-5,
            "rope_theta": 100000.0, "max_position_embeddings": 8192, "tie_word_embeddings": true})
    }

    #[test]
    fn smollm2_has_its_published_number_of_parameters() {
        assert_eq!(DecoderConfig::from_json(&smol()).unwrap().n_parameters(), 134_515_008);
    }

    #[test]
    fn rope_is_read_as_transformers_4_and_5_write_it() {
        let llama3 = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 64});
        let mut four = smol();
        four["rope_scaling"] = llama3.clone();
        let mut five = smol();
        five.as_object_mut().unwrap().remove("rope_theta");
        five["rope_parameters"] = llama3;
        five["rope_parameters"]["rope_theta"] = json!(100000.0);
        assert_eq!(DecoderConfig::from_json(&four).unwrap(), DecoderConfig::from_json(&five).unwrap());
    }

    #[test]
    fn what_is_wrong_is_said_by_field() {
        let with = |field: &str, value: Value| {
            let mut json = smol();
            json[field] = value;
            DecoderConfig::from_json(&json).unwrap_err().to_string()
        };
        for (field, value, says) in [
            ("hidden_size", Value::Null, "`hidden_size` is missing"),
            ("vocab_size", json!(u64::MAX), "not a whole number from 1 to"),
            ("num_key_value_heads", json!(2), "9 attention heads cannot share 2"),
            ("model_type", json!("mamba"), "models of type `mamba` cannot be trained yet"),
            ("rope_scaling", json!({"rope_type": "longrope"}), "rope scaling `longrope` is not supported"),
            ("rms_norm_eps", json!(-1), "not a number above 0"),
            ("hidden_act", json!("mish"), "`hidden_act: mish` is not supported"),
        ] {
            let said = with(field, value);
            assert!(said.contains(says), "{said}");
        }
    }
}
