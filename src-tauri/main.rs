//! The program with the window; with the arguments of a worker, the process that trains instead.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::{env, process::ExitCode};

/// The system's own takes a third of the time of reading and tokenising.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    worker::take_over(env::args_os().skip(1)).unwrap_or_else(|| {
        #[cfg(target_os = "linux")]
        small_pages();
        tunesmith_app::run(tunesmith_app::TheEngine::of_home())
    })
}

/// A window holds many small things, and large pages would round each up: a tenth of what it takes when idle. A worker
/// has them again, where they make large tensors quicker.
#[cfg(target_os = "linux")]
fn small_pages() {
    // SAFETY: it takes numbers only, and changes how the kernel backs this process' memory, not what is in it.
    // A kernel that does not know it answers with an error, and the pages stay as they are.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}
