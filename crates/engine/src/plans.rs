//! Facts for a plan: the model's shape, the data's lengths, the device's memory.

use std::{path::PathBuf, sync::Arc};

use data::Kept;
use plan::{DataFacts, DeviceFacts, Facts, ModelFacts, ModelKind, Pace};
use spec::{
    ApiError, CheckedDevice, DatasetInfo, DeviceChoice, DeviceInfo, DeviceKind, MixedPrecision, Quantization,
    RunId, RunSpec, Sha256, Supervise,
};

use crate::{
    Engine, Prepared, Watch,
    advice::{best, best_in_half, named, processor, refuse_failed, refuse_failed_in_half},
    errors::AtTheEdge,
    known::Measured,
    tasks::kind_of,
};

/// All that was measured for a plan, but for the device.
pub(crate) struct Ground {
    pub info: DatasetInfo,
    pub model: ModelFacts,
    pub data: DataFacts,
    /// The folder or GGUF file of the model.
    pub model_path: PathBuf,
    /// The folder of the data set's version.
    pub data_path: PathBuf,
}

impl Ground {
    pub(crate) fn facts(&self, device: DeviceFacts) -> Facts {
        Facts { model: self.model.clone(), data: self.data.clone(), device }
    }
}

impl Engine {
    /// Plans a run: what will be done, why, and what it will cost. Starts nothing.
    ///
    /// # Errors
    /// When the model or the data cannot be read, or what was asked cannot be done.
    pub fn plan(&self, spec: &RunSpec, watch: &mut Watch<'_>) -> Result<Prepared, ApiError> {
        let ground = self.ground(spec, watch)?;
        let devices = match spec.device {
            Some(DeviceChoice::Cpu) => vec![model::devices::cpu()],
            _ => self.known_devices()?,
        };
        let device = device_of(spec, ground.model.kind, &self.with_checks(devices)?)?;
        let facts = ground.facts(self.device_facts(device, &ground.model.hash)?);
        let plan = plan::resolve(spec, &facts).at_the_edge()?;
        Ok(Prepared {
            spec: spec.clone(),
            plan,
            name: self.name_of_run(&ground)?,
            model: ground.model_path,
            data: ground.data_path,
        })
    }

    /// Plans a run and starts it as soon as its device is free.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan) and [`begin`](Self::begin).
    pub fn start(&self, spec: &RunSpec, watch: &mut Watch<'_>) -> Result<RunId, ApiError> {
        self.begin(&self.plan(spec, watch)?)
    }

    /// Measures what a plan goes by. What was measured for the plan before is known.
    pub(crate) fn ground(&self, spec: &RunSpec, watch: &mut Watch<'_>) -> Result<Ground, ApiError> {
        let info = self.dataset(spec.data, spec.data_version.as_ref())?;
        let data_path = self.home().dataset(info.id, &info.version);
        let model_path = self.locate_model(&spec.model, watch)?;
        let open = self.inner.known.model(&model_path)?;
        // Said before anything is read for minutes.
        plan::possible(spec.task, kind_of(&info), open.shape.kind()).at_the_edge()?;
        let model = self.model_facts(&spec.model, &open, watch)?;
        let kept: Kept = data::open(&data_path).at_the_edge()?;
        let supervise = spec.knobs.supervise.unwrap_or(Supervise::Replies);
        let prefix = spec.knobs.source_prefix.as_ref().unwrap_or(&open.prefixes.own);
        let taught = (supervise, prefix);
        let measured: Arc<Measured> = self.measured(&model_path, &kept, &open, taught, watch)?;
        let data = DataFacts {
            version: info.version.clone(),
            n_train: info.counts.train,
            n_validation: info.counts.validation,
            kind: measured.kind,
            labels: info.labels.clone(),
            lengths: measured.lengths.clone(),
            supervised_share: measured.taught,
        };
        Ok(Ground { info, model, data, model_path, data_path })
    }

    /// As a run is called that was given no name: after its data and its model, and numbered where others are called so.
    pub(crate) fn name_of_run(&self, ground: &Ground) -> Result<String, ApiError> {
        let name = format!("{} on {}", ground.info.name, short(&ground.model.id.0));
        let mut numbered = name.clone();
        let mut number = 1;
        while self.inner.store.is_run_called(&numbered).at_the_edge()? {
            number += 1;
            numbered = format!("{name}, {number}");
        }
        Ok(numbered)
    }

    pub(crate) fn device_facts(&self, info: DeviceInfo, model: &Sha256) -> Result<DeviceFacts, ApiError> {
        let free = sysinfo::System::new().map_or(0, |mut system| {
            system.refresh_memory();
            system.available_memory()
        });
        // A graphics card's own free memory is not told by any of the interfaces; a shared one's is the processor's.
        let shared =
            matches!(info.kind, DeviceKind::Cpu | DeviceKind::IntegratedGpu | DeviceKind::SoftwareGpu);
        let pace = self.inner.store.pace(model, info.choice).at_the_edge()?;
        Ok(DeviceFacts {
            free_memory: (shared && free > 0).then_some(free),
            n_threads: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
            pace: pace.map(|(tokens_per_sec, quantization)| Pace { tokens_per_sec, quantization }),
            flops_per_sec: self.last_check(&info)?.and_then(|check| check.verdict.flops_per_sec()),
            has_bf16: info.kind == DeviceKind::Cpu && model::devices::has_bf16(),
            info,
        })
    }
}

/// The device that is asked for, or the best of them; refused if its last check failed.
pub(crate) fn device_of(
    spec: &RunSpec,
    kind: ModelKind,
    devices: &[CheckedDevice],
) -> Result<DeviceInfo, ApiError> {
    let is_quantised = spec.knobs.quantization.is_some_and(|how| how != Quantization::None);
    let in_half = spec.knobs.mixed_precision == Some(MixedPrecision::Fp16);
    let chosen = match spec.device {
        // Nothing else computes with such weights in such a model.
        None if is_quantised && kind == ModelKind::EncoderDecoder => processor(devices),
        None if in_half => best_in_half(devices),
        None => best(devices),
        Some(choice) => named(choice, devices)?,
    };
    refuse_failed(&chosen)?;
    if in_half {
        refuse_failed_in_half(&chosen)?;
    }
    Ok(chosen.device)
}

/// The last part of a path or of a name on the hub.
fn short(model: &str) -> &str {
    model.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(model)
}
