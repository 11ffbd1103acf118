//! In how many bits products are made: what can be asked, and why it is 32 where nobody asks.

use spec::{Because, Chosen, DeviceKind, Method, MixedPrecision, RunSpec};

use crate::{Facts, ModelKind, PlanError};

/// Why products cannot be made in 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMixed {
    /// The device is the processor.
    Processor,
    /// The adapter has no such numbers.
    Device,
    /// No weights are frozen.
    Learns,
    /// The model is an encoder-decoder.
    Model,
}

impl NotMixed {
    /// Why not, after "mixed_precision fp16 …".
    pub(crate) fn said(self) -> &'static str {
        match self {
            Self::Processor => "is for graphics adapters, and this run is on the processor",
            Self::Device => "needs a graphics adapter that computes with 16 bits, which this one does not",
            Self::Learns => "is for frozen weights, and full fine-tuning moves them all",
            Self::Model => "is for decoders and encoders, and this model is both in one",
        }
    }

    /// What to do instead.
    pub(crate) fn instead(self) -> &'static str {
        match self {
            Self::Processor => {
                "Set mixed_precision to no; on a processor quantization bf16 halves the frozen weights and makes products of \
                 them in 16 bits."
            }
            Self::Device => "Set mixed_precision to no, or choose another device.",
            Self::Learns => "Set the method to lora, or mixed_precision to no.",
            Self::Model => "Set mixed_precision to no.",
        }
    }
}

/// Why it cannot be here, if so.
fn hindered(facts: &Facts, method: Method) -> Option<NotMixed> {
    if facts.device.info.kind == DeviceKind::Cpu {
        Some(NotMixed::Processor)
    } else if method == Method::Full {
        Some(NotMixed::Learns)
    } else if facts.model.kind == ModelKind::EncoderDecoder {
        Some(NotMixed::Model)
    } else {
        (!facts.device.info.has_f16).then_some(NotMixed::Device)
    }
}

/// Refuses what was asked and cannot be.
pub(crate) fn check(spec: &RunSpec, facts: &Facts) -> Result<(), PlanError> {
    let asked = spec.knobs.mixed_precision.unwrap_or_default();
    match hindered(facts, spec.knobs.method.unwrap_or_default()) {
        Some(why) if asked == MixedPrecision::Fp16 => Err(PlanError::NotMixed { why }),
        _ => Ok(()),
    }
}

/// 32 bits: the numbers that a run is compared by.
pub(crate) fn choose(facts: &Facts, method: Method) -> Chosen<MixedPrecision> {
    let because = match hindered(facts, method) {
        Some(NotMixed::Processor) => Because::Follows("a processor has bf16 weights for that".to_owned()),
        Some(NotMixed::Learns) => Because::Follows("the weights learn".to_owned()),
        Some(NotMixed::Model) => Because::Follows("only decoders and encoders have it".to_owned()),
        Some(NotMixed::Device) => Because::Measured("this adapter does not compute with 16 bits".to_owned()),
        None => {
            let why = "32 bits are the surest; fp16 halves the frozen weights and is quicker on most cards";
            Because::Usual(why.to_owned())
        }
    };
    Chosen::new(MixedPrecision::No, because)
}
