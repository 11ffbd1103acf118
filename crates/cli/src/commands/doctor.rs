//! `tunesmith doctor`: what can compute here.

use engine::Engine;
use spec::ApiError;

use crate::out::{Out, bytes};

pub fn run(engine: &Engine, out: &mut Out) -> Result<(), ApiError> {
    let devices = engine.devices()?;
    out.list(
        &devices,
        &["DEVICE", "NAME", "INTERFACE", "MEMORY", "DRIVER"],
        |device| {
            vec![
                device.choice.to_string(),
                device.name.clone(),
                device.api.clone(),
                device.memory.map(bytes).unwrap_or_default(),
                device.driver.clone().unwrap_or_default(),
            ]
        },
        "No device was found.",
    )?;
    out.say(format!("\nEverything is kept in {}", engine.home().path().display()));
    Ok(())
}
