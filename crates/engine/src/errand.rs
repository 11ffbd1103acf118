//! Asks a process of its own something that may end it, or that may never be answered.
//!
//! **Invariant:** whatever that process does, this comes back: within the patience given, or soon after a `Break`.

use std::{
    io::{self, Read},
    ops::ControlFlow,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// Of what it prints, as much as is looked at.
const MOST: u64 = 1 << 20;
/// One that was killed is gone by then, unless it hangs in the system itself.
const GOING: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);

/// What became of it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// How it ended; none if it was ended.
    pub status: Option<ExitStatus>,
    /// What it answered: its standard output.
    pub said: Vec<u8>,
    /// Its standard error.
    pub log: String,
}

/// Starts `program` with `arguments` and waits for its end, but no longer than `patience` and `going` allow.
pub(crate) fn ask(
    program: &Path,
    arguments: &[&str],
    patience: Duration,
    going: &mut dyn FnMut() -> ControlFlow<()>,
) -> io::Result<Answer> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (said, log) = (read(child.stdout.take()), read(child.stderr.take()));
    let since = Instant::now();
    let status = loop {
        match child.try_wait()? {
            Some(status) => break Some(status),
            None if patience < since.elapsed() || going().is_break() => {
                end(&mut child);
                break None;
            }
            None => thread::sleep(LOOK),
        }
    };
    let text = |from: Receiver<Vec<u8>>| from.recv_timeout(GOING).unwrap_or_default();
    Ok(Answer { status, said: text(said), log: String::from_utf8_lossy(&text(log)).into_owned() })
}

/// Reads to the end meanwhile: drivers may say more than a pipe holds.
fn read(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut from) = from else { return };
        let mut bytes = Vec::new();
        // What cannot be read was not said; nobody may be left to listen.
        let _ = from.by_ref().take(MOST).read_to_end(&mut bytes);
        let _ = send.send(bytes);
        let _ = io::copy(&mut from, &mut io::sink());
    });
    receive
}

fn end(child: &mut Child) {
    let _ = child.kill(); // it may have ended just now
    let since = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && since.elapsed() < GOING {
        thread::sleep(LOOK);
    }
}
