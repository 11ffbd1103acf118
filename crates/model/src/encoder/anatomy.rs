//! The linear layers of an encoder's layer and the number of its weights, by its shape alone.

use super::{EncoderConfig, Family, bert, distilbert, post_norm::Names, roberta};
use crate::LayerLinear;

impl EncoderConfig {
    /// The linear layers that each layer has, in the order of the forward pass.
    pub fn layer_linears(&self) -> Vec<LayerLinear> {
        let (h, f) = (self.hidden_size, self.intermediate_size);
        let linear = |path, outputs, inputs, in_attention, bias| LayerLinear {
            path,
            outputs,
            inputs,
            in_attention,
            bias,
        };
        let names: &Names = match self.family {
            Family::Bert => &bert::NAMES,
            Family::Roberta => &roberta::NAMES,
            Family::DistilBert => &distilbert::NAMES,
            Family::ModernBert(_) => {
                return vec![
                    linear("attn.Wqkv", 3 * h, h, true, false),
                    linear("attn.Wo", h, h, true, false),
                    linear("mlp.Wi", 2 * f, h, false, false),
                    linear("mlp.Wo", h, f, false, false),
                ];
            }
        };
        vec![
            linear(names.query, h, h, true, true),
            linear(names.key, h, h, true, true),
            linear(names.value, h, h, true, true),
            linear(names.attention_output, h, h, true, true),
            linear(names.intermediate, f, h, false, true),
            linear(names.output, h, f, false, true),
        ]
    }

    /// Weights of the encoder, its pooler among them where the family has one; a head not.
    pub fn n_parameters(&self) -> u64 {
        let wide = |n: usize| n as u64;
        let h = wide(self.hidden_size);
        let linear = |linear: &LayerLinear| {
            wide(linear.inputs) * wide(linear.outputs) + if linear.bias { wide(linear.outputs) } else { 0 }
        };
        let linears: u64 = self.layer_linears().iter().map(linear).sum();
        let layers = wide(self.num_hidden_layers);
        match self.family {
            // Norms without biases; the first layer has one less, and one stands before and one behind all layers.
            Family::ModernBert(_) => wide(self.vocab_size) * h + layers * (linears + 2 * h) + h,
            Family::Bert | Family::Roberta | Family::DistilBert => {
                let tables = wide(self.vocab_size + self.max_position_embeddings + self.type_vocab_size) * h;
                let pooler = if self.family == Family::DistilBert { 0 } else { h * h + h };
                tables + 2 * h + layers * (linears + 4 * h) + pooler
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn minilm_has_as_many_weights_as_its_file() {
        let config =
            EncoderConfig::from_json(&json!({"model_type": "bert", "vocab_size": 30522, "hidden_size": 384,
            "intermediate_size": 1536, "num_hidden_layers": 6, "num_attention_heads": 12,
            "max_position_embeddings": 512, "type_vocab_size": 2}));
        assert_eq!(config.unwrap().n_parameters(), 22_713_216);
    }
}
