//! Models on this computer: downloaded ones, and the person's own folders and GGUF files.

use std::path::{Path, PathBuf};

use hub::Installed;
use plan::{InBlocks, LinearFacts, ModelFacts, ModelKind, Prefixes, Sure};
use serde::{Deserialize, Serialize};
use spec::{ApiError, Code, DeviceInfo, LocalModel, ModelId, ModelOrigin, Sha256, Skill};

use crate::{
    Engine,
    about::bytes_in,
    clock,
    errors::{AtTheEdge, disk},
    known::state_at,
    models::{OpenModel, shape_of},
    tasks::of_file,
};

/// What the history remembers of a model, so that a list need not open it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sheet {
    n_parameters: u64,
    hidden_size: u32,
    intermediate_size: u32,
    n_layers: u32,
    n_heads: u32,
    n_kv_heads: u32,
    head_dim: u32,
    vocab_size: u32,
    context: u32,
    skill: Skill,
    reads_both_ways: bool,
}

impl Sheet {
    fn of(model: &OpenModel) -> Self {
        let facts = shape_of(&ModelId(String::new()), Sha256(String::new()), model);
        Self {
            n_parameters: facts.n_parameters,
            hidden_size: facts.hidden_size,
            intermediate_size: facts.intermediate_size,
            n_layers: facts.n_layers,
            n_heads: facts.n_heads,
            n_kv_heads: facts.n_kv_heads,
            head_dim: facts.head_dim,
            vocab_size: facts.vocab_size,
            context: facts.max_position_embeddings,
            skill: skill(model),
            reads_both_ways: facts.kind == ModelKind::Encoder,
        }
    }

    fn facts(&self, id: &ModelId) -> ModelFacts {
        let (q, kv) = (self.n_heads * self.head_dim, self.n_kv_heads * self.head_dim);
        ModelFacts {
            id: id.clone(),
            hash: Sha256(String::new()),
            n_parameters: self.n_parameters,
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            n_layers: self.n_layers,
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            head_dim: self.head_dim,
            vocab_size: self.vocab_size,
            max_position_embeddings: self.context,
            linears: LinearFacts::usual(self.hidden_size, self.intermediate_size, q, kv),
            tensors: Vec::new(),
            stored: InBlocks::default(),
            kind: if self.reads_both_ways { ModelKind::Encoder } else { ModelKind::Decoder },
            labels: None,
            prefixes: Prefixes::default(),
        }
    }
}

/// A model by its place, before anything of it is read.
struct Place {
    id: ModelId,
    name: String,
    path: PathBuf,
    bytes: u64,
    origin: ModelOrigin,
}

impl Engine {
    /// Downloaded models, by name.
    pub fn installed_models(&self) -> Vec<Installed> {
        hub::list_installed(&self.home().models())
    }

    /// Every model on this computer: downloaded ones by name, then the person's own in the order in which they were
    /// added.
    ///
    /// # Errors
    /// When the history cannot be read; what is wrong with a model is said beside it.
    pub fn local_models(&self) -> Result<Vec<LocalModel>, ApiError> {
        let devices = self.usable_devices()?;
        let downloaded = self.installed_models().into_iter().map(downloaded);
        let own = self.inner.store.local_models().at_the_edge()?;
        let own = own.into_iter().map(|path| own_place(Path::new(&path)));
        downloaded.chain(own).map(|place| self.local_model(place, &devices)).collect()
    }

    /// Every place outside the home that the program knows of: exports, and the person's own models.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(crate) fn known_places(&self) -> Result<Vec<PathBuf>, ApiError> {
        let own = self.inner.store.local_models().at_the_edge()?;
        let exports = self.inner.store.export_paths().at_the_edge()?;
        Ok(own.into_iter().chain(exports).map(PathBuf::from).collect())
    }

    /// Remembers a folder or GGUF file of the person's own, where it lies.
    ///
    /// # Errors
    /// When there is no model, or none that can be used here.
    pub fn add_model(&self, path: &Path) -> Result<LocalModel, ApiError> {
        let path = std::path::absolute(path).map_err(disk(path))?;
        if !path.exists() {
            return Err(ApiError::new(Code::NotFound, format!("There is nothing at {}", path.display())));
        }
        self.inner.known.model(&path)?;
        let place = own_place(&path);
        self.inner.store.keep_local_model(&place.id.0, clock::now_ms()).at_the_edge()?;
        self.local_model(place, &self.usable_devices()?)
    }

    /// Deletes a downloaded model; forgets one of the person's own, whose files stay.
    ///
    /// # Errors
    /// When it is not here, or the disk refuses.
    pub fn remove_model(&self, id: &ModelId) -> Result<(), ApiError> {
        if self.inner.store.forget_local_model(&id.0).at_the_edge()? {
            return Ok(());
        }
        if !self.installed_models().iter().any(|here| here.id == *id) {
            return Err(ApiError::new(Code::NotFound, format!("{id} is not downloaded")));
        }
        self.inner.known.forget_models();
        hub::remove(&self.home().models(), id).at_the_edge()
    }

    fn local_model(&self, place: Place, devices: &[DeviceInfo]) -> Result<LocalModel, ApiError> {
        let sheet = self.sheet(&place.path);
        let runs = self.inner.store.runs_by_model().at_the_edge()?;
        let (sheet, trouble) = match sheet {
            Ok(sheet) => (Some(sheet), None),
            Err(error) => (None, Some(error)),
        };
        let of = |sheet: &Sheet| plan::usual_fit(&sheet.facts(&place.id), Sure::Known, devices);
        Ok(LocalModel {
            fit: sheet.as_ref().and_then(of),
            trouble,
            n_parameters: sheet.as_ref().map(|sheet| sheet.n_parameters),
            context: sheet.as_ref().map(|sheet| sheet.context),
            skill: sheet.as_ref().map(|sheet| sheet.skill),
            n_runs: runs.get(&place.id).copied().unwrap_or(0),
            path: place.path.display().to_string(),
            id: place.id,
            name: place.name,
            bytes: place.bytes,
            origin: place.origin,
        })
    }

    /// Read once; again only if a file was touched since.
    fn sheet(&self, path: &Path) -> Result<Sheet, ApiError> {
        if !path.exists() {
            return Err(ApiError::new(
                Code::NotFound,
                format!("There is nothing at {} any more", path.display()),
            )
            .hint("Put it back, connect the disk it lies on, or remove it from the list."));
        }
        let state = state_at(path);
        if let Some(known) = self.inner.store.model_sheet(&state).at_the_edge()? {
            return Ok(known);
        }
        let sheet = Sheet::of(&OpenModel::at(path)?);
        self.inner.store.keep_model_sheet(&state, &sheet).at_the_edge()?;
        Ok(sheet)
    }
}

fn skill(model: &OpenModel) -> Skill {
    let has_head = model.checkpoint.config_json().is_ok_and(|config| of_file(&config).is_some());
    match model.shape.kind() {
        _ if has_head => Skill::Answers,
        ModelKind::Encoder => Skill::Reads,
        ModelKind::EncoderDecoder => Skill::Transforms,
        ModelKind::Decoder if model.template.is_some() => Skill::Chats,
        ModelKind::Decoder => Skill::GoesOn,
    }
}

fn downloaded(here: Installed) -> Place {
    let known = hub::in_catalogue(&here.id.0).map(|entry| entry.name.to_owned());
    let last = here.id.0.rsplit('/').next().unwrap_or(&here.id.0).to_owned();
    let path = match here.gguf.as_slice() {
        [only] => here.folder.join(only),
        _ => here.folder,
    };
    Place { name: known.unwrap_or(last), id: here.id, path, bytes: here.bytes, origin: ModelOrigin::Hub }
}

fn own_place(path: &Path) -> Place {
    let id = path.display().to_string();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let bytes = if path.is_dir() { bytes_in(path) } else { path.metadata().map_or(0, |meta| meta.len()) };
    let name = name.unwrap_or_else(|| id.clone());
    Place { id: ModelId(id), name, path: path.to_owned(), bytes, origin: ModelOrigin::Own }
}
