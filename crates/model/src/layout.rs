//! Where the tokens of a batch stand and which of them see each other.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{DecoderConfig, rope::Rope};

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
    /// Tokens before the furthest one, itself included.
    pub(crate) reach: usize,
    /// Of each token, `rows · width`, where positions are learned.
    pub(crate) positions: Option<Tensor<1, Int>>,
    /// Of layers that see all that came before.
    full: Sight,
    /// Of layers with a window, where that makes a difference.
    sliding: Option<Sight>,
}

/// What a layer sees, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// `[rows or 1, 1, width, keys]`; absent where every token may see every key.
    pub(crate) mask: Option<Tensor<4>>,
    /// Absent where positions are learned.
    rope: Option<Rope>,
    /// The same for an operation that looks for itself who sees whom; absent where there is none, or keys lie in an
    /// adapter's cache.
    pub(crate) seen: Option<kernels::Sight>,
}

impl Sight {
    /// Turns each head to where it stands.
    ///
    /// - x: `[rows, heads, tokens, head_dim]` → the same
    pub(crate) fn turn(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.rope {
            Some(rope) => rope.apply(x),
            None => x,
        }
    }
}

impl Layout {
    /// Rows of `width` tokens; `segments[row]` are the lengths of its segments in order. What they leave of the width
    /// is padding. Positions start again at each segment.
    pub fn packed(config: &DecoderConfig, segments: &[Vec<u32>], width: usize, device: &Device) -> Self {
        let rows = segments.len();
        let mut positions = Vec::with_capacity(rows * width);
        let mut owners = Vec::with_capacity(rows * width);
        for (i, row) in segments.iter().enumerate() {
            for (owner, length) in row.iter().enumerate() {
                positions.extend(0..*length);
                owners.extend(std::iter::repeat_n(owner as u32, *length as usize));
            }
            // Padding stands nowhere in particular.
            positions.resize((i + 1) * width, 0);
            owners.resize((i + 1) * width, row.len() as u32);
        }
        if kernels::looks_for_itself(device) {
            let seen = |window: usize, rope: Option<&Rope>| {
                let first = (0..rows * width).map(|at| {
                    // A segment begins where its token stands at 0; padding sees itself.
                    let (place, position) = (at % width, positions[at] as usize);
                    let start = place.saturating_sub(position);
                    start.max((place + 1).saturating_sub(window)) as u32
                });
                kernels::Sight {
                    width,
                    keys: None,
                    first: first.collect(),
                    end: None,
                    turn: rope.map(Rope::turn),
                    distances: None,
                }
            };
            return Self::of(config, [rows, width], &positions, rows, device, |window, rope| Sight {
                seen: Some(seen(window, rope.as_ref())),
                mask: None,
                rope,
            });
        }
        // Rows of a single segment all have the same, causal mask.
        let single = segments.iter().all(|row| row.len() <= 1);
        let masks = if single { 1 } else { rows };
        let mask = |window: usize| {
            let owner = |row: usize, at: usize| if single { 0 } else { owners[row * width + at] };
            mask([masks, width, width], device, |row, query, key| {
                key <= query && query - key < window && owner(row, key) == owner(row, query)
            })
        };
        let positions = if single { (0..width as u32).collect() } else { positions };
        Self::of(config, [rows, width], &positions, masks, device, |window, rope| Sight {
            mask: Some(mask(window)),
            rope,
            seen: None,
        })
    }

    /// One row of `width` new tokens after `past` ones that lie in the cache.
    pub fn after(config: &DecoderConfig, past: usize, width: usize, device: &Device) -> Self {
        Self::rows_after(config, 1, past, width, device)
    }

    /// So many rows of `width` new tokens, each after `past` ones that lie in the cache.
    pub fn rows_after(
        config: &DecoderConfig,
        rows: usize,
        past: usize,
        width: usize,
        device: &Device,
    ) -> Self {
        let positions: Vec<u32> = (past..past + width).map(|p| p as u32).collect();
        let keys = past + width;
        if kernels::is_processor(device) {
            let all = |place: &dyn Fn(usize) -> usize| -> std::sync::Arc<[u32]> {
                (0..rows * width).map(|at| place(past + at % width) as u32).collect()
            };
            return Self::of(config, [rows, width], &positions, 1, device, |window, rope| Sight {
                seen: Some(kernels::Sight {
                    width,
                    keys: (past > 0).then_some(keys),
                    first: all(&|place| (place + 1).saturating_sub(window)),
                    end: Some(all(&|place| place + 1)),
                    turn: rope.as_ref().map(Rope::turn),
                    distances: None,
                }),
                mask: None,
                rope,
            });
        }
        Self::of(config, [rows, width], &positions, 1, device, |window, rope| {
            let sees = |query: usize, key: usize| key <= past + query && past + query - key < window;
            let mask = (width > 1 || keys > window)
                .then(|| mask([1, width, keys], device, |_, query, key| sees(query, key)));
            Sight { mask, rope, seen: None }
        })
    }

    /// Rows and width; `positions` of `n` rows; what is seen through a window of so many tokens.
    fn of(
        config: &DecoderConfig,
        [rows, width]: [usize; 2],
        positions: &[u32],
        n: usize,
        device: &Device,
        sight: impl Fn(usize, Option<Rope>) -> Sight,
    ) -> Self {
        let rope = |rotary| Rope::new(rotary, config.head_dim, positions, n, device);
        let turned = config.rotary.as_ref().map(rope);
        let full = sight(usize::MAX, turned.clone());
        let reach = positions.iter().max().map_or(0, |position| *position as usize + 1);
        let learned = config.rotary.is_none().then(|| {
            let of_each = positions.iter().cycle().take(rows * width).map(|position| *position as i32);
            Tensor::from_data(TensorData::new(of_each.collect(), [rows * width]), device)
        });
        let sliding = config.sliding.as_ref().and_then(|sliding| {
            let hides = reach > sliding.window;
            let turned = || sliding.rotary.as_ref().map(rope).or(turned);
            (hides || sliding.rotary.is_some()).then(|| sight(sliding.window, turned()))
        });
        Self { rows, width, reach, positions: learned, full, sliding }
    }

    /// What a layer with or without a window sees.
    pub(crate) fn sight(&self, slides: bool) -> &Sight {
        self.sliding.as_ref().filter(|_| slides).unwrap_or(&self.full)
    }
}

/// `[rows, 1, width, keys]`: zero where the query at that row and place sees the key.
pub(crate) fn mask(
    [rows, width, keys]: [usize; 3],
    device: &Device,
    sees: impl Fn(usize, usize, usize) -> bool,
) -> Tensor<4> {
    let mut mask = vec![0.0f32; rows * width * keys];
    for (row, mask) in mask.chunks_exact_mut((width * keys).max(1)).enumerate() {
        for (query, mask) in mask.chunks_exact_mut(keys.max(1)).enumerate() {
            for (key, mask) in mask.iter_mut().enumerate() {
                if !sees(row, query, key) {
                    *mask = UNSEEN;
                }
            }
        }
    }
    Tensor::from_data(TensorData::new(mask, [rows, 1, width, keys]), device)
}
