//! `tunesmith doctor`: what can compute here, and whether it computes rightly.

use engine::Engine;
use serde_json::json;
use spec::{ApiError, CheckUp, Code, DeviceCheck, InHalf, Verdict};

use crate::{
    args::Doctor,
    out::{Out, bytes},
    progress::Bar,
};

pub fn run(engine: &Engine, asked: &Doctor, out: &mut Out) -> Result<(), ApiError> {
    let found = match asked.check {
        None => engine.check_up()?,
        Some(one) => {
            let mut bar = Bar::new(out);
            let mut watch = |progress: &_| bar.show(progress);
            match one {
                None => engine.check_devices(&mut watch)?,
                Some(choice) => {
                    engine.check_device(choice, &mut watch)?;
                    engine.check_up()?
                }
            }
        }
    };
    let CheckUp { devices, recommended, because } = found;
    out.list(
        &devices,
        &["DEVICE", "NAME", "INTERFACE", "16 BITS", "MEMORY", "DRIVER", "CHECKED"],
        |checked| {
            let device = &checked.device;
            vec![
                device.choice.to_string(),
                device.name.clone(),
                device.api.clone(),
                if device.has_f16 { "fp16" } else { "" }.to_owned(),
                device.memory.map(bytes).unwrap_or_default(),
                device.driver.clone().unwrap_or_default(),
                words(checked.check.as_ref()),
            ]
        },
        "No device was found.",
    )?;
    out.object(&json!({ "recommended": recommended, "because": because }))?;
    if recommended.is_none() {
        return Err(ApiError::new(Code::Device, because));
    }
    out.say(format!("\n{because}"));
    if devices.iter().any(|device| device.check.is_none()) {
        out.say("`tunesmith doctor --check` finds out; it takes a minute or so for each.");
    }
    out.say(format!("Everything is kept in {}", engine.home().path().display()));
    Ok(())
}

fn words(check: Option<&DeviceCheck>) -> String {
    match check.map(|check| &check.verdict) {
        None => "not yet".to_owned(),
        Some(Verdict::Right { furthest, tokens_per_sec, flops_per_sec, in_half, .. }) => {
            let gigaflops = flops_per_sec / 1e9;
            let in_half = match in_half {
                None => String::new(),
                Some(InHalf::Right { furthest }) => format!("; fp16 right (off by {furthest:.0e} at most)"),
                Some(InHalf::Wrong { what }) => format!("; fp16 WRONG: {what}"),
            };
            format!(
                "right (off by {furthest:.0e} at most), {tokens_per_sec:.0} tokens/s, {gigaflops:.0} GFLOP/s{in_half}"
            )
        }
        Some(Verdict::Wrong { what }) => format!("WRONG: {what}"),
        Some(Verdict::Broken { what }) => format!("FAILED: {what}"),
    }
}
