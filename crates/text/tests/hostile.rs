//! The fuzz target's promise, kept on every test run: over its seeds, and over seeds with bytes changed, cut off,
//! added and moved.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{fs, path::Path};

use proptest::{prelude::*, sample::Index};
use text::{AddSpecial, SkipSpecial, TextError, Tokenizer};

fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/sentencepiece");
    let seeds: Vec<_> =
        fs::read_dir(root).unwrap().map(|seed| fs::read(seed.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() >= 2, "the seeds are there");
    seeds
}

/// Reads a model and uses it; an error is fine, a panic is not.
fn read_and_use(bytes: &[u8]) -> Result<usize, TextError> {
    let tokenizer = Tokenizer::from_sentencepiece(bytes)?;
    for text in ["the lighthouse  keeper\n", "A\u{301} ﬁne ½ … \u{200d}", ""] {
        if let Ok(ids) = tokenizer.encode(text, AddSpecial::Yes) {
            let _ = tokenizer.decode(&ids, SkipSpecial::No);
        }
    }
    Ok(tokenizer.vocab_size())
}

#[test]
fn every_seed_is_sound() {
    for seed in seeds() {
        assert!(read_and_use(&seed).unwrap() > 100);
    }
}

#[test]
fn a_model_that_is_cut_off_is_never_taken_for_whole() {
    for seed in seeds() {
        let whole = read_and_use(&seed).unwrap();
        for len in (0..seed.len()).step_by(7).chain(seed.len() - 40..seed.len()) {
            // What a tokenizer does not need may be missing at the end.
            assert!(read_and_use(&seed[..len]).map_or(true, |n_tokens| n_tokens == whole), "cut to {len}");
        }
    }
}

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Move(Index, Index, usize),
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Change::Byte(at, byte) => *at.get_mut(bytes) = byte,
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more);
            }
            Change::Move(from, to, len) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let len = len.min(bytes.len() - from.max(to));
                bytes.copy_within(from..from + len, to);
            }
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let place = any::<Index>;
    let change = prop_oneof![
        6 => (place(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => place().prop_map(Change::Cut),
        1 => (place(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, more)| Change::Insert(at, more)),
        1 => (place(), place(), 1..200usize).prop_map(|(from, to, len)| Change::Move(from, to, len)),
    ];
    prop::collection::vec(change, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_to_a_model_makes_it_panic(seed in any::<Index>(), changes in changes()) {
        let mut bytes = seed.get(&seeds()).clone();
        changes.into_iter().for_each(|change| change.apply(&mut bytes));
        let _ = read_and_use(&bytes);
    }

    /// The map of characters is at the file's end, behind the pieces.
    #[test]
    fn no_change_to_its_map_makes_it_panic(places in prop::collection::vec((0..3000usize, any::<u8>()), 1..20)) {
        for mut bytes in seeds() {
            let len = bytes.len();
            for (back, byte) in &places {
                bytes[len - 1 - back % len] = *byte;
            }
            let _ = read_and_use(&bytes);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_and_use(&bytes);
    }
}
