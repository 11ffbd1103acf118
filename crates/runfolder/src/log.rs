//! The log of a run, from the side of the worker that writes it.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use spec::{RunEvent, RunFolder, Stamped};

use crate::{FolderError, Tail};

/// `events.jsonl`, open for appending. One worker at a time: take the [`WorkerLock`](crate::WorkerLock) first.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    folder: RunFolder,
    next_seq: u64,
    /// Bytes of whole lines; what lies beyond was torn by a crash or a full disk.
    whole: u64,
}

impl EventLog {
    /// Opens the log of `folder`, goes on after its last whole line, and cuts off a torn one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(folder: &RunFolder) -> Result<Self, FolderError> {
        let failed = || FolderError::io(folder.events());
        let mut tail = Tail::from_start(folder);
        let mut next_seq = 0;
        loop {
            let batch = tail.read()?;
            match batch.last() {
                Some(last) => next_seq = last.seq + 1,
                None => break,
            }
        }
        let whole = tail.offset();
        let options = File::options().read(true).write(true).create(true).truncate(false).clone();
        let file = options.open(folder.events()).map_err(failed())?;
        let mut log = Self { file, folder: folder.clone(), next_seq, whole };
        log.cut().map_err(failed())?;
        Ok(log)
    }

    /// Appends an event and gives it back with its place and time. Events after which a reader may act (a
    /// checkpoint, an end) are on the disk when this returns; the others when the system pleases.
    ///
    /// # Errors
    /// When the disk is full or gone; the log is then as it was before.
    pub fn append(&mut self, event: RunEvent) -> Result<Stamped, FolderError> {
        let path = self.folder.events();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let stamped = Stamped { seq: self.next_seq, at_ms: since_1970.as_millis() as u64, event };
        let mut line = serde_json::to_vec(&stamped).map_err(|error| FolderError::io(&path)(error.into()))?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // Half a line may stand there now. If it cannot be cut off either, the next `open` does it.
            let _ = self.cut();
            return Err(FolderError::io(path)(error));
        }
        self.whole += line.len() as u64;
        self.next_seq += 1;
        if must_last(&stamped.event) {
            self.file.sync_data().map_err(FolderError::io(path))?;
        }
        Ok(stamped)
    }

    /// Every event so far, oldest first: what a worker that goes on needs to know of its past.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_all(&self) -> Result<Vec<Stamped>, FolderError> {
        let mut tail = Tail::from_start(&self.folder);
        let mut all = Vec::new();
        loop {
            let batch = tail.read()?;
            if batch.is_empty() {
                return Ok(all);
            }
            all.extend(batch);
        }
    }

    fn cut(&mut self) -> std::io::Result<()> {
        if self.file.metadata()?.len() > self.whole {
            self.file.set_len(self.whole)?;
        }
        self.file.seek(SeekFrom::Start(self.whole))?;
        Ok(())
    }
}

fn must_last(event: &RunEvent) -> bool {
    match event {
        RunEvent::Started { .. } | RunEvent::Saved { .. } => true,
        RunEvent::Paused { .. } | RunEvent::Ended { .. } | RunEvent::Failed { .. } => true,
        RunEvent::Ready { .. } | RunEvent::Stepped { .. } | RunEvent::Evaluated { .. } => false,
        RunEvent::Sampled { .. } | RunEvent::Warned { .. } | RunEvent::Profiled { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn warned(message: &str) -> RunEvent {
        RunEvent::Warned { message: message.to_owned() }
    }

    proptest! {
        #[test]
        fn a_log_cut_anywhere_goes_on_without_a_gap(n in 1usize..6, cut in any::<prop::sample::Index>()) {
            let folder = tempfile::tempdir().unwrap();
            let folder = RunFolder::new(folder.path());
            let mut log = EventLog::open(&folder).unwrap();
            for i in 0..n {
                log.append(warned(&format!("ä{i}"))).unwrap();
            }
            let bytes = fs::read(folder.events()).unwrap();
            fs::write(folder.events(), &bytes[..cut.index(bytes.len() + 1)]).unwrap();
            let mut log = EventLog::open(&folder).unwrap();
            log.append(warned("on")).unwrap();
            let seqs: Vec<_> = log.read_all().unwrap().iter().map(|s| s.seq).collect();
            prop_assert_eq!(&seqs, &(0..seqs.len() as u64).collect::<Vec<_>>());
            let text = fs::read_to_string(folder.events()).unwrap();
            prop_assert_eq!(text.lines().count(), seqs.len(), "no torn line is left");
        }
    }
}
