//! Frozen weights that stay in blocks, as the file has them or made as they are read, or that become bfloat16.

use kernels::{Quantised, Weight, is_processor};
use spec::Quantization;
use weights::TensorView;

use crate::{ModelError, assemble::Part};

/// A tensor on its way into a model.
#[allow(clippy::large_enum_variant)] // it is handed on at once
pub(crate) enum Given {
    /// Row after row.
    Numbers(Vec<f32>),
    /// A matrix in blocks.
    Blocks(Weight),
}

/// That weights kept in this way can be computed with on this device.
///
/// # Errors
/// [`ModelError::Unsupported`] where they cannot.
pub(crate) fn check(how: Quantization, device: &burn::tensor::Device) -> Result<(), ModelError> {
    match how == Quantization::None || is_processor(device) {
        true => Ok(()),
        false => Err(ModelError::Unsupported(format!(
            "weights kept as {how} are computed with on the processor only; choose the device cpu, or the \
             quantization none"
        ))),
    }
}

/// The tensor of `view`, kept as `how` says: what lies in blocks stays so, or the weights of linear layers become such; in
/// bfloat16 are all matrices.
///
/// # Errors
/// A tensor that holds no floats.
pub(crate) fn given(view: &TensorView<'_>, how: Quantization, part: Part) -> Result<Given, ModelError> {
    if how == Quantization::Stored && part != Part::Other {
        let kept = view.blocks().and_then(|blocks| {
            let kept = Quantised::new(blocks.format, blocks.lies, blocks.bytes.into_owned())?;
            Some(if blocks.turned { kept.transposed() } else { kept })
        });
        if let Some(kept) = kept {
            return Ok(Given::Blocks(Weight::Quantised(kept)));
        }
    }
    Ok(kept(view.to_f32()?, &view.shape, how, part))
}

/// The same of numbers, which lie in no blocks yet.
pub(crate) fn kept(numbers: Vec<f32>, shape: &[usize], how: Quantization, part: Part) -> Given {
    let format = match how {
        Quantization::None | Quantization::Stored => None,
        Quantization::Bf16 => Some(blocks::Format::Bf16),
        Quantization::Nf4 => Some(blocks::Format::Nf4),
        Quantization::Q8_0 => Some(blocks::Format::Q8_0),
    };
    // A table of tokens is the output projection, too, where products are largest: too many for 4 bits, not for 16.
    let becomes = part == Part::Linear || part == Part::Tokens && how == Quantization::Bf16;
    let kept = match (format, shape) {
        (Some(format), [rows, cols]) if becomes => Quantised::made(format, [*rows, *cols], &numbers),
        _ => None,
    };
    match kept {
        Some(kept) => Given::Blocks(Weight::Quantised(kept)),
        None => Given::Numbers(numbers),
    }
}
