//! Both forms of a product in bfloat16 beside the sums of the same rounded numbers in f64.

use super::*;

/// Numbers that look like chance, some of them small, and in no way whole.
fn some(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    (0..n)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let x = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            if i % 7 == 0 { x * 1e-3 } else { x }
        })
        .collect()
}

fn matrix(shape: [usize; 2], numbers: &[f32]) -> Quantised {
    Quantised::made(Format::Bf16, shape, numbers).unwrap()
}

/// The sums of the rounded numbers in f64, and those of their sizes.
fn truth(x: Matrix<'_>, matrix: &[f32], outs: usize, way: Way) -> Vec<[f64; 2]> {
    let round = |x: f32| f64::from(of_bf16(to_bf16(x)));
    let (depth, mut scratch) = (x.n_cols(), Vec::new());
    let mut all = Vec::new();
    for i in 0..x.n_rows() {
        let left = x.line(i, &mut scratch).to_vec();
        for j in 0..outs {
            let right = |k: usize| match way {
                Way::Across => matrix[j * depth + k],
                Way::Along => matrix[k * outs + j],
            };
            let products = left.iter().enumerate().map(|(k, x)| round(*x) * round(right(k)));
            all.push(products.fold([0.0; 2], |[sum, size], x| [sum + x, size + x.abs()]));
        }
    }
    all
}

const SHAPES: [[usize; 3]; 13] = [
    [1, 1, 1],
    [1, 576, 192],
    [2, 3, 5],
    [3, 2, 47],
    [7, 33, 48],
    [8, 32, 49],
    [9, 31, 96],
    [13, 100, 65],
    [17, 769, 16],
    [5, 1600, 50],
    [64, 768, 48],
    [0, 5, 5],
    [4, 6, 0],
];

/// Each form, and by what name.
type Form = (&'static str, fn(MatrixMut<'_>, There, Matrix<'_>, &Quantised, Way));

fn forms() -> Vec<Form> {
    let mut forms: Vec<Form> = vec![("widened", widened)];
    if Dots::here().is_some() {
        forms.push(("dots", |to, there, x, matrix, way| {
            dotted(Dots::here().unwrap(), to, there, x, matrix, way);
        }));
    }
    forms
}

/// Sums in f32 are off by 1e-6 of what is summed up, at most: 2⁻²⁴ for each of a few hundred steps, most of which cancel.
#[test]
fn each_form_sums_up_the_products_of_rounded_numbers() {
    for (name, form) in forms() {
        for [rows, depth, outs] in SHAPES {
            for way in [Way::Across, Way::Along] {
                for (there, apart) in [(There::Replaced, 0), (There::AddedTo, 3)] {
                    let what = format!("{name}: {rows}x{depth}x{outs}, {way:?}, {there:?}");
                    let (x, numbers) = (some(rows * (depth + apart), 1), some(depth * outs, 2));
                    let left = match rows {
                        0 => Matrix::of(&x, 0, depth),
                        _ => Matrix::of(&x, rows, depth + apart).columns(apart, depth),
                    };
                    let lies = if way == Way::Across { [outs, depth] } else { [depth, outs] };
                    let step = outs + apart;
                    let mut to = vec![0.25; rows * step];
                    let matrix = matrix(lies, &numbers);
                    let to_matrix = MatrixMut::new(&mut to, [rows, outs], step.max(1));
                    form(to_matrix, there, left, &matrix, way);
                    let was = if there == There::AddedTo { 0.25 } else { 0.0 };
                    for (i, [sum, size]) in truth(left, &numbers, outs, way).into_iter().enumerate() {
                        let found = f64::from(to[i / outs * step + i % outs]);
                        let off = (found - sum - was).abs();
                        assert!(off <= 1e-6 * (size + was), "{what}: {found} is not {} at {i}", sum + was);
                    }
                    let beside = (0..rows).flat_map(|i| &to[i * step + outs..(i + 1) * step]);
                    assert!(beside.into_iter().all(|x| *x == 0.25), "{what}: what is beside stays");
                }
            }
        }
    }
}

#[test]
fn rows_whose_numbers_do_not_lie_side_by_side_are_multiplied_as_well() {
    let (x, numbers) = (some(40 * 5, 3), some(40 * 7, 4));
    let matrix = matrix([7, 40], &numbers);
    let left = Matrix::of(&x, 40, 5).transposed();
    for (name, form) in forms() {
        let mut to = vec![0.0; 35];
        form(MatrixMut::of(&mut to, 5, 7), There::Replaced, left, &matrix, Way::Across);
        for (found, [sum, size]) in to.iter().zip(truth(left, &numbers, 7, Way::Across)) {
            assert!((f64::from(*found) - sum).abs() <= 1e-6 * size, "{name}: {found} is not {sum}");
        }
    }
}

/// What overflows or is none shows where it is summed up, and nowhere else.
#[test]
fn what_is_not_finite_stays_so_and_stays_where_it_is() {
    let (mut x, matrix) = (some(3 * 40, 5), matrix([50, 40], &some(50 * 40, 6)));
    (x[40], x[85]) = (f32::NAN, f32::INFINITY);
    for (name, form) in forms() {
        let mut to = vec![0.0; 150];
        let left = Matrix::of(&x, 3, 40);
        form(MatrixMut::of(&mut to, 3, 50), There::Replaced, left, &matrix, Way::Across);
        assert!(to[..50].iter().all(|x| x.is_finite()), "{name}");
        assert!(to[50..100].iter().all(|x| x.is_nan()), "{name}");
        assert!(to[100..].iter().all(|x| x.is_infinite()), "{name}");
    }
}
