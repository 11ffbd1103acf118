//! The log of a run, from the side of those who follow it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
};

use spec::{RunFolder, Stamped};

use crate::FolderError;

/// Read at one go; a batch is at most the events of that many bytes, or one long line.
const CHUNK: u64 = 1 << 20;

/// Reads `events.jsonl` from a place on, as it grows.
///
/// **Invariant:** [`offset`](Self::offset) is always the start of a line, so it can be kept and come back to. A line
/// without its end is left for later; one that is whole and still not an event (a disk that lost power) is passed over.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
}

impl Tail {
    /// From the first event on.
    pub fn from_start(folder: &RunFolder) -> Self {
        Self::from_offset(folder, 0)
    }

    /// From where another tail stopped.
    pub fn from_offset(folder: &RunFolder, offset: u64) -> Self {
        Self { path: folder.events(), offset }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next events; none when all that stands there was read, or nothing was written yet.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(&mut self) -> Result<Vec<Stamped>, FolderError> {
        loop {
            let lines = self.next_lines().map_err(FolderError::io(&self.path))?;
            if lines.is_empty() {
                return Ok(Vec::new());
            }
            self.offset += lines.len() as u64;
            let lines = lines.split(|byte| *byte == b'\n');
            let events: Vec<_> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }

    /// Whole lines only; empty at the end.
    fn next_lines(&self) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        loop {
            let n_new = file.by_ref().take(CHUNK).read_to_end(&mut bytes)?;
            if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
                bytes.truncate(end + 1);
                return Ok(bytes);
            }
            if n_new == 0 {
                return Ok(Vec::new());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use expect_test::expect;

    use super::*;

    #[test]
    fn a_torn_line_is_left_for_later_and_rubbish_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(folder.path());
        let mut tail = Tail::from_start(&folder);
        assert_eq!(tail.read().unwrap(), [], "no file yet");

        let line = |seq| format!(r#"{{"seq":{seq},"at_ms":0,"event":{{"kind":"warned","message":"m"}}}}"#);
        let mut file = File::create(folder.events()).unwrap();
        let mut seen = String::new();
        for part in
            [line(0) + "\n" + &line(1)[..9], line(1)[9..].to_owned(), "\n\0\0\0\n".into(), line(2) + "\n"]
        {
            file.write_all(part.as_bytes()).unwrap();
            let seqs: Vec<_> = tail.read().unwrap().iter().map(|s| s.seq).collect();
            seen.push_str(&format!("{seqs:?}\n"));
        }
        expect![[r#"
            [0]
            []
            [1]
            [2]
        "#]]
        .assert_eq(&seen);
        assert_eq!(tail.offset(), fs::metadata(folder.events()).unwrap().len());
    }
}
