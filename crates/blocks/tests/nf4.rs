//! NF4 against what bitsandbytes itself makes of the same numbers.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use blocks::{Format, nf4::LEVELS};
use testkit::{json, numbers};

#[test]
fn levels_codes_sizes_and_numbers_are_those_of_bitsandbytes() {
    let said = json("nf4.json");
    let of = |name: &str| numbers(&said[name]).into_iter().map(|x| x as f32).collect::<Vec<_>>();
    assert_eq!(of("levels"), LEVELS);
    let exact = of("numbers");
    let made = Format::Nf4.make(&exact).unwrap();
    let (mut sizes, mut packed) = (Vec::new(), Vec::new());
    for block in made.chunks(36) {
        sizes.push(f32::from_le_bytes(block[..4].try_into().unwrap()));
        packed.extend(block[4..].iter().map(|byte| f32::from(*byte)));
    }
    assert_eq!(sizes, of("absmax"));
    assert_eq!(packed[..exact.len() / 2], of("packed")[..exact.len() / 2]);
    let mut back = vec![0.0; exact.len()];
    Format::Nf4.decode_from(&made, 0, &mut back);
    assert_eq!(back, of("back"));
}
