//! Ctrl-C. Only commands that have an answer to it listen; elsewhere it ends the program, as everywhere.

use std::{
    ops::ControlFlow,
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
};

static PRESSED: AtomicU32 = AtomicU32::new(0);

/// From now on Ctrl-C is counted; the third ends the program whatever it does.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where the system gives no handler, Ctrl-C does what it always did.
        let _ = ctrlc::set_handler(|| {
            if PRESSED.fetch_add(1, Ordering::SeqCst) >= 2 {
                std::process::exit(i32::from(spec::Code::Cancelled.exit_code()));
            }
        });
    });
}

/// How often it was pressed.
pub fn pressed() -> u32 {
    PRESSED.load(Ordering::SeqCst)
}

/// Whether to go on.
pub fn going() -> ControlFlow<()> {
    if pressed() == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}
