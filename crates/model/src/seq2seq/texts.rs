//! Texts side by side.

/// Rows of one width, each a text and then padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    pub(super) ids: Vec<u32>,
    pub(super) lengths: Vec<usize>,
    pub(super) width: usize,
}

impl Texts {
    /// As wide as the longest; `pad` fills the others up.
    pub fn padded(texts: &[impl AsRef<[u32]>], pad: u32) -> Self {
        let lengths: Vec<usize> = texts.iter().map(|text| text.as_ref().len()).collect();
        let width = lengths.iter().copied().max().unwrap_or(0);
        let mut ids = Vec::with_capacity(lengths.len() * width);
        for (row, text) in texts.iter().enumerate() {
            ids.extend_from_slice(text.as_ref());
            ids.resize((row + 1) * width, pad);
        }
        Self { ids, lengths, width }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// That there are none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Tokens of a row, padding included.
    pub fn width(&self) -> usize {
        self.width
    }
}
