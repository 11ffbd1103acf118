//! `cargo run -p hub --example fetch_starter -- FOLDER`: brings the starter model's GGUF file into FOLDER, and the encoder
//! that tests compute with into a folder in it.

use std::{
    error::Error,
    io::{IsTerminal, Write, stderr, stdout},
    ops::ControlFlow,
    path::PathBuf,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: fetch_starter FOLDER")?;
    let live = stderr().is_terminal();
    let mut shown = 0;
    let mut show = |progress: &hub::Progress| {
        let percent = progress.done * 100 / progress.total.unwrap_or(u64::MAX).max(1);
        if live && percent != shown {
            shown = percent;
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(stderr(), "\r{} {percent} %", progress.file);
        }
        ControlFlow::Continue(())
    };
    let said = |error: hub::HubError| format!("{error}. {}", error.hint().unwrap_or_default());
    let place = hub::fetch_starter(&folder, &mut show).map_err(said)?;
    hub::fetch_minilm(&folder.join("all-MiniLM-L6-v2"), &mut show).map_err(said)?;
    if live {
        writeln!(stderr())?;
    }
    writeln!(stdout(), "{}", place.display())?;
    Ok(())
}
