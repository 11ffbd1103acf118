//! Starts a worker so that it outlives whoever started it.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use spec::RunFolder;

/// Stands in `worker.log` before what each worker prints.
pub(crate) const BIRTH: &str = "---- a worker starts\n";

/// How long a check of a device may take. The first compilation of kernels takes a minute on a slow driver.
const PATIENCE: Duration = Duration::from_secs(300);

/// The program that becomes a worker when its first argument is `worker`, lists devices when it is `devices`, and
/// checks one when it is `prove`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerProgram {
    path: PathBuf,
    patience: Duration,
}

impl WorkerProgram {
    /// The program that runs now.
    ///
    /// # Errors
    /// When the system does not say where it lies.
    pub fn this() -> io::Result<Self> {
        std::env::current_exe().map(Self::at)
    }

    /// Another program, for tests.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), patience: PATIENCE }
    }

    /// The same, with less time for checks of devices: for tests.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How long a check of a device may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts `worker <folder>` in a session of its own: neither Ctrl-C nor a closed terminal or window reaches it.
    /// What it prints goes to `worker.log`.
    pub(crate) fn spawn(&self, folder: &RunFolder) -> io::Result<Child> {
        let mut log = File::options().append(true).create(true).open(folder.log())?;
        log.write_all(BIRTH.as_bytes())?;
        let mut command = Command::new(&self.path);
        command
            .arg("worker")
            .arg(folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        apart(&mut command);
        command.spawn()
    }
}

#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; setsid is one, and nothing is allocated.
    unsafe {
        command.pre_exec(|| match libc::setsid() {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
}

#[cfg(windows)]
fn apart(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}
