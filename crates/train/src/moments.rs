//! An optimiser's moments as a file: `<name>.exp_avg` and `<name>.exp_avg_sq`, as PyTorch calls them; of those in bytes the
//! codes, and beside them `<name>.exp_avg.absmax`, the largest number of each block.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use adapt::Learns;
use burn::tensor::{Device, Tensor, TensorData};
use kernels::{Blockwise, Moments};
use spec::Optim;
use weights::{
    Checkpoint, Dtype,
    write::{Float, Outgoing},
};

use crate::{AdamW, TrainError, adamw::in_bytes, checkpoint::unreadable};

const KINDS: [&str; 2] = ["exp_avg", "exp_avg_sq"];

/// Writes what `optimizer` remembers of what `learner` learns.
pub(crate) fn write(path: &Path, learner: &impl Learns, optimizer: &AdamW) -> Result<(), TrainError> {
    let mut all = Vec::new();
    let tensors = learner.names().into_iter().zip(learner.values()).zip(&optimizer.moments);
    for ((name, value), moments) in tensors {
        let shape = value.dims();
        match moments {
            Moments::Whole(both) => {
                for (kind, moment) in KINDS.iter().zip(both) {
                    let numbers = move || Ok(moment.clone().into_data().iter::<f32>().collect());
                    all.push(Outgoing::of_f32(format!("{name}.{kind}"), &shape, Float::F32, numbers));
                }
            }
            Moments::Bytes(both) => {
                for (kind, Blockwise { codes, absmax }) in KINDS.iter().zip(both) {
                    let name = format!("{name}.{kind}");
                    let blocks = move || Ok(absmax.clone());
                    let largest =
                        Outgoing::of_f32(format!("{name}.absmax"), &[absmax.len()], Float::F32, blocks);
                    all.push(Outgoing::of_u8(name, &shape, Cow::Borrowed(codes)));
                    all.push(largest);
                }
            }
        }
    }
    Ok(weights::write::safetensors(path, all, &BTreeMap::new())?)
}

/// Reads what was remembered of what `learner` learns.
pub(crate) fn read(
    path: &Path,
    learner: &impl Learns,
    (optim, weight_decay): (Optim, f64),
    device: &Device,
) -> Result<AdamW, TrainError> {
    let file = Checkpoint::open(path).map_err(|e| unreadable(path, &e))?;
    let view = |name: &str, shape: &[usize], dtype: Dtype| {
        let view = file.tensor(name).filter(|view| view.shape == shape && view.dtype == dtype);
        view.ok_or_else(|| unreadable(path, &format!("`{name}` is missing, misshapen or not {dtype}")))
    };
    let numbers = |name: &str, shape: &[usize]| {
        view(name, shape, Dtype::F32)?.to_f32().map_err(|e| unreadable(path, &e))
    };
    let mut moments = Vec::new();
    for (name, value) in learner.names().into_iter().zip(learner.values()) {
        let (shape, n) = (value.dims(), value.shape().num_elements());
        moments.push(if in_bytes(optim, n) {
            let bytes = |kind: &str| {
                let name = format!("{name}.{kind}");
                let codes = view(&name, &shape, Dtype::U8)?.bytes().into_owned();
                let absmax = numbers(&format!("{name}.absmax"), &[n.div_ceil(kernels::BLOCK)])?;
                Blockwise::of(codes, absmax)
                    .ok_or_else(|| unreadable(path, &format!("`{name}` holds what is no size")))
            };
            Moments::Bytes([bytes(KINDS[0])?, bytes(KINDS[1])?])
        } else {
            let whole = |kind: &str| -> Result<Tensor<2>, TrainError> {
                let numbers = numbers(&format!("{name}.{kind}"), &shape)?;
                Ok(Tensor::from_data(TensorData::new(numbers, shape), device))
            };
            Moments::Whole([whole(KINDS[0])?, whole(KINDS[1])?])
        });
    }
    Ok(AdamW { moments, weight_decay, scaling: None })
}
