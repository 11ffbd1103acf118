//! Models to choose from: the catalogue and the hub, each with whether it fits and what of it is here.

use hub::{CATALOGUE, Found, Partial, Search};
use model::FAMILIES;
use plan::{ModelFacts, Sure};
use spec::{
    ApiError, CatalogueEntry, DeviceInfo, Fit, FitKind, FoundModel, Gate, ModelId, ModelOffer, ModelState,
};

use crate::{Engine, errors::AtTheEdge};

/// Found by a search, at most.
const FOUND: u32 = 20;
/// Of which the hub tells in one answer, at most.
const MOST_FOUND: u32 = 100;
/// Of nearly all models on the hub.
const BYTES_A_WEIGHT: u64 = 2;

impl Engine {
    /// Models worth starting from, and those of which a download was begun: so that it can be gone on with.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn model_offers(&self) -> Result<Vec<ModelOffer>, ApiError> {
        let devices = self.usable_devices()?;
        let offer = |entry: CatalogueEntry| ModelOffer {
            fit: about(&entry.id, entry.n_parameters, &devices),
            state: self.model_state(&entry.id),
            entry,
        };
        let begun = hub::list_partial(&self.home().models()).into_iter();
        let begun = begun.filter(|partial| hub::in_catalogue(&partial.id.0).is_none()).map(begun_entry);
        Ok(CATALOGUE.iter().map(recommended).chain(begun).map(offer).collect())
    }

    /// Models on the hub with `text` in their name that can be trained here, most downloaded first. Those whose family the
    /// hub does not tell are among them.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub fn search_models(&self, text: &str, limit: u32) -> Result<Vec<Found>, ApiError> {
        let mut found = self.search_hub(text, limit.saturating_mul(2).min(MOST_FOUND).max(limit))?;
        found.retain(|found| found.model_type.as_deref().is_none_or(is_trainable));
        found.truncate(limit as usize);
        Ok(found)
    }

    fn search_hub(&self, text: &str, limit: u32) -> Result<Vec<Found>, ApiError> {
        self.hub()?.search(&Search { limit, ..Search::writers(text) }).at_the_edge()
    }

    /// All that write text with `text` in their name, with whether they can be trained, whether they fit, and what of them
    /// is here.
    ///
    /// # Errors
    /// When the hub does not answer, or the history cannot be read.
    pub fn search_offers(&self, text: &str) -> Result<Vec<FoundModel>, ApiError> {
        let found = self.search_hub(text, FOUND)?;
        let devices = self.usable_devices()?;
        let with_fit = |found: Found| {
            let Found { id, downloads, likes, gate, licence, n_parameters, model_type } = found;
            FoundModel {
                fit: n_parameters.map(|n| about(&id, n, &devices)),
                state: self.model_state(&id),
                id,
                downloads,
                likes,
                gate,
                licence,
                n_parameters,
                trainable: model_type.as_deref().map(is_trainable),
                model_type,
            }
        };
        Ok(found.into_iter().map(with_fit).collect())
    }

    /// What of a model of the hub is on this computer.
    pub(crate) fn model_state(&self, id: &ModelId) -> ModelState {
        let models = self.home().models();
        if let Some(here) = hub::installed(&models, id) {
            return ModelState::Here { bytes: here.bytes, path: here.folder.display().to_string() };
        }
        match hub::partial(&models, id) {
            Some(Partial { done, total, .. }) => ModelState::Partial { done, total },
            None => ModelState::Absent,
        }
    }

    /// Throws away what came of an unfinished download.
    ///
    /// # Errors
    /// While it is under way, and when the disk refuses.
    pub fn discard_download(&self, id: &ModelId) -> Result<(), ApiError> {
        hub::discard(&self.home().models(), id).at_the_edge()
    }
}

fn recommended(entry: &hub::CatalogueEntry) -> CatalogueEntry {
    CatalogueEntry {
        id: ModelId(entry.id.to_owned()),
        name: entry.name.to_owned(),
        n_parameters: entry.n_parameters,
        download: entry.download,
        licence: entry.licence.to_owned(),
        gate: entry.gate,
        good_for: entry.good_for.to_owned(),
    }
}

fn is_trainable(model_type: &str) -> bool {
    FAMILIES.iter().any(|family| family.model_type == model_type)
}

/// All that is known of a model whose download was begun: it was given out, and how large it is.
fn begun_entry(Partial { id, done, total }: Partial) -> CatalogueEntry {
    let download = total.unwrap_or(done);
    CatalogueEntry {
        name: id.0.rsplit('/').next().unwrap_or(&id.0).to_owned(),
        id,
        n_parameters: download / BYTES_A_WEIGHT,
        download,
        licence: String::new(),
        gate: Gate::Open,
        good_for: String::new(),
    }
}

/// Of a model that is not here, by its number of weights.
fn about(id: &ModelId, n_parameters: u64, devices: &[DeviceInfo]) -> Fit {
    let model = ModelFacts::about(id.clone(), n_parameters);
    plan::usual_fit(&model, Sure::About, devices)
        .unwrap_or_else(|| Fit { kind: FitKind::Tight, why: "What can compute here is not known".to_owned() })
}
