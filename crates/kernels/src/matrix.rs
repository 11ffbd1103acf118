//! Matrices as views of slices, and their product.

use gemm::Parallelism;

use crate::trace::counted;

/// A matrix in a slice: element `(i, j)` lies at `i·row + j·col`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row: usize,
    col: usize,
}

/// The same, to write to.
#[derive(Debug)]
pub(crate) struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    row: usize,
}

/// Whether the last element of such a matrix lies within `len` numbers.
fn fits(len: usize, [rows, cols]: [usize; 2], [row, col]: [usize; 2]) -> bool {
    rows == 0 || cols == 0 || (rows - 1) * row + (cols - 1) * col < len
}

impl<'a> Matrix<'a> {
    /// With strides of one's own.
    pub(crate) fn new(data: &'a [f32], [rows, cols]: [usize; 2], [row, col]: [usize; 2]) -> Self {
        assert!(fits(data.len(), [rows, cols], [row, col]), "a matrix lies within its slice");
        Self { data, rows, cols, row, col }
    }

    /// Rows one after another.
    pub(crate) fn of(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, [rows, cols], [cols, 1])
    }

    pub(crate) fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row: self.col, col: self.row, ..self }
    }

    pub(crate) fn rows(self, from: usize, n: usize) -> Self {
        if n == 0 {
            return Self { data: &[], rows: 0, ..self };
        }
        Self::new(&self.data[from * self.row..], [n, self.cols], [self.row, self.col])
    }

    pub(crate) fn columns(self, from: usize, n: usize) -> Self {
        self.transposed().rows(from, n).transposed()
    }
}

impl<'a> Matrix<'a> {
    pub(crate) fn n_rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn n_cols(&self) -> usize {
        self.cols
    }

    /// A row's numbers side by side: where they lie, or else copied into `scratch`.
    pub(crate) fn line<'b>(&self, i: usize, scratch: &'b mut Vec<f32>) -> &'b [f32]
    where
        'a: 'b,
    {
        let numbers = &self.data[i * self.row..];
        if self.col == 1 {
            return &numbers[..self.cols];
        }
        scratch.clear();
        scratch.extend(numbers.iter().step_by(self.col).take(self.cols));
        scratch
    }

    /// Row after row, where each one's numbers lie side by side.
    pub(crate) fn lines(self) -> Option<impl Iterator<Item = &'a [f32]>> {
        let Self { data, rows, cols, row, col } = self;
        (col == 1).then(move || (0..rows).map(move |i| &data[i * row..][..cols]))
    }
}

impl<'a> MatrixMut<'a> {
    /// Rows of `cols` numbers, each `row` after the one before.
    pub(crate) fn new(data: &'a mut [f32], [rows, cols]: [usize; 2], row: usize) -> Self {
        assert!(cols <= row || rows <= 1, "rows do not overlap");
        assert!(fits(data.len(), [rows, cols], [row, 1]), "a matrix lies within its slice");
        Self { data, rows, cols, row }
    }

    /// Rows one after another.
    pub(crate) fn of(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, [rows, cols], cols)
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn n_cols(&self) -> usize {
        self.cols
    }

    /// Its numbers, and how many there are from one row to the next.
    pub(crate) fn into_slice(self) -> (&'a mut [f32], usize) {
        (self.data, self.row)
    }

    /// Some of its columns.
    pub(crate) fn columns(&mut self, from: usize, n: usize) -> MatrixMut<'_> {
        assert!(from + n <= self.cols, "columns are the matrix's own");
        if self.rows == 0 || n == 0 {
            return MatrixMut { data: &mut [], rows: self.rows, cols: n, row: self.row };
        }
        MatrixMut::new(&mut self.data[from..], [self.rows, n], self.row)
    }
}

/// What becomes of what stood in the place of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum There {
    Replaced,
    AddedTo,
}

/// `to = scale·a·b`, or `to += scale·a·b`, on this thread.
pub(crate) fn product(to: MatrixMut<'_>, there: There, a: Matrix<'_>, b: Matrix<'_>, scale: f32) {
    assert_eq!([to.rows, to.cols, a.cols], [a.rows, b.cols, b.rows], "shapes of a product agree");
    if to.rows == 0 || to.cols == 0 {
        return;
    }
    let add = there == There::AddedTo;
    let signed = |stride: usize| stride as isize;
    // SAFETY: each view was checked to lie within its slice, and `to` is borrowed alone.
    counted(2 * to.rows * to.cols * a.cols, || unsafe {
        gemm::gemm(
            to.rows,
            to.cols,
            a.cols,
            to.data.as_mut_ptr(),
            1,
            signed(to.row),
            add,
            a.data.as_ptr(),
            signed(a.col),
            signed(a.row),
            b.data.as_ptr(),
            signed(b.col),
            signed(b.row),
            1.0f32,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_that_of_plain_loops_in_every_layout() {
        let numbers = |n: usize, w: f32| (0..n).map(|i| (i as f32 * w).sin()).collect::<Vec<_>>();
        for [m, n, k] in [[1, 1, 1], [3, 5, 7], [17, 33, 20], [64, 8, 100], [4, 4, 0]] {
            let (a, b) = (numbers(m * k, 0.7), numbers(k * n, 0.3));
            for flipped in [false, true] {
                let left = match flipped {
                    false => Matrix::of(&a, m, k),
                    true => Matrix::of(&a, k, m).transposed(),
                };
                let right = match flipped {
                    false => Matrix::of(&b, n, k).transposed(),
                    true => Matrix::of(&b, k, n),
                };
                let row = n + 3;
                let mut to = vec![1.0; m * row];
                product(MatrixMut::new(&mut to, [m, n], row), There::AddedTo, left, right, 0.5);
                for i in 0..m {
                    for j in 0..n {
                        let at = |x: usize| match flipped {
                            false => a[i * k + x] * b[j * k + x],
                            true => a[x * m + i] * b[x * n + j],
                        };
                        let truth = 1.0 + 0.5 * (0..k).map(at).sum::<f32>();
                        assert!((to[i * row + j] - truth).abs() < 1e-5, "{m}x{n}x{k} at {i},{j}");
                    }
                    assert!(to[i * row + n..(i + 1) * row].iter().all(|x| *x == 1.0), "beside it");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a matrix lies within its slice")]
    fn a_matrix_beyond_its_slice_is_refused() {
        Matrix::of(&[0.0; 5], 2, 3);
    }
}
