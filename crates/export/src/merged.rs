//! The whole model as the folder that transformers loads: an adapter merged into the weights, `W + s·B·A`, and tensors that
//! learned whole in place of the base's.
//!
//! **Invariant:** one tensor is in memory at a time while writing, whatever the size of the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use adapt::Learner;
use burn::tensor::Tensor;
use model::{Adapter, Bare, DecoderConfig, Parameter, Weight, head_spec, seq2seq::Seq2SeqConfig};
use spec::{ExportForm, Precision, Quantization};
use weights::{
    Checkpoint, TensorView,
    write::{Float, Outgoing, Trouble, safetensors},
};

use crate::{
    ExportError, Exported, IfThere, ROOM_BESIDE_WEIGHTS, Tuned, config,
    labels::{with_head, with_prefix},
    opened::Opened,
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
    let task = &tuned.card.plan.task.value;
    let prefix = &tuned.card.plan.knobs.source_prefix.value;
    let config = with_prefix(with_head(tuned.base.config_json()?, task, tuned.end()), task, prefix);
    let config = config::config(config, precision);
    let kept = kept(tuned)?;
    let sizes: Vec<u64> = kept.iter().map(|part| part.size(float(precision))).collect();
    let room = sizes.iter().sum::<u64>() + ROOM_BESIDE_WEIGHTS;
    let place = Place::prepare(target, if_there, room)?;
    let (expected, n_layers) = expected(tuned)?;

    let folder = place.folder();
    write_json(&folder.join("config.json"), &config)?;
    if head_spec(task, &config, 0).is_none() {
        write_json(&folder.join("generation_config.json"), &config::generation(tuned, &config))?;
    }
    write_beside_weights(tuned, folder, ExportForm::Merged { precision })?;
    let tally = Tally::new(kept.len(), watch);
    let shards = share_out(&sizes, largest_file);
    let merge = Merge { learner: tuned.learner, float: float(precision), tally: &tally };
    merge.write(folder, &kept, &sizes, &shards).map_err(|e| tally.because(e))?;
    meddle(folder).map_err(|source| ExportError::Folder { path: target.to_owned(), source })?;
    let agreement =
        merge.read_back(tuned, &kept, &expected, folder)?.within(tolerance(precision, n_layers))?;
    let (path, files, bytes) = place.take()?;
    Ok(Exported { path, files, bytes, agreement, moved: expected.moved })
}

/// A tensor of the base, as far as it did not learn.
struct Part<'a> {
    /// As the folder has it.
    name: String,
    shape: Vec<usize>,
    frozen: Frozen<'a>,
}

#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
enum Frozen<'a> {
    /// In the base's file.
    Stored(TensorView<'a>),
    /// In memory: a head that was made new, and the encoder under it, whose file may call its tensors otherwise; and
    /// weights that were quantised as they were read.
    Held(Weight),
}

impl Part<'_> {
    fn size(&self, float: Float) -> u64 {
        float.dtype().bytes_of(&self.shape).unwrap_or(0) as u64
    }

    fn numbers(&self) -> Result<Vec<f32>, Trouble> {
        match &self.frozen {
            Frozen::Stored(view) => Ok(view.to_f32()?),
            Frozen::Held(weight) => numbers(weight.to_tensor()),
        }
    }
}

fn numbers(tensor: Tensor<2>) -> Result<Vec<f32>, Trouble> {
    let data = tensor.without_autodiff().try_into_data().map_err(|e| e.to_string())?;
    Ok(data.iter::<f32>().collect())
}

/// The base's tensors that belong into the folder: those that make up the model, without an output projection that the
/// configuration says is the embedding, or masks that older files carry along.
fn kept(tuned: Tuned<'_>) -> Result<Vec<Part<'_>>, ExportError> {
    let config = tuned.base.config_json()?;
    let how = tuned.card.plan.knobs.quantization.value;
    // What was learned goes with the base as it was then: into the numbers that its blocks stood for. bfloat16 is no more
    // than how the run computed.
    let is_remade = matches!(how, Quantization::Nf4 | Quantization::Q8_0);
    let has_head = head_spec(&tuned.card.plan.task.value, &config, 0).is_some();
    if is_remade || has_head || Seq2SeqConfig::is_one(&config) {
        let base = Opened::base(tuned)?;
        let held = |parameter: &Parameter| Part {
            name: parameter.name.clone(),
            shape: parameter.shape.clone(),
            frozen: Frozen::Held(parameter.value()),
        };
        return Ok(base.as_base().parameters().iter().map(held).collect());
    }
    let config = DecoderConfig::from_json(&config)?;
    let names: BTreeSet<String> = config.tensors().into_iter().map(|(name, _)| name).collect();
    let stored = |name: &String| {
        let view = tuned.base.tensor(name)?;
        Some(Part { name: view.name.clone(), shape: view.shape.clone(), frozen: Frozen::Stored(view) })
    };
    Ok(names.iter().filter_map(stored).collect())
}

/// What was learned on its way into the weights.
struct Merge<'a, 'w> {
    learner: &'a Learner,
    float: Float,
    tally: &'a Tally<'w>,
}

impl Merge<'_, '_> {
    fn write(
        &self,
        folder: &Path,
        kept: &[Part<'_>],
        sizes: &[u64],
        shards: &[Vec<usize>],
    ) -> Result<(), ExportError> {
        let file_of = |shard: usize| shards::file_name(shard, shards.len());
        for (at, shard) in shards.iter().enumerate() {
            let tensors = shard.iter().filter_map(|at| kept.get(*at)).map(|part| self.outgoing(part));
            safetensors(&folder.join(file_of(at)), tensors, &BTreeMap::new())?;
        }
        if shards.len() > 1 {
            let places = shards.iter().enumerate().flat_map(|(at, shard)| {
                shard
                    .iter()
                    .filter_map(|tensor| kept.get(*tensor))
                    .map(move |part| (part.name.as_str(), file_of(at)))
            });
            shards::write_index(folder, sizes.iter().sum(), places)?;
        }
        Ok(())
    }

    fn outgoing<'a>(&'a self, part: &'a Part<'a>) -> Outgoing<'a> {
        Outgoing::of_bytes(&part.name, &part.shape, self.float, move || {
            self.tally.writes()?;
            Ok(self.bytes(part)?.into())
        })
    }

    /// What learned whole, or `W + s·B·A`, in f32, rounded once.
    fn bytes(&self, part: &Part<'_>) -> Result<Vec<u8>, Trouble> {
        let mut values = match self.learner.in_place_of(&part.name) {
            Some(learned) => numbers(learned)?,
            None => part.numbers()?,
        };
        let delta = match (self.learner, part.name.strip_suffix(".weight")) {
            (Learner::Lora(lora), Some(path)) => lora.stored_delta(path),
            _ => None,
        };
        if let Some(delta) = delta {
            for (value, delta) in values.iter_mut().zip(numbers(delta)?) {
                *value += delta;
            }
        }
        const LARGEST_F16: f32 = 65504.0;
        if self.float == Float::F16
            && let Some(large) = values.iter().find(|v| v.is_finite() && v.abs() > LARGEST_F16)
        {
            let name = &part.name;
            return Err(format!("{name} holds {large}, which f16 cannot; choose bf16 or f32").into());
        }
        Ok(self.float.encode(&values))
    }

    /// Every tensor as it should be, bit for bit, and the logits of the whole.
    fn read_back(
        &self,
        tuned: Tuned<'_>,
        kept: &[Part<'_>],
        expected: &Expected,
        folder: &Path,
    ) -> Result<Agreement, ExportError> {
        let damaged = |what: String| ExportError::Damaged { what };
        let written = Checkpoint::open(folder)?;
        if written.names().len() != kept.len() {
            let n = written.names().len();
            return Err(damaged(format!("it has {n} tensors instead of {}", kept.len())));
        }
        for part in kept {
            let name = &part.name;
            let found = written.tensor(name).ok_or_else(|| damaged(format!("{name} is missing")))?;
            let wanted = self.bytes(part).map_err(|e| damaged(e.to_string()))?;
            if found.shape != part.shape || *found.bytes() != *wanted {
                return Err(damaged(format!("{name} holds other numbers than were written")));
            }
            self.tally.has_read()?;
        }
        expected.compare(&Opened::written(tuned, &written)?, &Bare)
    }
}
