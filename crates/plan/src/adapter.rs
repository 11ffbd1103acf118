//! How large an adapter is.

use spec::TargetModules;

use crate::{LinearFacts, ModelFacts};

/// Weights of the adapter: `rank · Σ (inputs + outputs)` over the adapted layers.
pub fn n_adapter_parameters(model: &ModelFacts, rank: u32, targets: &TargetModules) -> u64 {
    let adapted = model.linears.iter().filter(|linear| linear.is_among(targets));
    let per_layer: u64 = adapted.map(|linear| u64::from(linear.inputs) + u64::from(linear.outputs)).sum();
    u64::from(rank) * per_layer * u64::from(model.n_layers)
}

impl LinearFacts {
    /// That `targets` names it.
    fn is_among(&self, targets: &TargetModules) -> bool {
        match targets {
            TargetModules::AllLinear => true,
            TargetModules::Attention => self.in_attention,
            TargetModules::Named(names) => names.iter().any(|name| self.is_called(name)),
        }
    }

    /// As PEFT has it: by the last part of its path, or by more of it.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The last part of its path.
    pub(crate) fn last(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}
