//! Frozen weights that stay in blocks, as the file has them or made as they are read, or that become bfloat16.

use burn::tensor::{Device, Tensor, TensorData};
use kernels::{Quantised, Weight};
use spec::Quantization;
use weights::TensorView;

use crate::{ModelError, assemble::Part};

/// A tensor on its way into a model.
#[allow(clippy::large_enum_variant)] // it is handed on at once
pub(crate) enum Given {
    /// Row after row.
    Numbers(Vec<f32>),
    /// A matrix in blocks.
    Blocks(Quantised),
}

impl Given {
    /// On a device, as a model holds it: a vector is `[1, n]`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for a matrix in blocks of more numbers than an adapter's kernels count.
    pub(crate) fn onto(self, shape: &[usize], device: &Device) -> Result<Weight, ModelError> {
        match self {
            Self::Numbers(numbers) => {
                let width = shape.last().copied().unwrap_or(1);
                let rows = numbers.len() / width.max(1);
                Ok(Tensor::from_data(TensorData::new(numbers, [rows, width]), device).into())
            }
            Self::Blocks(blocks) => blocks.on(device).map(Weight::Quantised).ok_or_else(|| {
                ModelError::Unsupported(format!(
                    "a matrix of {shape:?} numbers in blocks is larger than a graphics adapter can hold as one; choose \
                     the device cpu"
                ))
            }),
        }
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
            return Ok(Given::Blocks(kept));
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
        Some(kept) => Given::Blocks(kept),
        None => Given::Numbers(numbers),
    }
}
