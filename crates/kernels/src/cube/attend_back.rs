//! The backward pass of attention: one kernel goes over keys for each block of queries, one over queries for each block
//! of keys, so that no two cubes add to one number.
//!
//! With `p = e^(s - total)` made again block by block and `g` the gradient of `out`: `∂v = pᵀ·g`, `∂p = g·vᵀ`,
//! `∂s = p ∘ (∂p - Σ g∘out)`, `∂q = scale·∂s·k`, `∂k = scale·∂sᵀ·q`; then queries and keys are turned back.

use burn::backend::wgpu::CubeTensor;
use cubecl::prelude::*;

use super::{
    attend::Kept,
    place::{buffer, room, shape, start, units},
    scores::{
        ACROSS, CHUNK, CUBE, EACH, PITCH, Places, Rows, SIDE, add_products, add_weighted, clear, load_chunk,
        load_rows, places, scored,
    },
    seen::seen,
    turn::turn,
};

/// The gradients with respect to the queries (and keys and values, where they stand side by side) before they were
/// turned, and to keys and values that stand apart.
pub(super) fn backward(kept: &Kept, slope: &CubeTensor) -> [Option<CubeTensor>; 2] {
    let (heads, sight) = (&kept.heads, &kept.sight);
    let [tokens, step] = shape(&kept.q);
    let to_q = room(&kept.q, [tokens, step]);
    let to_kv = kept.kv.as_ref().map(|kv| room(kv, shape(kv)));
    if tokens > 0 {
        let client = &kept.q.client;
        let (apart, rows, capped) = (kept.kv.is_some(), Rows::of(heads), heads.cap.is_some());
        let along = room(&kept.q, [tokens, heads.queries]);
        let (count, dim) = units(&kept.q, tokens * heads.queries);
        let n = (tokens * heads.queries) as u32;
        start!(
            sums_along,
            client,
            count,
            dim,
            buffer(slope),
            buffer(&kept.out),
            buffer(&along),
            n,
            heads.width as u32,
        );
        let seen = seen(sight, &kept.q);
        let kv = kept.kv.as_ref().unwrap_or(&kept.q);
        let n_rows = sight.n_rows() as u32;
        let dim = CubeDim::new_1d(CUBE as u32);
        start!(
            to_queries,
            client,
            CubeCount::Static(sight.width.div_ceil(SIDE) as u32, heads.queries as u32, n_rows),
            dim,
            buffer(&kept.q),
            buffer(kv),
            buffer(&seen),
            buffer(slope),
            buffer(&kept.total),
            buffer(&along),
            buffer(&to_q),
            places(heads, sight, apart),
            rows,
            capped,
        );
        start!(
            to_keys,
            client,
            CubeCount::Static(sight.n_keys().div_ceil(SIDE) as u32, heads.groups as u32, n_rows),
            dim,
            buffer(&kept.q),
            buffer(kv),
            buffer(&seen),
            buffer(slope),
            buffer(&kept.total),
            buffer(&along),
            buffer(to_kv.as_ref().unwrap_or(&to_q)),
            places(heads, sight, apart),
            rows,
            capped,
        );
        if let Some(turned) = &sight.turn {
            turn(&to_q, heads, turned, true);
        }
    }
    [Some(to_q), to_kv]
}

/// `Σ g∘out` of each token and head.
#[cube(launch_unchecked)]
fn sums_along(slope: &[f32], out: &[f32], to: &mut [f32], n: u32, width: u32) {
    let at = ABSOLUTE_POS;
    if at >= n as usize {
        terminate!();
    }
    let width = width as usize;
    let mut sum = 0.0f32;
    for i in 0..width {
        sum += slope[at * width + i] * out[at * width + i];
    }
    to[at] = sum;
}

/// The gradient with respect to a score, given its product, that with respect to its weight, and what its query has.
#[cube]
fn of_score(
    product: f32,
    of_weight: f32,
    total: f32,
    along: f32,
    visible: bool,
    places: &Places,
    #[comptime] capped: bool,
) -> (f32, f32) {
    let s = scored(product, places, capped);
    let weight = select(visible, (min(s - total, 0.0f32)).exp(), 0.0f32);
    let mut slope = weight * (of_weight - along) * places.scale;
    if capped {
        slope *= 1.0f32 - (s / places.cap) * (s / places.cap);
    }
    (weight, slope)
}

/// A cube for each block of queries of each head and row.
#[cube(launch_unchecked)]
fn to_queries(
    q: &[f32],
    kv: &[f32],
    seen: &[u32],
    slope: &[f32],
    total: &[f32],
    along: &[f32],
    to: &mut [f32],
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
    let g_base = ((row * width + from) * heads + head) * d;
    let k_base = row * keys * kv_step + places.k_at as usize + group * d;
    let v_base = row * keys * kv_step + places.v_at as usize + group * d;

    let mut queries = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut slopes = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut others = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut values = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut of_scores = Shared::<[f32]>::new_slice(comptime!(SIDE * PITCH));
    let mut whole = Shared::<[f32]>::new_slice(comptime!(rows.many * rows.pitch()));

    let mut sums = Array::<f32>::new(comptime!(EACH * rows.each));
    let mut products = Array::<f32>::new(comptime!(EACH * EACH));
    let mut of_weights = Array::<f32>::new(comptime!(EACH * EACH));
    let mut totals = Array::<f32>::new(EACH);
    let mut alongs = Array::<f32>::new(EACH);
    let mut first = Array::<u32>::new(EACH);
    let mut end = Array::<u32>::new(EACH);
    clear(&mut sums, comptime!(EACH * rows.each));
    #[unroll]
    for i in 0..EACH {
        totals[i] = 0.0f32;
        alongs[i] = 0.0f32;
        first[i] = 0u32;
        end[i] = 0u32;
        let token = from + top + i;
        if token < width {
            let place = row * width + token;
            first[i] = seen[place];
            end[i] = seen[places.tokens as usize + place];
            totals[i] = total[place * heads + head];
            alongs[i] = along[place * heads + head];
        }
    }

    let bounds = 2 * places.tokens as usize + 2 * (row * CUBE_COUNT_X as usize + block);
    let mut key = seen[bounds] as usize;
    let last = seen[bounds + 1] as usize;
    while key < last {
        clear(&mut products, comptime!(EACH * EACH));
        clear(&mut of_weights, comptime!(EACH * EACH));
        let mut column = 0usize;
        while column < d {
            sync_cube();
            load_chunk(&mut queries, q, q_base, q_step, width - from, column, rows);
            load_chunk(&mut slopes, slope, g_base, heads * d, width - from, column, rows);
            load_chunk(&mut others, kv, k_base + key * kv_step, kv_step, keys - key, column, rows);
            load_chunk(&mut values, kv, v_base + key * kv_step, kv_step, keys - key, column, rows);
            sync_cube();
            add_products(&mut products, &queries, &others);
            add_products(&mut of_weights, &slopes, &values);
            column += CHUNK;
        }
        #[unroll]
        for i in 0..EACH {
            #[unroll]
            for j in 0..EACH {
                let at = i * EACH + j;
                let place = (key + left * EACH + j) as u32;
                let visible = place >= first[i] && place < end[i];
                let (_weight, slope) =
                    of_score(products[at], of_weights[at], totals[i], alongs[i], visible, &places, capped);
                of_scores[(top + i) * PITCH + left * EACH + j] = slope;
            }
        }
        let mut place = 0usize;
        while place < SIDE {
            sync_cube();
            let at = key + place;
            load_rows(&mut whole, kv, k_base + at * kv_step, kv_step, keys - min(at, keys), rows);
            sync_cube();
            add_weighted(&mut sums, &of_scores, place, &whole, rows);
            place += many;
        }
        key += SIDE;
    }

    #[unroll]
    for i in 0..EACH {
        if from + top + i < width {
            #[unroll]
            for j in 0..each {
                let column = left + j * ACROSS;
                if column < d {
                    to[q_base + (top + i) * q_step + column] = sums[i * each + j];
                }
            }
        }
    }
}

/// A cube for each block of keys of each group and row; rows of its blocks are keys, columns are queries.
#[cube(launch_unchecked)]
fn to_keys(
    q: &[f32],
    kv: &[f32],
    seen: &[u32],
    slope: &[f32],
    total: &[f32],
    along: &[f32],
    to: &mut [f32],
    places: Places,
    #[comptime] rows: Rows,
    #[comptime] capped: bool,
) {
    let (block, group, row) = (CUBE_POS_X as usize, CUBE_POS_Y as usize, CUBE_POS_Z as usize);
    let (width, keys, heads) = (places.width as usize, places.keys as usize, places.heads as usize);
    let (q_step, kv_step) = (places.q_step as usize, places.kv_step as usize);
    let d = comptime!(rows.width);
    let each = comptime!(rows.each);
    let many = comptime!(rows.many);
    let top = UNIT_POS as usize / ACROSS * EACH;
    let left = UNIT_POS as usize % ACROSS;
    let key = block * SIDE;
    let k_base = (row * keys + key) * kv_step + places.k_at as usize + group * d;
    let v_base = (row * keys + key) * kv_step + places.v_at as usize + group * d;

    let mut queries = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut slopes = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut others = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut values = Shared::<[f32]>::new_slice(comptime!(SIDE * (CHUNK + 1)));
    let mut weights = Shared::<[f32]>::new_slice(comptime!(SIDE * PITCH));
    let mut of_scores = Shared::<[f32]>::new_slice(comptime!(SIDE * PITCH));
    let mut whole = Shared::<[f32]>::new_slice(comptime!(rows.many * rows.pitch()));

    let mut to_k = Array::<f32>::new(comptime!(EACH * rows.each));
    let mut to_v = Array::<f32>::new(comptime!(EACH * rows.each));
    let mut products = Array::<f32>::new(comptime!(EACH * EACH));
    let mut of_weights = Array::<f32>::new(comptime!(EACH * EACH));
    clear(&mut to_k, comptime!(EACH * rows.each));
    clear(&mut to_v, comptime!(EACH * rows.each));

    let query_blocks = width.div_ceil(SIDE) * (places.tokens as usize / width);
    let bounds = 2 * places.tokens as usize + 2 * query_blocks + 2 * (row * CUBE_COUNT_X as usize + block);
    let low = seen[bounds] as usize;
    let last = seen[bounds + 1] as usize;
    for of_group in 0..places.shared as usize {
        let head = group * places.shared as usize + of_group;
        let mut query = low;
        while query < last {
            let q_base = (row * width + query) * q_step + head * d;
            let g_base = ((row * width + query) * heads + head) * d;
            clear(&mut products, comptime!(EACH * EACH));
            clear(&mut of_weights, comptime!(EACH * EACH));
            let mut column = 0usize;
            while column < d {
                sync_cube();
                load_chunk(&mut queries, q, q_base, q_step, width - query, column, rows);
                load_chunk(&mut slopes, slope, g_base, heads * d, width - query, column, rows);
                load_chunk(&mut others, kv, k_base, kv_step, keys - key, column, rows);
                load_chunk(&mut values, kv, v_base, kv_step, keys - key, column, rows);
                sync_cube();
                add_products(&mut products, &others, &queries);
                add_products(&mut of_weights, &values, &slopes);
                column += CHUNK;
            }
            #[unroll]
            for j in 0..EACH {
                let token = query + left * EACH + j;
                let mut first = 0u32;
                let mut end = 0u32;
                let mut of_total = 0.0f32;
                let mut of_along = 0.0f32;
                if token < width {
                    let place = row * width + token;
                    first = seen[place];
                    end = seen[places.tokens as usize + place];
                    of_total = total[place * heads + head];
                    of_along = along[place * heads + head];
                }
                #[unroll]
                for i in 0..EACH {
                    let at = i * EACH + j;
                    let place = (key + top + i) as u32;
                    let visible = place >= first && place < end;
                    let (weight, slope) =
                        of_score(products[at], of_weights[at], of_total, of_along, visible, &places, capped);
                    weights[(top + i) * PITCH + left * EACH + j] = weight;
                    of_scores[(top + i) * PITCH + left * EACH + j] = slope;
                }
            }
            let mut place = 0usize;
            while place < SIDE {
                let at = query + place;
                let there = width - min(at, width);
                sync_cube();
                load_rows(&mut whole, q, q_base + place * q_step, q_step, there, rows);
                sync_cube();
                add_weighted(&mut to_k, &of_scores, place, &whole, rows);
                sync_cube();
                load_rows(&mut whole, slope, g_base + place * heads * d, heads * d, there, rows);
                sync_cube();
                add_weighted(&mut to_v, &weights, place, &whole, rows);
                place += many;
            }
            query += SIDE;
        }
    }

    #[unroll]
    for i in 0..EACH {
        if key + top + i < keys {
            #[unroll]
            for j in 0..each {
                let column = left + j * ACROSS;
                if column < d {
                    to[k_base + (top + i) * kv_step + column] = to_k[i * each + j];
                    to[v_base + (top + i) * kv_step + column] = to_v[i * each + j];
                }
            }
        }
    }
}
