//! Norms, gates and curves by themselves: the processor's form against the plain one, which the linear layers' tests hold
//! to differences in f64.

mod common;

use burn::tensor::Tensor;
use common::{gradients, near, on, tensor};
use kernels::{Before, Curve, plain, prepared};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Norm { centred: bool, bias: bool },
    Gate(Curve),
    Curve(Curve),
}

impl Kind {
    /// Of the input and, behind it, a norm's weight and bias.
    fn before(self, inputs: &[Tensor<2>]) -> Before {
        match self {
            // Two numbers that are nearly equal have no spread that f32 knows: a large `eps` keeps them tame.
            Self::Norm { centred, bias } => {
                let bias = bias.then(|| inputs[2].clone());
                Before::Norm { weight: inputs[1].clone(), bias, centred, eps: 0.1 }
            }
            Self::Gate(curve) => Before::Gate(curve),
            Self::Curve(curve) => Before::Curve(curve),
        }
    }

    /// How many tensors it has a gradient for.
    fn n_inputs(self) -> usize {
        match self {
            Self::Norm { bias, .. } => 2 + usize::from(bias),
            Self::Gate(_) | Self::Curve(_) => 1,
        }
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    let curve =
        prop::sample::select(vec![Curve::Silu, Curve::Gelu, Curve::GeluTanh, Curve::Relu, Curve::Tanh]);
    prop_oneof![
        any::<(bool, bool)>().prop_map(|(centred, bias)| Kind::Norm { centred, bias }),
        curve.clone().prop_map(Kind::Gate),
        curve.prop_map(Kind::Curve),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn both_forms_say_the_same_forward_and_backward(
        kind in kind(),
        (tokens, half) in (0usize..200, 1usize..20),
        learns in any::<[bool; 3]>(),
        threads in 1usize..4,
    ) {
        let n = kind.n_inputs();
        let inputs = &[tensor([tokens, 2 * half], 1) * 3.0, tensor([1, 2 * half], 2), tensor([1, 2 * half], 3)][..n];
        let (learns, many) = (&learns[..n], tokens > 0);
        let learns: Vec<bool> = learns.iter().map(|learns| *learns && many).collect();
        let expected = gradients(inputs, &learns, |x| plain::prepared(x[0].clone(), &kind.before(x)));
        let found = on(threads, || gradients(inputs, &learns, |x| prepared(x[0].clone(), &kind.before(x))));
        near(&found.0, &expected.0, 1e-5, "forward");
        for (found, expected) in found.1.iter().zip(&expected.1) {
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some(expected)) = (found, expected) {
                near(found, expected, 1e-5, "a gradient");
            }
        }
    }
}
