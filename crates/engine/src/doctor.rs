//! What can compute here.

use std::process::{Command, Stdio};

use spec::{ApiError, Code, DeviceInfo};

use crate::Engine;

impl Engine {
    /// The devices of this computer, the processor first. A process of its own asks the graphics drivers: one that is
    /// broken ends only that.
    ///
    /// # Errors
    /// When that process dies.
    pub fn devices(&self) -> Result<Vec<DeviceInfo>, ApiError> {
        let program = self.inner.program.path();
        let asked = Command::new(program).arg("devices").stdin(Stdio::null()).output();
        let asked = asked.map_err(|error| {
            ApiError::new(Code::Internal, format!("{} does not start: {error}", program.display()))
        })?;
        serde_json::from_slice(&asked.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&asked.stderr);
            let said = said.lines().last().unwrap_or("it said nothing");
            let what = format!("Looking for graphics adapters failed ({}): {said}", asked.status);
            ApiError::new(Code::Device, what)
                .hint("Update the graphics driver, or train on the processor with --device cpu.")
        })
    }
}
