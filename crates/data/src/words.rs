//! Where words are in a text that nobody has cut yet.

use std::ops::Range;

/// The words of `text`, as bytes of it, in order: runs of letters and digits, joined over a single `.`, `'` or `’`
/// between two of them (`U.S`, `don't`); every other character that is no space is a word of its own.
pub fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut chars = text.char_indices().peekable();
    // Whether the last word can go on with a letter.
    let mut open = false;
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        if c.is_alphanumeric() || is_mark(c) {
            match words.last_mut().filter(|last| open && last.end == at) {
                Some(last) => last.end = end,
                None => words.push(at..end),
            }
            open = true;
        } else if matches!(c, '.' | '\'' | '’')
            && open
            && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric())
            && let Some(last) = words.last_mut()
        {
            last.end = end;
        } else {
            if !c.is_whitespace() && !c.is_control() {
                words.push(at..end);
            }
            open = false;
        }
    }
    words
}

/// Marks that stand on the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_what_people_would_tag() {
        let text = "U.S. forces don't leave New York-based (Zürich’s) 3.5 km.\n";
        let found: Vec<_> = words(text).into_iter().map(|word| &text[word]).collect();
        let expected = [
            "U.S",
            ".",
            "forces",
            "don't",
            "leave",
            "New",
            "York",
            "-",
            "based",
            "(",
            "Zürich’s",
            ")",
            "3.5",
            "km",
            ".",
        ];
        assert_eq!(found, expected);
        assert!(words(" \t\n").is_empty() && words("").is_empty());
    }

    proptest! {
        #[test]
        fn no_visible_character_is_lost_and_words_do_not_overlap(text in "\\PC{0,40}") {
            let found = words(&text);
            prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
            let joined: String = found.iter().map(|word| &text[word.clone()]).collect();
            let visible: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
            prop_assert_eq!(joined, visible);
        }
    }
}
