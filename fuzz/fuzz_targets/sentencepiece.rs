//! No bytes make reading a SentencePiece model panic or exhaust the memory, nor using the tokenizer that it gives.
#![no_main]

use text::{AddSpecial, SkipSpecial, Tokenizer};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(tokenizer) = Tokenizer::from_sentencepiece(bytes) else { return };
    for text in ["the lighthouse  keeper\n", "A\u{301} ﬁne ½ … \u{200d}"] {
        if let Ok(ids) = tokenizer.encode(text, AddSpecial::Yes) {
            let _ = tokenizer.decode(&ids, SkipSpecial::No);
        }
    }
});
