//! A matrix as its numbers, or as blocks of them.

use std::{ops::Range, sync::Arc};

use blocks::Format;
use burn::{
    backend::DType,
    tensor::{Device, Tensor},
};
use rayon::prelude::*;

use crate::{
    cube::rounded,
    exp::vectorised,
    primitive::{from_inner, made, on_processor},
    table::looked_up,
};

/// The weight of a linear layer, `[out, in]`, or a table of rows.
// A model has few, and each stands beside tensors of that size.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Weight {
    /// Its numbers, which may learn; or frozen ones on an adapter, in f16.
    Plain(Tensor<2>),
    /// In blocks, on the processor; frozen.
    Quantised(Quantised),
}

/// A frozen matrix in blocks that run along its rows, which lie one after another.
#[derive(Clone)]
pub struct Quantised {
    format: Format,
    /// As they lie there.
    rows: usize,
    cols: usize,
    bytes: Arc<Vec<u8>>,
    /// What lies there as rows are columns.
    turned: bool,
}

impl Quantised {
    /// Of blocks as they lie in a file. None if there are not as many as `rows · cols` numbers take.
    pub fn new(format: Format, [rows, cols]: [usize; 2], bytes: Vec<u8>) -> Option<Self> {
        let wanted = rows.checked_mul(cols).and_then(|n| format.bytes_of(n));
        (wanted == Some(bytes.len())).then(|| Self {
            format,
            rows,
            cols,
            bytes: Arc::new(bytes),
            turned: false,
        })
    }

    /// Of numbers, row after row. None if there are not `rows · cols` of them, or the format is one that is only read.
    pub fn made(format: Format, [rows, cols]: [usize; 2], numbers: &[f32]) -> Option<Self> {
        /// Whole blocks of every format.
        const SHARE: usize = 1 << 16;
        if rows.checked_mul(cols) != Some(numbers.len()) {
            return None;
        }
        let pieces: Option<Vec<Vec<u8>>> = numbers
            .par_chunks(SHARE)
            .map(|numbers| {
                vectorised(
                    #[inline(always)]
                    || format.make(numbers),
                )
            })
            .collect();
        Self::new(format, [rows, cols], pieces?.concat())
    }

    /// The kind of block.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bytes of its blocks.
    pub fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        if self.turned { [self.cols, self.rows] } else { [self.rows, self.cols] }
    }

    /// Rows as columns.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { turned: !self.turned, ..self }
    }

    /// That blocks run along the columns.
    pub(crate) fn is_turned(&self) -> bool {
        self.turned
    }

    /// Rows and columns as they lie.
    pub(crate) fn lies(&self) -> [usize; 2] {
        [self.rows, self.cols]
    }

    /// Its blocks, row after row as they lie.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The numbers of the rows from `from` on, as they lie, on this thread.
    pub(crate) fn decode_rows(&self, from: usize, to: &mut [f32]) {
        let (format, bytes, at) = (self.format, self.bytes.as_slice(), from * self.cols);
        vectorised(
            #[inline(always)]
            || format.decode_from(bytes, at, to),
        );
    }

    /// The blocks of these rows as they lie, row after row, where none is of two rows.
    pub(crate) fn whole_rows(&self, rows: Range<usize>) -> Option<impl Iterator<Item = &[u8]>> {
        if !self.cols.is_multiple_of(self.format.numbers()) {
            return None;
        }
        let step = self.cols / self.format.numbers() * self.format.bytes();
        let bytes = self.bytes.get(rows.start * step..rows.end * step)?;
        Some(bytes.chunks_exact(step.max(1)))
    }

    /// Its numbers as a tensor of the processor.
    fn to_tensor(&self) -> Tensor<2> {
        let [rows, cols] = self.lies();
        let mut numbers = vec![0.0; rows * cols];
        let share = rows.div_ceil(rayon::current_num_threads().max(1)).max(1);
        let pieces = numbers.par_chunks_mut((share * cols).max(1)).enumerate();
        pieces.for_each(|(i, numbers)| self.decode_rows(i * share, numbers));
        let tensor = from_inner(made(numbers, [rows, cols]));
        if self.turned { tensor.transpose() } else { tensor }
    }
}

/// Its blocks are no reading.
impl std::fmt::Debug for Quantised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {:?}", self.format, self.dims())
    }
}

impl Weight {
    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        match self {
            Self::Plain(tensor) => tensor.dims(),
            Self::Quantised(blocks) => blocks.dims(),
        }
    }

    /// Rows as columns; nothing is moved.
    #[must_use]
    pub fn transpose(self) -> Self {
        match self {
            Self::Plain(tensor) => Self::Plain(tensor.transpose()),
            Self::Quantised(blocks) => Self::Quantised(blocks.transposed()),
        }
    }

    /// Where it lies.
    pub fn device(&self) -> Device {
        match self {
            Self::Plain(tensor) => tensor.device(),
            Self::Quantised(_) => Device::flex(),
        }
    }

    /// Its numbers, unless they lie in blocks or are rounded: those that may learn.
    pub fn plain(&self) -> Option<&Tensor<2>> {
        match self {
            Self::Plain(tensor) if self.works_in() == DType::F32 => Some(tensor),
            Self::Plain(_) | Self::Quantised(_) => None,
        }
    }

    /// What the products of its layer are made in on an adapter: f16 where it lies so, else f32.
    pub fn works_in(&self) -> DType {
        match self {
            Self::Plain(tensor) if tensor.dtype() == DType::F16 => DType::F16,
            Self::Plain(_) | Self::Quantised(_) => DType::F32,
        }
    }

    /// Its numbers in f32: all of them at once, where they lie otherwise.
    pub fn to_tensor(&self) -> Tensor<2> {
        match self {
            Self::Plain(tensor) if self.works_in() == DType::F16 => rounded(tensor.clone(), DType::F32),
            Self::Plain(tensor) => tensor.clone(),
            Self::Quantised(blocks) => blocks.to_tensor(),
        }
    }

    /// The same, in no graph.
    #[must_use]
    pub fn without_autodiff(self) -> Self {
        match self {
            Self::Plain(tensor) => Self::Plain(tensor.without_autodiff()),
            blocks @ Self::Quantised(_) => blocks,
        }
    }

    /// The rows called `rows`, in their order.
    ///
    /// - `[rows, cols]`
    ///
    /// # Panics
    /// If one is beyond the last.
    pub fn select(&self, rows: &[u32]) -> Tensor<2> {
        match self {
            Self::Plain(tensor) if on_processor(tensor) => looked_up(tensor, rows),
            Self::Plain(tensor) => {
                let index: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
                let index = burn::tensor::TensorData::new(index, [rows.len()]);
                let rows = tensor.clone().select(0, Tensor::from_data(index, &tensor.device().without_autodiff()));
                if self.works_in() == DType::F16 { rounded(rows, DType::F32) } else { rows }
            }
            Self::Quantised(blocks) if blocks.turned => Self::Plain(blocks.to_tensor()).select(rows),
            Self::Quantised(blocks) => {
                assert!(rows.iter().all(|row| (*row as usize) < blocks.rows), "rows are in the table");
                let mut numbers = vec![0.0; rows.len() * blocks.cols];
                for (row, numbers) in rows.iter().zip(numbers.chunks_exact_mut(blocks.cols.max(1))) {
                    blocks.decode_rows(*row as usize, numbers);
                }
                from_inner(made(numbers, [rows.len(), blocks.cols]))
            }
        }
    }
}

impl From<Tensor<2>> for Weight {
    fn from(tensor: Tensor<2>) -> Self {
        Self::Plain(tensor)
    }
}
