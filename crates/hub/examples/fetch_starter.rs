//! `cargo run -p hub --example fetch_starter -- FOLDER`: brings the starter model's GGUF file into FOLDER.

use std::{
    error::Error,
    io::{IsTerminal, Write, stderr, stdout},
    ops::ControlFlow,
    path::PathBuf,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: fetch_starter FOLDER")?;
    let live = stderr().is_terminal();
    let mut said = 0;
    let place = hub::fetch_starter(&folder, &mut |progress| {
        let percent = progress.done * 100 / progress.total.unwrap_or(u64::MAX).max(1);
        if live && percent != said {
            said = percent;
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(stderr(), "\r{} {percent} %", progress.file);
        }
        ControlFlow::Continue(())
    })
    .map_err(|error| format!("{error}. {}", error.hint().unwrap_or_default()))?;
    if live {
        writeln!(stderr())?;
    }
    writeln!(stdout(), "{}", place.display())?;
    Ok(())
}
