//! The whole model with the adapter merged into its weights: `W + s·B·A`, as the folder that transformers loads.
//!
//! **Invariant:** one tensor is in memory at a time while writing, whatever the size of the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use adapt::Lora;
use model::{Bare, Decoder, DecoderConfig};
use spec::{ExportForm, Precision};
use weights::{
    Checkpoint, TensorView,
    write::{Float, Outgoing, Trouble, safetensors},
};

use crate::{
    ExportError, Exported, IfThere, ROOM_BESIDE_WEIGHTS, Tuned, config,
    place::Place,
    progress::{Tally, Watch},
    read_back::{Agreement, Expected, Tolerance, expected},
    shards::{self, LARGEST_FILE, share_out},
    write_beside_weights, write_json,
};

/// `‖difference‖ / ‖logits‖` of a merged model in f32. SmolLM2 shows 3e-6 with a mild adapter and some ten times that
/// with one that moves its logits by 12.
const F32_RELATIVE: f32 = 1e-4;

fn float(precision: Precision) -> Float {
    match precision {
        Precision::F32 => Float::F32,
        Precision::Bf16 => Float::BF16,
        Precision::F16 => Float::F16,
    }
}

/// What reading back may show.
///
/// In f32 the logits are held to [`F32_RELATIVE`]: adding the product to the weight rounds otherwise than adding
/// their outputs, by a share of the logits' own size. In half precision every weight is off by up to `u`, half a unit
/// in its last place, so the logits cannot be equal: that each weight is the merged one, rounded, is held bit for
/// bit instead, and the logits to `u·√(4·layers + 1)`, for the roundings of the four matrix products that follow
/// one another in each layer, and of the last one, add up like a random walk. SmolLM2 shows a tenth of it.
fn tolerance(precision: Precision, n_layers: usize) -> Tolerance {
    let walk = ((4 * n_layers + 1) as f32).sqrt();
    match precision {
        Precision::F32 => Tolerance::Relative(F32_RELATIVE),
        Precision::Bf16 => Tolerance::Relative(walk * 2f32.powi(-8)),
        Precision::F16 => Tolerance::Relative(walk * 2f32.powi(-11)),
    }
}

/// Writes the merged weights, `config.json`, `generation_config.json`, the tokenizer and a model card into the new
/// folder `target`. `watch` is told of the tensors that are done and may cancel.
///
/// # Errors
/// [`ExportError`], with `target` as it was.
pub fn merged(
    tuned: Tuned<'_>,
    precision: Precision,
    target: &Path,
    if_there: IfThere,
    watch: &mut Watch<'_>,
) -> Result<Exported, ExportError> {
    merged_and(tuned, precision, target, if_there, watch, LARGEST_FILE, |_| Ok(()))
}

/// The same with files of another size, and something done between writing and reading back: tests damage files there.
pub(crate) fn merged_and(
    tuned: Tuned<'_>,
    precision: Precision,
    target: &Path,
    if_there: IfThere,
    watch: &mut Watch<'_>,
    largest_file: u64,
    meddle: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<Exported, ExportError> {
    let config = config::config(tuned.base.config_json()?, precision);
    let kept = kept(tuned.base)?;
    let sizes: Vec<u64> = kept.iter().map(|t| size(t, float(precision))).collect();
    let room = sizes.iter().sum::<u64>() + ROOM_BESIDE_WEIGHTS;
    let place = Place::prepare(target, if_there, room)?;
    let (expected, n_layers) = expected(tuned.base, tuned.lora, tuned.device)?;

    let folder = place.folder();
    write_json(&folder.join("config.json"), &config)?;
    write_json(&folder.join("generation_config.json"), &config::generation(tuned, &config))?;
    write_beside_weights(tuned, folder, ExportForm::Merged { precision })?;
    let tally = Tally::new(kept.len(), watch);
    let shards = share_out(&sizes, largest_file);
    let merge = Merge { lora: tuned.lora, float: float(precision), tally: &tally };
    merge.write(folder, &kept, &sizes, &shards).map_err(|e| tally.because(e))?;
    meddle(folder).map_err(|source| ExportError::Folder { path: target.to_owned(), source })?;
    let agreement =
        merge.read_back(tuned, &kept, &expected, folder)?.within(tolerance(precision, n_layers))?;
    let (path, files, bytes) = place.take()?;
    Ok(Exported { path, files, bytes, agreement, moved: expected.moved })
}

/// The base's tensors that belong into the folder: those that make up the model, without an output projection that the
/// configuration says is the embedding, or masks that older files carry along.
fn kept(base: &Checkpoint) -> Result<Vec<TensorView<'_>>, ExportError> {
    let config = DecoderConfig::from_json(&base.config_json()?)?;
    let names: BTreeSet<String> = config.tensors().into_iter().map(|(name, _)| name).collect();
    Ok(names.iter().filter_map(|name| base.tensor(name)).collect())
}

fn size(tensor: &TensorView<'_>, float: Float) -> u64 {
    let dtype = if tensor.dtype.is_float() { float.dtype() } else { tensor.dtype };
    dtype.bytes_of(&tensor.shape).unwrap_or(0) as u64
}

/// The adapter on its way into the weights.
struct Merge<'a, 'w> {
    lora: &'a Lora,
    float: Float,
    tally: &'a Tally<'w>,
}

impl Merge<'_, '_> {
    fn write(
        &self,
        folder: &Path,
        kept: &[TensorView<'_>],
        sizes: &[u64],
        shards: &[Vec<usize>],
    ) -> Result<(), ExportError> {
        let file_of = |shard: usize| shards::file_name(shard, shards.len());
        for (at, shard) in shards.iter().enumerate() {
            let tensors = shard.iter().filter_map(|at| kept.get(*at)).map(|tensor| self.outgoing(tensor));
            safetensors(&folder.join(file_of(at)), tensors, &BTreeMap::new())?;
        }
        if shards.len() > 1 {
            let places = shards.iter().enumerate().flat_map(|(at, shard)| {
                shard
                    .iter()
                    .filter_map(|tensor| kept.get(*tensor))
                    .map(move |tensor| (tensor.name.as_str(), file_of(at)))
            });
            shards::write_index(folder, sizes.iter().sum(), places)?;
        }
        Ok(())
    }

    fn outgoing<'a>(&'a self, tensor: &'a TensorView<'a>) -> Outgoing<'a> {
        match tensor.dtype.is_float() {
            true => Outgoing::of_bytes(&tensor.name, &tensor.shape, self.float, move || {
                self.tally.writes()?;
                Ok(self.bytes(tensor)?.into())
            }),
            false => Outgoing::copy_of(tensor.clone(), self.float),
        }
    }

    /// `W + s·B·A` in f32, rounded once.
    fn bytes(&self, tensor: &TensorView<'_>) -> Result<Vec<u8>, Trouble> {
        let mut values = tensor.to_f32()?;
        let delta = tensor.name.strip_suffix(".weight").and_then(|path| self.lora.stored_delta(path));
        if let Some(delta) = delta {
            let delta = delta.try_into_data().map_err(|e| e.to_string())?;
            for (value, delta) in values.iter_mut().zip(delta.iter::<f32>()) {
                *value += delta;
            }
        }
        const LARGEST_F16: f32 = 65504.0;
        if self.float == Float::F16
            && let Some(large) = values.iter().find(|v| v.is_finite() && v.abs() > LARGEST_F16)
        {
            let name = &tensor.name;
            return Err(format!("{name} holds {large}, which f16 cannot; choose bf16 or f32").into());
        }
        Ok(self.float.encode(&values))
    }

    /// Every tensor as it should be, bit for bit, and the logits of the whole.
    fn read_back(
        &self,
        tuned: Tuned<'_>,
        kept: &[TensorView<'_>],
        expected: &Expected,
        folder: &Path,
    ) -> Result<Agreement, ExportError> {
        let damaged = |what: String| ExportError::Damaged { what };
        let written = Checkpoint::open(folder)?;
        if written.names().len() != kept.len() {
            let n = written.names().len();
            return Err(damaged(format!("it has {n} tensors instead of {}", kept.len())));
        }
        for tensor in kept {
            let name = &tensor.name;
            let found = written.tensor(name).ok_or_else(|| damaged(format!("{name} is missing")))?;
            let wanted = match tensor.dtype.is_float() {
                true => self.bytes(tensor).map_err(|e| damaged(e.to_string()))?.into(),
                false => tensor.bytes(),
            };
            if found.shape != tensor.shape || found.bytes() != wanted {
                return Err(damaged(format!("{name} holds other numbers than were written")));
            }
            self.tally.has_read()?;
        }
        expected.compare(&Decoder::open(&written, tuned.device)?, &Bare)
    }
}
