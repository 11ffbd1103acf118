//! How far an export is, and whether it should go on.

use std::{
    cell::{Cell, RefCell},
    ops::ControlFlow,
};

use crate::ExportError;

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Tensors are written.
    Writing {
        /// So many are.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// Tensors are read from the disk again and compared with what they should be.
    ReadingBack {
        /// So many are.
        done: u64,
        /// Of so many.
        total: u64,
    },
}

/// Told how far it is; `Break` cancels.
pub type Watch<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// Counts tensors for a [`Watch`], also from within closures that are called one after another.
pub(crate) struct Tally<'a> {
    watch: RefCell<&'a mut Watch<'a>>,
    total: u64,
    written: Cell<u64>,
    read: Cell<u64>,
    cancelled: Cell<bool>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(total: usize, watch: &'a mut Watch<'a>) -> Self {
        let [written, read] = [Cell::new(0), Cell::new(0)];
        Self { watch: RefCell::new(watch), total: total as u64, written, read, cancelled: Cell::new(false) }
    }

    /// Another tensor is made and goes to the disk.
    pub(crate) fn writes(&self) -> Result<(), ExportError> {
        let done = next(&self.written);
        self.tell(Progress::Writing { done, total: self.total })
    }

    /// Another tensor came back as it should.
    pub(crate) fn has_read(&self) -> Result<(), ExportError> {
        let done = next(&self.read);
        self.tell(Progress::ReadingBack { done, total: self.total })
    }

    /// `failed`, unless that came of cancelling: the layers between know nothing of it.
    pub(crate) fn because(&self, failed: ExportError) -> ExportError {
        if self.cancelled.get() { ExportError::Cancelled } else { failed }
    }

    fn tell(&self, progress: Progress) -> Result<(), ExportError> {
        match (self.watch.borrow_mut())(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                self.cancelled.set(true);
                Err(ExportError::Cancelled)
            }
        }
    }
}

fn next(count: &Cell<u64>) -> u64 {
    count.set(count.get() + 1);
    count.get()
}
