//! Why a worker is gone that said nothing of its end: from how its process ended, where that is known, and from the
//! last it printed.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    process::ExitStatus,
};

use spec::{ApiError, Code, RunFolder};

use crate::spawn::BIRTH;

/// Read from the end of `worker.log`.
const LAST_WORDS: u64 = 16 << 10;

/// What happened, what was kept, and what to do.
pub(crate) fn explain(folder: &RunFolder, exit: Option<ExitStatus>, kept: Option<u32>) -> ApiError {
    let (code, what) = cause(&last_words(folder), exit.and_then(signal));
    let error = ApiError::new(code, format!("The training process is gone: {what}"));
    let advice = match code {
        Code::OutOfMemory => {
            " If it happens again, choose gradient checkpointing, a shorter context, a smaller batch or a smaller model."
        }
        Code::Device => " If it happens again, update the graphics driver, or train on the processor.",
        Code::Disk => " Free some space first.",
        _ => "",
    };
    error.hint(match kept {
        Some(step) => format!("All up to step {step} is kept: resume the run to go on from there.{advice}"),
        None => format!("No checkpoint was saved yet: resume the run to begin again.{advice}"),
    })
}

/// From what it printed, and from the signal that ended it.
pub(crate) fn cause(log: &str, signal: Option<i32>) -> (Code, String) {
    const SIGKILL: i32 = 9;
    let says = |words: &[&str]| words.iter().any(|word| log.contains(word));
    if says(&[
        "memory allocation of",
        "out of memory",
        "OutOfMemory",
        "OUT_OF_DEVICE_MEMORY",
        "OUT_OF_HOST_MEMORY",
    ]) {
        return (Code::OutOfMemory, "memory ran out".to_owned());
    }
    if says(&["No space left on device", "disk is full"]) {
        return (Code::Disk, "the disk is full".to_owned());
    }
    if says(&["DEVICE_LOST", "device lost", "Device lost", "DeviceLost", "DXGI_ERROR_DEVICE_REMOVED"]) {
        return (Code::Device, "the graphics driver lost the device".to_owned());
    }
    if let Some(panic) = panic_in(log) {
        return (Code::Internal, format!("it ended with `{panic}`"));
    }
    match signal {
        Some(SIGKILL) => {
            (Code::OutOfMemory, "it was killed, most likely by the system because memory ran out".to_owned())
        }
        Some(4 | 6 | 7 | 8 | 10 | 11) => {
            (Code::Device, "it crashed in a kernel or in the graphics driver".to_owned())
        }
        Some(signal) => (Code::Internal, format!("it was ended by signal {signal}")),
        None => (Code::Internal, "it was killed, or the computer was switched off".to_owned()),
    }
}

/// What a panic said, without where in the program.
pub(crate) fn panic_in(log: &str) -> Option<&str> {
    let (_, after) = log.rsplit_once("panicked at ")?;
    after.lines().nth(1).map(str::trim).filter(|line| !line.is_empty())
}

fn last_words(folder: &RunFolder) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(folder.log())?;
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(LAST_WORDS)))?;
        let mut bytes = Vec::new();
        file.take(LAST_WORDS).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // Without its log a worker's end is explained all the same, only less well.
    let log = String::from_utf8_lossy(&read().unwrap_or_default()).into_owned();
    log.rsplit_once(BIRTH).map_or(log.as_str(), |(_, own)| own).to_owned()
}

/// That ended it.
#[cfg(unix)]
pub(crate) fn signal(exit: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&exit)
}

/// That ended it.
#[cfg(not(unix))]
pub(crate) fn signal(_exit: ExitStatus) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_last_words_and_the_signal_tell_the_cause() {
        let cases = [
            ("", Some(9)),
            ("", Some(11)),
            ("", Some(15)),
            ("", None),
            ("memory allocation of 4096 bytes failed", Some(6)),
            ("thread 'main' panicked at src/x.rs:1:2:\nindex out of bounds\nnote: run with", None),
            ("wgpu error: Parent device is lost: VK_ERROR_DEVICE_LOST", None),
        ];
        let told: Vec<_> = cases.iter().map(|(log, signal)| format!("{:?}", cause(log, *signal))).collect();
        expect![[r#"
            (OutOfMemory, "it was killed, most likely by the system because memory ran out")
            (Device, "it crashed in a kernel or in the graphics driver")
            (Internal, "it was ended by signal 15")
            (Internal, "it was killed, or the computer was switched off")
            (OutOfMemory, "memory ran out")
            (Internal, "it ended with `index out of bounds`")
            (Device, "the graphics driver lost the device")"#]]
        .assert_eq(&told.join("\n"));
    }
}
