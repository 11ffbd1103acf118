//! What can compute here.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use spec::{ApiError, Code, DeviceInfo};

use crate::Engine;

/// A driver that has not answered by then will not.
const PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    /// The devices of this computer, the processor first. A process of its own asks the graphics drivers: one that is
    /// broken ends only that.
    ///
    /// # Errors
    /// When that process dies.
    pub fn devices(&self) -> Result<Vec<DeviceInfo>, ApiError> {
        let found = self.ask_devices();
        self.inner.known.keep_devices(&found);
        found
    }

    /// As they were when they were asked last; a driver that broke then is not asked again and again.
    pub(crate) fn known_devices(&self) -> Result<Vec<DeviceInfo>, ApiError> {
        self.inner.known.devices().unwrap_or_else(|| self.devices())
    }

    /// The same, for whoever only looks: where the graphics drivers do not answer, the processor alone.
    pub(crate) fn devices_or_processor(&self) -> Vec<DeviceInfo> {
        self.known_devices().unwrap_or_else(|_| vec![model::devices::cpu()])
    }

    fn ask_devices(&self) -> Result<Vec<DeviceInfo>, ApiError> {
        let program = self.inner.program.path();
        let failed =
            |error| ApiError::new(Code::Internal, format!("{} does not start: {error}", program.display()));
        let mut asked = Command::new(program)
            .arg("devices")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let since = Instant::now();
        // A list of devices fits into the pipe; it need not be read meanwhile.
        while matches!(asked.try_wait(), Ok(None)) {
            if PATIENCE < since.elapsed() {
                let _ = asked.kill(); // it may have ended just now
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let asked = asked.wait_with_output().map_err(failed)?;
        serde_json::from_slice(&asked.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&asked.stderr);
            let said = said.lines().last().unwrap_or("it said nothing");
            let what = format!("Looking for graphics adapters failed ({}): {said}", asked.status);
            ApiError::new(Code::Device, what).hint("Update the graphics driver, or train on the processor.")
        })
    }
}
