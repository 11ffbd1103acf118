//! Stored numbers to f32, block by block, in the order of operations of ggml's reference.
//!
//! **Invariant:** the results are ggml's bit for bit; fixtures made by its own Python package hold them to it.

use half::{bf16, f16, slice::HalfFloatSliceExt};

use crate::Dtype;

/// Reads `bytes`, whole blocks of `dtype`, into the numbers of `out`. Does nothing for what is not float.
pub(crate) fn dequantise(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    if let Some(format) = dtype.blocks() {
        return format.decode(bytes, out);
    }
    match dtype {
        Dtype::F64 => numbers(bytes, out, |b| f64::from_le_bytes(*b) as f32),
        Dtype::F32 => numbers(bytes, out, |b| f32::from_le_bytes(*b)),
        Dtype::F16 => halves(bytes, out),
        Dtype::BF16 => numbers(bytes, out, |b| bf16::from_le_bytes(*b).to_f32()),
        _ => {}
    }
}

fn numbers<const BYTES: usize>(bytes: &[u8], out: &mut [f32], read: impl Fn(&[u8; BYTES]) -> f32) {
    for (out, number) in out.iter_mut().zip(bytes.as_chunks().0) {
        *out = read(number);
    }
}

/// By the slice, since the processor widens eight halves at once.
fn halves(bytes: &[u8], out: &mut [f32]) {
    let mut aligned = [f16::ZERO; 512];
    for (out, bytes) in out.chunks_mut(aligned.len()).zip(bytes.chunks(2 * aligned.len())) {
        let aligned = &mut aligned[..out.len()];
        for (half, bytes) in aligned.iter_mut().zip(bytes.as_chunks().0) {
            *half = f16::from_le_bytes(*bytes);
        }
        aligned.convert_to_f32_slice(out);
    }
}
