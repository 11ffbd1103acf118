//! What transformers makes of the same texts, pairs and tagged words with the same tokenizers.

#![allow(clippy::unwrap_used)] // helpers of tests are not known for tests

use data::{Answer, Examiner, Question, TokeniseError};
use serde_json::Value;
use spec::{Example, Task};
use text::Tokenizer;

const TAGS: [&str; 5] = ["B-A", "B-B", "B-C", "B-D", "O"];

fn whole(json: &Value) -> Vec<u32> {
    json.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn texts(json: &Value) -> Vec<String> {
    json.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Each folder's tokenizer and what is expected of it.
fn each(mut check: impl FnMut(&str, &Tokenizer, &Value)) {
    let all = testkit::json("questions.json");
    for (folder, expected) in all.as_object().unwrap() {
        let path = testkit::fixture("tokenizers").join(folder);
        check(folder, &Tokenizer::from_folder(&path).unwrap(), expected);
    }
}

fn labelled(case: &Value) -> Example {
    Example::Labelled {
        text: case["text"].as_str().unwrap().to_owned(),
        pair: case["pair"].as_str().map(str::to_owned),
        labels: vec!["yes".to_owned()],
    }
}

fn asked(tokenizer: &Tokenizer, task: &Task, case: &Value, example: &Example) -> (Question, usize) {
    let longest = case["longest"].as_u64().unwrap() as usize;
    Examiner::new(tokenizer, task, longest).question(example).unwrap()
}

fn yes_or_no() -> Task {
    Task::Classify { labels: ["no", "yes"].map(str::to_owned).into() }
}

#[test]
fn texts_and_pairs_have_their_special_tokens_and_lose_their_end_where_they_are_too_long() {
    let (mut n_cut, mut n_pairs) = (0, 0);
    each(|folder, tokenizer, expected| {
        for case in expected["texts"].as_array().unwrap().iter().chain(expected["pairs"].as_array().unwrap())
        {
            let (question, cut) = asked(tokenizer, &yes_or_no(), case, &labelled(case));
            assert_eq!(question.ids, whole(&case["ids"]), "{folder}: {case}");
            assert_eq!(question.answer, Answer::Label(1));
            match &question.type_ids {
                Some(type_ids) => assert_eq!(*type_ids, whole(&case["type_ids"]), "{folder}: {case}"),
                None => assert!(case["pair"].is_null()),
            }
            n_cut += usize::from(cut > 0);
            n_pairs += usize::from(question.type_ids.is_some());
        }
    });
    assert!(n_cut > 20 && n_pairs > 50, "{n_cut} cut, {n_pairs} pairs");
}

#[test]
fn a_words_tag_stands_at_the_first_of_its_tokens() {
    let task = Task::Tag { labels: TAGS.map(str::to_owned).into() };
    each(|folder, tokenizer, expected| {
        for case in expected["sentences"].as_array().unwrap() {
            let tags = whole(&case["tags"]).into_iter().map(|tag| TAGS[tag as usize].to_owned()).collect();
            let example = Example::Tagged { words: texts(&case["words"]), tags };
            let (question, _) = asked(tokenizer, &task, case, &example);
            assert_eq!(question.ids, whole(&case["ids"]), "{folder}: {case}");
            let label = |label: &Value| label.as_u64().map(|label| label as u32);
            let labels: Vec<_> = case["labels"].as_array().unwrap().iter().map(label).collect();
            assert_eq!(question.answer, Answer::Tags(labels), "{folder}: {case}");
        }
    });
}

#[test]
fn what_is_seen_of_an_example_is_what_is_asked() {
    let tokenizer = Tokenizer::from_folder(&testkit::fixture("tokenizers/bert")).unwrap();
    let task = Task::Tag { labels: TAGS.map(str::to_owned).into() };
    let words = ["The", "lighthouse", "keeper"].map(str::to_owned).to_vec();
    let example = Example::Tagged { words, tags: ["O", "B-A", "O"].map(str::to_owned).into() };
    let examiner = Examiner::new(&tokenizer, &task, 512);
    let (seen, question) = (examiner.see(&example).unwrap(), examiner.question(&example).unwrap().0);
    assert_eq!(seen.tokens.iter().map(|token| token.id).collect::<Vec<_>>(), question.ids);
    assert_eq!(seen.n_supervised, 3);
    let pieces: String = seen.tokens.iter().filter(|t| !t.special).map(|t| t.piece.as_str()).collect();
    assert_eq!(pieces.to_lowercase(), "thelighthousekeeper");
    assert!(seen.tokens[0].special && !seen.tokens[0].taught);
}

#[test]
fn rows_of_another_task_and_labels_nobody_knows_are_refused() {
    let tokenizer = Tokenizer::from_folder(&testkit::fixture("tokenizers/bert")).unwrap();
    let task = yes_or_no();
    let examiner = Examiner::new(&tokenizer, &task, 64);
    let of = |labels: &[&str]| Example::Labelled {
        text: "the lamp".to_owned(),
        pair: None,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    let wrong = |example: &Example| examiner.question(example).unwrap_err();
    assert!(matches!(wrong(&of(&["maybe"])), TokeniseError::UnknownLabel { label } if label == "maybe"));
    assert!(matches!(wrong(&of(&["yes", "no"])), TokeniseError::OtherTask { .. }));
    assert!(matches!(wrong(&Example::Text { text: "a".to_owned() }), TokeniseError::OtherTask { .. }));
    let tight = Examiner::new(&tokenizer, &task, 2).question(&of(&["yes"])).unwrap_err().to_string();
    assert!(tight.contains("2 tokens have no room for a text and 2 special tokens"), "{tight}");
}
