//! SentencePiece's `.model` file: a message of Protocol Buffers, of which this reads what a tokenizer needs.
//!
//! **Invariant:** no bytes make it panic; nothing is allocated that the bytes do not hold.

use std::collections::HashSet;

use super::charsmap;

/// A piece longer than this would cost its length squared to take apart, and no honest vocabulary has one.
const LONGEST_PIECE: usize = 4096;

const NOT_A_MODEL: &str = "it is not a SentencePiece model, or only a part of one";

/// What a piece is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Ordinary,
    Unknown,
    Control,
    UserDefined,
    /// A byte, spelled `<0x0A>`, or one that is never used.
    Other,
}

/// One piece of the vocabulary; its place is its id.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) score: f32,
    pub(super) kind: Type,
}

/// What the file says.
#[derive(Clone, Debug)]
pub(super) struct Model<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    algorithm: u64,
    pub(super) unk_id: u64,
    pub(super) adds_prefix_space: bool,
    /// How characters are normalised, in a form of SentencePiece's own; empty if they are not.
    pub(super) charsmap: &'a [u8],
}

const UNIGRAM: u64 = 1;
const BYTE_PAIR: u64 = 2;

impl<'a> Model<'a> {
    /// Reads a whole file.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Model<'a>, &'static str> {
        let mut model = Model {
            pieces: Vec::new(),
            algorithm: UNIGRAM,
            unk_id: 0,
            adds_prefix_space: true,
            charsmap: &[],
        };
        // Both follow the pieces, so that a file that was cut off lacks one of them.
        let (mut has_trainer, mut has_normalizer) = (false, false);
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(piece)) => model.pieces.push(Piece::parse(piece)?),
                (2, Value::Bytes(trainer)) => {
                    model.trainer(trainer)?;
                    has_trainer = true;
                }
                (3, Value::Bytes(normalizer)) => {
                    model.normalizer(normalizer)?;
                    has_normalizer = true;
                }
                _ => {}
            }
        }
        if !has_trainer || !has_normalizer {
            return Err(NOT_A_MODEL);
        }
        let mut known = HashSet::new();
        if model.pieces.is_empty() {
            return Err(NOT_A_MODEL);
        }
        if !model.pieces.iter().all(|piece| known.insert(piece.text)) {
            return Err("a piece is in it twice");
        }
        if !matches!(model.algorithm, UNIGRAM | BYTE_PAIR) {
            return Err(
                "it cuts a text into words or characters; only unigram and byte-pair models are read",
            );
        }
        charsmap::check(model.charsmap)?;
        Ok(model)
    }

    pub(super) fn is_unigram(&self) -> bool {
        self.algorithm == UNIGRAM
    }

    fn trainer(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        for field in Fields(bytes) {
            match field? {
                (3, Value::Number(algorithm)) => self.algorithm = algorithm,
                (40, Value::Number(id)) => self.unk_id = id,
                _ => {}
            }
        }
        Ok(())
    }

    fn normalizer(&mut self, bytes: &'a [u8]) -> Result<(), &'static str> {
        for field in Fields(bytes) {
            match field? {
                (2, Value::Bytes(charsmap)) => self.charsmap = charsmap,
                (3, Value::Number(adds)) => self.adds_prefix_space = adds != 0,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> Piece<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Piece<'a>, &'static str> {
        let mut piece = Piece { text: "", score: 0.0, kind: Type::Ordinary };
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(text)) => {
                    piece.text = std::str::from_utf8(text).map_err(|_| "a piece is not UTF-8")?;
                }
                (2, Value::Float(score)) => piece.score = score,
                (3, Value::Number(kind)) => {
                    piece.kind = match kind {
                        1 => Type::Ordinary,
                        2 => Type::Unknown,
                        3 => Type::Control,
                        4 => Type::UserDefined,
                        _ => Type::Other,
                    }
                }
                _ => {}
            }
        }
        match piece {
            Piece { text: "", .. } => Err("a piece is empty"),
            Piece { text, .. } if text.len() > LONGEST_PIECE => Err("a piece is longer than 4096 bytes"),
            Piece { score, .. } if !score.is_finite() => Err("the score of a piece is no number"),
            sound => Ok(sound),
        }
    }
}

/// What a field holds.
enum Value<'a> {
    Number(u64),
    Float(f32),
    Bytes(&'a [u8]),
    /// Eight bytes of some kind that nothing here is of.
    Other,
}

/// The fields of a message: numbers and values, in the order of the bytes.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(NOT_A_MODEL);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Other)?,
            2 => {
                let len = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(len)?)
            }
            5 => Value::Float(f32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        (key >> 3 > 0).then_some((key >> 3, value))
    }

    /// Seven bits a byte, the least first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }
}
