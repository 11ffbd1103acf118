//! Relative positions: what a head adds to a score for how far the key stands from the query.

use burn::tensor::Tensor;
use kernels::Distances;

use super::Seq2SeqConfig;
use crate::{
    Adapter, ModelError, Parameter,
    encoder::{index, parts::Reader},
};

/// A number for each head and each kind of distance, learned by the first layer of a side and added in all of them.
#[derive(Clone, Debug)]
pub(super) struct PositionBias {
    /// `[buckets, heads]`
    weight: Parameter,
    is_bidirectional: bool,
    max_distance: usize,
}

impl PositionBias {
    /// That of the self-attention at `path`. A decoder looks back only, and has all buckets for that.
    pub(super) fn read(
        config: &Seq2SeqConfig,
        read: &mut Reader,
        path: &str,
        is_bidirectional: bool,
    ) -> Result<Self, ModelError> {
        let shape = [config.relative_attention_num_buckets, config.num_heads];
        let weight = read.tensor(format!("{path}.relative_attention_bias.weight"), &shape)?;
        Ok(Self { weight, is_bidirectional, max_distance: config.relative_attention_max_distance })
    }

    /// The same for an operation that looks for itself how far keys stand, where none is `reach` away.
    pub(super) fn distances(&self, reach: usize, adapter: &dyn Adapter) -> Distances {
        let weight = self.weight.of(adapter);
        let buckets = weight.dims()[0];
        let kind = |distance| bucket(distance, self.is_bidirectional, buckets, self.max_distance);
        let reach = reach.max(1) as i64;
        Distances { weight, kinds: (1 - reach..reach).map(kind).collect() }
    }

    /// What is added to the scores of `width` queries, of which the first stands behind `past` keys, for those and
    /// their own: `[1, heads, width, past + width]`.
    pub(super) fn forward(&self, past: usize, width: usize, adapter: &dyn Adapter) -> Tensor<4> {
        let weight = self.weight.of(adapter);
        let [buckets, heads] = weight.dims();
        let keys = past + width;
        let kind = |query: usize, key: usize| {
            let distance = key as i64 - (past + query) as i64;
            bucket(distance, self.is_bidirectional, buckets, self.max_distance)
        };
        let kinds = (0..width).flat_map(|query| (0..keys).map(move |key| kind(query, key)));
        let chosen = weight.select(0, index(kinds, &self.weight.value().device()));
        chosen.reshape([1, width, keys, heads]).swap_dims(2, 3).swap_dims(1, 2)
    }
}

/// The kind of distance from a query to a key, as Mesh TensorFlow counts them: near ones each by itself, further ones
/// together, the more the further, and all from `max_distance` on.
fn bucket(distance: i64, is_bidirectional: bool, buckets: usize, max_distance: usize) -> u32 {
    let buckets = if is_bidirectional { buckets / 2 } else { buckets };
    let ahead = if is_bidirectional && distance > 0 { buckets } else { 0 };
    let far = if is_bidirectional { distance.unsigned_abs() } else { distance.min(0).unsigned_abs() };
    let exact = buckets / 2;
    if far < exact as u64 {
        return ahead as u32 + far as u32;
    }
    // In f32, as torch computes it: at the border of two buckets the last bit decides.
    let ratio = (far as f32 / exact as f32).ln() / (max_distance as f64 / exact as f64).ln() as f32;
    let step = (ratio * (buckets - exact) as f32) as usize;
    (ahead + (exact + step).min(buckets - 1)) as u32
}

#[cfg(test)]
mod tests {
    use testkit::{json, numbers};

    use super::*;

    #[test]
    fn each_distance_is_of_the_kind_that_transformers_makes_it() {
        let cases = json("seq2seq.json")["buckets"].clone();
        for case in cases.as_array().unwrap() {
            let whole = |field: &str| case[field].as_u64().unwrap() as usize;
            let (buckets, far) = (whole("num_buckets"), whole("max_distance"));
            let both = case["bidirectional"].as_bool().unwrap();
            let from = case["from"].as_i64().unwrap();
            let found: Vec<f64> = (0..numbers(&case["buckets"]).len() as i64)
                .map(|i| f64::from(bucket(from + i, both, buckets, far)))
                .collect();
            assert_eq!(found, numbers(&case["buckets"]), "{buckets} buckets to {far}");
        }
    }
}
