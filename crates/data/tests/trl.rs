//! What TRL's `SFTTrainer` makes of the same rows with the same tokenizer: ids, labels, packed rows, positions.

#![allow(clippy::unwrap_used)] // helpers of tests are not known for tests

use data::{Row, Teacher, Tokens, pack, unpacked};
use serde_json::Value;
use spec::{Example, Message, Role, Supervise};
use text::{ChatTemplate, Tokenizer};

/// No packed row of the fixtures is as long.
const WIDTH: usize = 1024;

#[test]
fn text_is_taught_whole_with_its_end() {
    agrees("text", Supervise::Replies);
    agrees("text_packed", Supervise::Everything);
}

#[test]
fn a_completion_is_taught_after_its_prompt() {
    agrees("prompt_completion", Supervise::Replies);
    agrees("prompt_completion_packed", Supervise::LastReply);
}

#[test]
fn a_conversation_can_be_taught_whole() {
    agrees("messages", Supervise::Everything);
    agrees("messages_packed", Supervise::Everything);
}

#[test]
fn a_reply_is_taught_after_its_conversation() {
    for supervise in [Supervise::Replies, Supervise::LastReply] {
        agrees("prompt_completion_chat", supervise);
        agrees("prompt_completion_chat_packed", supervise);
    }
}

#[test]
fn of_several_replies_all_or_the_last_are_taught() {
    let said = [
        (Role::User, "Hi"),
        (Role::Assistant, "Hello."),
        (Role::User, "Bye"),
        (Role::Assistant, " So long!"),
    ];
    let example = Example::Chat { messages: said.map(|(role, text)| Message::new(role, text)).into() };
    let taught = |supervise| {
        let seen = with_teacher(supervise, 512, |teacher| teacher.see(&example).unwrap());
        assert_eq!(seen.tokens.iter().map(|token| token.piece.as_str()).collect::<String>(), seen.text);
        assert!(seen.end_is_taught);
        seen.tokens.into_iter().filter(|token| token.taught).map(|token| token.piece).collect::<String>()
    };
    assert_eq!(taught(Supervise::Replies), "Hello.<|im_end|>\n So long!<|im_end|>\n");
    assert_eq!(taught(Supervise::LastReply), " So long!<|im_end|>\n");
}

#[test]
fn what_is_cut_is_counted_and_what_teaches_nothing_is_left_out() {
    let long = "word ".repeat(100);
    let examples = [
        Example::Completion { prompt: "Say word. ".into(), completion: long.clone() },
        Example::Completion { prompt: long, completion: "end".into() },
        Example::Completion { prompt: "Capital of Italy? ".into(), completion: "Rome".into() },
    ];
    with_teacher(Supervise::Replies, 16, |teacher| {
        let made = teacher.all(&examples, &mut data::unwatched).unwrap();
        assert_eq!((made.examples.len(), made.n_truncated, made.n_untaught), (2, 2, 1));
        assert!(made.examples.iter().all(|tokens| tokens.ids.len() <= 16 && tokens.n_supervised() > 0));
        let seen = teacher.see(&examples[0]).unwrap();
        assert_eq!((seen.tokens.len(), seen.n_tokens - seen.n_cut, seen.end_is_taught), (16, 16, false));
    });
}

fn agrees(case: &str, supervise: Supervise) {
    let fixture = testkit::json("trl_sft_data.json");
    let case_of = &fixture[case];
    let examples: Vec<Example> = case_of["rows"].as_array().unwrap().iter().map(example).collect();
    let tokens = with_teacher(supervise, WIDTH, |teacher| {
        teacher.all(&examples, &mut data::unwatched).unwrap().examples
    });
    let rows = if case.ends_with("_packed") {
        packed_agrees(case_of, &tokens)
    } else {
        for (tokens, expected) in tokens.iter().zip(case_of["dataset"].as_array().unwrap()) {
            assert_eq!(tokens.ids, numbers(&expected["input_ids"]), "{case}: ids");
            assert_eq!(
                labels(&tokens.ids, &tokens.supervised),
                integers(&expected["labels"]),
                "{case}: labels"
            );
        }
        unpacked(&tokens)
    };
    assert_eq!(rows.iter().map(|row| row.segments.len()).sum::<usize>(), examples.len());
}

/// TRL packs to rows of a width, then lays all rows of a batch end to end.
fn packed_agrees(case: &Value, tokens: &[Tokens]) -> Vec<Row> {
    let dataset = case["dataset"].as_array().unwrap();
    let rows =
        pack(tokens, numbers(&dataset[0]["input_ids"]).len().max(if dataset.len() == 1 { 0 } else { 48 }));
    assert_eq!(rows.len(), dataset.len());
    for (row, expected) in rows.iter().zip(dataset) {
        assert_eq!(row.ids, numbers(&expected["input_ids"]));
        assert_eq!(row.segments, numbers(&expected["seq_lengths"]));
    }
    let batch = &case["batch"];
    let flat: Vec<i64> = rows.iter().flat_map(|row| labels(&row.ids, &row.taught)).collect();
    assert_eq!(flat, integers(&batch["labels"][0]));
    let positions: Vec<u32> = rows.iter().flat_map(Row::positions).collect();
    assert_eq!(positions, numbers(&batch["position_ids"][0]));
    rows
}

fn labels(ids: &[u32], taught: &[bool]) -> Vec<i64> {
    ids.iter().zip(taught).map(|(id, taught)| if *taught { i64::from(*id) } else { -100 }).collect()
}

fn example(row: &Value) -> Example {
    let text = |key: &str| row[key].as_str().map(str::to_owned);
    if let Some(text) = text("text") {
        return Example::Text { text };
    }
    if let (Some(prompt), Some(completion)) = (text("prompt"), text("completion")) {
        return Example::Completion { prompt, completion };
    }
    let lists = ["messages", "prompt", "completion"].map(|key| row[key].clone());
    let of = |list: Value| serde_json::from_value::<Option<Vec<Message>>>(list).unwrap().unwrap_or_default();
    Example::Chat { messages: lists.into_iter().flat_map(of).collect() }
}

fn numbers(list: &Value) -> Vec<u32> {
    serde_json::from_value(list.clone()).unwrap()
}

fn integers(list: &Value) -> Vec<i64> {
    serde_json::from_value(list.clone()).unwrap()
}

fn with_teacher<T>(supervise: Supervise, context_length: usize, use_it: impl FnOnce(&Teacher) -> T) -> T {
    let checkpoint = weights::Checkpoint::open(&testkit::smollm2()).unwrap();
    let tokenizer = Tokenizer::open(&checkpoint).unwrap();
    let template = ChatTemplate::of(&tokenizer, std::time::UNIX_EPOCH).unwrap();
    use_it(&Teacher { tokenizer: &tokenizer, template: template.as_ref(), supervise, context_length })
}
