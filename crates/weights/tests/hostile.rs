//! The fuzz targets' promise, kept on every test run: over their seeds, and over seeds with bytes changed, cut off,
//! added and moved.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

use std::{fs, path::Path};

use proptest::{prelude::*, sample::Index};
use weights::Checkpoint;

fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let mut seeds = Vec::new();
    for target in ["gguf_header", "safetensors_header", "pytorch"] {
        for seed in fs::read_dir(root.join(target)).unwrap() {
            seeds.push(fs::read(seed.unwrap().path()).unwrap());
        }
    }
    assert!(seeds.len() >= 5, "the seeds are there");
    seeds
}

/// Opens and reads everything; an error is fine, a panic is not.
fn read_all(bytes: Vec<u8>) -> Result<usize, weights::WeightsError> {
    let checkpoint = Checkpoint::from_bytes(Path::new("hostile"), bytes)?;
    let _ = checkpoint.config_json();
    for name in checkpoint.names() {
        let tensor = checkpoint.tensor(name).unwrap();
        let _ = tensor.to_f32();
        assert_eq!(Some(tensor.bytes().len()), tensor.dtype.bytes_of(&tensor.shape));
    }
    Ok(checkpoint.names().len())
}

#[test]
fn every_seed_is_sound() {
    for seed in seeds() {
        read_all(seed).unwrap();
    }
}

#[test]
fn every_seed_cut_anywhere_is_an_error() {
    for seed in seeds() {
        for len in 0..seed.len() {
            let cut = read_all(seed[..len].to_vec());
            // GGUF pads its end, and the padding alone may go.
            assert!(
                cut.is_err() || seed[len..].iter().all(|byte| *byte == 0),
                "cut to {len} of {}",
                seed.len()
            );
        }
    }
}

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Word(Index, u64),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
    Copy(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    // Lengths and counts that have brought parsers down before.
    let word = prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(1 << 60),
        Just(1 << 32),
        Just(1 << 63),
        any::<u64>()
    ];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (at(), word).prop_map(|(at, word)| Change::Word(at, word)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        at().prop_map(Change::Remove),
        at().prop_map(Change::Truncate),
        (at(), at()).prop_map(|(from, to)| Change::Copy(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.len() < 16 {
        return;
    }
    let len = bytes.len();
    match change {
        Change::Byte(at, byte) => bytes[at.index(len)] = *byte,
        Change::Word(at, word) => bytes[at.index(len - 7)..][..8].copy_from_slice(&word.to_le_bytes()),
        Change::Insert(at, byte) => bytes.insert(at.index(len), *byte),
        Change::Remove(at) => drop(bytes.remove(at.index(len))),
        Change::Truncate(at) => bytes.truncate(at.index(len)),
        Change::Copy(from, to) => {
            let from = from.index(len - 7);
            bytes.copy_within(from..from + 8, to.index(len - 7));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_file_is_read_or_refused(seed in any::<Index>(), changes in prop::collection::vec(change(), 1..5)) {
        let mut bytes = seed.get(&seeds()).clone();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        let _ = read_all(bytes);
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let mut gguf = b"GGUF\x03\0\0\0".to_vec();
        gguf.extend(&bytes);
        let _ = read_all(gguf);
        let _ = read_all(bytes);
    }
}
