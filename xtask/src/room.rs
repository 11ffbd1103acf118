//! Whether there is room for what is built: a disk that fills up after twenty minutes says less than a sentence before.

use crate::process::{answer, built};

/// What a first build of everything takes, in bytes: measured on Linux without incremental compilation.
const FIRST_BUILD: u64 = 16_000_000_000;

/// Says so if a first build may not fit. Where the system does not tell how much is free, nothing is said.
pub fn look() {
    let Some(place) = built("xtask").ok().and_then(|me| me.parent().map(std::path::Path::to_owned)) else {
        return;
    };
    let report = answer("df", ["-Pk".as_ref(), place.as_os_str()]);
    if let Some(free) = report.as_deref().and_then(free).filter(|free| *free < FIRST_BUILD) {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        println!(
            "{:.1} GB are free at {}; a first build of everything takes about {:.0} GB. If it fails for want of room, \
             free some, or name another place with CARGO_TARGET_DIR.",
            gigabytes(free),
            place.display(),
            gigabytes(FIRST_BUILD),
        );
    }
}

/// Free bytes, of what `df -Pk` prints: a line of headings, then one whose fourth column is the free kilobytes.
fn free(report: &str) -> Option<u64> {
    report.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read_as_posix_has_it_printed() {
        let report = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 263174212 92274688 2411724 98% /";
        assert_eq!(free(report), Some(2_411_724 * 1024));
        assert_eq!(free("Filesystem 1024-blocks\n"), None);
        assert_eq!(free(""), None);
    }
}
