//! What spares memory and costs time or precision: it is chosen only where the rest would not fit.

use spec::{Asked, Because, Chosen, DeviceKind, GradientCheckpointing, Method, Optim};

use crate::{Facts, ModelKind, PlanError};

/// That what is asked for runs on this device.
pub(crate) fn check(asked: &Asked, facts: &Facts) -> Result<(), PlanError> {
    let on_processor = facts.device.info.kind == DeviceKind::Cpu;
    if !on_processor && asked.optim == Some(Optim::AdamW8bit) {
        return Err(PlanError::ProcessorAlone { knob: "optim", value: Optim::AdamW8bit.to_string() });
    }
    match asked.gradient_checkpointing {
        Some(how) if how > most(facts) => {
            Err(PlanError::ProcessorAlone { knob: "gradient_checkpointing", value: how.to_string() })
        }
        _ => Ok(()),
    }
}

/// The most that can be made again here: an encoder-decoder on a graphics adapter keeps all.
pub(crate) fn most(facts: &Facts) -> GradientCheckpointing {
    match (facts.model.kind, facts.device.info.kind) {
        (ModelKind::EncoderDecoder, kind) if kind != DeviceKind::Cpu => GradientCheckpointing::None,
        _ => GradientCheckpointing::Layer,
    }
}

/// `fits` says whether a single row of the length that is wanted fits, everything else spared.
pub(crate) fn optim(facts: &Facts, method: Method, fits: impl Fn(Optim) -> bool) -> Chosen<Optim> {
    let on_processor = facts.device.info.kind == DeviceKind::Cpu;
    if method == Method::Full && on_processor && !fits(Optim::AdamW) && fits(Optim::AdamW8bit) {
        let why = "two whole numbers more for each weight do not fit into memory";
        return Chosen::new(Optim::AdamW8bit, Because::Measured(why.to_owned()));
    }
    Chosen::new(Optim::AdamW, Because::Usual("the plain one is what most recipes were made with".to_owned()))
}

/// The least that makes it fit.
pub(crate) fn gradient_checkpointing(
    facts: &Facts,
    fits: impl Fn(GradientCheckpointing) -> bool,
) -> Chosen<GradientCheckpointing> {
    use GradientCheckpointing::{Attention, Layer, None};
    if fits(None) {
        let why = "there is memory to keep what the backward pass needs, which is fastest";
        return Chosen::new(None, Because::Measured(why.to_owned()));
    }
    if most(facts) == None {
        let why = "an encoder-decoder keeps everything on a graphics adapter";
        return Chosen::new(None, Because::Usual(why.to_owned()));
    }
    let (how, why) = match fits(Attention) {
        true => (Attention, "keeping everything does not fit into memory, and this much less does"),
        false => (Layer, "keeping what layers make does not fit into memory; making it again takes longer"),
    };
    Chosen::new(how, Because::Measured(why.to_owned()))
}
