//! What `config.json` says of an encoder-decoder, as transformers 4 and 5 write it.

use serde_json::Value;

use crate::{
    Activation, ModelError,
    read::{flag, real, whole, whole_or},
};

/// The shape of an encoder-decoder. Fields are called as in T5's `config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct Seq2SeqConfig {
    /// Rows of the embedding, which both sides share.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of a head; `num_heads · d_kv` need not be `d_model`.
    pub d_kv: usize,
    /// Width of the feed-forward part.
    pub d_ff: usize,
    /// Layers of the encoder.
    pub num_layers: usize,
    /// Layers of the decoder.
    pub num_decoder_layers: usize,
    /// Heads.
    pub num_heads: usize,
    /// Kinds of distance that the position bias tells apart.
    pub relative_attention_num_buckets: usize,
    /// The distance from which on all are of one kind.
    pub relative_attention_max_distance: usize,
    /// Added to the mean square in norms.
    pub layer_norm_epsilon: f64,
    /// In the feed-forward part.
    pub activation: Activation,
    /// The feed-forward part has a gate, as from version 1.1 on.
    pub is_gated_act: bool,
    /// Hidden states are multiplied by `1 / √d_model` before the output projection, as in version 1.0.
    pub scale_decoder_outputs: bool,
    /// The longest text the model was made for. Distances are all that it counts, so longer ones can be read.
    pub n_positions: usize,
    /// The token that fills rows up.
    pub pad_token_id: u32,
    /// The token that each target begins behind.
    pub decoder_start_token_id: u32,
}

impl Seq2SeqConfig {
    /// Each `model_type` in `config.json` that has one.
    pub const MODEL_TYPES: [&str; 1] = ["t5"];

    /// Whether a `config.json` is that of an encoder-decoder.
    pub fn is_one(json: &Value) -> bool {
        json["model_type"].as_str().is_some_and(|kind| Self::MODEL_TYPES.contains(&kind))
    }

    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] names what the file asks for and the program cannot do; [`ModelError::Config`]
    /// names the field that is missing or makes no sense.
    pub fn from_json(json: &Value) -> Result<Self, ModelError> {
        if !Self::is_one(json) {
            let kind = json["model_type"].as_str().unwrap_or("unnamed");
            return Err(ModelError::Unsupported(format!(
                "encoder-decoders of type `{kind}` cannot be trained yet; T5 and FLAN-T5 (`t5`) can"
            )));
        }
        let num_layers = whole(json, "num_layers")?;
        let (is_gated_act, activation) = feed_forward(json)?;
        let pad_token_id = token(json, "pad_token_id")?.unwrap_or(0);
        let config = Self {
            vocab_size: whole(json, "vocab_size")?,
            d_model: whole(json, "d_model")?,
            d_kv: whole(json, "d_kv")?,
            d_ff: whole(json, "d_ff")?,
            num_layers,
            num_decoder_layers: whole_or(json, "num_decoder_layers", num_layers)?,
            num_heads: whole(json, "num_heads")?,
            relative_attention_num_buckets: whole_or(json, "relative_attention_num_buckets", 32)?,
            relative_attention_max_distance: whole_or(json, "relative_attention_max_distance", 128)?,
            layer_norm_epsilon: real(json, "layer_norm_epsilon")?.unwrap_or(1e-6),
            activation,
            is_gated_act,
            // Transformers 4 took `tie_word_embeddings` for the sign of version 1.0; 5 has a field for it.
            scale_decoder_outputs: flag(
                json,
                "scale_decoder_outputs",
                flag(json, "tie_word_embeddings", true),
            ),
            n_positions: whole_or(json, "n_positions", 512)?,
            pad_token_id,
            decoder_start_token_id: token(json, "decoder_start_token_id")?.unwrap_or(pad_token_id),
        };
        config.checked()
    }

    /// That the fields agree with one another.
    fn checked(self) -> Result<Self, ModelError> {
        let (buckets, far) = (self.relative_attention_num_buckets, self.relative_attention_max_distance);
        // Half of them for each direction, half of these for distances that are told apart exactly.
        if buckets < 4 || far <= buckets / 2 {
            return Err(ModelError::Config(format!(
                "`relative_attention_num_buckets` is {buckets} and `relative_attention_max_distance` is {far}: \
                 there must be 4 or more buckets, and the distance must be above half of them"
            )));
        }
        for (field, id) in
            [("pad_token_id", self.pad_token_id), ("decoder_start_token_id", self.decoder_start_token_id)]
        {
            if id as usize >= self.vocab_size {
                let most = self.vocab_size - 1;
                return Err(ModelError::Config(format!("`{field}` is {id}, and the last token is {most}")));
            }
        }
        Ok(self)
    }

    /// Width of all heads together.
    pub fn inner_dim(&self) -> usize {
        self.num_heads * self.d_kv
    }
}

/// `relu`, or `gated-gelu`, by which transformers means the one with the hyperbolic tangent.
fn feed_forward(json: &Value) -> Result<(bool, Activation), ModelError> {
    let named = json["feed_forward_proj"].as_str().unwrap_or("relu");
    let (gated, act) = match named.strip_prefix("gated-") {
        Some("gelu") => (true, "gelu_new"),
        Some(act) => (true, act),
        None => (false, named),
    };
    Ok((
        gated,
        Activation::of(&serde_json::json!({ "feed_forward_proj": act }), "feed_forward_proj", "relu")?,
    ))
}

fn token(json: &Value, field: &str) -> Result<Option<u32>, ModelError> {
    match &json[field] {
        Value::Null => Ok(None),
        value => match value.as_u64().and_then(|id| u32::try_from(id).ok()) {
            Some(id) => Ok(Some(id)),
            None => Err(ModelError::Config(format!("`{field}` is {value}, not the number of a token"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn small() -> Value {
        json!({"model_type": "t5", "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048,
            "num_layers": 6, "num_heads": 8})
    }

    #[test]
    fn t5_small_is_read_from_what_its_file_says_and_what_it_leaves_out() {
        let read = Seq2SeqConfig::from_json(&small()).unwrap();
        assert_eq!(read.num_decoder_layers, 6);
        assert_eq!((read.activation, read.is_gated_act), (Activation::Relu, false));
        assert!(read.scale_decoder_outputs, "version 1.0 ties and scales");
        assert_eq!((read.pad_token_id, read.decoder_start_token_id), (0, 0));
    }

    #[test]
    fn version_1_1_is_read_as_transformers_4_and_5_write_it() {
        let mut four = small();
        four["feed_forward_proj"] = "gated-gelu".into();
        four["tie_word_embeddings"] = false.into();
        let mut five = four.clone();
        five["tie_word_embeddings"] = true.into();
        five["scale_decoder_outputs"] = false.into();
        let (four, five) =
            (Seq2SeqConfig::from_json(&four).unwrap(), Seq2SeqConfig::from_json(&five).unwrap());
        assert_eq!(four, five);
        assert_eq!((four.activation, four.is_gated_act), (Activation::GeluTanh, true));
        assert!(!four.scale_decoder_outputs);
    }

    #[test]
    fn what_is_wrong_is_said_by_field() {
        for (field, value, says) in [
            ("d_kv", Value::Null, "`d_kv` is missing"),
            ("model_type", json!("umt5"), "encoder-decoders of type `umt5` cannot be trained yet"),
            ("feed_forward_proj", json!("gated-mish"), "`feed_forward_proj: mish` is not supported"),
            ("relative_attention_num_buckets", json!(2), "4 or more buckets"),
            ("relative_attention_max_distance", json!(16), "above half of them"),
            ("decoder_start_token_id", json!(32128), "the last token is 32127"),
            ("pad_token_id", json!(-1), "not the number of a token"),
        ] {
            let mut json = small();
            json[field] = value;
            let said = Seq2SeqConfig::from_json(&json).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }
}
