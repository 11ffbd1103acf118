//! A plan as the review shows it.

use plan::{Draft, ModelKind, Sure};
use spec::{
    ApiError, Asked, Because, CheckedDevice, Code, DeviceFit, DeviceInfo, DeviceKind, Fit, FitKind, KNOBS,
    Knob, KnobError, Planned, PlannedKnob, RunSpec,
};

use crate::{
    Engine, Watch, command,
    errors::{AtTheEdge, Classify},
    plans::{Ground, device_of},
};

/// Every knob, in the order of the form.
pub fn knobs() -> &'static [Knob] {
    KNOBS
}

/// `asked` with one knob set to what was typed; nothing leaves it to the plan.
///
/// # Errors
/// With what the knob can be, if it cannot be that.
pub fn set_knob(mut asked: Asked, key: &str, value: &str) -> Result<Asked, ApiError> {
    let set = match value.trim() {
        "" => asked.clear(key),
        value => asked.set(key, value),
    };
    match set {
        Ok(()) => Ok(asked),
        Err(KnobError::Unfit { key, value, kind }) => {
            let label = KNOBS.iter().find(|knob| knob.key == key).map_or(key, |knob| knob.label);
            Err(ApiError::new(Code::Usage, format!("{label} cannot be `{value}`"))
                .hint(format!("It is {kind}.")))
        }
        Err(error) => Err(ApiError::new(Code::Usage, error.to_string())),
    }
}

impl Engine {
    /// What a run would do, why, and what it would need on each device. Starts nothing, and gives a plan that is too
    /// large too, so that it can be looked at. Called as a form changes: what it measured is remembered.
    ///
    /// # Errors
    /// When the model or the data cannot be read, or what was asked cannot be done on any device.
    pub fn planned(&self, spec: &RunSpec, watch: &mut Watch<'_>) -> Result<Planned, ApiError> {
        let ground = self.ground(spec, watch)?;
        let devices = self.with_checks(self.devices_or_processor())?;
        let chosen = device_of(spec, ground.model.kind, &devices)?;
        let plan = self.draft(spec, &ground, &chosen)?.plan;
        let on = |CheckedDevice { device, check }: &CheckedDevice| -> Result<DeviceFit, ApiError> {
            let mut there = RunSpec { device: spec.device.map(|_| device.choice), ..spec.clone() };
            if device.kind != DeviceKind::Cpu && ground.model.kind == ModelKind::EncoderDecoder {
                // Its weights are exact there; who asks for others hears it when that is chosen.
                there.knobs.quantization = None;
            }
            if !device.has_f16 {
                there.knobs.mixed_precision = None;
            }
            let draft = self.draft(&there, &ground, device)?;
            Ok(DeviceFit {
                fit: fit(&draft, device),
                memory: draft.plan.forecast.memory,
                available: draft.available,
                secs: draft.plan.forecast.secs,
                chosen: device.choice == chosen.choice,
                device: device.clone(),
                check: check.clone(),
            })
        };
        Ok(Planned {
            name: self.name_of_run(&ground)?,
            knobs: rows(&plan),
            tasks: plan::tasks(ground.data.kind, ground.model.kind),
            devices: devices.iter().map(on).collect::<Result<_, _>>()?,
            command: command::line(spec, &self.name_of_data(&ground)?),
            plan,
        })
    }

    fn draft(&self, spec: &RunSpec, ground: &Ground, device: &DeviceInfo) -> Result<Draft, ApiError> {
        let facts = ground.facts(self.device_facts(device.clone(), &ground.model.hash)?);
        plan::draft(spec, &facts).at_the_edge()
    }

    /// How a terminal finds the data set: by its name, if no other has it, else by its id.
    fn name_of_data(&self, ground: &Ground) -> Result<String, ApiError> {
        let info = &ground.info;
        let is_found = self.find_dataset(&info.name).is_ok_and(|found| found == info.id);
        let is_plain = !std::path::Path::new(&info.name).exists();
        Ok(if is_found && is_plain { info.name.clone() } else { info.id.to_string() })
    }
}

fn rows(plan: &spec::Plan) -> Vec<PlannedKnob> {
    let row = |(key, value, because): (&str, String, &Because)| PlannedKnob {
        key: key.to_owned(),
        value,
        because: because.to_string(),
        asked: *because == Because::Asked,
    };
    plan.knobs.rows().into_iter().filter(|(key, ..)| plan.uses(key)).map(row).collect()
}

fn fit(draft: &Draft, device: &DeviceInfo) -> Fit {
    match &draft.refusal {
        None => plan::fit(draft.memory, Sure::Known, draft.available, &device.name),
        Some(refusal) => {
            let ApiError { message, hint, .. } = refusal.clone().classify();
            let why = hint.map_or(message.clone(), |hint| format!("{message}. {hint}"));
            Fit { kind: FitKind::TooLarge, why }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knob_that_is_emptied_goes_back_to_the_plan_and_one_that_cannot_be_says_what_it_can() {
        let asked = set_knob(Asked::default(), "rank", " 32 ").unwrap();
        assert_eq!(asked.rank, Some(32));
        let error = set_knob(asked.clone(), "rank", "0").unwrap_err();
        assert_eq!(error.message, "Rank cannot be `0`");
        assert_eq!(error.hint.as_deref(), Some("It is a whole number from 1 to 1024."));
        assert_eq!(set_knob(asked, "rank", " ").unwrap(), Asked::default());
        assert_eq!(set_knob(Asked::default(), "ranks", "").unwrap_err().code, Code::Usage);
    }
}
