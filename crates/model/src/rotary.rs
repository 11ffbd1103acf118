//! What `config.json` says of the rotary embedding.

use serde_json::Value;

use crate::{
    ModelError,
    read::{real, whole_or},
};

/// The rotary embedding of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotary {
    /// Base of the frequencies.
    pub theta: f64,
    /// How the frequencies are stretched beyond the trained context.
    pub scaling: RopeScaling,
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
        /// The trained context.
        max_position_embeddings: usize,
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

impl Rotary {
    /// That of a whole `config.json`.
    pub(crate) fn of(json: &Value, max_position_embeddings: usize) -> Result<Self, ModelError> {
        Self::with_usual_theta(json, 10_000.0, max_position_embeddings)
    }

    /// The same with another theta where the file names none.
    pub(crate) fn with_usual_theta(
        json: &Value,
        usual: f64,
        max_position_embeddings: usize,
    ) -> Result<Self, ModelError> {
        // transformers 5 keeps theta and scaling together in `rope_parameters`.
        let rope = [&json["rope_parameters"], &json["rope_scaling"]].into_iter().find(|v| v.is_object());
        let theta = real(json, "rope_theta")?.or(real(rope.unwrap_or(&Value::Null), "rope_theta")?);
        let scaling = match rope {
            Some(rope) => scaling(rope, max_position_embeddings)?,
            None => RopeScaling::Default,
        };
        Self { theta: theta.unwrap_or(usual), scaling }.checked()
    }

    fn checked(self) -> Result<Self, ModelError> {
        match self.theta > 1.0 {
            true => Ok(self),
            false => Err(ModelError::Config(format!("rope_theta is {}, which must be above 1", self.theta))),
        }
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
        "dynamic" => Ok(RopeScaling::Dynamic { factor: factor()?, max_position_embeddings }),
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
