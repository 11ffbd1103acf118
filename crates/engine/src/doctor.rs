//! What can compute here, and whether it computes rightly.
//!
//! A process of its own asks the graphics drivers, and another one proves each device: a broken driver ends only that.
//! **Invariant:** a check always comes to a result. What is kept of it holds for one driver and one version of the
//! program.

use std::{ops::ControlFlow, time::Duration};

use spec::{
    ApiError, CheckUp, CheckedDevice, Code, DeviceCheck, DeviceChoice, DeviceInfo, DeviceKind, InHalf,
    Verdict,
};

use crate::{
    APP_VERSION, Engine, Progress, Watch,
    advice::{advice, asked_for, usable},
    clock,
    errand::{self, Answer},
    errors::AtTheEdge,
    postmortem,
    progress::cancelled,
};

/// A driver that has not listed its devices by then will not.
const PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    /// The devices of this computer, the processor first.
    ///
    /// # Errors
    /// When the process that asks dies.
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

    /// Of these, all on which something may be trained.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(crate) fn usable_devices(&self) -> Result<Vec<DeviceInfo>, ApiError> {
        Ok(usable(self.with_checks(self.devices_or_processor())?))
    }

    /// The devices of this computer with what their last checks came to, and where to train.
    ///
    /// # Errors
    /// When the graphics drivers do not answer, or the history cannot be read.
    pub fn check_up(&self) -> Result<CheckUp, ApiError> {
        let devices = self.with_checks(self.devices()?)?;
        let (recommended, because) = advice(&devices);
        Ok(CheckUp { devices, recommended, because })
    }

    /// Checks a device: whether a small model's training and writing come to what they should, and how quickly a
    /// middle-sized one trains. A device that computes wrongly, crashes or hangs is a result, and is kept.
    ///
    /// # Errors
    /// When there is no such device, when something trains, or when `watch` cancels.
    pub fn check_device(&self, choice: DeviceChoice, watch: &mut Watch<'_>) -> Result<DeviceCheck, ApiError> {
        let device = asked_for(choice, &self.devices()?)?;
        self.check(&device, [0, 1], watch)
    }

    /// Checks each device, one after another. What was found before it was cancelled is kept.
    ///
    /// # Errors
    /// When something trains, or when `watch` cancels.
    pub fn check_devices(&self, watch: &mut Watch<'_>) -> Result<CheckUp, ApiError> {
        let devices = self.devices()?;
        for (n, device) in devices.iter().enumerate() {
            self.check(device, [n, devices.len()], watch)?;
        }
        self.check_up()
    }

    pub(crate) fn with_checks(&self, devices: Vec<DeviceInfo>) -> Result<Vec<CheckedDevice>, ApiError> {
        let checked = |device: DeviceInfo| Ok(CheckedDevice { check: self.last_check(&device)?, device });
        devices.into_iter().map(checked).collect()
    }

    pub(crate) fn last_check(&self, device: &DeviceInfo) -> Result<Option<DeviceCheck>, ApiError> {
        self.inner.store.device_check(device, APP_VERSION).at_the_edge()
    }

    fn check(
        &self,
        device: &DeviceInfo,
        [done, of]: [usize; 2],
        watch: &mut Watch<'_>,
    ) -> Result<DeviceCheck, ApiError> {
        let open = self.inner.store.open_runs().at_the_edge()?;
        if open.iter().any(|(id, _)| self.inner.alive(*id)) {
            return Err(ApiError::new(
                Code::Busy,
                "Something trains, and a check beside it measures neither",
            )
            .hint("Pause the run, or check when it is over."));
        }
        let now = Progress::Checking { device: device.name.clone(), done: done as u64, total: of as u64 };
        let mut stopped = false;
        let mut going = || {
            let going = watch(&now);
            stopped = going.is_break();
            going
        };
        let (program, choice) = (&self.inner.program, device.choice.to_string());
        let mut ask = |arguments: &[&str]| {
            let asked = errand::ask(program.path(), arguments, program.patience(), &mut going);
            asked.map_err(|error| self.does_not_start(&error))
        };
        let mut verdict = verdict(device, ask(&["prove", &choice])?, program.patience());
        // In a process of its own: what crashes there takes nothing of the rest with it.
        if let (Verdict::Right { in_half, .. }, true) = (&mut verdict, device.has_f16) {
            *in_half = Some(said_in_half(ask(&["prove", &choice, "fp16"])?, program.patience()));
        }
        if stopped {
            return Err(cancelled());
        }
        let check = DeviceCheck { verdict, at_ms: clock::now_ms() };
        self.inner.store.keep_device_check(device, APP_VERSION, &check).at_the_edge()?;
        Ok(check)
    }

    fn ask_devices(&self) -> Result<Vec<DeviceInfo>, ApiError> {
        let go_on = &mut || ControlFlow::Continue(());
        let answer = errand::ask(self.inner.program.path(), &["devices"], PATIENCE, go_on)
            .map_err(|error| self.does_not_start(&error))?;
        serde_json::from_slice(&answer.said).map_err(|_| {
            let ended = answer.status.map_or("it did not answer".to_owned(), |status| status.to_string());
            let said = answer.log.lines().last().unwrap_or("it said nothing");
            let what = format!("Looking for graphics adapters failed ({ended}): {said}");
            ApiError::new(Code::Device, what).hint("Update the graphics driver, or train on the processor.")
        })
    }

    fn does_not_start(&self, error: &std::io::Error) -> ApiError {
        let program = self.inner.program.path().display();
        ApiError::new(Code::Internal, format!("{program} does not start: {error}"))
    }
}

/// What the process said, or what its silence means.
fn verdict(device: &DeviceInfo, answer: Answer, patience: Duration) -> Verdict {
    let Answer { status, said, log } = answer;
    let who = if device.kind == DeviceKind::Cpu { "The check" } else { "The driver" };
    let what = match status {
        None => format!("{who} did not answer within {} s, and was ended", patience.as_secs()),
        Some(status) if status.success() => match serde_json::from_slice(&said) {
            Ok(Verdict::Right { tokens_per_sec, flops_per_sec, .. })
                if !(tokens_per_sec > 0.0 && flops_per_sec > 0.0) =>
            {
                format!("{who} says that it trained, and took no time for it")
            }
            Ok(verdict) => return verdict,
            Err(_) => format!("{who} ended the process before it had answered"),
        },
        Some(status) => match postmortem::cause(&log, postmortem::signal(status)) {
            (Code::Internal, _) => format!("{who} ended the process ({status}){}", last_words(&log)),
            (_, cause) => format!("{who} ended the process: {cause}"),
        },
    };
    Verdict::Broken { what }
}

/// The same of products in f16.
fn said_in_half(Answer { status, said, log }: Answer, patience: Duration) -> InHalf {
    let what = match status {
        None => format!("the driver did not answer within {} s, and was ended", patience.as_secs()),
        Some(status) if status.success() => match serde_json::from_slice(&said) {
            Ok(in_half) => return in_half,
            Err(_) => "the driver ended the process before it had answered".to_owned(),
        },
        Some(status) => format!("the driver ended the process ({status}){}", last_words(&log)),
    };
    InHalf::Wrong { what }
}

fn last_words(log: &str) -> String {
    let panic = postmortem::panic_in(log);
    let said = panic.or_else(|| log.lines().map(str::trim).rfind(|line| !line.is_empty()));
    said.map_or_else(String::new, |said| format!(": {said}"))
}
