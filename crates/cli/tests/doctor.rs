//! `tunesmith doctor` as a person meets it, and the process that it asks. The graphics adapter is Mesa's software
//! Vulkan where there is no other; the first use of each kernel takes seconds there.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{path::Path, process::Command};

use spec::{CheckedDevice, DeviceInfo, InHalf, Verdict};

fn tunesmith(home: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
    let output = command.args(args).env("TUNESMITH_HOME", home).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_device_of_this_computer_proves_itself() {
    let home = tempfile::tempdir().unwrap();
    let devices: Vec<DeviceInfo> = serde_json::from_str(&tunesmith(home.path(), &["devices"])).unwrap();
    for DeviceInfo { choice, name, has_f16, .. } in devices {
        let answer = tunesmith(home.path(), &["prove", &choice.to_string()]);
        let verdict: Verdict = serde_json::from_str(&answer).unwrap();
        let Verdict::Right { n_compared, furthest, tokens_per_sec, flops_per_sec, .. } = verdict else {
            panic!("{name}: {verdict:?}");
        };
        assert_eq!(n_compared, 56, "{name}");
        assert!(0.0 < furthest && furthest < 2e-3, "{name}: {furthest}");
        if has_f16 {
            let answer = tunesmith(home.path(), &["prove", &choice.to_string(), "fp16"]);
            let in_half: InHalf = serde_json::from_str(&answer).unwrap();
            let InHalf::Right { furthest } = in_half else { panic!("{name}: {in_half:?}") };
            assert!(1e-5 < furthest && furthest < 2e-2, "{name}: {furthest} is no rounding to 11 bits");
        }
        assert!(tokens_per_sec > 0.0 && flops_per_sec > 1e7 * tokens_per_sec, "{name}: {answer}");
    }
    let none = tunesmith(home.path(), &["prove", "gpu:99"]);
    assert!(none.contains("there is no graphics adapter `gpu:99`"), "{none}");
}

#[test]
fn a_device_that_was_checked_stays_checked() {
    let home = tempfile::tempdir().unwrap();
    let checked = |args: &[&str]| -> CheckedDevice {
        let said = tunesmith(home.path(), args);
        let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert!(last["because"].is_string() && last["recommended"]["kind"].is_string(), "{said}");
        serde_json::from_str(said.lines().next().unwrap()).unwrap()
    };
    assert_eq!(checked(&["doctor", "--json"]).check, None);
    let processor = checked(&["doctor", "--check", "cpu", "--json"]);
    assert!(matches!(processor.check.as_ref().unwrap().verdict, Verdict::Right { .. }), "{processor:?}");
    assert_eq!(checked(&["doctor", "--json"]), processor);
    let table = tunesmith(home.path(), &["doctor"]);
    assert!(table.contains("CHECKED") && table.contains(" tokens/s"), "{table}");
}
