//! What is refused before anything is decided.

use spec::{RunSpec, TargetModules};

use crate::{Facts, PlanError, mixed, quantised, sparing};

/// That the question can have a plan at all; memory is judged once the plan is made.
pub(crate) fn check(spec: &RunSpec, facts: &Facts) -> Result<(), PlanError> {
    spec.knobs.check()?;
    if let Some(asked) = spec.device
        && asked != facts.device.info.choice
    {
        return Err(PlanError::OtherDevice { asked, measured: facts.device.info.choice });
    }
    if facts.data.n_train == 0 {
        return Err(PlanError::NoTrainingRows);
    }
    if facts.data.supervised_share <= 0.0 {
        return Err(PlanError::NothingTaught);
    }
    let linears = &facts.model.linears;
    if let Some(TargetModules::Named(names)) = &spec.knobs.target_modules
        && let Some(name) = names.iter().find(|name| !linears.iter().any(|linear| linear.is_called(name)))
    {
        let mut known: Vec<String> = linears.iter().map(|linear| linear.last().to_owned()).collect();
        known.dedup();
        return Err(PlanError::UnknownModule { name: name.clone(), known });
    }
    quantised::check(spec, facts)?;
    mixed::check(spec, facts)?;
    sparing::check(&spec.knobs, facts)?;
    let max = facts.model.max_position_embeddings;
    match spec.knobs.context_length {
        Some(asked) if asked > max => Err(PlanError::ContextOverModel { asked, max }),
        _ => Ok(()),
    }
}
