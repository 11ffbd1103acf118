//! The adapter alone, as the folder that PEFT writes and loads.

use std::{collections::BTreeMap, io, path::Path};

use adapt::{Learner, Learns, Lora, NamedTensor, PeftConfig};
use spec::ExportForm;
use weights::write::{Float, Outgoing, safetensors};

use crate::{
    ExportError, Exported, F32_TOLERANCE, IfThere, ROOM_BESIDE_WEIGHTS, Tuned,
    labels::with_head,
    opened::Opened,
    place::Place,
    progress::{Tally, Watch},
    read_back::{Agreement, Expected, Tolerance},
    write_beside_weights, write_json,
};

/// Writes `adapter_config.json`, `adapter_model.safetensors` (f32), the tokenizer and a model card into the new
/// folder `target`; of a model with a head also `config.json`, for its labels. `watch` is told of the tensors that are done and may cancel.
///
/// # Errors
/// [`ExportError`], with `target` as it was.
pub fn adapter(
    tuned: Tuned<'_>,
    target: &Path,
    if_there: IfThere,
    watch: &mut Watch<'_>,
) -> Result<Exported, ExportError> {
    adapter_and(tuned, target, if_there, watch, |_| Ok(()))
}

/// The same with something done between writing and reading back: tests damage files there.
pub(crate) fn adapter_and(
    tuned: Tuned<'_>,
    target: &Path,
    if_there: IfThere,
    watch: &mut Watch<'_>,
    meddle: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<Exported, ExportError> {
    let Learner::Lora(lora) = tuned.learner else { return Err(ExportError::NoAdapter) };
    let place = Place::prepare(target, if_there, 4 * lora.n_parameters() + ROOM_BESIDE_WEIGHTS)?;
    let base = Opened::base(tuned)?;
    let expected = Expected::of(&base, lora)?;
    let tensors = lora.to_named();
    let tally = Tally::new(tensors.len(), watch);
    write(tuned, lora, tensors, place.folder(), &tally).map_err(|e| tally.because(e))?;
    if let Opened::Head(_) = base {
        let config = with_head(tuned.base.config_json()?, &tuned.card.plan.task.value, tuned.end());
        write_json(&place.folder().join("config.json"), &config)?;
    }
    meddle(place.folder()).map_err(|source| ExportError::Folder { path: target.to_owned(), source })?;
    let agreement = read_back(lora, &base, &expected, place.folder(), &tally)?;
    let (path, files, bytes) = place.take()?;
    Ok(Exported { path, files, bytes, agreement, moved: expected.moved })
}

fn write(
    tuned: Tuned<'_>,
    lora: &Lora,
    tensors: Vec<NamedTensor>,
    folder: &Path,
    tally: &Tally<'_>,
) -> Result<(), ExportError> {
    let config = PeftConfig::of(lora, &tuned.card.base_name());
    write_json(&folder.join("adapter_config.json"), &config)?;
    let outgoing = |NamedTensor { name, shape, values }| {
        Outgoing::of_f32(name, &shape, Float::F32, || {
            tally.writes()?;
            Ok(values)
        })
    };
    let tensors = tensors.into_iter().map(outgoing);
    safetensors(&folder.join("adapter_model.safetensors"), tensors, &BTreeMap::new())?;
    write_beside_weights(tuned, folder, ExportForm::Adapter)
}

/// Every number as it was, and the logits of base and adapter.
fn read_back(
    lora: &Lora,
    base: &Opened,
    expected: &Expected,
    folder: &Path,
    tally: &Tally<'_>,
) -> Result<Agreement, ExportError> {
    let read = Lora::open(folder, base.as_base())?;
    let bits = |lora: &Lora| -> BTreeMap<String, Vec<u32>> {
        let bits = |t: NamedTensor| (t.name, t.values.iter().map(|v| v.to_bits()).collect());
        lora.to_named().into_iter().map(bits).collect()
    };
    let (wanted, found) = (bits(lora), bits(&read));
    for (name, values) in &wanted {
        if found.get(name) != Some(values) {
            let what = format!("{name} holds other numbers than were written");
            return Err(ExportError::Damaged { what });
        }
        tally.has_read()?;
    }
    expected.compare(base, &read)?.within(Tolerance::Absolute(F32_TOLERANCE))
}
