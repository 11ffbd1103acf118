//! Which encoding a text file is in, and its bytes as UTF-8.
//!
//! In this order: a byte order mark; the zero bytes of UTF-16; valid UTF-8; UTF-8 with some bad bytes (in no other
//! encoding are most sequences good UTF-8 by chance); else what chardetng makes of the first parts that are not ASCII.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// As much as chardetng is shown: it learns little from more, and it is slow.
const SHOWN: usize = 1 << 20;

/// How to read a file as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoded {
    /// UTF-8 from the first byte to the last: nothing to convert.
    Utf8,
    /// To be converted; bytes that do not fit become U+FFFD.
    As(&'static Encoding),
}

/// Judges a whole file in one pass. `None`: bytes that are no text.
pub(crate) fn detect(mut reader: impl Read) -> io::Result<Option<Encoded>> {
    let mut chunk = vec![0; 1 << 16];
    let mut read = fill(&mut reader, &mut chunk)?;
    let head = &chunk[..read.min(4096)];
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        // The mark itself is dropped by the decoder, so UTF-8 with a mark is converted too.
        return Ok(Some(Encoded::As(encoding)));
    }
    if let Some(utf16) = utf16_by_zeros(head) {
        return Ok(Some(Encoded::As(utf16)));
    }
    if head.contains(&0) {
        return Ok(None);
    }
    let mut survey = Survey::default();
    // Whoever has to guess looks at these; most files are UTF-8, and there is nothing to guess.
    let mut shown = Vec::new();
    while read > 0 {
        let bytes = &chunk[..read];
        if !survey.was_ascii(bytes) && shown.len() < SHOWN {
            shown.extend_from_slice(bytes);
        }
        read = fill(&mut reader, &mut chunk)?;
    }
    survey.end();
    if survey.bad == 0 {
        return Ok(Some(Encoded::Utf8));
    }
    if survey.good > 2 * survey.bad {
        return Ok(Some(Encoded::As(UTF_8)));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&shown, true);
    Ok(Some(Encoded::As(detector.guess(None, Utf8Detection::Deny))))
}

fn fill(reader: &mut impl Read, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < chunk.len() {
        match reader.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// UTF-16 of mostly Latin text has a zero in every other byte, and in few of those between.
fn utf16_by_zeros(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |offset| head.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    match () {
        () if pairs >= 2 && odd * 10 > pairs * 6 && even * 10 < pairs => Some(UTF_16LE),
        () if pairs >= 2 && even * 10 > pairs * 6 && odd * 10 < pairs => Some(UTF_16BE),
        () => None,
    }
}

/// Counts sequences beyond ASCII, across chunk borders.
#[derive(Default)]
struct Survey {
    good: u64,
    bad: u64,
    /// The unfinished sequence at the end of the chunk before; at most three bytes.
    carry: Vec<u8>,
}

impl Survey {
    fn was_ascii(&mut self, bytes: &[u8]) -> bool {
        if self.carry.is_empty() && bytes.is_ascii() {
            return true;
        }
        let mut joined = std::mem::take(&mut self.carry);
        joined.extend_from_slice(bytes);
        let mut rest = &joined[..];
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.count(text);
                    return false;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    self.count(&String::from_utf8_lossy(valid));
                    let Some(len) = error.error_len() else {
                        self.carry = after.to_vec();
                        return false;
                    };
                    self.bad += 1;
                    rest = &after[len..];
                }
            }
        }
    }

    fn count(&mut self, text: &str) {
        self.good += text.bytes().filter(|b| *b >= 0xC0).count() as u64;
    }

    fn end(&mut self) {
        self.bad += u64::from(!self.carry.is_empty());
    }
}

/// Reads `inner` as UTF-8. A byte order mark is dropped; what does not fit becomes U+FFFD.
pub(crate) struct Decoding<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    raw_end: usize,
    text: Vec<u8>,
    text_at: usize,
    text_end: usize,
    ended: bool,
}

impl<R: Read> Decoding<R> {
    pub(crate) fn new(inner: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        let (raw, text) = (vec![0; 1 << 15], vec![0; 1 << 16]);
        Self { inner, decoder, raw, raw_at: 0, raw_end: 0, text, text_at: 0, text_end: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        while self.text_at == self.text_end && !self.ended {
            if self.raw_at == self.raw_end {
                self.raw_at = 0;
                self.raw_end = fill(&mut self.inner, &mut self.raw)?;
            }
            let last = self.raw_end == 0;
            let from = &self.raw[self.raw_at..self.raw_end];
            let (result, read, written, _) = self.decoder.decode_to_utf8(from, &mut self.text, last);
            self.raw_at += read;
            (self.text_at, self.text_end) = (0, written);
            self.ended = last && result == CoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.refill()?;
        let n = into.len().min(self.text_end - self.text_at);
        into[..n].copy_from_slice(&self.text[self.text_at..self.text_at + n]);
        self.text_at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::WINDOWS_1252;
    use proptest::prelude::*;

    fn decoded(bytes: &[u8]) -> Option<String> {
        let mut text = String::new();
        match detect(bytes).unwrap()? {
            Encoded::Utf8 => text = String::from_utf8(bytes.to_vec()).unwrap(),
            Encoded::As(encoding) => {
                Decoding::new(bytes, encoding).read_to_string(&mut text).unwrap();
            }
        }
        Some(text)
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn each_encoding_gives_the_same_text() {
        let text = "prompt,completion\nOù est le café ?,Là-bas, à côté de l’hôtel.\n";
        let with_mark = format!("\u{feff}{text}");
        let cases = [
            ("UTF-8", text.as_bytes().to_vec()),
            ("UTF-8 with mark", with_mark.as_bytes().to_vec()),
            ("UTF-16 LE with mark", utf16(&with_mark, u16::to_le_bytes)),
            ("UTF-16 BE with mark", utf16(&with_mark, u16::to_be_bytes)),
            ("UTF-16 LE", utf16(text, u16::to_le_bytes)),
            ("UTF-16 BE", utf16(text, u16::to_be_bytes)),
            ("Windows-1252", WINDOWS_1252.encode(text).0.into_owned()),
        ];
        for (name, bytes) in cases {
            assert_eq!(decoded(&bytes).as_deref(), Some(text), "{name}");
        }
    }

    #[test]
    fn a_bad_byte_in_good_utf8_is_replaced_and_the_rest_stays() {
        let mut bytes = "é".repeat(50).into_bytes();
        bytes.push(0xFF);
        assert_eq!(decoded(&bytes), Some("é".repeat(50) + "\u{fffd}"));
    }

    #[test]
    fn zero_bytes_mean_that_it_is_no_text() {
        assert_eq!(decoded(b"\x7fELF\0\0\0\x01"), None);
    }

    proptest! {
        #[test]
        fn valid_utf8_is_read_as_it_is(text in "[^\0\u{feff}]{0,200}") {
            prop_assert_eq!(decoded(text.as_bytes()), Some(text));
        }

        #[test]
        fn any_bytes_are_text_or_not_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            decoded(&bytes);
        }
    }
}
