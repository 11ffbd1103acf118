//! The linear layers of an encoder-decoder and the number of its weights, by its shape alone.

use super::Seq2SeqConfig;
use crate::LayerLinear;

impl Seq2SeqConfig {
    /// The linear layers that a layer of the decoder has, in the order of the forward pass. One of the encoder lacks
    /// those of `EncDecAttention`.
    pub fn layer_linears(&self) -> Vec<LayerLinear> {
        let (h, inner, f) = (self.d_model, self.inner_dim(), self.d_ff);
        let linear = |path, outputs, inputs, in_attention| LayerLinear {
            path,
            outputs,
            inputs,
            in_attention,
            bias: false,
        };
        let mut all = vec![
            linear("SelfAttention.q", inner, h, true),
            linear("SelfAttention.k", inner, h, true),
            linear("SelfAttention.v", inner, h, true),
            linear("SelfAttention.o", h, inner, true),
            linear("EncDecAttention.q", inner, h, true),
            linear("EncDecAttention.k", inner, h, true),
            linear("EncDecAttention.v", inner, h, true),
            linear("EncDecAttention.o", h, inner, true),
        ];
        match self.is_gated_act {
            true => {
                all.push(linear("DenseReluDense.wi_0", f, h, false));
                all.push(linear("DenseReluDense.wi_1", f, h, false));
            }
            false => all.push(linear("DenseReluDense.wi", f, h, false)),
        }
        all.push(linear("DenseReluDense.wo", h, f, false));
        all
    }

    /// Every tensor, by its name and with its shape in the checkpoint; `has_own_head` says that the output projection is
    /// not the embedding.
    pub fn tensors(&self, has_own_head: bool) -> Vec<(String, Vec<usize>)> {
        let h = self.d_model;
        let mut all = Vec::new();
        let mut has = |name: String, shape: &[usize]| all.push((format!("{name}.weight"), shape.to_vec()));
        has("shared".to_owned(), &[self.vocab_size, h]);
        for (side, layers, parts) in [
            ("encoder", self.num_layers, &["SelfAttention", "DenseReluDense"][..]),
            ("decoder", self.num_decoder_layers, &["SelfAttention", "EncDecAttention", "DenseReluDense"][..]),
        ] {
            let biases = [self.relative_attention_num_buckets, self.num_heads];
            has(format!("{side}.block.0.layer.0.SelfAttention.relative_attention_bias"), &biases);
            for layer in 0..layers {
                for (i, part) in parts.iter().enumerate() {
                    let at = format!("{side}.block.{layer}.layer.{i}");
                    has(format!("{at}.layer_norm"), &[h]);
                    let linears = self.layer_linears().into_iter();
                    for linear in linears.filter(|linear| linear.path.starts_with(part)) {
                        has(format!("{at}.{}", linear.path), &[linear.outputs, linear.inputs]);
                    }
                }
            }
            has(format!("{side}.final_layer_norm"), &[h]);
        }
        if has_own_head {
            has("lm_head".to_owned(), &[self.vocab_size, h]);
        }
        all
    }

    /// Weights in all; `has_own_head` says that the output projection is not the embedding.
    pub fn n_parameters(&self, has_own_head: bool) -> u64 {
        let tensors = self.tensors(has_own_head);
        tensors.iter().map(|(_, shape)| shape.iter().map(|n| *n as u64).product::<u64>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn t5_small_and_flan_t5_small_have_their_published_numbers_of_parameters() {
        let mut config = json!({"model_type": "t5", "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048,
            "num_layers": 6, "num_heads": 8});
        assert_eq!(Seq2SeqConfig::from_json(&config).unwrap().n_parameters(false), 60_506_624);
        config["d_ff"] = 1024.into();
        (config["num_layers"], config["num_heads"]) = (8.into(), 6.into());
        config["feed_forward_proj"] = "gated-gelu".into();
        assert_eq!(Seq2SeqConfig::from_json(&config).unwrap().n_parameters(true), 76_961_152);
    }
}
