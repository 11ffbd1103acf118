//! sacrebleu's tokenizer `13a`, which is that of mteval-v13a: punctuation apart, numbers whole.

use crate::words::is_space;

/// The tokens of a segment, one space between them.
pub(crate) fn thirteen_a(segment: &str) -> String {
    let mut line = segment.trim_end_matches(is_space).replace("<skipped>", "");
    line = line.replace("-\n", "").replace('\n', " ");
    for (entity, character) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
        line = line.replace(entity, character);
    }
    let apart: String =
        format!(" {line} ").chars().flat_map(|c| spaced(c, stands_alone(c))).flatten().collect();
    let stop = |c| c == '.' || c == ',';
    let digit = |c: char| c.is_ascii_digit();
    let after_other = pairs(&apart, |one, two| !digit(one) && stop(two), |one, two| [one, ' ', two, ' ']);
    let before_other =
        pairs(&after_other, |one, two| stop(one) && !digit(two), |one, two| [' ', one, ' ', two]);
    pairs(&before_other, |one, two| digit(one) && two == '-', |one, two| [one, ' ', two, ' '])
}

/// ASCII that is neither letter nor digit, without `'`, `,`, `-` and `.`, which may be part of a word or number.
fn stands_alone(c: char) -> bool {
    (c.is_ascii_punctuation() && !"',-.".contains(c)) || c == ' '
}

fn spaced(c: char, apart: bool) -> [Option<char>; 3] {
    let space = apart.then_some(' ');
    [space, Some(c), space]
}

/// Writes each pair of neighbours that is `wanted` anew, from the left, none of them overlapping.
fn pairs(
    text: &str,
    wanted: impl Fn(char, char) -> bool,
    written: impl Fn(char, char) -> [char; 4],
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(one) = rest.next() {
        match rest.next_if(|two| wanted(one, *two)) {
            Some(two) => out.extend(written(one, two)),
            None => out.push(one),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    #[test]
    fn numbers_stay_whole_and_punctuation_does_not() {
        for (segment, tokens) in [
            ("Hello, world.", "Hello , world ."),
            ("It costs 3.14, or 1,000-2", "It costs 3.14 , or 1,000 - 2"),
            ("well-known don't", "well-known don't"),
            ("&quot;a&lt;b&quot; (c)", "\" a < b \" ( c )"),
            ("wait... 5.", "wait . . . 5 ."),
            ("hyphen-\nated <skipped> x", "hyphenated x"),
        ] {
            assert_eq!(words(&thirteen_a(segment)).collect::<Vec<_>>().join(" "), tokens, "{segment}");
        }
    }
}
