//! A cursor over a header's bytes; every read is checked against what is left.

use crate::Fault;

pub(super) struct Reader<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a [u8]) -> Reader<'a> {
        Reader { file, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let left = self.file.len() - self.at;
        if len > left {
            return Err(Fault::TruncatedHeader { missing: (len - left) as u64 });
        }
        let taken = &self.file[self.at..][..len];
        self.at += len;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }

    /// A count of things that take at least `each` bytes of this file: one that cannot fit is no count.
    pub(super) fn count(&mut self, each: usize) -> Result<usize, Fault> {
        let count = self.u64()?;
        let left = self.file.len() - self.at;
        match usize::try_from(count).ok().and_then(|count| count.checked_mul(each)) {
            Some(bytes) if bytes <= left => Ok(count as usize),
            Some(bytes) => Err(Fault::TruncatedHeader { missing: (bytes - left) as u64 }),
            None => Err(Fault::header(format!("it counts {count} entries"))),
        }
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Fault> {
        let len = self.count(1)?;
        std::str::from_utf8(self.take(len)?).map_err(|_| Fault::header("a name or text in it is not UTF-8"))
    }
}
