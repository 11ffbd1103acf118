//! A matrix as its numbers, or as blocks of them.

use std::{ops::Range, sync::Arc};

use blocks::Format;
use burn::tensor::{DType, Device, Tensor};
use rayon::prelude::*;

use crate::{
    cube::{Words, rounded},
    exp::vectorised,
    primitive::{from_inner, is_processor, made, on_processor},
    table::looked_up,
};

/// The weight of a linear layer, `[out, in]`, or a table of rows.
// A model has few, and each stands beside tensors of that size.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Weight {
    /// Its numbers, which may learn; or frozen ones on an adapter, in f16.
    Plain(Tensor<2>),
    /// In blocks; frozen.
    Quantised(Quantised),
}

/// A frozen matrix in blocks that run along its rows, which lie one after another: on the processor, or, once they are
/// [sent there](Quantised::on), on a graphics adapter.
#[derive(Clone)]
pub struct Quantised {
    lies: Lies,
    blocks: Blocks,
    /// What lies there as rows are columns.
    turned: bool,
    /// What its products are made in.
    dtype: DType,
}

/// A matrix as it lies in blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lies {
    pub(crate) format: Format,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
}

impl Lies {
    /// Its numbers.
    pub(crate) fn n(self) -> usize {
        self.rows.saturating_mul(self.cols)
    }

    /// The bytes of its blocks, if they can be counted.
    pub(crate) fn n_bytes(self) -> Option<usize> {
        self.rows.checked_mul(self.cols).and_then(|n| self.format.bytes_of(n))
    }
}

/// Where blocks are.
#[derive(Clone)]
enum Blocks {
    Here(Arc<Vec<u8>>),
    There(Arc<Words>),
}

impl Quantised {
    /// Of blocks as they lie in a file. None if there are not as many as `rows · cols` numbers take.
    pub fn new(format: Format, [rows, cols]: [usize; 2], bytes: Vec<u8>) -> Option<Self> {
        let lies = Lies { format, rows, cols };
        let blocks = (lies.n_bytes() == Some(bytes.len())).then(|| Blocks::Here(Arc::new(bytes)));
        Some(Self { lies, blocks: blocks?, turned: false, dtype: DType::F32 })
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

    /// The same on `device`, an adapter to which its bytes are sent, or the processor, where they are. None if an adapter
    /// cannot count so many numbers, or if they have left the processor before.
    pub fn on(self, device: &Device) -> Option<Self> {
        let Blocks::Here(bytes) = &self.blocks else { return None };
        if is_processor(device) {
            return Some(self);
        }
        let blocks = Blocks::There(Arc::new(Words::sent(self.lies, bytes, device)?));
        Some(Self { blocks, ..self })
    }

    /// The same, its products made in f16 where it lies on an adapter, which must have them.
    #[must_use]
    pub fn in_half(self) -> Self {
        match self.blocks {
            Blocks::Here(_) => self,
            Blocks::There(_) => Self { dtype: DType::F16, ..self },
        }
    }

    /// Where its blocks are.
    pub fn device(&self) -> Device {
        match &self.blocks {
            Blocks::Here(_) => Device::flex(),
            Blocks::There(words) => words.device().clone(),
        }
    }

    /// The kind of block.
    pub fn format(&self) -> Format {
        self.lies.format
    }

    /// Bytes of its blocks.
    pub fn n_bytes(&self) -> usize {
        self.lies.n_bytes().unwrap_or_default()
    }

    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        let Lies { rows, cols, .. } = self.lies;
        if self.turned { [cols, rows] } else { [rows, cols] }
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
        [self.lies.rows, self.lies.cols]
    }

    /// Its blocks, row after row as they lie.
    ///
    /// # Panics
    /// If they lie on an adapter.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.blocks {
            Blocks::Here(bytes) => bytes,
            Blocks::There(_) => panic!("the operands of an operation lie on one device"),
        }
    }

    /// Its blocks on an adapter, where they run along the inputs.
    pub(crate) fn along_inputs(&self) -> Option<(&Words, Lies)> {
        match &self.blocks {
            Blocks::There(words) if !self.turned => Some((words, self.lies)),
            _ => None,
        }
    }

    /// The numbers of the rows from `from` on, as they lie, on this thread.
    pub(crate) fn decode_rows(&self, from: usize, to: &mut [f32]) {
        let (format, bytes, at) = (self.lies.format, self.bytes(), from * self.lies.cols);
        vectorised(
            #[inline(always)]
            || format.decode_from(bytes, at, to),
        );
    }

    /// The blocks of these rows as they lie, row after row, where none is of two rows.
    pub(crate) fn whole_rows(&self, rows: Range<usize>) -> Option<impl Iterator<Item = &[u8]>> {
        let Lies { format, cols, .. } = self.lies;
        if !cols.is_multiple_of(format.numbers()) {
            return None;
        }
        let step = cols / format.numbers() * format.bytes();
        let bytes = self.bytes().get(rows.start * step..rows.end * step)?;
        Some(bytes.chunks_exact(step.max(1)))
    }

    /// The numbers of some rows as they lie, where they lie; on the processor they are f32.
    fn decoded(&self, rows: Range<usize>, dtype: DType) -> Tensor<2> {
        let cols = self.lies.cols;
        if let Blocks::There(words) = &self.blocks {
            return words.decoded(self.lies, rows, dtype);
        }
        let mut numbers = vec![0.0; rows.len() * cols];
        let share = rows.len().div_ceil(rayon::current_num_threads().max(1)).max(1);
        let pieces = numbers.par_chunks_mut((share * cols).max(1)).enumerate();
        pieces.for_each(|(i, numbers)| self.decode_rows(rows.start + i * share, numbers));
        from_inner(made(numbers, [rows.len(), cols]))
    }

    /// The numbers of the rows called `rows` as they lie.
    fn chosen(&self, rows: &[u32]) -> Tensor<2> {
        if let Blocks::There(words) = &self.blocks {
            return words.chosen(self.lies, rows);
        }
        let Lies { rows: n, cols, .. } = self.lies;
        assert!(rows.iter().all(|row| (*row as usize) < n), "rows are in the table");
        let mut numbers = vec![0.0; rows.len() * cols];
        for (row, numbers) in rows.iter().zip(numbers.chunks_exact_mut(cols.max(1))) {
            self.decode_rows(*row as usize, numbers);
        }
        from_inner(made(numbers, [rows.len(), cols]))
    }

    /// Its numbers as a tensor.
    fn to_tensor(&self, dtype: DType) -> Tensor<2> {
        let tensor = self.decoded(0..self.lies.rows, dtype);
        if self.turned { tensor.transpose() } else { tensor }
    }
}

/// Its blocks are no reading.
impl std::fmt::Debug for Quantised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {:?}", self.lies.format, self.dims())
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
            Self::Quantised(blocks) => blocks.device(),
        }
    }

    /// Its numbers, unless they lie in blocks or are rounded: those that may learn.
    pub fn plain(&self) -> Option<&Tensor<2>> {
        match self {
            Self::Plain(tensor) if self.works_in() == DType::F32 => Some(tensor),
            Self::Plain(_) | Self::Quantised(_) => None,
        }
    }

    /// What the products of its layer are made in on an adapter: f16 where it lies so, or blocks say so, else f32.
    pub fn works_in(&self) -> DType {
        match self {
            Self::Plain(tensor) if tensor.dtype() == DType::F16 => DType::F16,
            Self::Plain(_) => DType::F32,
            Self::Quantised(blocks) => blocks.dtype,
        }
    }

    /// Its numbers in f32: all of them at once, where they lie otherwise.
    pub fn to_tensor(&self) -> Tensor<2> {
        match self {
            Self::Plain(tensor) if self.works_in() == DType::F16 => rounded(tensor.clone(), DType::F32),
            Self::Plain(tensor) => tensor.clone(),
            Self::Quantised(blocks) => blocks.to_tensor(DType::F32),
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
                let rows =
                    tensor.clone().select(0, Tensor::from_data(index, &tensor.device().without_autodiff()));
                if self.works_in() == DType::F16 { rounded(rows, DType::F32) } else { rows }
            }
            Self::Quantised(blocks) if blocks.turned => {
                Self::Plain(blocks.to_tensor(DType::F32)).select(rows)
            }
            Self::Quantised(blocks) => blocks.chosen(rows),
        }
    }

    /// Rows that take no more than `most` numbers, and at least one: all of them, where nothing is decoded for them or all is.
    pub(crate) fn rows_at_once(&self, most: usize) -> usize {
        let [rows, cols] = self.dims();
        match self {
            Self::Quantised(blocks) if !blocks.turned => (most / cols.max(1)).clamp(1, rows.max(1)),
            _ => rows.max(1),
        }
    }

    /// Rows that stand one behind another, in `dtype` where they are made for this; blocks that run along the columns are
    /// decoded whole.
    pub(crate) fn rows(&self, rows: Range<usize>, dtype: DType) -> Tensor<2> {
        let all = rows.len() == self.dims()[0];
        let whole = match self {
            Self::Quantised(blocks) if !blocks.turned => return blocks.decoded(rows, dtype),
            Self::Quantised(blocks) => blocks.to_tensor(dtype),
            Self::Plain(tensor) => tensor.clone(),
        };
        if all { whole } else { whole.narrow(0, rows.start, rows.len()) }
    }
}

impl From<Tensor<2>> for Weight {
    fn from(tensor: Tensor<2>) -> Self {
        Self::Plain(tensor)
    }
}
