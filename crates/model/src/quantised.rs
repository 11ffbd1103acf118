//! Frozen weights that stay in blocks, as the file has them or made as they are read, or that become bfloat16 or f16.

use burn::tensor::{DType, Device, Tensor, TensorData};
use kernels::{Quantised, Weight, has_f16};
use spec::{Decided, MixedPrecision, Quantization};
use weights::TensorView;

use crate::{ModelError, assemble::Part};

/// The largest number of f16.
const MOST: f32 = 65504.0;

/// How a model's frozen weights are kept, and in what the products with them are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// In which blocks, if in any.
    pub quantization: Quantization,
    /// In f16 only on a graphics adapter that has it: matrices that are in no blocks lie so, too.
    pub mixed_precision: MixedPrecision,
}

impl From<Quantization> for Kept {
    fn from(quantization: Quantization) -> Self {
        Self { quantization, ..Self::default() }
    }
}

impl From<&Decided> for Kept {
    fn from(knobs: &Decided) -> Self {
        Self { quantization: knobs.quantization.value, mixed_precision: knobs.mixed_precision.value }
    }
}

impl Kept {
    /// The same where `device` makes products in f16, and otherwise in f32: for whoever only looks at what was learned.
    #[must_use]
    pub fn as_can(self, device: &Device) -> Self {
        match has_f16(device) {
            true => self,
            false => Self { mixed_precision: MixedPrecision::No, ..self },
        }
    }

    /// That it can be so on this device.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] where products cannot be made in f16.
    pub(crate) fn check(self, device: &Device) -> Result<(), ModelError> {
        match self.mixed_precision == MixedPrecision::No || has_f16(device) {
            true => Ok(()),
            false => Err(ModelError::Unsupported(
                "this device does not compute with 16 bits; set mixed_precision to no".to_owned(),
            )),
        }
    }

    /// In what the products with a part of a model are made.
    fn dtype(self, part: Part) -> DType {
        match (self.mixed_precision, part) {
            (MixedPrecision::Fp16, Part::Linear | Part::Tokens) => DType::F16,
            _ => DType::F32,
        }
    }
}

/// A tensor on its way into a model.
#[allow(clippy::large_enum_variant)] // it is handed on at once
pub(crate) enum Given {
    /// Row after row, to lie so.
    Numbers(Vec<f32>, DType),
    /// A matrix in blocks, and what its products are made in.
    Blocks(Quantised, DType),
}

impl Given {
    /// On a device, as a model holds it: a vector is `[1, n]`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for a matrix in blocks of more numbers than an adapter's kernels count, or for a number
    /// that is larger than its kind holds.
    pub(crate) fn onto(self, shape: &[usize], device: &Device) -> Result<Weight, ModelError> {
        match self {
            Self::Numbers(numbers, dtype) => {
                if dtype == DType::F16
                    && let Some(large) = numbers.iter().find(|number| number.abs() > MOST)
                {
                    return Err(ModelError::Unsupported(format!(
                        "a weight of {large:.3e} is larger than what 16 bits hold; set mixed_precision to no"
                    )));
                }
                let width = shape.last().copied().unwrap_or(1);
                let rows = numbers.len() / width.max(1);
                let numbers = TensorData::new(numbers, [rows, width]);
                // A device may be told to compute in f64.
                let tensor = match dtype {
                    DType::F16 => Tensor::from_data(numbers, (device, dtype)),
                    _ => Tensor::from_data(numbers, device),
                };
                Ok(tensor.into())
            }
            Self::Blocks(blocks, dtype) => {
                let there = blocks.on(device).ok_or_else(|| {
                    ModelError::Unsupported(format!(
                        "a matrix of {shape:?} numbers in blocks is larger than a graphics adapter can hold as one; \
                         choose the device cpu"
                    ))
                })?;
                Ok(Weight::Quantised(if dtype == DType::F16 { there.in_half() } else { there }))
            }
        }
    }
}

/// The tensor of `view`, kept as `how` says: what lies in blocks stays so, or the weights of linear layers become such; in
/// bfloat16 are all matrices.
///
/// # Errors
/// A tensor that holds no floats.
pub(crate) fn given(view: &TensorView<'_>, how: Kept, part: Part) -> Result<Given, ModelError> {
    if how.quantization == Quantization::Stored && part != Part::Other {
        let kept = view.blocks().and_then(|blocks| {
            let kept = Quantised::new(blocks.format, blocks.lies, blocks.bytes.into_owned())?;
            Some(if blocks.turned { kept.transposed() } else { kept })
        });
        if let Some(kept) = kept {
            return Ok(Given::Blocks(kept, how.dtype(part)));
        }
    }
    Ok(kept(view.to_f32()?, &view.shape, how, part))
}

/// The same of numbers, which lie in no blocks yet.
pub(crate) fn kept(numbers: Vec<f32>, shape: &[usize], how: Kept, part: Part) -> Given {
    let format = match how.quantization {
        Quantization::None | Quantization::Stored => None,
        Quantization::Bf16 => Some(blocks::Format::Bf16),
        Quantization::Nf4 => Some(blocks::Format::Nf4),
        Quantization::Q8_0 => Some(blocks::Format::Q8_0),
    };
    // A table of tokens is the output projection, too, where products are largest: too many for 4 bits, not for 16.
    let becomes = part == Part::Linear || part == Part::Tokens && how.quantization == Quantization::Bf16;
    let kept = match (format, shape) {
        (Some(format), [rows, cols]) if becomes => Quantised::made(format, [*rows, *cols], &numbers),
        _ => None,
    };
    match kept {
        Some(kept) => Given::Blocks(kept, how.dtype(part)),
        None => Given::Numbers(numbers, how.dtype(part)),
    }
}
