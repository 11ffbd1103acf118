//! What `config.json` says of a Llama-family decoder, read as transformers 4 and 5 write it.

use serde_json::Value;

use crate::ModelError;

/// The shape of a Llama-family decoder. Field names are `config.json`'s.
#[derive(Clone, Debug, PartialEq)]
pub struct LlamaConfig {
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
    /// Width of a head; even.
    pub head_dim: usize,
    /// Added to the variance in RMSNorm.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// How the frequencies are stretched beyond the trained context.
    pub rope_scaling: RopeScaling,
    /// The longest context the model was made for.
    pub max_position_embeddings: usize,
    /// The output projection is the embedding.
    pub tie_word_embeddings: bool,
}

/// How rotary frequencies are stretched; formulas as in transformers' `modeling_rope_utils`.
#[derive(Clone, Debug, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    Default,
    /// All frequencies divided by `factor`.
    Linear {
        /// How many times longer the context gets.
        factor: f64,
    },
    /// The base grows with the length once the trained context is passed (dynamic NTK).
    Dynamic {
        /// How many times longer the context gets.
        factor: f64,
    },
    /// Llama 3.1: long waves stretched, short ones kept, those between blended.
    Llama3 {
        /// Of the long waves.
        factor: f64,
        /// Below it waves count as long.
        low_freq_factor: f64,
        /// Above it waves count as short.
        high_freq_factor: f64,
        /// The context before stretching.
        original_max_position_embeddings: usize,
    },
    /// YaRN (Peng et al. 2023, arXiv 2309.00071).
    Yarn {
        /// How many times longer the context gets.
        factor: f64,
        /// Turns above which a frequency is kept.
        beta_fast: f64,
        /// Turns below which it is stretched in full.
        beta_slow: f64,
        /// The context before stretching.
        original_max_position_embeddings: usize,
        /// What sine and cosine are multiplied by; follows from `factor` unless the file says otherwise.
        attention_factor: f64,
    },
}

/// The largest of any dimension that is believed: a typo in `config.json` must not become an allocation.
const MOST: u64 = 1 << 24;

impl LlamaConfig {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] names what the file asks for and the program cannot do;
    /// [`ModelError::Config`] names the field that is missing or contradicts another.
    pub fn from_json(json: &Value) -> Result<Self, ModelError> {
        let model_type = json["model_type"].as_str().unwrap_or("unnamed");
        if model_type != "llama" {
            return Err(ModelError::Unsupported(format!(
                "models of type `{model_type}` cannot be trained yet; Llama-family models can \
                 (SmolLM2, TinyLlama, Llama 1 to 3)"
            )));
        }
        for (field, usual) in [("attention_bias", false), ("mlp_bias", false)] {
            if json[field].as_bool().unwrap_or(usual) != usual {
                return Err(ModelError::Unsupported(format!(
                    "`{field}: true` is not supported in Llama models yet"
                )));
            }
        }
        let act = json["hidden_act"].as_str().unwrap_or("silu");
        if act != "silu" {
            return Err(ModelError::Unsupported(format!("`hidden_act: {act}` is not supported; `silu` is")));
        }

        let hidden_size = whole(json, "hidden_size")?;
        let num_attention_heads = whole(json, "num_attention_heads")?;
        let num_key_value_heads = whole_or(json, "num_key_value_heads", num_attention_heads)?;
        let head_dim = whole_or(json, "head_dim", hidden_size / num_attention_heads)?;
        if num_attention_heads % num_key_value_heads != 0 {
            return Err(ModelError::Config(format!(
                "{num_attention_heads} attention heads cannot share {num_key_value_heads} key-value heads evenly"
            )));
        }
        if head_dim % 2 != 0 {
            return Err(ModelError::Config(format!(
                "head_dim is {head_dim}; rotary embedding needs an even one"
            )));
        }

        let max_position_embeddings = whole_or(json, "max_position_embeddings", 2048)?;
        // transformers 5 keeps theta and scaling together in `rope_parameters`.
        let rope = [&json["rope_parameters"], &json["rope_scaling"]].into_iter().find(|v| v.is_object());
        let rope_theta = real(json, "rope_theta")?.or(real(rope.unwrap_or(&Value::Null), "rope_theta")?);
        let rope_theta = rope_theta.unwrap_or(10_000.0);
        let rope_scaling = match rope {
            Some(rope) => scaling(rope, max_position_embeddings)?,
            None => RopeScaling::Default,
        };
        if rope_theta <= 1.0 {
            return Err(ModelError::Config(format!("rope_theta is {rope_theta}, which must be above 1")));
        }

        Ok(Self {
            vocab_size: whole(json, "vocab_size")?,
            hidden_size,
            intermediate_size: whole(json, "intermediate_size")?,
            num_hidden_layers: whole(json, "num_hidden_layers")?,
            num_attention_heads,
            num_key_value_heads,
            head_dim,
            rms_norm_eps: real(json, "rms_norm_eps")?.unwrap_or(1e-6),
            rope_theta,
            rope_scaling,
            max_position_embeddings,
            tie_word_embeddings: json["tie_word_embeddings"].as_bool().unwrap_or(false),
        })
    }

    /// Numbers in the whole model, a tied output projection counted once.
    pub fn n_parameters(&self) -> u64 {
        let [h, f, v] = [self.hidden_size, self.intermediate_size, self.vocab_size].map(|n| n as u64);
        let q = (self.num_attention_heads * self.head_dim) as u64;
        let kv = (self.num_key_value_heads * self.head_dim) as u64;
        let layer = 2 * h * q + 2 * h * kv + 3 * h * f + 2 * h;
        let embeddings = if self.tie_word_embeddings { v * h } else { 2 * v * h };
        self.num_hidden_layers as u64 * layer + embeddings + h
    }
}

fn scaling(rope: &Value, max_position_embeddings: usize) -> Result<RopeScaling, ModelError> {
    let kind = rope["rope_type"].as_str().or(rope["type"].as_str()).unwrap_or("default");
    let factor = || {
        real(rope, "factor")?
            .filter(|f| *f >= 1.0)
            .ok_or_else(|| ModelError::Config(format!("rope scaling `{kind}` needs a `factor` of 1 or more")))
    };
    let original = || whole_or(rope, "original_max_position_embeddings", max_position_embeddings);
    match kind {
        "default" => Ok(RopeScaling::Default),
        "linear" => Ok(RopeScaling::Linear { factor: factor()? }),
        "dynamic" => Ok(RopeScaling::Dynamic { factor: factor()? }),
        "llama3" => {
            let low_freq_factor = real(rope, "low_freq_factor")?.unwrap_or(1.0);
            let high_freq_factor = real(rope, "high_freq_factor")?.unwrap_or(4.0);
            if high_freq_factor <= low_freq_factor {
                return Err(ModelError::Config("high_freq_factor must be above low_freq_factor".to_owned()));
            }
            Ok(RopeScaling::Llama3 {
                factor: factor()?,
                low_freq_factor,
                high_freq_factor,
                original_max_position_embeddings: original()?,
            })
        }
        "yarn" => {
            let factor = factor()?;
            Ok(RopeScaling::Yarn {
                factor,
                beta_fast: real(rope, "beta_fast")?.unwrap_or(32.0),
                beta_slow: real(rope, "beta_slow")?.unwrap_or(1.0),
                original_max_position_embeddings: original()?,
                attention_factor: real(rope, "attention_factor")?.unwrap_or(0.1 * factor.ln() + 1.0),
            })
        }
        other => Err(ModelError::Unsupported(format!(
            "rope scaling `{other}` is not supported; default, linear, dynamic, llama3 and yarn are"
        ))),
    }
}

pub(crate) fn whole(json: &Value, field: &str) -> Result<usize, ModelError> {
    match &json[field] {
        Value::Null => Err(ModelError::Config(format!("`{field}` is missing"))),
        value => match value.as_u64() {
            Some(n) if (1..=MOST).contains(&n) => Ok(n as usize),
            _ => {
                Err(ModelError::Config(format!("`{field}` is {value}, not a whole number from 1 to {MOST}")))
            }
        },
    }
}

pub(crate) fn whole_or(json: &Value, field: &str, usual: usize) -> Result<usize, ModelError> {
    if json[field].is_null() { Ok(usual) } else { whole(json, field) }
}

pub(crate) fn real(json: &Value, field: &str) -> Result<Option<f64>, ModelError> {
    match &json[field] {
        Value::Null => Ok(None),
        value => match value.as_f64() {
            Some(x) if x.is_finite() && x > 0.0 => Ok(Some(x)),
            _ => Err(ModelError::Config(format!("`{field}` is {value}, not a number above 0"))),
        },
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
        assert_eq!(LlamaConfig::from_json(&smol()).unwrap().n_parameters(), 134_515_008);
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
        assert_eq!(LlamaConfig::from_json(&four).unwrap(), LlamaConfig::from_json(&five).unwrap());
    }

    #[test]
    fn what_is_wrong_is_said_by_field() {
        let with = |field: &str, value: Value| {
            let mut json = smol();
            json[field] = value;
            LlamaConfig::from_json(&json).unwrap_err().to_string()
        };
        for (field, value, says) in [
            ("hidden_size", Value::Null, "`hidden_size` is missing"),
            ("vocab_size", json!(u64::MAX), "not a whole number from 1 to"),
            ("num_key_value_heads", json!(2), "9 attention heads cannot share 2"),
            ("model_type", json!("mamba"), "models of type `mamba` cannot be trained yet"),
            ("rope_scaling", json!({"rope_type": "longrope"}), "rope scaling `longrope` is not supported"),
            ("rms_norm_eps", json!(-1), "not a number above 0"),
        ] {
            let said = with(field, value);
            assert!(said.contains(says), "{said}");
        }
    }
}
