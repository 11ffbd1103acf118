//! The program itself: what it is made of, the room it takes, and what a report of trouble should say.

use std::{fmt::Write, fs, path::Path};

use spec::{About, ApiError, CheckedDevice, Code, DiskUse, Licence, Verdict};

use crate::{APP_VERSION, Engine};

/// A line for each part: name, version, licence. `cargo xtask licences` writes it.
const LICENCES: &str = include_str!("../assets/licences.tsv");

impl Engine {
    /// Version, places and licences.
    pub fn about(&self) -> About {
        let licence = |line: &str| {
            let mut parts = line.split('\t').map(str::to_owned);
            Some(Licence { name: parts.next()?, version: parts.next()?, licence: parts.next()? })
        };
        About {
            version: APP_VERSION.to_owned(),
            home: self.home().path().display().to_string(),
            system: system(),
            licences: LICENCES.lines().filter_map(licence).collect(),
        }
    }

    /// Bytes of everything that is kept, and what is free beside it.
    pub fn disk_use(&self) -> DiskUse {
        let home = self.home();
        DiskUse {
            home: home.path().display().to_string(),
            models: bytes_in(&home.models()),
            datasets: bytes_in(&home.datasets()),
            runs: bytes_in(&home.runs()),
            exports: bytes_in(&home.exports()),
            free: fs4::available_space(home.path()).ok(),
        }
    }

    /// Everything worth sending with a report; nothing of the person's data, no token, no names of files.
    pub fn diagnostics(&self) -> String {
        let mut text = format!("Tunesmith {APP_VERSION}\n{}\n\nDevices\n", system());
        // Writing to a string does not fail.
        let _ = match self.check_up() {
            Ok(found) => found.devices.iter().try_for_each(|CheckedDevice { device, check }| {
                let driver = device.driver.as_deref().unwrap_or("no driver named");
                let checked = match check.as_ref().map(|check| &check.verdict) {
                    None => "not checked".to_owned(),
                    Some(Verdict::Right { tokens_per_sec, .. }) => {
                        format!("right, {tokens_per_sec:.0} tokens/s")
                    }
                    Some(Verdict::Wrong { what } | Verdict::Broken { what }) => format!("failed: {what}"),
                };
                let (choice, name, api) = (device.choice, &device.name, &device.api);
                writeln!(text, "- {choice}: {name} ({api}, {driver}); {checked}")
            }),
            Err(error) => writeln!(text, "- {error}"),
        };
        let disk = self.disk_use();
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        let _ = writeln!(
            text,
            "\nDisk, in GB\n- models {:.2}, data sets {:.2}, runs {:.2}, exports {:.2}, free {}",
            gigabytes(disk.models),
            gigabytes(disk.datasets),
            gigabytes(disk.runs),
            gigabytes(disk.exports),
            disk.free.map_or("unknown".to_owned(), |free| format!("{:.2}", gigabytes(free))),
        );
        if let Ok(settings) = self.settings() {
            let hub = if settings.hf_endpoint.is_some() { "another address" } else { "as it comes" };
            let _ = writeln!(text, "\nSettings\n- on close: {:?}; hub: {hub}", settings.on_close);
            if self.broken_settings().exists() {
                let _ = writeln!(text, "- settings.json could not be understood once and was put aside");
            }
        }
        let _ = writeln!(text, "\nRuns, newest first");
        let _ = match self.runs() {
            Ok(rows) => rows.iter().take(5).try_for_each(|row| {
                let error = row.error.as_ref().map(|error| format!(" ({:?})", error.code));
                let of = row.of.map_or("?".to_owned(), |of| of.to_string());
                writeln!(text, "- {:?}, step {} of {of}{}", row.status, row.step, error.unwrap_or_default())
            }),
            Err(error) => writeln!(text, "- {error}"),
        };
        text
    }

    /// That the window may show `path` in the file manager: it is the home or in it, an export, or a model of the
    /// person's own.
    ///
    /// # Errors
    /// When it is none of these, or is gone.
    pub fn may_reveal(&self, path: &Path) -> Result<(), ApiError> {
        let gone = |_| ApiError::new(Code::NotFound, format!("{} is not there any more", path.display()));
        let real = fs::canonicalize(path).map_err(gone)?;
        let home = fs::canonicalize(self.home().path()).map_err(gone)?;
        let known = self.known_places()?;
        let is_known =
            known.iter().filter_map(|known| fs::canonicalize(known).ok()).any(|known| known == real);
        if real.starts_with(home) || is_known {
            return Ok(());
        }
        Err(ApiError::new(Code::Forbidden, format!("{} is none of Tunesmith's folders", path.display())))
    }
}

fn system() -> String {
    let name = sysinfo::System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let memory = sysinfo::System::new_with_specifics(
        sysinfo::RefreshKind::nothing().with_memory(sysinfo::MemoryRefreshKind::nothing().with_ram()),
    )
    .map_or(0, |system| system.total_memory());
    format!("{name}, {}, {cores} cores, {:.1} GB of memory", std::env::consts::ARCH, memory as f64 / 1e9)
}

/// Of all files in a folder, however deep. What cannot be read has no bytes; links are not followed.
pub(crate) fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_in(&entry.path()),
            Ok(meta) if meta.is_file() => meta.len(),
            _ => 0,
        })
        .sum()
}
