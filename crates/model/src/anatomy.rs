//! Every tensor of a decoder: the one place where its shape becomes names and sizes.

use crate::{
    DecoderConfig,
    config::NormKind,
    names::{Inner, LM_HEAD, Qkv},
};

/// A linear layer that each decoder layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerLinear {
    /// Its path in the layer: `self_attn.q_proj`.
    pub path: &'static str,
    /// Width of what comes out.
    pub outputs: usize,
    /// Width of what goes in.
    pub inputs: usize,
    /// It belongs to the attention, not to the feed-forward part.
    pub in_attention: bool,
    /// It has a bias.
    pub bias: bool,
}

impl LayerLinear {
    /// What PEFT is to call it: the last part of its path, unless another layer's path ends in the same.
    pub fn target(&self, all: &[LayerLinear]) -> &'static str {
        let last = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
        let alike = all.iter().filter(|other| last(other.path) == last(self.path)).count();
        if alike == 1 { last(self.path) } else { self.path }
    }
}

impl DecoderConfig {
    /// The linear layers of one decoder layer, in the order of the forward pass.
    pub fn layer_linears(&self) -> Vec<LayerLinear> {
        let (h, f) = (self.hidden_size, self.intermediate_size);
        let q = self.num_attention_heads * self.head_dim;
        let kv = self.num_key_value_heads * self.head_dim;
        let linear = |in_attention, bias, path, outputs, inputs| LayerLinear {
            path,
            outputs,
            inputs,
            in_attention,
            bias,
        };
        let (names, biases) = (self.names, self.biases);
        let mut all = Vec::with_capacity(7);
        match &names.qkv {
            Qkv::Apart(paths) => {
                let each = paths.iter().zip([q, kv, kv]);
                all.extend(each.map(|(path, n)| linear(true, biases.qkv, *path, n, h)));
            }
            Qkv::Fused(path) => all.push(linear(true, biases.qkv, *path, q + 2 * kv, h)),
        }
        all.push(linear(true, biases.o, names.o_proj, h, q));
        match &names.inner {
            Inner::Gated(paths) => all.extend(paths.map(|path| linear(false, biases.mlp, path, f, h))),
            Inner::Plain(path) => all.push(linear(false, biases.mlp, *path, f, h)),
            Inner::Fused(path) => all.push(linear(false, biases.mlp, *path, 2 * f, h)),
        }
        all.push(linear(false, biases.mlp, names.down_proj, h, f));
        all
    }

    /// Every tensor that is read, by its name and with its shape in the checkpoint.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let (names, h) = (self.names, self.hidden_size);
        let mut all = Vec::new();
        let mut has = |path: &str, part: &str, shape: &[usize]| {
            all.push((format!("{path}.{part}"), shape.to_vec()));
        };
        let parts: &[&str] = match self.norm {
            NormKind::Rms | NormKind::RmsLessOne => &["weight"],
            NormKind::Layer => &["weight", "bias"],
        };
        has(names.embed_tokens, "weight", &[self.vocab_size, h]);
        if let Some(positions) = names.embed_positions {
            has(positions, "weight", &[self.max_position_embeddings, h]);
        }
        for i in 0..self.num_hidden_layers {
            let at = |module: &str| format!("{}.{i}.{module}", names.layers);
            let norms = [names.before_attention, names.before_mlp].into_iter();
            for norm in norms.chain(names.after_attention).chain(names.after_mlp) {
                parts.iter().for_each(|part| has(&at(norm), part, &[h]));
            }
            for norm in names.qk_norms.iter().filter(|_| self.qk_norm) {
                has(&at(norm), "weight", &[self.head_dim]);
            }
            for linear in self.layer_linears() {
                let (outputs, inputs) = (linear.outputs, linear.inputs);
                let shape = if self.fan_in_fan_out { [inputs, outputs] } else { [outputs, inputs] };
                has(&at(linear.path), "weight", &shape);
                if linear.bias {
                    has(&at(linear.path), "bias", &[linear.outputs]);
                }
            }
        }
        parts.iter().for_each(|part| has(names.norm, part, &[h]));
        if !self.tie_word_embeddings {
            has(LM_HEAD, "weight", &[self.vocab_size, h]);
        }
        all
    }

    /// Numbers in the whole model, a tied output projection counted once.
    pub fn n_parameters(&self) -> u64 {
        self.tensors().iter().map(|(_, shape)| shape.iter().map(|n| *n as u64).product::<u64>()).sum()
    }
}
