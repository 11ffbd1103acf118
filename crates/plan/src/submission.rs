//! How long a graphics adapter is busy with one submission. Systems end one that takes seconds (Windows after two), and the
//! screen stands still meanwhile.
//!
//! ```text
//! secs of a kernel = flop / (measured flop/s · SLOWEST)
//! flop             = 2 · tokens · inputs · outputs            a product of a linear layer
//!                    3 · batch · row² · n_heads · head_dim    attention
//!                    2 · slice · vocab_size · hidden_size     scores of a slice of the positions
//! ```

use spec::DeviceKind;

use crate::{DeviceFacts, ModelFacts, ModelKind, time::flops};

/// Seconds that a submission takes at most, by plan.
const MOST: f64 = 0.1;
/// What the slowest of the large kernels reach of what training reaches on the whole.
const SLOWEST: f64 = 0.5;
/// Kernels that the runtime puts into a submission by itself.
const USUAL: f64 = 32.0;
/// Scores that exist at once.
const SCORES: f64 = 4_194_304.0;

/// Whether no kernel over `batch` rows of `row` tokens is too long by itself. The processor has no submissions.
pub(crate) fn is_short(model: &ModelFacts, device: &DeviceFacts, batch: u32, row: u32) -> bool {
    device.info.kind == DeviceKind::Cpu || secs(device, of_rows(model, batch, row)) <= MOST
}

/// Kernels of such rows that make up a submission; none on the processor.
pub(crate) fn kernels_at_once(model: &ModelFacts, device: &DeviceFacts, batch: u32, row: u32) -> Option<u32> {
    let longest = of_rows(model, batch, row).max(of_scores(model, batch, row));
    let at_once = (MOST / secs(device, longest).max(1e-9)).clamp(1.0, USUAL);
    (device.info.kind != DeviceKind::Cpu).then_some(at_once as u32)
}

fn secs(device: &DeviceFacts, flop: f64) -> f64 {
    flop / (flops(device) * SLOWEST)
}

/// Of the longest kernel of a layer.
fn of_rows(model: &ModelFacts, batch: u32, row: u32) -> f64 {
    let (batch, row) = (f64::from(batch), f64::from(row));
    let widest = model.linears.iter().map(|l| f64::from(l.inputs) * f64::from(l.outputs)).fold(0.0, f64::max);
    let (product, attention) = (2.0 * batch * row * widest, 3.0 * batch * row * row * model.q_dim() as f64);
    product.max(attention)
}

/// Of a slice of the scores of what writes.
fn of_scores(model: &ModelFacts, batch: u32, row: u32) -> f64 {
    let vocabulary = f64::from(model.vocab_size.max(1));
    let positions = (SCORES / vocabulary).clamp(16.0, 1024.0).min(f64::from(batch) * f64::from(row));
    match model.kind {
        ModelKind::Encoder => 0.0,
        ModelKind::Decoder | ModelKind::EncoderDecoder => {
            2.0 * positions * vocabulary * f64::from(model.hidden_size)
        }
    }
}
