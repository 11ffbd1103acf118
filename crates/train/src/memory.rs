//! How much memory this process takes.

use spec::MemoryUse;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// Of this process, where the system tells. The peak is the system's own on Linux, elsewhere the most that was seen.
pub fn memory(seen: Option<MemoryUse>) -> Option<MemoryUse> {
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
    let now = system.process(pid)?.memory();
    let before = seen.map_or(0, |m| m.peak);
    Some(MemoryUse { now, peak: peak().unwrap_or(now).max(now).max(before) })
}

/// `VmHWM`: the most of this process so far, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(not(target_os = "linux"))]
fn peak() -> Option<u64> {
    None
}
