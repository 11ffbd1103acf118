//! The Porter stemmer as `nltk.stem.porter.PorterStemmer` runs it by default (its `NLTK_EXTENSIONS`).
//!
//! For words of ASCII, which are all that ROUGE knows.

/// Words that the rules get wrong.
const IRREGULAR: &[(&str, &str)] = &[
    ("canning", "canning"),
    ("cannings", "canning"),
    ("dying", "die"),
    ("exceed", "exceed"),
    ("howe", "howe"),
    ("inning", "inning"),
    ("innings", "inning"),
    ("lying", "lie"),
    ("news", "news"),
    ("outing", "outing"),
    ("outings", "outing"),
    ("proceed", "proceed"),
    ("skies", "sky"),
    ("sky", "sky"),
    ("succeed", "succeed"),
    ("tying", "tie"),
];

type Rules = &'static [(&'static str, &'static str)];

const STEP_2: Rules = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

const STEP_3: Rules = &[
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

const STEP_4: &[&str] = &[
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
];

/// What is left of a lower-case ASCII word without its endings. Anything else comes back as it is.
pub(crate) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_owned();
    }
    if word.len() <= 2 || !word.is_ascii() {
        return word.to_owned();
    }
    let steps = [plurals, past_and_gerund, final_y, step_2, step_3, step_4, final_e, final_ll];
    steps.iter().fold(word.to_owned(), |word, step| step(word))
}

/// 1a: `caresses` → `caress`, `ponies` → `poni`, `dies` → `die`, `cats` → `cat`.
fn plurals(word: String) -> String {
    let short = word.len() == 4;
    match word {
        w if w.ends_with("ies") => less(&w, if short { 1 } else { 2 }),
        w if w.ends_with("sses") => less(&w, 2),
        w if w.ends_with("ss") => w,
        w if w.ends_with('s') => less(&w, 1),
        w => w,
    }
}

/// 1b: `agreed` → `agree`, `plastered` → `plaster`, `hopping` → `hop`, `filing` → `file`.
fn past_and_gerund(word: String) -> String {
    if word.ends_with("ied") {
        return less(&word, if word.len() == 4 { 1 } else { 2 });
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return if measure(stem) > 0 { less(&word, 1) } else { word };
    }
    let stem = ["ed", "ing"].iter().find_map(|end| word.strip_suffix(end).filter(|stem| has_vowel(stem)));
    let Some(stem) = stem else { return word };
    if ["at", "bl", "iz"].iter().any(|end| stem.ends_with(end)) {
        format!("{stem}e")
    } else if ends_double(stem) {
        if stem.ends_with(['l', 's', 'z']) { stem.to_owned() } else { less(stem, 1) }
    } else if measure(stem) == 1 && ends_short(stem) {
        format!("{stem}e")
    } else {
        stem.to_owned()
    }
}

/// 1c: `happy` → `happi`, but `enjoy` and `by` as they are.
fn final_y(word: String) -> String {
    match word.strip_suffix('y') {
        Some(stem) if stem.len() > 1 && consonants(stem).last() == Some(&true) => format!("{stem}i"),
        _ => word,
    }
}

/// 2: `relational` → `relate`.
fn step_2(word: String) -> String {
    if let Some(stem) = word.strip_suffix("alli").filter(|stem| measure(stem) > 0) {
        return step_2(format!("{stem}al"));
    }
    if word.ends_with("logi") && !STEP_2.iter().any(|(end, _)| word.ends_with(end)) {
        // The `l` is part of what is measured, so that `geo` and `theo` do as `archaeo` does.
        let (measured, stem) = (less(&word, 3), less(&word, 1));
        return if measure(&measured) > 0 { stem } else { word };
    }
    replace_first(word, STEP_2)
}

/// 3: `electrical` → `electric`.
fn step_3(word: String) -> String {
    replace_first(word, STEP_3)
}

/// 4: `adjustment` → `adjust`.
fn step_4(word: String) -> String {
    let Some(end) = STEP_4.iter().find(|end| word.ends_with(**end)) else { return word };
    let stem = less(&word, end.len());
    let may = measure(&stem) > 1 && (*end != "ion" || stem.ends_with(['s', 't']));
    if may { stem } else { word }
}

/// 5a: `probate` → `probat`, but `rate` as it is.
fn final_e(word: String) -> String {
    match word.strip_suffix('e') {
        Some(stem) if measure(stem) > 1 || (measure(stem) == 1 && !ends_short(stem)) => stem.to_owned(),
        _ => word,
    }
}

/// 5b: `controll` → `control`.
fn final_ll(word: String) -> String {
    if word.ends_with("ll") && measure(&less(&word, 1)) > 1 { less(&word, 1) } else { word }
}

/// By the first rule whose ending the word has, if there is something left before it.
fn replace_first(word: String, rules: Rules) -> String {
    match rules.iter().find_map(|(end, new)| Some((word.strip_suffix(end)?, new))) {
        Some((stem, new)) if measure(stem) > 0 => format!("{stem}{new}"),
        _ => word,
    }
}

/// Without its last `n` letters.
fn less(word: &str, n: usize) -> String {
    word[..word.len().saturating_sub(n)].to_owned()
}

/// Whether each letter is a consonant; a `y` is one unless one comes before it.
fn consonants(word: &str) -> Vec<bool> {
    let mut flags: Vec<bool> = Vec::with_capacity(word.len());
    for letter in word.bytes() {
        let before = flags.last().copied().unwrap_or(false);
        flags.push(match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !before,
            _ => true,
        });
    }
    flags
}

/// How often a consonant follows a vowel.
fn measure(stem: &str) -> usize {
    consonants(stem).windows(2).filter(|pair| **pair == [false, true]).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn ends_double(stem: &str) -> bool {
    let doubled = matches!(stem.as_bytes(), [.., one, two] if one == two);
    doubled && consonants(stem).last() == Some(&true)
}

/// Consonant, vowel, consonant, the last not `w`, `x` or `y`; or just vowel and consonant.
fn ends_short(stem: &str) -> bool {
    match consonants(stem)[..] {
        [false, true] => true,
        [.., true, false, true] => !stem.ends_with(['w', 'x', 'y']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_the_endings_that_nltk_takes() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("dies", "die"),
            ("flies", "fli"),
            ("died", "die"),
            ("spied", "spi"),
            ("agreed", "agre"),
            ("feed", "feed"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("enjoy", "enjoy"),
            ("relational", "relat"),
            ("sensationally", "sensat"),
            ("theologies", "theolog"),
            ("geology", "geolog"),
            ("hopefully", "hope"),
            ("adoption", "adopt"),
            ("controlling", "control"),
            ("skies", "sky"),
            ("as", "as"),
            ("oed", "o"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
