//! Stores a data set: read, divided, named by the hash of its content.
//!
//! A version is a folder `<dir>/<hash>` with `train.jsonl`, `validation.jsonl`, `test.jsonl` (an example a line) and
//! `meta.json` ([`spec::DatasetInfo`]). **Invariant:** it appears whole or not at all, and is never changed but for
//! the names in its `meta.json`. The hash is SHA-256 over three lines `<part> <SHA-256 of its file>`.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    ops::ControlFlow,
    path::Path,
};

use atomic::WriteError;
use sha2::{Digest, Sha256};
use spec::{Counts, DatasetId, DatasetInfo, Example, Mapping, Role, Split, SplitFractions};

use crate::{
    KeepError, Problems, Progress, Reader, Sources, Watch, abandoned, label_counts::LabelCounts, read::Known,
    row_labels::RowLabels, split,
};

/// Rows divided between two words on how far it is.
const ROWS: usize = 1 << 16;

/// What to store.
#[derive(Clone, Debug)]
pub struct Import {
    /// The same for all versions.
    pub id: DatasetId,
    /// As the person calls it.
    pub name: String,
    /// The paths as they were given, to be shown.
    pub given: Vec<String>,
    /// The files.
    pub sources: Sources,
    /// What the columns mean; guessed if not given.
    pub mapping: Option<Mapping>,
    /// How much is set aside. A part that has files of its own takes nothing from the training files.
    pub split: SplitFractions,
}

/// Reads `import` and stores it in `dir`, the data set's own folder, which is made if it is not there. `watch` is told
/// of the bytes that are read and may cancel.
///
/// Rows that share a prompt stay on one side. A row that is in an evaluation file and again in a training file is
/// kept in the evaluation part only.
///
/// # Errors
/// [`KeepError`] if the files cannot be read, the folder cannot be written, or it was cancelled; then `dir` holds what
/// it held before, and is not there if it was not.
pub fn keep(dir: &Path, import: &Import, watch: &mut Watch<'_>) -> Result<DatasetInfo, KeepError> {
    let was_there = dir.exists();
    let kept = keep_in(dir, import, watch);
    if kept.is_err() && !was_there {
        // It goes only if it is empty; the failure is the one to report.
        let _ = fs::remove_dir(dir);
    }
    kept
}

fn keep_in(dir: &Path, import: &Import, watch: &mut Watch<'_>) -> Result<DatasetInfo, KeepError> {
    let SplitFractions { validation, test, .. } = import.split;
    let sound = |fraction: f64| (0.0..1.0).contains(&fraction);
    if !sound(validation) || !sound(test) || !sound(validation + test) {
        return Err(KeepError::Fractions { validation, test });
    }
    let reader = Reader::open(&import.sources.all(), import.mapping.as_ref())?;
    fs::create_dir_all(dir).map_err(|e| WriteError::new(dir, e))?;
    let work = abandoned::work_in(dir)?;

    let rows = work.path().join("rows.jsonl");
    let mut gathered = gather(&rows, &import.sources, reader.mapping(), watch)?;
    let parts = gathered.parts(&import.sources, &import.split);
    let mut labels = LabelCounts::default();
    let made = work.path().join("made");
    let total = size(&import.sources);
    let mut go_on = || watch(Progress { done: total, total });
    let counted = gathered.labelled.is_some().then_some(&mut labels);
    let divided = divide(&rows, &parts, &made, counted, &mut go_on).map_err(|e| WriteError::new(&made, e))?;
    let (version, counts) = divided.ok_or(KeepError::Cancelled)?;

    let info = DatasetInfo {
        id: import.id,
        version,
        name: import.name.clone(),
        sources: import.given.clone(),
        mapping: reader.mapping().clone(),
        because: reader.because().to_owned(),
        split: import.split,
        counts,
        labels: labels.labels(),
        entities: labels.entities(),
        scores: labels.scores(),
        tallies: gathered.problems.tallies(),
        n_problems: gathered.problems.n,
        problems: gathered.problems.listed,
    };
    place(dir, &made, &info)?;
    Ok(info)
}

/// The hash of a version, from those of its parts' files.
pub(crate) fn version_hash(parts: [(Split, [u8; 32]); 3]) -> spec::Sha256 {
    let mut hasher = Sha256::new();
    for (split, digest) in parts {
        hasher.update(format!("{split} {}\n", spec::Sha256::from_bytes(&digest)));
    }
    spec::Sha256::from_bytes(&hasher.finalize().into())
}

pub(crate) fn part_file(split: Split) -> String {
    format!("{split}.jsonl")
}

/// Rows on the disk, in the order read, and what is remembered of each.
struct Gathered {
    /// The part whose file a row came from, and its group.
    rows: Vec<(Split, u64)>,
    problems: Problems,
    /// Of rows that have labels, numbers or tags: which.
    labelled: Option<RowLabels>,
}

impl Gathered {
    /// Where each row goes: rows of evaluation files stay where they are, the others are split. None for a row that is
    /// left out, since nothing teaches what it is labelled with.
    fn parts(&mut self, sources: &Sources, asked: &SplitFractions) -> Vec<Option<Split>> {
        let unless = |files: &[_], fraction| if files.is_empty() { fraction } else { 0.0 };
        let fractions = SplitFractions {
            validation: unless(&sources.validation, asked.validation),
            test: unless(&sources.test, asked.test),
            seed: asked.seed,
        };
        let fixed: Vec<_> =
            self.rows.iter().map(|(part, _)| *part).take_while(|part| *part != Split::Train).collect();
        let groups: Vec<_> = self.rows[fixed.len()..].iter().map(|(_, group)| *group).collect();
        let assigned = match &self.labelled {
            None => split::assign(&groups, &fractions),
            Some(labels) => labels.assign(fixed.len(), &groups, &fractions),
        };
        let parts: Vec<Split> = fixed.into_iter().chain(assigned).collect();
        match &self.labelled {
            None => parts.into_iter().map(Some).collect(),
            Some(labels) => labels.taught(parts, &mut self.problems),
        }
    }
}

/// Reads all files, those of the evaluation parts first, into one file of canonical lines.
fn gather(
    path: &Path,
    sources: &Sources,
    mapping: &Mapping,
    watch: &mut Watch<'_>,
) -> Result<Gathered, KeepError> {
    let (total, mut before) = (size(sources), 0);
    let written = |error| WriteError::new(path, error);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).map_err(written)?);
    let mut labels = RowLabels::of(mapping.shape);
    let mut gathered = Gathered { rows: Vec::new(), problems: Problems::default(), labelled: None };
    let mut known = Known::default();
    for (part, files) in [
        (Split::Test, &sources.test),
        (Split::Validation, &sources.validation),
        (Split::Train, &sources.train),
    ] {
        if files.is_empty() {
            continue;
        }
        let (mut failed, mut cancelled, mut crowded) = (None, false, None);
        let (rows, labels) = (&mut gathered.rows, &mut labels);
        let read = Reader::open(files, Some(mapping))?.read_lines(
            &mut known,
            &mut gathered.problems,
            &mut |bytes| {
                let flow = watch(Progress { done: (before + bytes).min(total), total });
                cancelled = flow.is_break();
                flow
            },
            &mut |found| {
                rows.push((part, group(&found.example)));
                crowded = labels.as_mut().and_then(|labels| labels.add(&found).err());
                if crowded.is_some() {
                    return ControlFlow::Break(());
                }
                match out.write_all(found.line) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                }
            },
        );
        if cancelled {
            return Err(KeepError::Cancelled);
        }
        read?;
        if let Some(error) = crowded {
            return Err(error);
        }
        if let Some(error) = failed {
            return Err(written(error).into());
        }
        before += files.iter().map(|file| bytes(file)).sum::<u64>();
    }
    out.flush().map_err(written)?;
    gathered.labelled = labels;
    Ok(gathered)
}

/// Bytes of all files.
fn size(sources: &Sources) -> u64 {
    sources.all().iter().map(|file| bytes(file)).sum()
}

fn bytes(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |meta| meta.len())
}

/// What must not be known beforehand: the prompt; of a conversation, all up to the first reply; of text, itself; of a
/// pair of texts, both.
fn group(example: &Example) -> u64 {
    let mut hasher = Sha256::new();
    match example {
        Example::Text { text } => hasher.update(text),
        Example::Labelled { text, pair, .. } | Example::Scored { text, pair, .. } => {
            hasher.update(text);
            if let Some(pair) = pair {
                hasher.update([0]);
                hasher.update(pair);
            }
        }
        Example::Tagged { words, .. } => words.iter().for_each(|word| {
            hasher.update(word);
            hasher.update([0]);
        }),
        Example::Completion { prompt, .. } => hasher.update(prompt),
        Example::Chat { messages } => {
            for message in messages.iter().take_while(|m| m.role != Role::Assistant) {
                hasher.update([message.role as u8]);
                hasher.update((message.content.len() as u64).to_le_bytes());
                hasher.update(&message.content);
            }
        }
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}

/// Writes each line of `rows` to the file of its part, in order, and counts labels in `counted` where rows have any.
/// None if `go_on` ended it.
fn divide(
    rows: &Path,
    parts: &[Option<Split>],
    made: &Path,
    mut counted: Option<&mut LabelCounts>,
    go_on: &mut dyn FnMut() -> ControlFlow<()>,
) -> io::Result<Option<(spec::Sha256, Counts)>> {
    fs::create_dir(made)?;
    let create =
        |split| -> io::Result<Part> { Ok(Part::new(split, File::create(made.join(part_file(split)))?)) };
    let [train, validation, test] = Split::ALL.map(create);
    let mut files = [train?, validation?, test?];
    let mut lines = BufReader::with_capacity(1 << 20, File::open(rows)?);
    let mut line = Vec::new();
    for parts in parts.chunks(ROWS) {
        if go_on().is_break() {
            return Ok(None);
        }
        for part in parts {
            line.clear();
            lines.read_until(b'\n', &mut line)?;
            let Some(part) = *part else { continue };
            if let Some(counts) = &mut counted {
                counts.add(&serde_json::from_slice(&line)?, part);
            }
            files[part as usize].write(&line)?;
        }
    }
    let [train, validation, test] = files.map(Part::end);
    let [train, validation, test] = [train?, validation?, test?];
    let counts = Counts { train: train.1, validation: validation.1, test: test.1 };
    Ok(Some((version_hash([train.0, validation.0, test.0]), counts)))
}

struct Part {
    split: Split,
    out: BufWriter<File>,
    hasher: Sha256,
    n: u64,
}

impl Part {
    fn new(split: Split, file: File) -> Self {
        Self { split, out: BufWriter::with_capacity(1 << 18, file), hasher: Sha256::new(), n: 0 }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.n += 1;
        self.hasher.update(line);
        self.out.write_all(line)
    }

    fn end(mut self) -> io::Result<((Split, [u8; 32]), u64)> {
        self.out.flush()?;
        Ok(((self.split, self.hasher.finalize().into()), self.n))
    }
}

/// Puts the finished folder under its hash. The same content again only takes the new names.
fn place(dir: &Path, made: &Path, info: &DatasetInfo) -> Result<(), KeepError> {
    let place = dir.join(&info.version.0);
    let meta = serde_json::to_vec_pretty(info).map_err(|e| WriteError::new(&place, e.into()))?;
    let is_kept = crate::open(&place).is_ok_and(|kept| kept.verify().is_ok());
    if is_kept {
        atomic::write_whole(&place.join("meta.json"), &meta)?;
    } else {
        atomic::write_whole(&made.join("meta.json"), &meta)?;
        atomic::replace_folder(made, &place)?;
    }
    Ok(())
}
