//! Where the tokens of a batch stand and which of them see each other.

use burn::tensor::{Device, Tensor, TensorData};

use crate::{config::LlamaConfig, rope::Rope};

/// Added to the score of a pair that must not see each other. Finite, since shader compilers may assume that there
/// are no infinities; `exp` of it is zero all the same.
const UNSEEN: f32 = -1e30;

/// The geometry of one forward pass: rows of one width, each a chain of segments that do not see each other.
///
/// Padding at the end of a row needs no mark: causality hides it from every token that counts.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(crate) rows: usize,
    pub(crate) width: usize,
    /// `[rows or 1, 1, width, keys]`; absent where every token may see every key.
    pub(crate) mask: Option<Tensor<4>>,
    pub(crate) rope: Rope,
}

impl Layout {
    /// Rows of `width` tokens; `segments[row]` are the lengths of its segments in order. What they leave of the width
    /// is padding. Positions start again at each segment.
    pub fn packed(config: &LlamaConfig, segments: &[Vec<u32>], width: usize, device: &Device) -> Self {
        let rows = segments.len();
        let mut positions = Vec::with_capacity(rows * width);
        let mut owners = Vec::with_capacity(rows * width);
        for row in segments {
            let padding = (width as u32).saturating_sub(row.iter().sum());
            for (owner, length) in row.iter().chain(std::iter::once(&padding)).enumerate() {
                positions.extend(0..*length);
                owners.extend(std::iter::repeat_n(owner as u32, *length as usize));
            }
        }
        // Rows of a single segment all have the same, causal mask.
        let single = segments.iter().all(|row| row.len() <= 1);
        let masks = if single { 1 } else { rows };
        let mut mask = vec![0.0f32; masks * width * width];
        for (row, mask) in mask.chunks_exact_mut((width * width).max(1)).enumerate() {
            for (query, mask) in mask.chunks_exact_mut(width.max(1)).enumerate() {
                for (key, mask) in mask.iter_mut().enumerate() {
                    let owner = |at: usize| if single { 0 } else { owners[row * width + at] };
                    if key > query || owner(key) != owner(query) {
                        *mask = UNSEEN;
                    }
                }
            }
        }
        let mask = Tensor::from_data(TensorData::new(mask, [masks, 1, width, width]), device);
        let rope = if single {
            let positions: Vec<u32> = (0..width as u32).collect();
            Rope::new(config, &positions, 1, device)
        } else {
            Rope::new(config, &positions, rows, device)
        };
        Self { rows, width, mask: Some(mask), rope }
    }

    /// One row of `width` new tokens after `past` ones that lie in the cache.
    pub fn after(config: &LlamaConfig, past: usize, width: usize, device: &Device) -> Self {
        let positions: Vec<u32> = (past..past + width).map(|p| p as u32).collect();
        let mask = (width > 1).then(|| {
            let keys = past + width;
            let mask = (0..width)
                .flat_map(|query| (0..keys).map(move |key| if key > past + query { UNSEEN } else { 0.0 }))
                .collect::<Vec<f32>>();
            Tensor::from_data(TensorData::new(mask, [1, 1, width, keys]), device)
        });
        Self { rows: 1, width, mask, rope: Rope::new(config, &positions, 1, device) }
    }
}
