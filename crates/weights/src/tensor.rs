//! One tensor of an open checkpoint, and its numbers as f32.

use std::borrow::Cow;

use blocks::Format;
use rayon::prelude::*;

use crate::{Dtype, WeightsError, gguf::dequantise, write::Float};

/// How many numbers one thread reads at a time; whole blocks of every dtype.
const PARALLEL_FROM: usize = 1 << 16;

/// A tensor of an open checkpoint: its name and shape, and the way to its numbers.
#[derive(Clone, Debug)]
pub struct TensorView<'a> {
    /// Hugging Face's name.
    pub name: String,
    /// Row-major, outermost axis first, as Hugging Face has it: a linear layer is `[out, in]`.
    pub shape: Vec<usize>,
    /// How the file stores the numbers.
    pub dtype: Dtype,
    pub(crate) bytes: &'a [u8],
    pub(crate) stored: Stored,
}

/// A matrix whose numbers share scales, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks<'a> {
    /// The kind of block.
    pub format: Format,
    /// Rows and columns as the blocks lie, which run along the rows. Whole blocks make a row.
    pub lies: [usize; 2],
    /// They lie as columns what Hugging Face has as rows.
    pub turned: bool,
    /// All blocks, row after row. Rows are in Hugging Face's order.
    pub bytes: Cow<'a, [u8]>,
}

/// What a file did to a tensor before it stored it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Nothing: it is as Hugging Face has it.
    Plain,
    /// Per head, the two halves that rotary embedding pairs are interleaved: the file's row `2j + i` of a head is
    /// Hugging Face's row `i·head_dim/2 + j`.
    Interleaved {
        /// Rows of one head; even.
        head_dim: usize,
    },
    /// It turned a matrix: the file's columns are Hugging Face's rows.
    Turned,
    /// It added one to each number, of a format that has each number for itself.
    OneMore,
}

/// The file's row that holds Hugging Face's row `row`, where heads are interleaved.
fn interleaved(row: usize, head_dim: usize) -> usize {
    let (head, within) = (row / head_dim, row % head_dim);
    let (half, pair) = (within / (head_dim / 2), within % (head_dim / 2));
    head * head_dim + 2 * pair + half
}

/// `[columns, rows]` of `of`, which is `[rows, columns]`.
fn turned<T: Copy>(of: &[T], columns: usize, out: &mut [T]) {
    let rows = of.len() / columns.max(1);
    for (column, out) in out.chunks_exact_mut(rows.max(1)).enumerate() {
        for (row, out) in out.iter_mut().enumerate() {
            *out = of[row * columns + column];
        }
    }
}

impl<'a> TensorView<'a> {
    /// How many numbers.
    pub fn n_numbers(&self) -> usize {
        self.shape.iter().product() // checked against the bytes when the file was opened
    }

    /// The numbers, row-major, dequantised exactly as ggml's reference does.
    ///
    /// # Errors
    /// [`WeightsError::NotFloat`] for integers, booleans and 8-bit floats.
    pub fn to_f32(&self) -> Result<Vec<f32>, WeightsError> {
        self.check_float()?;
        let mut numbers = vec![0.0; self.n_numbers()];
        self.read_f32_into(&mut numbers)?;
        Ok(numbers)
    }

    /// The same as [`TensorView::to_f32`], into a place that is already there.
    ///
    /// # Errors
    /// [`WeightsError::NotFloat`]; [`WeightsError::WrongLength`] if `out` is not as long as the tensor.
    pub fn read_f32_into(&self, out: &mut [f32]) -> Result<(), WeightsError> {
        self.check_float()?;
        let holds = self.n_numbers();
        if out.len() != holds {
            return Err(WeightsError::WrongLength { name: self.name.clone(), holds, wanted: out.len() });
        }
        if out.is_empty() {
            return Ok(());
        }
        match self.stored {
            Stored::Plain => self.read_in_order(out),
            Stored::OneMore => {
                self.read_in_order(out);
                out.iter_mut().for_each(|number| *number -= 1.0);
            }
            Stored::Turned => {
                let mut other_way = vec![0.0; out.len()];
                self.read_in_order(&mut other_way);
                turned(&other_way, self.shape[0], out);
            }
            Stored::Interleaved { head_dim } => {
                let width = self.width();
                let task_len = PARALLEL_FROM.div_ceil(width) * width;
                out.par_chunks_mut(task_len).enumerate().for_each(|(task, out)| {
                    for (row, out) in out.chunks_mut(width).enumerate() {
                        let row = interleaved(task * task_len / width + row, head_dim);
                        dequantise(self.dtype, self.part(row * width, width), out);
                    }
                });
            }
        }
        Ok(())
    }

    /// The numbers in the order of the file.
    fn read_in_order(&self, out: &mut [f32]) {
        out.par_chunks_mut(PARALLEL_FROM).enumerate().for_each(|(task, out)| {
            dequantise(self.dtype, self.part(task * PARALLEL_FROM, out.len()), out);
        });
    }

    /// The stored bytes, little-endian, in Hugging Face's order: what a copy into another file needs. Numbers that share
    /// a block cannot be turned, and stay in the file's order.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        let whole = self.dtype.block_len() == 1;
        match self.stored {
            _ if self.bytes.is_empty() => Cow::Borrowed(self.bytes),
            Stored::Interleaved { head_dim } => {
                let width = self.width();
                let rows = (0..self.n_numbers() / width).map(|row| interleaved(row, head_dim));
                Cow::Owned(rows.flat_map(|row| self.part(row * width, width)).copied().collect())
            }
            Stored::Turned if whole => {
                let numbers: Vec<&[u8]> = self.bytes.chunks_exact(self.dtype.block_bytes()).collect();
                let mut other_way = numbers.clone();
                turned(&numbers, self.shape[0], &mut other_way);
                Cow::Owned(other_way.concat())
            }
            Stored::OneMore => match (self.to_f32(), self.dtype) {
                (Ok(numbers), Dtype::F32) => Cow::Owned(Float::F32.encode(&numbers)),
                (Ok(numbers), Dtype::F16) => Cow::Owned(Float::F16.encode(&numbers)),
                (Ok(numbers), Dtype::BF16) => Cow::Owned(Float::BF16.encode(&numbers)),
                _ => Cow::Borrowed(self.bytes),
            },
            Stored::Plain | Stored::Turned => Cow::Borrowed(self.bytes),
        }
    }

    /// The matrix without decoding it. None where each number stands for itself, or the tensor is no matrix.
    pub fn blocks(&self) -> Option<Blocks<'a>> {
        let (format, [rows, cols]) = (self.dtype.blocks()?, self.shape.as_slice().try_into().ok()?);
        let turned = self.stored == Stored::Turned;
        let lies = if turned { [cols, rows] } else { [rows, cols] };
        Some(Blocks { format, lies, turned, bytes: self.bytes() })
    }

    /// Numbers in a row, which is what rotary order moves: all but the outermost axis.
    fn width(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// The bytes of `len` numbers from number `from` on, both whole blocks, in the file's order.
    fn part(&self, from: usize, len: usize) -> &'a [u8] {
        let bytes = |numbers: usize| numbers / self.dtype.block_len() * self.dtype.block_bytes();
        &self.bytes[bytes(from)..][..bytes(len)]
    }

    fn check_float(&self) -> Result<(), WeightsError> {
        match self.dtype.is_float() {
            true => Ok(()),
            false => Err(WeightsError::NotFloat { name: self.name.clone(), dtype: self.dtype }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view<'a>(shape: &[usize], bytes: &'a [u8], stored: Stored) -> TensorView<'a> {
        TensorView { name: "t".into(), shape: shape.to_vec(), dtype: Dtype::F32, bytes, stored }
    }

    /// Hugging Face's rows, reordered as the converter to GGUF does it: `[heads, 2, head_dim/2]`, middle two swapped.
    fn interleave(rows: &[f32], heads: usize, width: usize) -> Vec<f32> {
        let half = rows.len() / width / heads / 2;
        let mut out = Vec::new();
        for head in 0..heads {
            for pair in 0..half {
                for i in 0..2 {
                    let row = (head * 2 + i) * half + pair;
                    out.extend_from_slice(&rows[row * width..][..width]);
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn interleaved_rows_come_back_in_hugging_face_order(heads in 1usize..4, half in 1usize..5, width in 1usize..4) {
            let rows = heads * 2 * half;
            let numbers: Vec<f32> = (0..rows * width).map(|n| n as f32).collect();
            let stored: Vec<u8> = interleave(&numbers, heads, width).iter().flat_map(|n| n.to_le_bytes()).collect();
            let view = view(&[rows, width], &stored, Stored::Interleaved { head_dim: 2 * half });
            prop_assert_eq!(view.to_f32().unwrap(), numbers.clone());
            let plain: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            prop_assert_eq!(view.bytes().into_owned(), plain);
        }

        #[test]
        fn a_tensor_read_by_many_threads_is_read_in_order(rows in 1usize..5, width in 60_000usize..70_000) {
            let numbers: Vec<f32> = (0..rows * width).map(|n| n as f32).collect();
            let stored: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            prop_assert_eq!(view(&[rows, width], &stored, Stored::Plain).to_f32().unwrap(), numbers);
        }
    }

    #[test]
    fn blocks_of_interleaved_rows_come_in_hugging_face_order() {
        let rows: Vec<Vec<u8>> = (0..4).map(|row| vec![row; 34]).collect();
        let stored = [0, 2, 1, 3].map(|row: usize| rows[row].clone()).concat();
        let view = TensorView {
            dtype: Dtype::Block(Format::Q8_0),
            ..view(&[4, 32], &stored, Stored::Interleaved { head_dim: 4 })
        };
        let blocks = view.blocks().unwrap();
        assert_eq!((blocks.format, blocks.lies, blocks.turned), (Format::Q8_0, [4, 32], false));
        assert_eq!(*blocks.bytes, *rows.concat());
        let mut decoded = vec![0.0; 128];
        blocks.format.decode(&blocks.bytes, &mut decoded);
        assert_eq!(decoded, view.to_f32().unwrap());
    }

    #[test]
    fn blocks_of_a_turned_matrix_say_so() {
        let stored: Vec<u8> = (0..2 * 34).collect();
        let view =
            TensorView { dtype: Dtype::Block(Format::Q8_0), ..view(&[32, 2], &stored, Stored::Turned) };
        let blocks = view.blocks().unwrap();
        assert_eq!((blocks.lies, blocks.turned, &*blocks.bytes), ([2, 32], true, &*stored));
        assert_eq!(TensorView { dtype: Dtype::F32, ..view.clone() }.blocks(), None);
        assert_eq!(TensorView { shape: vec![64], ..view }.blocks(), None, "no matrix");
    }

    #[test]
    fn a_place_of_another_length_is_refused() {
        let bytes = [0; 8];
        let failed = view(&[2], &bytes, Stored::Plain).read_f32_into(&mut [0.0; 3]);
        assert!(matches!(failed, Err(WeightsError::WrongLength { holds: 2, wanted: 3, .. })));
    }
}
