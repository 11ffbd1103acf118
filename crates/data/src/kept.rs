//! A stored version of a data set, read as a stream.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};
use spec::{DatasetInfo, Example, Split};

use crate::{
    KeptError, LineIndex, Lookup,
    keep::{part_file, version_hash},
    lines::{Line, Lines},
};

/// Our own lines can be as long as a row that was imported, and its escapes.
const LONGEST_LINE: u64 = 1 << 30;

/// A version of a data set in the store.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
    info: DatasetInfo,
}

/// Opens the version in `folder`, as [`crate::keep`] left it.
///
/// # Errors
/// [`KeptError`] if its `meta.json` cannot be read.
pub fn open(folder: &Path) -> Result<Kept, KeptError> {
    let path = folder.join("meta.json");
    let bytes = fs::read(&path).map_err(|source| KeptError::Io { path: path.clone(), source })?;
    let info = serde_json::from_slice(&bytes)
        .map_err(|error| KeptError::Damaged { path, line: error.line() as u64 })?;
    Ok(Kept { folder: folder.to_owned(), info })
}

impl Kept {
    /// What is known of it.
    pub fn info(&self) -> &DatasetInfo {
        &self.info
    }

    /// The examples of one part, in their order.
    ///
    /// # Errors
    /// [`KeptError`] if the file cannot be opened; an item is an error if its line is not an example.
    pub fn examples(
        &self,
        split: Split,
    ) -> Result<impl Iterator<Item = Result<Example, KeptError>> + use<>, KeptError> {
        Ok(self.lines(split)?.map(|line| line?.example()))
    }

    /// The same before they are parsed, so that this can be done on all cores.
    pub(crate) fn lines(
        &self,
        split: Split,
    ) -> Result<impl Iterator<Item = Result<KeptLine, KeptError>> + use<>, KeptError> {
        let path: Arc<Path> = self.folder.join(part_file(split)).into();
        let io = |path: &Path, source| KeptError::Io { path: path.to_owned(), source };
        let file = File::open(&path).map_err(|error| io(&path, error))?;
        let mut lines = Lines::new(BufReader::with_capacity(1 << 18, file), LONGEST_LINE);
        Ok(std::iter::from_fn(move || {
            let read = lines.next().map_err(|error| io(&path, error)).transpose()?;
            Some(read.map(|(number, line)| KeptLine { path: path.clone(), number, line }))
        }))
    }

    /// At most `n` examples of one part from the one at `offset` on. `index` is of that part's file, and is the better
    /// the more often it is asked.
    ///
    /// # Errors
    /// [`KeptError`] if the file cannot be read, or a line of it is not an example.
    pub fn page(
        &self,
        split: Split,
        index: &mut LineIndex,
        offset: u64,
        n: usize,
    ) -> Result<Vec<Example>, KeptError> {
        let path = self.folder.join(part_file(split));
        let failed = |source| KeptError::Io { path: path.clone(), source };
        let reader = BufReader::with_capacity(1 << 16, File::open(&path).map_err(failed)?);
        let mut lines = Lookup::at(reader, index, offset).map_err(failed)?;
        let mut examples = Vec::new();
        while examples.len() < n
            && let Some(line) = lines.next_line().map_err(failed)?
        {
            let number = offset + examples.len() as u64 + 1;
            let damaged = |_| KeptError::Damaged { path: path.clone(), line: number };
            examples.push(serde_json::from_slice(&line).map_err(damaged)?);
        }
        Ok(examples)
    }

    /// Examples from all over one part, at most `most` of them, evenly apart and in their order: what a look at the
    /// whole can afford.
    ///
    /// # Errors
    /// As [`examples`](Self::examples).
    pub fn spread(
        &self,
        split: Split,
        most: u64,
    ) -> Result<impl Iterator<Item = Result<Example, KeptError>> + use<>, KeptError> {
        let n = self.info.counts.of(split);
        let path = self.folder.join(part_file(split));
        let file = File::open(&path).map_err(|source| KeptError::Io { path: path.clone(), source })?;
        let mut lines = BufReader::with_capacity(1 << 18, file);
        let most = most.min(n);
        let (mut line, mut taken) = (0u64, 0u64);
        Ok(std::iter::from_fn(move || {
            if taken == most {
                return None;
            }
            let wanted = (u128::from(taken) * u128::from(n) / u128::from(most)) as u64;
            let mut bytes = Vec::new();
            let mut read = || -> io::Result<usize> {
                while line < wanted {
                    lines.skip_until(b'\n')?;
                    line += 1;
                }
                line += 1;
                taken += 1;
                lines.read_until(b'\n', &mut bytes)
            };
            match read() {
                Ok(0) => None,
                Ok(_) => {
                    let damaged = |_| KeptError::Damaged { path: path.clone(), line };
                    Some(serde_json::from_slice(&bytes).map_err(damaged))
                }
                Err(source) => Some(Err(KeptError::Io { path: path.clone(), source })),
            }
        }))
    }

    /// That the content is what the version's hash says; reads all of it.
    ///
    /// # Errors
    /// [`KeptError`] if it is not, or cannot be read.
    pub fn verify(&self) -> Result<(), KeptError> {
        let digest = |split| -> Result<(Split, [u8; 32]), KeptError> {
            let path = self.folder.join(part_file(split));
            let mut hasher = Hashing(Sha256::new());
            let copied = File::open(&path).and_then(|mut file| io::copy(&mut file, &mut hasher));
            copied.map_err(|source| KeptError::Io { path, source })?;
            Ok((split, hasher.0.finalize().into()))
        };
        let [train, validation, test] = Split::ALL.map(digest);
        if version_hash([train?, validation?, test?]) == self.info.version {
            Ok(())
        } else {
            Err(KeptError::Changed { path: self.folder.clone() })
        }
    }
}

/// A line of a part.
pub(crate) struct KeptLine {
    path: Arc<Path>,
    number: u64,
    line: Line,
}

impl KeptLine {
    /// What stands in it.
    pub(crate) fn example(&self) -> Result<Example, KeptError> {
        let read = match &self.line {
            Line::TooLong => None,
            Line::Whole(line) => serde_json::from_slice(line).ok(),
        };
        read.ok_or_else(|| KeptError::Damaged { path: self.path.to_path_buf(), line: self.number })
    }
}

struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
