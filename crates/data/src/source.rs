//! One file, wherever its bytes are: opened as often as needed, as bytes or as UTF-8 text.

use std::{
    cell::{Cell, OnceCell},
    fs::{self, File},
    io::{self, BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use flate2::read::MultiGzDecoder;

use crate::{
    Unreadable,
    encoding::{self, Decoding, Encoded},
};

/// Enough to tell a format, a delimiter and a magic number.
const HEAD: u64 = 1 << 16;

#[derive(Clone, Debug)]
pub(crate) enum Origin {
    File(PathBuf),
    Bytes(Arc<[u8]>),
}

/// A file to read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its name without its folder, as problems give it.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    encoded: OnceCell<Encoded>,
    /// Bytes of the file itself, packed as they may be, that were read since it was opened last.
    at: Rc<Cell<u64>>,
}

impl Source {
    pub(crate) fn file(path: &Path) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self { name, origin: Origin::File(path.to_owned()), encoded: OnceCell::new(), at: Rc::default() }
    }

    pub(crate) fn bytes(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            origin: Origin::Bytes(bytes.into()),
            encoded: OnceCell::new(),
            at: Rc::default(),
        }
    }

    fn is_gzip(&self) -> bool {
        self.name.to_ascii_lowercase().ends_with(".gz")
    }

    /// The name's ending in lower case, less `.gz`; empty if it has none.
    pub(crate) fn extension(&self) -> String {
        let name = self.name.to_ascii_lowercase();
        let inner = name.strip_suffix(".gz").unwrap_or(&name);
        inner.rsplit_once('.').map(|(_, ending)| ending.to_owned()).unwrap_or_default()
    }

    /// The bytes, unpacked where the file is packed by gzip.
    pub(crate) fn open(&self) -> Result<Box<dyn Read>, Unreadable> {
        let inner: Box<dyn Read> = match &self.origin {
            Origin::Bytes(bytes) => Box::new(Cursor::new(bytes.clone())),
            Origin::File(path) => Box::new(open_file(path)?),
        };
        self.at.set(0);
        let opened = Counted { inner, at: self.at.clone() };
        Ok(if self.is_gzip() {
            Box::new(MultiGzDecoder::new(BufReader::new(opened)))
        } else {
            Box::new(opened)
        })
    }

    /// The first bytes.
    pub(crate) fn head(&self) -> Result<Vec<u8>, Unreadable> {
        let mut head = Vec::new();
        self.open()?.take(HEAD).read_to_end(&mut head).map_err(|e| Unreadable::io(&self.name, e))?;
        Ok(head)
    }

    /// The content as valid UTF-8, whatever it was before.
    pub(crate) fn text(&self) -> Result<Box<dyn BufRead>, Unreadable> {
        const BUFFER: usize = 1 << 18;
        Ok(match self.encoded()? {
            Encoded::Utf8 => Box::new(BufReader::with_capacity(BUFFER, self.open()?)),
            Encoded::As(encoding) => {
                Box::new(BufReader::with_capacity(BUFFER, Decoding::new(self.open()?, encoding)))
            }
        })
    }

    /// The file's size in bytes; 0 where it is not known.
    pub(crate) fn size(&self) -> u64 {
        match &self.origin {
            Origin::Bytes(bytes) => bytes.len() as u64,
            Origin::File(path) => fs::metadata(path).map_or(0, |meta| meta.len()),
        }
    }

    /// How many of its bytes the reading that began last has taken.
    pub(crate) fn at(&self) -> u64 {
        self.at.get()
    }

    /// For formats that do not read from one end to the other: as if the reading were there.
    pub(crate) fn is_at(&self, bytes: u64) {
        self.at.set(bytes);
    }

    /// Whether some bytes may have been replaced on the way to UTF-8.
    pub(crate) fn may_be_repaired(&self) -> bool {
        matches!(self.encoded.get(), Some(Encoded::As(_)))
    }

    fn encoded(&self) -> Result<Encoded, Unreadable> {
        if let Some(known) = self.encoded.get() {
            return Ok(*known);
        }
        let found = encoding::detect(self.open()?).map_err(|e| Unreadable::io(&self.name, e))?;
        let Some(encoded) = found else {
            return Err(Unreadable::Binary {
                file: self.name.clone(),
                looks_like: looks_like(&self.head()?),
            });
        };
        Ok(*self.encoded.get_or_init(|| encoded))
    }
}

struct Counted {
    inner: Box<dyn Read>,
    at: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.at.set(self.at.get() + n as u64);
        Ok(n)
    }
}

fn open_file(path: &Path) -> Result<File, Unreadable> {
    File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing { path: path.to_owned() },
        io::ErrorKind::PermissionDenied => Unreadable::Forbidden { path: path.to_owned(), source },
        _ => Unreadable::io(&path.to_string_lossy(), source),
    })
}

/// What people drop by mistake, by its first bytes.
pub(crate) fn looks_like(head: &[u8]) -> &'static str {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "an Office document or a zip archive (save a sheet as CSV, or unpack the archive)"),
        (b"\xD0\xCF\x11\xE0", "an old Office document (save a sheet as CSV)"),
        (b"%PDF", "a PDF (save its text as .txt)"),
        (b"\x1F\x8B", "a gzip archive (unpack it, or let its name end in .gz)"),
        (b"\x28\xB5\x2F\xFD", "a zstd archive (unpack it)"),
        (b"\x89PNG", "a PNG image"),
        (b"\xFF\xD8\xFF", "a JPEG image"),
        (b"GGUF", "a model in GGUF format"),
        (b"SQLite format 3", "an SQLite database (export a table as CSV)"),
        (b"ARROW1", "an Arrow file (save it as Parquet)"),
        (b"\x7FELF", "a program"),
        (b"MZ", "a program"),
    ];
    KNOWN.iter().find(|(magic, _)| head.starts_with(magic)).map_or("a binary file", |(_, what)| what)
}
