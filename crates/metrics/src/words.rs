//! Where words end, as Python sees it: all reference implementations of written text are in Python.

use unicode_categories::UnicodeCategories;

/// Like [`str::split_whitespace`], but also at the four separators (U+001C to U+001F) that only Python counts as space.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// What `\w` matches, without `_`: letters and numbers, but not the marks and circled letters that Rust counts too.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() && !c.is_mark() && !c.is_symbol()
}

pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Python's `string.punctuation`.
pub(crate) fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
}
