//! Which device to train on, and why: from what their checks came to.

use spec::{ApiError, CheckedDevice, Code, DeviceChoice, DeviceInfo, DeviceKind, Verdict};

/// Below this ratio two devices are as quick as each other.
const QUICKER: f64 = 1.1;

/// The device of that name.
pub(crate) fn asked_for(choice: DeviceChoice, devices: &[DeviceInfo]) -> Result<DeviceInfo, ApiError> {
    devices.iter().find(|device| device.choice == choice).cloned().ok_or_else(|| none(choice))
}

/// The same, with its last check.
pub(crate) fn named(choice: DeviceChoice, devices: &[CheckedDevice]) -> Result<CheckedDevice, ApiError> {
    devices.iter().find(|checked| checked.device.choice == choice).cloned().ok_or_else(|| none(choice))
}

fn none(choice: DeviceChoice) -> ApiError {
    ApiError::new(Code::Device, format!("There is no device {choice} on this computer"))
        .hint("Choose one that is there; the processor always works.")
}

/// Refuses a device whose last check failed.
pub(crate) fn refuse_failed(device: &CheckedDevice) -> Result<(), ApiError> {
    let CheckedDevice { device, check } = device;
    let said = match check.as_ref().map(|check| &check.verdict) {
        None | Some(Verdict::Right { .. }) => return Ok(()),
        Some(Verdict::Wrong { what }) => format!("{} computes wrongly: {what}", device.name),
        Some(Verdict::Broken { what }) => format!("{} failed its last check: {what}", device.name),
    };
    let other = if device.kind == DeviceKind::Cpu { "another device" } else { "the processor" };
    Err(ApiError::new(Code::Device, said)
        .hint(format!("Check this computer again after an update of the driver, or train on {other}.")))
}

/// Refuses a device for products in f16 that came to something else in its last check.
pub(crate) fn refuse_failed_in_half(device: &CheckedDevice) -> Result<(), ApiError> {
    let CheckedDevice { device, check } = device;
    let Some(what) = check.as_ref().and_then(|check| check.verdict.failure_in_half()) else { return Ok(()) };
    let said = format!("{} does not compute rightly with 16 bits: {what}", device.name);
    Err(ApiError::new(Code::Device, said)
        .hint("Set mixed_precision to no, or check this computer again after an update of the driver."))
}

/// Where a run goes that names no device and asks for products in f16: the quickest that has them and computes rightly, or
/// [best] where none does.
pub(crate) fn best_in_half(devices: &[CheckedDevice]) -> CheckedDevice {
    let can = |checked: &&CheckedDevice| {
        let failed = checked.check.as_ref().and_then(|check| check.verdict.failure_in_half()).is_some();
        checked.device.has_f16 && !failed && has_not_failed(checked)
    };
    let able: Vec<CheckedDevice> = devices.iter().filter(can).cloned().collect();
    best(if able.is_empty() { devices } else { &able })
}

/// Those whose last check did not fail.
pub(crate) fn usable(devices: Vec<CheckedDevice>) -> Vec<DeviceInfo> {
    devices.into_iter().filter(has_not_failed).map(|checked| checked.device).collect()
}

/// Where a run goes that names no device: the quickest that computes rightly, once each one of silicon was checked.
/// Until then a card of its own before a shared one before the processor. One whose check failed only if all have.
pub(crate) fn best(devices: &[CheckedDevice]) -> CheckedDevice {
    let usable = || devices.iter().filter(|device| has_not_failed(device));
    let found = if usable().any(is_unknown) {
        usable().min_by_key(|checked| rank(checked.device.kind))
    } else {
        usable().max_by(|a, b| speed(a).total_cmp(&speed(b)))
    };
    found.cloned().unwrap_or_else(|| processor(devices))
}

/// Where a run goes that nothing else can compute.
pub(crate) fn processor(devices: &[CheckedDevice]) -> CheckedDevice {
    let processor = devices.iter().find(|checked| checked.device.kind == DeviceKind::Cpu);
    processor.cloned().unwrap_or_else(|| CheckedDevice { device: model::devices::cpu(), check: None })
}

/// Which device to use, and a sentence that says why.
pub(crate) fn advice(devices: &[CheckedDevice]) -> (Option<DeviceChoice>, String) {
    let best = best(devices);
    let name = &best.device.name;
    let others = || devices.iter().filter(|other| other.device.choice != best.device.choice);
    let n_usable = devices.iter().filter(|device| has_not_failed(device)).count();
    let second = others().filter(|other| speed(other) > 0.0).max_by(|a, b| speed(a).total_cmp(&speed(b)));
    let because = match (&best.check, second) {
        _ if n_usable == 0 => {
            let said = "No device here computes rightly. Update the graphics driver, then check again.";
            return (None, said.to_owned());
        }
        (None, _) if devices.iter().all(|device| device.check.is_none()) => {
            format!("Nothing has been checked yet. Until then runs go to {name}, going by what sort it is.")
        }
        (None, _) => format!("Runs go to {name}, going by what sort it is: it has not been checked yet."),
        (Some(_), _) if devices.iter().any(is_unknown) => {
            format!("Use {name}: it computes rightly. Others have not been checked yet.")
        }
        (Some(_), Some(second)) => match speed(&best) / speed(second) {
            ratio if ratio < QUICKER => {
                format!("Use {name}: it computes rightly and is as quick as {}.", second.device.name)
            }
            ratio => {
                let times = if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") };
                let second = &second.device.name;
                format!("Use {name}: it computes rightly and is {times} times as quick as {second}.")
            }
        },
        (Some(_), None) if devices.len() == 1 => format!("Use {name}: it computes rightly."),
        (Some(_), None) => format!("Use {name}: it is the only device here that computes rightly."),
    };
    (Some(best.device.choice), because)
}

fn has_not_failed(device: &CheckedDevice) -> bool {
    device.check.as_ref().is_none_or(|check| check.verdict.failure().is_none())
}

/// Of silicon, and not checked. Software is slower than the processor that it runs on, checked or not.
fn is_unknown(device: &CheckedDevice) -> bool {
    let is_silicon = !matches!(device.device.kind, DeviceKind::SoftwareGpu | DeviceKind::VirtualGpu);
    is_silicon && device.check.is_none()
}

/// In floating-point operations a second; 0 where it is not known.
fn speed(device: &CheckedDevice) -> f64 {
    device.check.as_ref().and_then(|check| check.verdict.flops_per_sec()).unwrap_or(0.0)
}

fn rank(kind: DeviceKind) -> u8 {
    match kind {
        DeviceKind::DiscreteGpu => 0,
        DeviceKind::IntegratedGpu => 1,
        DeviceKind::Cpu => 2,
        DeviceKind::VirtualGpu => 3,
        DeviceKind::SoftwareGpu => 4,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use spec::{DeviceCheck, InHalf};

    use super::*;

    const NEW: Option<f64> = None;
    const FAILED: Option<f64> = Some(0.0);

    /// A processor, built-in graphics and a software adapter, each with its speed: [`NEW`], [`FAILED`] or measured.
    fn told(speeds: [Option<f64>; 3]) -> String {
        let kinds = [DeviceKind::Cpu, DeviceKind::IntegratedGpu, DeviceKind::SoftwareGpu];
        let devices: Vec<_> =
            (0..).zip(kinds).zip(speeds).map(|((n, kind), speed)| device(n, kind, speed)).collect();
        let (choice, because) = advice(&devices);
        let named = choice.map_or("none".to_owned(), |choice| choice.to_string());
        format!("{named}  {because}")
    }

    fn device(n: u32, kind: DeviceKind, speed: Option<f64>) -> CheckedDevice {
        let (choice, name) = match kind {
            DeviceKind::Cpu => (DeviceChoice::Cpu, "Chip"),
            DeviceKind::SoftwareGpu => (DeviceChoice::Gpu { index: n - 1 }, "llvmpipe"),
            _ => (DeviceChoice::Gpu { index: n - 1 }, "Iris"),
        };
        let verdict = |speed: f64| match speed {
            0.0 => Verdict::Wrong { what: "it writes another text".to_owned() },
            _ => Verdict::Right {
                n_compared: 34,
                furthest: 1e-6,
                tokens_per_sec: speed,
                flops_per_sec: speed * 1e7,
                in_half: None,
            },
        };
        CheckedDevice {
            device: DeviceInfo {
                choice,
                kind,
                name: name.to_owned(),
                driver: None,
                api: "none".to_owned(),
                memory: None,
                has_f16: false,
            },
            check: speed.map(|speed| DeviceCheck { verdict: verdict(speed), at_ms: 1 }),
        }
    }

    #[test]
    fn the_quickest_that_computes_rightly_is_recommended() {
        let cases = [
            [NEW, NEW, NEW],
            [Some(500.0), NEW, NEW],
            [NEW, FAILED, NEW],
            [NEW, Some(900.0), NEW],
            [Some(500.0), Some(900.0), Some(9.0)],
            [Some(900.0), Some(890.0), NEW],
            [Some(900.0), Some(50.0), Some(9.0)],
            [Some(500.0), FAILED, FAILED],
            [FAILED, FAILED, FAILED],
        ];
        expect![[r"
            gpu:0  Nothing has been checked yet. Until then runs go to Iris, going by what sort it is.
            gpu:0  Runs go to Iris, going by what sort it is: it has not been checked yet.
            cpu  Runs go to Chip, going by what sort it is: it has not been checked yet.
            gpu:0  Use Iris: it computes rightly. Others have not been checked yet.
            gpu:0  Use Iris: it computes rightly and is 1.8 times as quick as Chip.
            cpu  Use Chip: it computes rightly and is as quick as Iris.
            cpu  Use Chip: it computes rightly and is 18 times as quick as Iris.
            cpu  Use Chip: it is the only device here that computes rightly.
            none  No device here computes rightly. Update the graphics driver, then check again."]]
        .assert_eq(&cases.map(told).join("\n"));
    }

    #[test]
    fn a_device_whose_check_failed_is_refused_with_what_to_do() {
        let refused = refuse_failed(&device(1, DeviceKind::IntegratedGpu, FAILED)).unwrap_err();
        assert_eq!(refused.code, Code::Device);
        assert_eq!(refused.message, "Iris computes wrongly: it writes another text");
        assert!(refused.hint.unwrap().ends_with("or train on the processor."));
        assert!(refuse_failed(&device(1, DeviceKind::IntegratedGpu, NEW)).is_ok());
        assert!(refuse_failed(&device(1, DeviceKind::IntegratedGpu, Some(1.0))).is_ok());
    }

    #[test]
    fn products_in_16_bits_go_to_whoever_makes_them_rightly() {
        let with = |n, kind, has_f16, said: Option<InHalf>| {
            let CheckedDevice { device, check } = device(n, kind, Some(100.0 * f64::from(n + 1)));
            let check = check.map(|check| match check.verdict {
                Verdict::Right { n_compared, furthest, tokens_per_sec, flops_per_sec, .. } => {
                    let in_half = said.clone();
                    let verdict =
                        Verdict::Right { n_compared, furthest, tokens_per_sec, flops_per_sec, in_half };
                    DeviceCheck { verdict, ..check }
                }
                _ => check,
            });
            CheckedDevice { device: DeviceInfo { has_f16, ..device }, check }
        };
        let (right, wrong) =
            (InHalf::Right { furthest: 1e-3 }, InHalf::Wrong { what: "a loss is off".to_owned() });
        let processor = with(0, DeviceKind::Cpu, false, None);
        let good = with(1, DeviceKind::IntegratedGpu, true, Some(right));
        let bad = with(2, DeviceKind::DiscreteGpu, true, Some(wrong));
        assert_eq!(best(&[processor.clone(), good.clone(), bad.clone()]), bad);
        assert_eq!(best_in_half(&[processor.clone(), good.clone(), bad.clone()]), good);
        assert_eq!(
            best_in_half(std::slice::from_ref(&processor)),
            processor,
            "the plan then says why it cannot be"
        );
        assert!(refuse_failed(&bad).is_ok() && refuse_failed_in_half(&good).is_ok());
        let refused = refuse_failed_in_half(&bad).unwrap_err();
        assert_eq!(refused.message, "Iris does not compute rightly with 16 bits: a loss is off");
        assert!(refused.hint.unwrap().starts_with("Set mixed_precision to no"));
    }
}
