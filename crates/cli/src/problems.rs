//! What was wrong with rows of a data set, a sentence for each kind of trouble.

use spec::{DatasetInfo, Problem};

/// Lines that are named in a sentence.
const NAMED: usize = 5;

/// A sentence for each kind of trouble, the most frequent first, with the first lines where it was met.
pub fn sentences(info: &DatasetInfo) -> Vec<String> {
    let said = |group: spec::ProblemGroup| {
        let fate = if group.repaired { "kept" } else { "left out" };
        match group.examples.as_slice() {
            [] => format!("{fate}: {}", group.sentence),
            examples => format!("{fate}: {} ({})", group.sentence, places(examples, group.n)),
        }
    };
    info.groups().into_iter().map(said).collect()
}

/// `a.csv lines 3, 9; b.csv line 1`, up to [`NAMED`] lines of `n`.
fn places(problems: &[Problem], n: u64) -> String {
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
    if n > NAMED as u64 {
        said.push_str(&format!(" and {} more", n - NAMED as u64));
    }
    said
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use spec::{Counts, DatasetId, Mapping, ProblemKind, ProblemTally, Sha256, Shape, SplitFractions};

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
            labels: Vec::new(),
            entities: Vec::new(),
            scores: None,
            tallies: Vec::new(),
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
        let mut info = info(problems, 11);
        let expected = [
            "left out: 7 rows repeat an earlier row (b.jsonl lines 10, 11, 12, 13, 14 and 2 more)",
            "left out: 3 rows are not JSON (a.jsonl lines 3, 9; b.jsonl line 1)",
            "kept: 1 row holds bytes that are not text, which were replaced (a.jsonl line 2)",
        ];
        assert_eq!(sentences(&info), expected);
        info.n_problems = 1200;
        assert_eq!(
            sentences(&info)[1],
            "left out: At least 3 rows are not JSON (a.jsonl lines 3, 9; b.jsonl line 1)",
            "as an older version kept it"
        );
        info.tallies = vec![ProblemTally { kind: ProblemKind::Duplicate { first: 0 }, n: 1196 }];
        assert_eq!(
            sentences(&info),
            ["left out: 1,196 rows repeat an earlier row (b.jsonl lines 10, 11, 12, 13, 14 and 1191 more)"]
        );
    }

    #[test]
    fn without_trouble_nothing_is_said() {
        assert_eq!(sentences(&info(Vec::new(), 0)), [""; 0]);
    }
}
