//! Data sets in the store: divided, named by their content, read back, and unharmed by what goes wrong.

#![allow(clippy::unwrap_used)] // helpers of tests are not known for tests

use std::{
    collections::BTreeSet,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use data::{
    Import, KeepError, KeptError, LineIndex, Preview, Progress, Sources, Unreadable, open, unwatched,
};
use spec::{Counts, DatasetId, DatasetInfo, Example, Split, SplitFractions};

struct Store(tempfile::TempDir);

impl Store {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join("in").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        atomic::write_whole(&path, content.as_bytes()).unwrap();
        path
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn in_store(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir()).map(|entries| entries.map(|e| e.unwrap().file_name()));
        let mut names: Vec<_> = entries.into_iter().flatten().map(|n| n.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn import(paths: &[PathBuf], split: SplitFractions) -> Import {
    Import {
        id: DatasetId(Default::default()),
        name: "sums".to_owned(),
        given: paths.iter().map(|path| path.display().to_string()).collect(),
        sources: Sources::of(paths).unwrap(),
        mapping: None,
        split,
    }
}

fn keep(dir: &Path, import: &Import) -> Result<DatasetInfo, KeepError> {
    data::keep(dir, import, &mut unwatched)
}

fn sums(numbers: std::ops::Range<u32>) -> String {
    numbers.map(|n| format!("{{\"prompt\":\"{n}+{n}=\",\"completion\":\"{}\"}}\n", n + n)).collect()
}

fn examples(dir: &Path, version: &spec::Sha256, split: Split) -> Vec<Example> {
    open(&dir.join(&version.0)).unwrap().examples(split).unwrap().collect::<Result<_, _>>().unwrap()
}

fn prompts(examples: &[Example]) -> BTreeSet<String> {
    let prompt = |example: &Example| match example {
        Example::Completion { prompt, .. } => prompt.clone(),
        other => panic!("{other:?}"),
    };
    examples.iter().map(prompt).collect()
}

#[test]
fn what_is_kept_is_read_back_in_its_parts() {
    let store = Store::new();
    let file = store.file("sums.jsonl", &(sums(0..100) + "{oops\n" + &sums(0..1)));
    let split = SplitFractions { validation: 0.1, test: 0.2, seed: 7 };
    let info = keep(&store.dir(), &import(&[file], split)).unwrap();
    assert_eq!(info.counts, Counts { train: 70, validation: 10, test: 20 });
    let problems: Vec<_> =
        info.problems.iter().map(|p| format!("{} {}: {}", p.file, p.line, p.kind)).collect();
    assert_eq!(problems, ["sums.jsonl 101: not JSON at column 2", "sums.jsonl 102: the same as row 1"]);

    let kept = open(&store.dir().join(&info.version.0)).unwrap();
    assert_eq!(kept.info(), &info);
    kept.verify().unwrap();
    let parts = Split::ALL.map(|split| prompts(&examples(&store.dir(), &info.version, split)));
    assert_eq!(parts.iter().map(BTreeSet::len).collect::<Vec<_>>(), [70, 10, 20]);
    assert_eq!(parts.iter().flatten().collect::<BTreeSet<_>>().len(), 100, "no row is in two parts");
}

#[test]
fn the_version_follows_from_the_content_alone() {
    let store = Store::new();
    let version = |name: &str, content: &str, seed| {
        let split = SplitFractions { seed, ..SplitFractions::default() };
        keep(&store.dir(), &import(&[store.file(name, content)], split)).unwrap().version
    };
    let first = version("a.jsonl", &sums(0..20), 1);
    let csv: String = (0..20).map(|n| format!("{n}+{n}=,{}\n", n + n)).collect();
    assert_eq!(
        version("b.csv", &format!("prompt,completion\n{csv}"), 1),
        first,
        "the format does not matter"
    );
    assert_ne!(version("a.jsonl", &sums(0..20), 2), first, "the division does");
    assert_ne!(version("a.jsonl", &sums(0..19), 1), first, "each row does");
    assert_eq!(store.in_store().len(), 3, "a version is kept once, and no work is left behind");
}

#[test]
fn rows_of_one_prompt_are_never_divided() {
    let store = Store::new();
    let row = |n: u32| format!("{{\"prompt\":\"{}\",\"completion\":\"{n}\"}}\n", n % 10);
    let file = store.file("a.jsonl", &(0..100).map(row).collect::<String>());
    let split = SplitFractions { validation: 0.2, test: 0.2, seed: 3 };
    let info = keep(&store.dir(), &import(&[file], split)).unwrap();
    let parts = Split::ALL.map(|split| prompts(&examples(&store.dir(), &info.version, split)));
    assert_eq!(parts.iter().map(BTreeSet::len).collect::<Vec<_>>(), [6, 2, 2]);
    assert_eq!(parts.iter().flatten().collect::<BTreeSet<_>>().len(), 10);
}

#[test]
fn files_that_name_their_part_stay_in_it() {
    let store = Store::new();
    store.file("train.jsonl", &sums(0..30));
    store.file("test.jsonl", &sums(25..35));
    let folder = store.0.path().join("in");
    let split = SplitFractions { validation: 0.2, test: 0.5, seed: 3 };
    let info = keep(&store.dir(), &import(&[folder], split)).unwrap();
    assert_eq!(info.counts, Counts { train: 20, validation: 5, test: 10 });
    let test = prompts(&examples(&store.dir(), &info.version, Split::Test));
    assert!(test.contains("25+25=") && test.contains("34+34="), "what is in both files is in the test part");
}

#[test]
fn what_cannot_be_kept_leaves_nothing_behind() {
    let store = Store::new();
    let pair = store.file("a.jsonl", &sums(0..3));
    let text = store.file("b.txt", "Some text.");
    let broken = store.file("c.json", "[{\"prompt\":\"a\",\"completion\":\"b\"},");
    let mixed = keep(&store.dir(), &import(&[pair.clone(), text], SplitFractions::default()));
    assert!(matches!(mixed, Err(KeepError::Unreadable(Unreadable::Mixed { .. }))));
    let cut = keep(&store.dir(), &import(&[broken], SplitFractions::default()));
    assert!(matches!(cut, Err(KeepError::Unreadable(Unreadable::Broken { .. }))));
    let all = SplitFractions { validation: 0.5, test: 0.5, seed: 1 };
    assert!(matches!(keep(&store.dir(), &import(&[pair], all)), Err(KeepError::Fractions { .. })));
    assert_eq!(store.in_store(), [""; 0]);
}

#[test]
fn an_import_says_how_far_it_is_and_leaves_nothing_when_it_is_cancelled() {
    let store = Store::new();
    let file = store.file("a.jsonl", &sums(0..20_000));
    let size = fs::metadata(&file).unwrap().len();
    let import = import(&[file], SplitFractions::default());
    let mut told = Vec::new();
    let cancelled_at = |word: usize, told: &mut Vec<Progress>| {
        told.clear();
        data::keep(&store.dir(), &import, &mut |progress| {
            told.push(progress);
            if told.len() == word { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    };
    cancelled_at(usize::MAX, &mut told).unwrap();
    let words = told.len();
    assert!(words > 3 && told.is_sorted_by_key(|progress| progress.done), "{told:?}");
    assert!(told.iter().all(|progress| progress.total == size));
    assert_eq!(told.last().unwrap().done, size);
    fs::remove_dir_all(store.dir()).unwrap();
    for word in 1..=words {
        let cancelled = cancelled_at(word, &mut told);
        assert!(matches!(cancelled, Err(KeepError::Cancelled)), "{word}: {cancelled:?}");
        assert!(!store.dir().exists(), "{word}");
    }
}

#[test]
fn a_store_that_is_a_file_is_said_to_be_in_the_way() {
    let store = Store::new();
    let file = store.file("a.jsonl", &sums(0..3));
    let failed = keep(&file, &import(std::slice::from_ref(&file), SplitFractions::default()));
    assert!(matches!(failed, Err(KeepError::Write(_))), "{failed:?}");
}

#[test]
fn a_version_that_was_changed_is_found_out() {
    let store = Store::new();
    let info = keep(&store.dir(), &import(&[store.file("a.jsonl", &sums(0..9))], SplitFractions::default()))
        .unwrap();
    let folder = store.dir().join(&info.version.0);
    let train = folder.join("train.jsonl");
    let content = fs::read_to_string(&train).unwrap();
    atomic::write_whole(&train, content.replacen("+", "-", 1).as_bytes()).unwrap();
    let kept = open(&folder).unwrap();
    assert!(matches!(kept.verify(), Err(KeptError::Changed { .. })));
    atomic::write_whole(&train, &content.as_bytes()[..content.len() - 5]).unwrap();
    let read: Result<Vec<_>, _> = kept.examples(Split::Train).unwrap().collect();
    assert!(matches!(read, Err(KeptError::Damaged { line: 8, .. })), "{read:?}");
    // The same import puts it right.
    keep(&store.dir(), &import(&[store.file("a.jsonl", &sums(0..9))], SplitFractions::default())).unwrap();
    open(&folder).unwrap().verify().unwrap();
}

#[test]
fn a_preview_shows_rows_as_they_stand_and_as_they_are_learned() {
    let store = Store::new();
    let preview = Preview::of(&[store.file("a.jsonl", &sums(3..9))], None, 2).unwrap();
    assert_eq!(preview.columns, ["prompt", "completion"]);
    assert_eq!(preview.rows, [["3+3=", "6"], ["4+4=", "8"]]);
    assert_eq!(preview.examples.len(), 2);
    assert!(preview.because.contains("are named as a prompt and its completion"));
}

#[test]
fn trouble_beyond_what_is_listed_is_counted_by_its_kind() {
    let store = Store::new();
    let row = |n: u32| match n % 4 {
        0 => format!("{{\"prompt\":\"{n}\",\"completion\":\"\"}}\n"),
        1 => format!("{{\"prompt\":\"{n}\"}}\n"),
        _ => format!("{{\"prompt\":\"{n}\",\"completion\":\"{n}\"}}\n"),
    };
    let text = sums(0..1) + &(0..4000).map(row).collect::<String>() + &sums(0..1) + "{oops\n{oops again\n";
    let file = store.file("rows.jsonl", &text);
    let info = keep(&store.dir(), &import(&[file], SplitFractions::default())).unwrap();
    assert_eq!((info.problems.len(), info.n_problems), (1000, 2003));
    let groups: Vec<_> = info.groups().into_iter().map(|g| (g.sentence, g.examples.len())).collect();
    let said = |sentence: &str, shown| (sentence.to_owned(), shown);
    assert_eq!(
        groups,
        [
            said("1,000 rows have nothing in `completion`", 50),
            said("1,000 rows have an empty reply", 50),
            said("2 rows are not JSON", 0),
            said("1 row repeats an earlier row", 0),
        ]
    );
    let older = DatasetInfo { tallies: Vec::new(), ..info };
    assert!(older.groups()[0].sentence.starts_with("At least 500 rows "), "what an older version kept");
}

#[test]
fn any_page_and_a_sample_of_the_whole_can_be_read() {
    let store = Store::new();
    let file = store.file("sums.jsonl", &sums(0..1000));
    let split = SplitFractions { validation: 0.0, ..SplitFractions::default() };
    let info = keep(&store.dir(), &import(&[file], split)).unwrap();
    let kept = open(&store.dir().join(&info.version.0)).unwrap();
    let all = examples(&store.dir(), &info.version, Split::Train);
    let mut index = LineIndex::default();
    for (offset, n) in [(990, 20), (0, 3), (500, 1), (1000, 5), (5000, 5)] {
        let page = kept.page(Split::Train, &mut index, offset, n).unwrap();
        let expected: Vec<_> = all.iter().skip(offset as usize).take(n).cloned().collect();
        assert_eq!(page, expected, "from {offset}");
    }
    assert_eq!(kept.page(Split::Test, &mut LineIndex::default(), 0, 5).unwrap(), []);

    let spread = |most| kept.spread(Split::Train, most).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(spread(5000), all);
    let sample = spread(10);
    let places: Vec<_> = sample.iter().map(|e| all.iter().position(|a| a == e).unwrap()).collect();
    assert_eq!(places, (0..10).map(|n| n * 100).collect::<Vec<_>>());
    assert_eq!(spread(0), []);
}

#[test]
fn each_shape_names_the_columns_it_is_made_of() {
    let sheets = data::shapes();
    assert_eq!(sheets.len(), 10);
    for sheet in sheets {
        assert!(!sheet.needs.is_empty() && sheet.help.ends_with('.'), "{sheet:?}");
        assert!(sheet.needs.iter().all(|role| !sheet.may.contains(role)), "{sheet:?}");
    }
}
