//! Whether a device computes what it should, and how quickly: the process that finds out.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use spec::{DeviceChoice, InHalf, Verdict};
use train::{TrainError, race};

use crate::job::words_of;

/// How long the race lasts.
const RACE: Duration = Duration::from_secs(3);

/// A device that computes wrongly, or gives up, is a result. A driver may still end the process, or never come back.
pub(crate) fn prove(choice: DeviceChoice) -> Verdict {
    match catch_unwind(AssertUnwindSafe(|| examine(choice))) {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(TrainError::Wrong(what))) => Verdict::Wrong { what },
        Ok(Err(error)) => Verdict::Broken { what: error.to_string() },
        // burn has no other way to say that a device is lost.
        Err(panic) => Verdict::Broken { what: format!("the device gave up: {}", words_of(panic.as_ref())) },
    }
}

/// The same of products in f16 alone.
pub(crate) fn prove_half(choice: DeviceChoice) -> InHalf {
    let examine = || {
        let (device, _) = model::devices::open(choice)?;
        train::proof::prove_half(&device, choice)
    };
    match catch_unwind(AssertUnwindSafe(examine)) {
        Ok(Ok(agreement)) => InHalf::Right { furthest: agreement.furthest },
        Ok(Err(TrainError::Wrong(what))) => InHalf::Wrong { what },
        Ok(Err(error)) => InHalf::Wrong { what: error.to_string() },
        Err(panic) => InHalf::Wrong { what: format!("the device gave up: {}", words_of(panic.as_ref())) },
    }
}

fn examine(choice: DeviceChoice) -> Result<Verdict, TrainError> {
    let (device, _) = model::devices::open(choice)?;
    let agreement = train::proof::prove(&device, choice)?;
    let tokens_per_sec = race::race(&device, choice, RACE)?;
    let runner = race::runner()?;
    let q_dim = (runner.num_attention_heads * runner.head_dim) as u64;
    let layers = runner.num_hidden_layers as u32;
    let per_token = plan::flops_per_token(runner.n_parameters(), layers, q_dim, f64::from(race::ROW));
    Ok(Verdict::Right {
        n_compared: agreement.n_compared,
        furthest: agreement.furthest,
        tokens_per_sec,
        flops_per_sec: tokens_per_sec * per_token,
        in_half: None,
    })
}
