//! What was wrong with rows of a data set, a sentence for each kind of trouble.

use std::collections::BTreeMap;

use spec::{DatasetInfo, Problem, ProblemKind};

/// Lines that are named in a sentence.
const NAMED: usize = 5;

/// A sentence for each kind of trouble, the most frequent first, with the first lines where it was met.
pub fn sentences(info: &DatasetInfo) -> Vec<String> {
    let mut kinds: BTreeMap<(&str, String), Vec<&Problem>> = BTreeMap::new();
    for problem in &info.problems {
        kinds.entry(fate(&problem.kind)).or_default().push(problem);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, problems)| std::cmp::Reverse(problems.len()));
    let sentence = |((fate, what), problems): &((&str, String), Vec<&Problem>)| {
        let n = problems.len();
        let rows = if n == 1 { "row was" } else { "rows were" };
        format!("{n} {rows} {fate}: {what} ({})", places(problems))
    };
    let mut said: Vec<_> = kinds.iter().map(sentence).collect();
    let listed = info.problems.len() as u64;
    if listed < info.n_problems {
        said.push(format!("These are the first {listed} of {} such rows.", info.n_problems));
    }
    said
}

/// What became of the row, and why; alike for all rows of one kind.
fn fate(kind: &ProblemKind) -> (&'static str, String) {
    match kind {
        ProblemKind::BadEncoding => ("repaired", kind.to_string()),
        ProblemKind::NotJson { .. } => ("left out", "not JSON".to_owned()),
        ProblemKind::WrongFieldCount { expected, .. } => {
            ("left out", format!("not {expected} fields, as the header has"))
        }
        ProblemKind::Duplicate { .. } => ("left out", "the same as an earlier row".to_owned()),
        kind => ("left out", kind.to_string()),
    }
}

/// `a.csv lines 3, 9; b.csv line 1`, up to [`NAMED`] lines.
fn places(problems: &[&Problem]) -> String {
    let mut said = String::new();
    let mut file = "";
    for (at, problem) in problems.iter().take(NAMED).enumerate() {
        if problem.file == file {
            said.push_str(&format!(", {}", problem.line));
            continue;
        }
        file = &problem.file;
        let more_of_it = problems.get(at + 1).is_some_and(|next| next.file == file && at + 1 < NAMED);
        let (between, line) = (if at == 0 { "" } else { "; " }, if more_of_it { "lines" } else { "line" });
        said.push_str(&format!("{between}{file} {line} {}", problem.line));
    }
    if problems.len() > NAMED {
        said.push_str(&format!(" and {} more", problems.len() - NAMED));
    }
    said
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use spec::{Counts, DatasetId, Mapping, Sha256, Shape, SplitFractions};

    use super::*;

    fn info(problems: Vec<Problem>, n_problems: u64) -> DatasetInfo {
        DatasetInfo {
            id: DatasetId(Default::default()),
            version: Sha256::from_bytes(&[0; 32]),
            name: "sums".to_owned(),
            sources: Vec::new(),
            mapping: Mapping { shape: Shape::Text, columns: BTreeMap::new() },
            because: String::new(),
            split: SplitFractions::default(),
            counts: Counts::default(),
            problems,
            n_problems,
        }
    }

    fn problem(file: &str, line: u64, kind: ProblemKind) -> Problem {
        Problem { file: file.to_owned(), line, kind }
    }

    #[test]
    fn trouble_of_one_kind_is_one_sentence_with_its_first_lines() {
        let mut problems = vec![
            problem("a.jsonl", 2, ProblemKind::BadEncoding),
            problem("a.jsonl", 3, ProblemKind::NotJson { column: 1 }),
            problem("a.jsonl", 9, ProblemKind::NotJson { column: 7 }),
            problem("b.jsonl", 1, ProblemKind::NotJson { column: 2 }),
        ];
        let duplicate = |line| problem("b.jsonl", line, ProblemKind::Duplicate { first: 1 });
        problems.extend((10..17).map(duplicate));
        assert_eq!(
            sentences(&info(problems, 1200)),
            [
                "7 rows were left out: the same as an earlier row (b.jsonl lines 10, 11, 12, 13, 14 and 2 more)",
                "3 rows were left out: not JSON (a.jsonl lines 3, 9; b.jsonl line 1)",
                "1 row was repaired: bytes that are not text were replaced (a.jsonl line 2)",
                "These are the first 11 of 1200 such rows.",
            ]
        );
        assert_eq!(sentences(&info(Vec::new(), 0)), [""; 0]);
    }
}
