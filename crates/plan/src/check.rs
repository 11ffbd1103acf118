//! What is refused before anything is decided.

use spec::{RunSpec, TargetModules};

use crate::{Facts, MODULES, PlanError};

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
    if let Some(TargetModules::Named(names)) = &spec.knobs.target_modules
        && let Some(name) = names.iter().find(|name| !MODULES.contains(&name.as_str()))
    {
        return Err(PlanError::UnknownModule { name: name.clone(), known: MODULES.to_vec() });
    }
    let max = facts.model.max_position_embeddings;
    match spec.knobs.context_length {
        Some(asked) if asked > max => Err(PlanError::ContextOverModel { asked, max }),
        _ => Ok(()),
    }
}
