//! The bytes that each token stands for, of vocabularies that spell bytes: then a text's ids tell where each token is
//! in it, and the tokenizer need not keep account of that, which would take it as long again.

use std::ops::Range;

use tokenizers::DecoderWrapper;

/// **Invariant:** a token that is here stands for exactly these bytes, wherever it occurs.
#[derive(Debug)]
pub(super) struct Pieces {
    bytes: Vec<u8>,
    /// Of each id, where its bytes end; they begin where those of the id before end.
    ends: Vec<u32>,
}

impl Pieces {
    /// Of a byte-level vocabulary without normalisation (GPT-2's kind); of others nothing can be said.
    pub(super) fn of(tokenizer: &tokenizers::Tokenizer) -> Option<Self> {
        let byte_level = matches!(tokenizer.get_decoder(), Some(DecoderWrapper::ByteLevel(_)));
        if !byte_level || tokenizer.get_normalizer().is_some() {
            return None;
        }
        let added = tokenizer.get_added_tokens_decoder();
        let mut pieces = Self { bytes: Vec::new(), ends: Vec::new() };
        for id in 0..u32::try_from(tokenizer.get_vocab_size(true)).ok()? {
            match added.get(&id) {
                Some(token) => pieces.bytes.extend_from_slice(token.content.as_bytes()),
                None => pieces
                    .bytes
                    .extend(tokenizer.id_to_token(id)?.chars().map(byte).collect::<Option<Vec<u8>>>()?),
            }
            pieces.ends.push(u32::try_from(pieces.bytes.len()).ok()?);
        }
        Some(pieces)
    }

    /// Where each of `ids` is in `text`; `None` unless they are the whole text, byte for byte.
    pub(super) fn spans(&self, ids: &[u32], text: &str) -> Option<Vec<(u32, Range<usize>)>> {
        let mut at = 0;
        let mut spans = Vec::with_capacity(ids.len());
        for &id in ids {
            let place = id as usize;
            let end = *self.ends.get(place)? as usize;
            let start = place.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
            let piece = &self.bytes[start..end];
            if !text.as_bytes()[at..].starts_with(piece) {
                return None;
            }
            spans.push((id, at..at + piece.len()));
            at += piece.len();
        }
        (at == text.len()).then_some(spans)
    }
}

/// The byte that GPT-2 writes as `written`: printable ones as themselves, the others from U+0100 on, in order.
fn byte(written: char) -> Option<u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    match u32::from(written) {
        code @ 0..=0xff => Some(code as u8).filter(|byte| printable(*byte)),
        code => (0..=0xff).filter(|byte| !printable(*byte)).nth(code as usize - 0x100),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokenizers::pre_tokenizers::byte_level::ByteLevel;

    use super::byte;

    #[test]
    fn each_byte_is_written_by_one_character_of_the_alphabet() {
        let bytes: BTreeSet<u8> = ByteLevel::alphabet().into_iter().map(|c| byte(c).unwrap()).collect();
        assert_eq!(bytes.len(), 256);
        assert_eq!((byte('Ġ'), byte('Ċ'), byte('é'), byte(' ')), (Some(b' '), Some(b'\n'), Some(0xe9), None));
    }
}
