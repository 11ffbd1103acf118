//! The program with the window; with the arguments of a worker, the process that trains instead.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::{env, process::ExitCode};

/// The system's own takes a third of the time of reading and tokenising.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    large_pages(true); // a worker that a window started would be without them, as the window is
    worker::take_over(env::args_os().skip(1)).unwrap_or_else(|| {
        #[cfg(target_os = "linux")]
        large_pages(false);
        tunesmith_app::run(tunesmith_app::TheEngine::of_home())
    })
}

/// They make large tensors quicker. A window holds many small things, and they would round each up: a tenth of what it
/// takes when idle.
#[cfg(target_os = "linux")]
fn large_pages(wanted: bool) {
    let disable = libc::c_ulong::from(!wanted);
    // SAFETY: it takes numbers only, and changes how the kernel backs this process' memory, not what is in it.
    // A kernel that does not know it answers with an error, and the pages stay as they are.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, disable, 0, 0, 0) };
}
