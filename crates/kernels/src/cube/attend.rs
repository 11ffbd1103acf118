//! Attention whose score matrix never exists (Dao et al. 2022, arXiv 2205.14135): a cube has a block of queries of one
//! head and goes over the blocks of keys that any of them sees, keeping the largest score and the sum of weights so far.
//!
//! It keeps what the processor's form keeps: turned queries, keys and values, `out`, and of each head and token the
//! logarithm of the sum of its weights.

use burn::{
    backend::{
        Cube,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        wgpu::CubeTensor,
    },
    tensor::Tensor,
};
use burn_cubecl::kernel::into_contiguous;
use cubecl::prelude::*;

use super::{
    attend_back::backward,
    place::{buffer, contiguous, from_inner, from_tracked, guard, room, shape, start},
    scores::{
        ACROSS, CHUNK, CUBE, EACH, LEAST, PITCH, Places, Rows, SIDE, WIDEST, add_products, add_weighted,
        clear, load_chunk, load_rows, places, scored,
    },
    seen::seen,
    turn::turn,
};
use crate::{Heads, Sight, primitive::in_graph, taken::give, trace::span_on};

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// `[tokens, queries | keys | values]`, turned; or queries alone.
    pub(super) q: CubeTensor,
    /// `[tokens, keys | values]`, where those are of other tokens.
    pub(super) kv: Option<CubeTensor>,
    /// `[tokens, heads · width]`
    pub(super) out: CubeTensor,
    /// `[tokens, heads]`: `log Σ e^score`
    pub(super) total: CubeTensor,
    pub(super) heads: Heads,
    pub(super) sight: Sight,
}

/// Whether the kernels can do it: distances that learn, and heads wider than any are, they leave to the plain form.
pub(crate) fn can(heads: &Heads, sight: &Sight) -> bool {
    sight.distances.is_none() && heads.width <= WIDEST
}

/// As [`attention`](crate::attention) or, with `kv`, [`cross_attention`](crate::cross_attention), of tensors on an adapter.
pub(crate) fn attended(q: Tensor<2>, kv: Option<Tensor<2>>, heads: &Heads, sight: &Sight) -> Tensor<2> {
    let parents = [Some(q), kv];
    let tracks = parents.iter().flatten().any(in_graph);
    let [q, kv] = parents.each_ref().map(|parent| parent.clone().map(contiguous));
    let Some(q) = q else { unreachable!("queries are there") };
    let guards = tracks.then(|| {
        let [of_q, of_kv] = parents;
        let stead = from_inner(q.clone());
        [guard(of_q, &stead), guard(of_kv, &stead)]
    });
    let Some(guards) = guards else { return from_inner(forward(q, kv, heads, sight).out) };
    from_tracked(match Attention.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let kept = forward(q, kv, heads, sight);
            let out = kept.out.clone();
            prep.finish(kept, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(forward(q, kv, heads, sight).out),
    })
}

#[derive(Debug)]
struct Attention;

impl Backward<Cube, 2> for Attention {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = into_contiguous(grads.consume::<Cube>(&ops.node));
        let device = from_inner::<2>(slope.clone()).device();
        let gradients = span_on(&device, "attention, backward", || backward(&ops.state, &slope));
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                give::<Cube>(grads, parent.id, gradient);
            }
        }
    }
}

fn forward(mut q: CubeTensor, kv: Option<CubeTensor>, heads: &Heads, sight: &Sight) -> Kept {
    let tokens = shape(&q)[0];
    if let Some(turned) = &sight.turn {
        // In place where nobody else has it: what came out of the layers before is no longer needed unturned.
        if !q.can_mut() {
            q = q.copy();
        }
        turn(&q, heads, turned, false);
    }
    let out = room(&q, [tokens, heads.queries * heads.width]);
    let total = room(&q, [tokens, heads.queries]);
    let blocks = sight.width.div_ceil(SIDE);
    if tokens > 0 {
        start!(
            look,
            &q.client,
            CubeCount::Static(blocks as u32, heads.queries as u32, sight.n_rows() as u32),
            CubeDim::new_1d(CUBE as u32),
            buffer(&q),
            buffer(kv.as_ref().unwrap_or(&q)),
            buffer(&seen(sight, &q)),
            buffer(&out),
            buffer(&total),
            places(heads, sight, kv.is_some()),
            Rows::of(heads),
            heads.cap.is_some(),
        );
    }
    Kept { q, kv, out, total, heads: *heads, sight: sight.clone() }
}

/// A cube for each block of queries of each head and row.
#[cube(launch_unchecked)]
fn look(
    q: &[f32],
    kv: &[f32],
    seen: &[u32],
    out: &mut [f32],
    total: &mut [f32],
    places: Places,
    #[comptime] rows: Rows,
    #[comptime] capped: bool,
) {
    let (block, head, row) = (CUBE_POS_X as usize, CUBE_POS_Y as usize, CUBE_POS_Z as usize);
    let (width, keys, heads) = (places.width as usize, places.keys as usize, places.heads as usize);
    let (q_step, kv_step) = (places.q_step as usize, places.kv_step as usize);
    let d = comptime!(rows.width);
    let each = comptime!(rows.each);
    let many = comptime!(rows.many);
    let group = head / places.shared as usize;
    let top = UNIT_POS as usize / ACROSS * EACH;
    let left = UNIT_POS as usize % ACROSS;
    let from = block * SIDE;
    let q_base = (row * width + from) * q_step + head * d;
    let k_base = row * keys * kv_step + places.k_at as usize + group * d;
    let v_base = row * keys * kv_step + places.v_at as usize + group * d;

    let mut queries = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut others = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut weights = Shared::<[f32]>::new_slice(comptime!(SIDE * PITCH));
    let mut values = Shared::<[f32]>::new_slice(comptime!(rows.many * rows.pitch()));
    let mut tops = Shared::<[f32]>::new_slice(comptime!(SIDE * ACROSS));
    let mut parts = Shared::<[f32]>::new_slice(comptime!(SIDE * ACROSS));

    let mut sums = Array::<f32>::new(comptime!(EACH * rows.each));
    let mut products = Array::<f32>::new(comptime!(EACH * EACH));
    let mut highest = Array::<f32>::new(EACH);
    let mut weight = Array::<f32>::new(EACH);
    let mut first = Array::<u32>::new(EACH);
    let mut end = Array::<u32>::new(EACH);
    let least = f32::new(LEAST);
    clear(&mut sums, comptime!(EACH * rows.each));
    clear(&mut weight, EACH);
    #[unroll]
    for i in 0..EACH {
        highest[i] = least;
        first[i] = 0u32;
        end[i] = 0u32;
        let token = from + top + i;
        if token < width {
            first[i] = seen[row * width + token];
            end[i] = seen[places.tokens as usize + row * width + token];
        }
    }

    let bounds = 2 * places.tokens as usize + 2 * (row * CUBE_COUNT_X as usize + block);
    let mut key = seen[bounds] as usize;
    let last = seen[bounds + 1] as usize;
    while key < last {
        clear(&mut products, comptime!(EACH * EACH));
        let mut column = 0usize;
        while column < d {
            sync_cube();
            load_chunk(&mut queries, q, q_base, q_step, width - from, column, rows);
            load_chunk(&mut others, kv, k_base + key * kv_step, kv_step, keys - key, column, rows);
            sync_cube();
            add_products(&mut products, &queries, &others);
            column += CHUNK;
        }
        #[unroll]
        for i in 0..EACH {
            let mut most = least;
            #[unroll]
            for j in 0..EACH {
                let place = (key + left * EACH + j) as u32;
                let score = scored(products[i * EACH + j], &places, capped);
                let score = select(place >= first[i] && place < end[i], score, least);
                products[i * EACH + j] = score;
                most = max(most, score);
            }
            tops[(top + i) * ACROSS + left] = most;
        }
        sync_cube();
        #[unroll]
        for i in 0..EACH {
            let before = highest[i];
            let mut most = before;
            #[unroll]
            for j in 0..ACROSS {
                most = max(most, tops[(top + i) * ACROSS + j]);
            }
            highest[i] = most;
            let fade = (before - most).exp();
            weight[i] *= fade;
            #[unroll]
            for j in 0..each {
                sums[i * each + j] *= fade;
            }
            let mut part = 0.0f32;
            #[unroll]
            for j in 0..EACH {
                // A row that has seen nothing yet has no largest score to be compared with.
                let score = products[i * EACH + j];
                let w = select(score > 0.5f32 * least, (score - most).exp(), 0.0f32);
                weights[(top + i) * PITCH + left * EACH + j] = w;
                part += w;
            }
            parts[(top + i) * ACROSS + left] = part;
        }
        sync_cube();
        #[unroll]
        for i in 0..EACH {
            #[unroll]
            for j in 0..ACROSS {
                weight[i] += parts[(top + i) * ACROSS + j];
            }
        }
        let mut place = 0usize;
        while place < SIDE {
            sync_cube();
            let at = key + place;
            let there = select(at < keys, keys - min(at, keys), 0usize);
            load_rows(&mut values, kv, v_base + at * kv_step, kv_step, there, rows);
            sync_cube();
            add_weighted(&mut sums, &weights, place, &values, rows);
            place += many;
        }
        key += SIDE;
    }

    #[unroll]
    for i in 0..EACH {
        let token = from + top + i;
        if token < width {
            let place = row * width + token;
            let share = 1.0f32 / max(weight[i], 1e-30f32);
            #[unroll]
            for j in 0..each {
                let column = left + j * ACROSS;
                if column < d {
                    out[(place * heads + head) * d + column] = sums[i * each + j] * share;
                }
            }
            if left == 0 {
                total[place * heads + head] = highest[i] + max(weight[i], 1e-30f32).ln();
            }
        }
    }
}
