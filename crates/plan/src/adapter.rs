//! How large an adapter is.

use spec::TargetModules;

use crate::ModelFacts;

/// The linear layers of a decoder layer that can be adapted, by the last part of their names.
pub const MODULES: [&str; 7] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/// Weights of the adapter: `rank · Σ (inputs + outputs)` over the adapted layers.
pub fn n_adapter_parameters(model: &ModelFacts, rank: u32, targets: &TargetModules) -> u64 {
    let (hidden, inner) = (u64::from(model.hidden_size), u64::from(model.intermediate_size));
    let (q, kv) = (model.q_dim(), model.kv_dim());
    let per_layer: u64 = MODULES
        .iter()
        .filter(|module| includes(targets, module))
        .map(|&module| match module {
            "q_proj" | "o_proj" => hidden + q,
            "k_proj" | "v_proj" => hidden + kv,
            _ => hidden + inner,
        })
        .sum();
    u64::from(rank) * per_layer * u64::from(model.n_layers)
}

fn includes(targets: &TargetModules, module: &str) -> bool {
    match targets {
        TargetModules::AllLinear => true,
        TargetModules::Attention => matches!(module, "q_proj" | "k_proj" | "v_proj" | "o_proj"),
        TargetModules::Named(names) => names.iter().any(|name| name == module),
    }
}
