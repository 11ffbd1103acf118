//! The linear layers of an encoder's layer and the number of its weights, by its shape alone.

use super::{EncoderConfig, Family, bert, distilbert, modernbert, post_norm::Names, roberta};
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

    /// Every tensor of the encoder, its pooler among them where the family has one, by its name and with its shape in the
    /// checkpoint; a head not.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let h = self.hidden_size;
        let mut all = Vec::new();
        let mut has = |name: String, shape: &[usize]| all.push((name, shape.to_vec()));
        let names: &Names = match &self.family {
            Family::Bert => &bert::NAMES,
            Family::Roberta => &roberta::NAMES,
            Family::DistilBert => &distilbert::NAMES,
            Family::ModernBert(modern) => {
                modernbert::tensors(self, modern, &mut has);
                return all;
            }
        };
        let both = |has: &mut dyn FnMut(String, &[usize]), path: String, weight: &[usize]| {
            has(format!("{path}.weight"), weight);
            has(format!("{path}.bias"), &weight[..1]);
        };
        let at = |part: &str| format!("{}.embeddings.{part}", names.prefix);
        has(at("word_embeddings.weight"), &[self.vocab_size, h]);
        has(at("position_embeddings.weight"), &[self.max_position_embeddings, h]);
        if self.type_vocab_size > 0 {
            has(at("token_type_embeddings.weight"), &[self.type_vocab_size, h]);
        }
        both(&mut has, at("LayerNorm"), &[h]);
        for i in 0..self.num_hidden_layers {
            let at = |part: &str| format!("{}.{}.{i}.{part}", names.prefix, names.layer);
            for linear in self.layer_linears() {
                both(&mut has, at(linear.path), &[linear.outputs, linear.inputs]);
            }
            both(&mut has, at(names.attention_norm), &[h]);
            both(&mut has, at(names.output_norm), &[h]);
        }
        match self.family {
            Family::Bert => both(&mut has, "bert.pooler.dense".to_owned(), &[h, h]),
            Family::Roberta => both(&mut has, "classifier.dense".to_owned(), &[h, h]),
            _ => {}
        }
        all
    }

    /// Weights of the encoder, its pooler among them where the family has one; a head not.
    pub fn n_parameters(&self) -> u64 {
        self.tensors().iter().map(|(_, shape)| shape.iter().map(|n| *n as u64).product::<u64>()).sum()
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
