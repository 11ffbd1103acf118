//! Facts for a plan: the model's shape, the data's lengths, the device's memory.

use data::{Kept, Teacher};
use plan::{DataFacts, DataKind, DeviceFacts, Facts};
use spec::{
    ApiError, Code, DatasetInfo, DeviceChoice, DeviceInfo, DeviceKind, Example, RunId, RunSpec, Sha256,
    Split, Supervise,
};

use crate::{Engine, Prepared, Progress, Watch, errors::AtTheEdge, models::OpenModel};

/// Examples measured of a larger data set; enough for any quantile that a plan looks at.
const SAMPLE: usize = 20_000;

impl Engine {
    /// Plans a run: what will be done, why, and what it will cost. Starts nothing.
    ///
    /// # Errors
    /// When the model or the data cannot be read, or what was asked cannot be done.
    pub fn plan(&self, spec: &RunSpec, watch: &mut Watch<'_>) -> Result<Prepared, ApiError> {
        let info = self.dataset(spec.data, spec.data_version.as_ref())?;
        let folder = self.home().dataset(info.id, &info.version);
        let model = OpenModel::at(&self.locate_model(&spec.model, watch)?)?;
        let facts_of_model = self.model_facts(&spec.model, &model, watch)?;
        let kept = data::open(&folder).at_the_edge()?;
        let facts = Facts {
            data: data_facts(&info, &kept, &model, spec.knobs.supervise, watch)?,
            device: self.device_facts(spec.device, &facts_of_model.hash)?,
            model: facts_of_model,
        };
        let plan = plan::resolve(spec, &facts).at_the_edge()?;
        let name = format!("{} on {}", info.name, short(&spec.model.0));
        Ok(Prepared { spec: spec.clone(), plan, model: model.path, data: folder, name })
    }

    /// Plans a run and starts it as soon as its device is free.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan) and [`begin`](Self::begin).
    pub fn start(&self, spec: &RunSpec, watch: &mut Watch<'_>) -> Result<RunId, ApiError> {
        self.begin(&self.plan(spec, watch)?)
    }

    fn device_facts(&self, asked: Option<DeviceChoice>, model: &Sha256) -> Result<DeviceFacts, ApiError> {
        let info = match asked {
            Some(DeviceChoice::Cpu) => model::devices::cpu(),
            Some(choice) => {
                let found = self.devices()?.into_iter().find(|device| device.choice == choice);
                found.ok_or_else(|| {
                    ApiError::new(Code::Device, format!("There is no device {choice} on this computer"))
                        .hint("`tunesmith doctor` lists what there is; --device cpu always works.")
                })?
            }
            None => best(self.devices()?),
        };
        let free = sysinfo::System::new().map_or(0, |mut system| {
            system.refresh_memory();
            system.available_memory()
        });
        // A graphics card's own free memory is not told by any of the interfaces; a shared one's is the processor's.
        let shared =
            matches!(info.kind, DeviceKind::Cpu | DeviceKind::IntegratedGpu | DeviceKind::SoftwareGpu);
        Ok(DeviceFacts {
            free_memory: (shared && free > 0).then_some(free),
            n_threads: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
            tokens_per_sec: self.inner.store.pace(model, info.choice).at_the_edge()?,
            flops_per_sec: None,
            info,
        })
    }
}

/// A graphics adapter of silicon, a card of its own before a shared one; else the processor.
fn best(devices: Vec<DeviceInfo>) -> DeviceInfo {
    let rank = |device: &DeviceInfo| match device.kind {
        DeviceKind::DiscreteGpu => 0,
        DeviceKind::IntegratedGpu => 1,
        DeviceKind::Cpu => 2,
        DeviceKind::VirtualGpu => 3,
        DeviceKind::SoftwareGpu => 4,
    };
    devices.into_iter().min_by_key(rank).unwrap_or_else(model::devices::cpu)
}

fn data_facts(
    info: &DatasetInfo,
    kept: &Kept,
    model: &OpenModel,
    supervise: Option<Supervise>,
    watch: &mut Watch<'_>,
) -> Result<DataFacts, ApiError> {
    let supervise = supervise.unwrap_or(Supervise::Replies);
    let teacher = Teacher {
        tokenizer: &model.tokenizer,
        template: model.template.as_ref(),
        supervise,
        context_length: usize::MAX,
    };
    let sample = kept.examples(Split::Train).at_the_edge()?.take(SAMPLE);
    let sample: Vec<Example> = sample.collect::<Result<_, _>>().at_the_edge()?;
    let shown = teacher.all(&sample, &mut |p| watch(&Progress::Tokenising(p))).at_the_edge()?;
    let lengths = data::Lengths::of(&shown.examples);
    let has = |kind: fn(&Example) -> bool| sample.iter().any(kind);
    let kind = if has(|example| matches!(example, Example::Chat { .. })) {
        DataKind::Chat
    } else if has(|example| matches!(example, Example::Completion { .. })) {
        DataKind::Completion
    } else {
        DataKind::Text
    };
    Ok(DataFacts {
        version: info.version.clone(),
        n_train: info.counts.train,
        n_validation: info.counts.validation,
        kind,
        supervised_share: lengths.n_supervised as f64 / lengths.n_tokens.max(1) as f64,
        lengths: lengths.sorted,
    })
}

/// The last part of a path or of a name on the hub.
fn short(model: &str) -> &str {
    model.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(model)
}
