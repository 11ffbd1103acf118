//! The log of a run, from the side of those who follow it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
};

use spec::{RunEvent, RunFolder, Stamped};

use crate::FolderError;

/// Read at one go; a batch is at most the events of that many bytes, or one long line.
const CHUNK: u64 = 1 << 20;
/// Of a line: its place, its time and what kind of event it is.
const BEGINNING: usize = 100;

/// Reads `events.jsonl` from a place on, as it grows.
///
/// **Invariant:** [`offset`](Self::offset) is always the start of a line, so it can be kept and come back to. A line
/// without its end is left for later; one that is whole and still not an event (a disk that lost power) is passed over.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
    /// Events before are passed over.
    from_seq: u64,
}

impl Tail {
    /// From the first event on.
    pub fn from_start(folder: &RunFolder) -> Self {
        Self::from_offset(folder, 0)
    }

    /// From where another tail stopped.
    pub fn from_offset(folder: &RunFolder, offset: u64) -> Self {
        Self { path: folder.events(), offset, from_seq: 0 }
    }

    /// From the event of that place on: what comes before it is read past without being understood.
    pub fn from_seq(folder: &RunFolder, from_seq: u64) -> Self {
        Self { from_seq, ..Self::from_start(folder) }
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
            let events: Vec<Stamped> = lines
                .split(|byte| *byte == b'\n')
                .filter(|line| seq_of(line).is_none_or(|seq| self.from_seq <= seq))
                .filter_map(|line| serde_json::from_slice(line).ok())
                .collect();
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }

    /// The next events that are no steps; none at the end. A run says little else than steps, which are told by the
    /// beginnings of their lines.
    fn read_but_steps(&mut self) -> Result<Vec<Stamped>, FolderError> {
        const STEP: &[u8] = br#""event":{"kind":"stepped""#;
        loop {
            let lines = self.next_lines().map_err(FolderError::io(&self.path))?;
            if lines.is_empty() {
                return Ok(Vec::new());
            }
            self.offset += lines.len() as u64;
            let is_step = |line: &&[u8]| {
                let beginning = &line[..line.len().min(BEGINNING)];
                beginning.windows(STEP.len()).any(|part| part == STEP)
            };
            let lines = lines.split(|byte| *byte == b'\n').filter(|line| !is_step(line));
            let events: Vec<Stamped> = lines
                .filter_map(|line| serde_json::from_slice(line).ok())
                .filter(|stamped: &Stamped| !matches!(stamped.event, RunEvent::Stepped { .. }))
                .collect();
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

/// All that a run said before the event of place `before`, but for its steps, oldest first.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn story(folder: &RunFolder, before: u64) -> Result<Vec<Stamped>, FolderError> {
    let mut tail = Tail::from_start(folder);
    let mut story = Vec::new();
    loop {
        let mut batch = tail.read_but_steps()?;
        if batch.is_empty() {
            return Ok(story);
        }
        batch.retain(|stamped| stamped.seq < before);
        story.append(&mut batch);
    }
}

/// The place of an event by the beginning of its line, as [`EventLog`](crate::EventLog) writes it.
fn seq_of(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(br#"{"seq":"#)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use expect_test::expect;

    use super::*;
    use crate::EventLog;

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
        let mut later = Tail::from_seq(&folder, 2);
        assert_eq!(later.read().unwrap().iter().map(|s| s.seq).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_story_is_all_but_the_steps() {
        let folder = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(folder.path());
        assert_eq!(story(&folder, 9).unwrap(), []);
        let mut log = EventLog::open(&folder).unwrap();
        let stepped = |step| RunEvent::Stepped {
            step,
            of: 9,
            epoch: 0.5,
            loss: 1.0,
            learning_rate: 1e-4,
            grad_norm: 1.0,
            tokens: 1,
            supervised: 1,
            secs: 1.0,
            secs_left: None,
            memory: None,
        };
        // A message may quote a step; it is none.
        let warned = || RunEvent::Warned { message: r#""event":{"kind":"stepped""#.to_owned() };
        for event in [warned(), stepped(1), stepped(2), warned(), warned()] {
            log.append(event).unwrap();
        }
        let seqs = |before| story(&folder, before).unwrap().iter().map(|s| s.seq).collect::<Vec<_>>();
        assert_eq!((seqs(9), seqs(4)), (vec![0, 3, 4], vec![0, 3]));
    }
}
