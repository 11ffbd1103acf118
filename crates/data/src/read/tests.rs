//! Shapes, guesses and problems: what a file says, and what is made of it.

use super::*;
use expect_test::{Expect, expect};
use spec::{ColumnRole, Shape};
use std::fmt::Write;

fn shown(example: &Example) -> String {
    match example {
        Example::Text { text } => format!("{text:?}"),
        Example::Completion { prompt, completion } => format!("{prompt:?} -> {completion:?}"),
        Example::Chat { messages } => {
            let messages: Vec<_> = messages.iter().map(|m| format!("{}: {:?}", m.role, m.content)).collect();
            messages.join(" | ")
        }
        Example::Labelled { text, pair, labels } => format!("{text:?}{} is {labels:?}", second(pair)),
        Example::Scored { text, pair, score } => format!("{text:?}{} is {score}", second(pair)),
        Example::Tagged { words, tags } => {
            let both: Vec<_> = words.iter().zip(tags).map(|(word, tag)| format!("{word}/{tag}")).collect();
            both.join(" ")
        }
    }
}

fn second(pair: &Option<String>) -> String {
    pair.as_ref().map(|pair| format!(" and {pair:?}")).unwrap_or_default()
}

pub(super) fn said(read: Result<Imported, Unreadable>) -> String {
    let imported = match read {
        Ok(imported) => imported,
        Err(error) => return format!("{error}\n"),
    };
    let mut out = format!("{}\n", imported.report.because);
    for example in &imported.examples {
        writeln!(out, "{}", shown(example)).unwrap();
    }
    for problem in &imported.report.problems.listed {
        writeln!(out, "line {}: {}", problem.line, problem.kind).unwrap();
    }
    assert_eq!(imported.report.n_examples, imported.examples.len() as u64);
    out
}

pub(super) fn check(name: &str, file: &str, expected: Expect) {
    expected.assert_eq(&said(read_bytes(name, file.as_bytes(), None)));
}

#[test]
fn a_broken_row_is_named_and_the_rest_is_kept() {
    check(
        "a.jsonl",
        "{\"prompt\":\"2+2\",\"completion\":\"4\"}\n{oops\n{\"prompt\":\"3+3\",\"completion\":6}\n",
        expect![[r#"
        `prompt` and `completion` are named as a prompt and its completion
        "2+2" -> "4"
        "3+3" -> "6"
        line 2: not JSON at column 2
    "#]],
    );
}

#[test]
fn each_thing_that_can_be_wrong_with_a_pair_is_told() {
    let file = r#"
{"prompt":"a","completion":"b"}
{"prompt":"a"}
{"prompt":"a","completion":null}
{"prompt":" ","completion":"b"}
{"prompt":"a","completion":""}
{"prompt":{"a":1},"completion":"b"}
{"completion":"b","prompt":"a","more":1}
[]
"#;
    check(
        "a.jsonl",
        file,
        expect![[r#"
        `prompt` and `completion` are named as a prompt and its completion
        "a" -> "b"
        line 3: `completion` is missing
        line 4: `completion` is missing
        line 5: the prompt is empty
        line 6: the reply is empty
        line 7: `prompt` is not text
        line 8: the same as row 2
        line 9: not a JSON object
    "#]],
    );
}

#[test]
fn alpaca_becomes_a_conversation() {
    let file = r#"[
        {"instruction":"Add.","input":"1 2","output":"3"},
        {"instruction":"Greet.","input":"","output":"Hello."},
        {"instruction":"","input":"1 2","output":"3"},
        {"instruction":"","input":"","output":"3"},
        {"instruction":"Be silent.","output":" "}
    ]"#;
    check(
        "a.json",
        file,
        expect![[r#"
        columns `instruction`, `input`, `output` are named as in Alpaca's data
        user: "Add.\n\n1 2" | assistant: "3"
        user: "Greet." | assistant: "Hello."
        user: "1 2" | assistant: "3"
        line 4: the prompt is empty
        line 5: the reply is empty
    "#]],
    );
    check(
        "a.csv",
        "instruction,context,response,category\nAdd.,1 2,3,x\nGreet.,,Hello.,y\n",
        expect![[r#"
        columns `instruction`, `context`, `response` are named as in Alpaca's data
        user: "Add.\n\n1 2" | assistant: "3"
        user: "Greet." | assistant: "Hello."
    "#]],
    );
    check(
        "a.jsonl",
        r#"{"id":1,"system_prompt":"Be brief.","question":"Who?","response":"You."}"#,
        expect![[r#"
        columns `question`, `response`, `system_prompt` are named as in Alpaca's data
        system: "Be brief." | user: "Who?" | assistant: "You."
    "#]],
    );
}

#[test]
fn messages_keep_their_roles_and_turns() {
    let file = r#"
{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello."},{"role":"user","content":"Bye"},{"role":"assistant","content":"Bye."}]}
{"messages":[{"role":"user","content":[{"type":"text","text":"What "},{"type":"text","text":"now?"}]},{"role":"tool","content":"42"},{"role":"assistant","content":"42."}]}
{"messages":[{"role":"user","content":[{"type":"image_url","image_url":"x"}]},{"role":"assistant","content":"A cat."}]}
{"messages":[{"role":"user","content":"Hi"}]}
{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":""}]}
{"messages":[{"role":"oracle","content":"Hi"},{"role":"assistant","content":"a"}]}
{"messages":[{"role":"user"},{"role":"assistant","content":"a"}]}
{"messages":"none"}
{"messages":[]}
{"messages":[1]}
"#;
    check(
        "a.jsonl",
        file,
        expect![[r#"
        `messages` holds lists of messages with a role and a content
        system: "Be terse." | user: "Hi" | assistant: "Hello." | user: "Bye" | assistant: "Bye."
        user: "What now?" | tool: "42" | assistant: "42."
        line 4: `content` is not text
        line 5: no reply
        line 6: the reply is empty
        line 7: unknown role `oracle`
        line 8: not a list of messages with a role and a content
        line 9: not a list of messages with a role and a content
        line 10: no reply
        line 11: not a list of messages with a role and a content
    "#]],
    );
}

#[test]
fn sharegpt_is_told_by_its_spelling() {
    let file = r#"[
        {"id":"x","system":"Be kind.","conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Hello."}]},
        {"conversations":[{"from":"system","value":"S"},{"from":"human","value":"Hi"},{"from":"function_call","value":"{}"},{"from":"observation","value":"1"},{"from":"gpt","value":"One."}]}
    ]"#;
    check(
        "a.json",
        file,
        expect![[r#"
        `conversations` holds lists of messages with `from` and `value`
        system: "Be kind." | user: "Hi" | assistant: "Hello."
        system: "S" | user: "Hi" | assistant: "{}" | tool: "1" | assistant: "One."
    "#]],
    );
}

#[test]
fn prompts_and_completions_may_be_messages() {
    let file = r#"{"prompt":[{"role":"user","content":"Hi"}],"completion":[{"role":"assistant","content":"Hello."}]}"#;
    check(
        "a.jsonl",
        file,
        expect![[r#"
        `prompt` and `completion` hold messages
        user: "Hi" | assistant: "Hello."
    "#]],
    );
    check(
        "a.csv",
        "messages\n\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"Hi\"\"},{\"\"role\"\":\"\"assistant\"\",\"\"content\"\":\"\"Hello.\"\"}]\"\n",
        expect![[r#"
        `messages` holds lists of messages with a role and a content
        user: "Hi" | assistant: "Hello."
    "#]],
    );
}

#[test]
fn pairs_are_told_by_their_names_or_by_their_contents() {
    check(
        "a.jsonl",
        r#"{"question":"Why?","answer":"So."}"#,
        expect![[r#"
        `question` and `answer` are named as a prompt and its completion
        "Why?" -> "So."
    "#]],
    );
    check(
        "a.csv",
        "text,sentiment\nSo sad,negative\n",
        expect![[r#"
        columns `text`, `sentiment` are named as a text and its label
        "So sad" is ["negative"]
    "#]],
    );
    check(
        "a.csv",
        "Text,Label\nSo sad,0\n",
        expect![[r#"
        columns `Text`, `Label` are named as a text and its label
        "So sad" is ["LABEL_0"]
    "#]],
    );
    check(
        "a.jsonl",
        r#"{"symptoms":"I cough and sneeze all day long.","diagnosis":"a cold"}"#,
        expect![[r#"
        the names of the two columns of text say nothing, so the longer, `symptoms`, is taken for the prompt and `diagnosis` for the completion
        "I cough and sneeze all day long." -> "a cold"
    "#]],
    );
    check(
        "a.jsonl",
        r#"{"diagnosis":"a cold","symptoms":"I cough and sneeze all day long."}"#,
        expect![[r#"
        the names of the two columns of text say nothing, so the longer, `symptoms`, is taken for the prompt and `diagnosis` for the completion
        "I cough and sneeze all day long." -> "a cold"
    "#]],
    );
    check(
        "a.csv",
        "id,one,two\n1,abc,abd\n",
        expect![[r#"
        the names of the two columns of text say nothing, so the first, `one`, is taken for the prompt and `two` for the completion
        "abc" -> "abd"
    "#]],
    );
}

#[test]
fn running_text_is_told_apart() {
    check(
        "a.jsonl",
        "{\"text\":\"Once.\",\"n\":1}\n{\"text\":\"\"}\n",
        expect![[r#"
        `text` is the only column of text
        "Once."
        line 2: the text is empty
    "#]],
    );
    check(
        "a.md",
        "# Title\n\nOne paragraph.\n",
        expect![[r##"
        `text` is the only column of text
        "# Title\n\nOne paragraph."
    "##]],
    );
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    check(
        "a.csv",
        "",
        expect![[r#"
        a.csv is empty. Choose a file with at least one example in it.
    "#]],
    );
    check(
        "a.jsonl",
        "\n\n",
        expect![[r#"
        a.jsonl is empty. Choose a file with at least one example in it.
    "#]],
    );
    check(
        "a.csv",
        "prompt,completion\n",
        expect![[r#"
        a.csv has no rows. Choose a file with at least one example in it.
    "#]],
    );
    check(
        "a.json",
        "[]",
        expect![[r#"
        a.json has no rows. Choose a file with at least one example in it.
    "#]],
    );
    check(
        "a.xlsx",
        "PK\u{3}\u{4}\0\0",
        expect![[r#"
        a.xlsx is not text: it looks like an Office document or a zip archive (save a sheet as CSV, or unpack the archive). Known are .jsonl, .json, .csv, .tsv, .parquet, .conll, .txt and .md (each also packed, as in .jsonl.gz).
    "#]],
    );
    check(
        "a.txt",
        "MZ\0\0",
        expect![[r#"
        a.txt is not text: it looks like a program. Known are .jsonl, .json, .csv, .tsv, .parquet, .conll, .txt and .md (each also packed, as in .jsonl.gz).
    "#]],
    );
    check(
        "a.yaml",
        "a: b",
        expect![[r#"
        The format of a.yaml is not known. Known are .jsonl, .json, .csv, .tsv, .parquet, .conll, .txt and .md (each also packed, as in .jsonl.gz); give it the ending of its format.
    "#]],
    );
    check(
        "a.jsonl",
        "{oops\n{oops\n",
        expect![[r#"
        Not one of the rows can be used (2 were looked at). The first: a.jsonl, line 1: not JSON at column 2. Check that the columns play the right parts.
    "#]],
    );
    check(
        "a.csv",
        "a,b,c\nx,y,z\n",
        expect![[r#"
        It is not clear which column of a.csv plays which part (columns: a, b, c). Say which one is the prompt and which the completion, or which holds the text.
    "#]],
    );
    check(
        "a.parquet",
        "PAR1PAR1",
        expect![[r#"
        a.parquet is broken in its header: EOF: Parquet file too small. Size is 8 but need 827474264. Save it again, or take out what is broken.
    "#]],
    );
    check(
        "a.jsonl",
        r#"{"prompt":"a","completion":""}"#,
        expect![[r#"
        Not one of the rows can be used (1 were looked at). The first: a.jsonl, line 1: the reply is empty. Check that the columns play the right parts.
    "#]],
    );
}

#[test]
fn a_mapping_by_hand_wins_over_the_guess() {
    let columns =
        [(ColumnRole::Prompt, "completion".to_owned()), (ColumnRole::Completion, "prompt".to_owned())];
    let mapping = Mapping { shape: Shape::PromptCompletion, columns: columns.into() };
    let read = |file: &str| said(read_bytes("a.csv", file.as_bytes(), Some(&mapping)));
    expect![[r#"
        you mapped the columns
        "b" -> "a"
    "#]]
    .assert_eq(&read("prompt,completion\na,b\n"));
    expect![[r#"
        a.csv has no column `completion` (columns: prompt, other). Map the columns anew.
    "#]]
    .assert_eq(&read("prompt,other\na,b\n"));
    let incomplete = Mapping { shape: Shape::Alpaca, ..mapping.clone() };
    expect![[r#"
        The mapping lacks a column for the instruction. Say which column it is.
    "#]]
    .assert_eq(&said(read_bytes("a.csv", b"prompt\na\n", Some(&incomplete))));
}

#[test]
fn other_encodings_are_read_and_replaced_bytes_are_named() {
    let cafe = b"prompt,completion\nO\xf9 est le caf\xe9 ?,L\xe0-bas \xe0 c\xf4t\xe9.\n";
    expect![[r#"
        `prompt` and `completion` are named as a prompt and its completion
        "Où est le café ?" -> "Là-bas à côté."
    "#]]
    .assert_eq(&said(read_bytes("a.csv", cafe, None)));
    let mut mostly = "prompt,completion\nÇa va très bien à côté,été où déjà\n".as_bytes().to_vec();
    mostly.extend_from_slice(b"bad \xff byte,ok\n");
    expect![[r#"
        `prompt` and `completion` are named as a prompt and its completion
        "Ça va très bien à côté" -> "été où déjà"
        "bad � byte" -> "ok"
        line 3: bytes that are not text were replaced
    "#]]
    .assert_eq(&said(read_bytes("a.csv", &mostly, None)));
}

#[test]
fn files_that_do_not_look_alike_are_not_mixed() {
    let open = |files: &[(&str, &str)]| {
        let sources = files.iter().map(|(name, file)| Source::bytes(name, file.as_bytes())).collect();
        Reader::of(sources, None).map(|reader| reader.mapping().clone())
    };
    let pair = ("a.csv", "prompt,completion\na,b\n");
    let said = open(&[pair, ("b.txt", "Some text.")]).unwrap_err().to_string();
    expect!["a.csv and b.txt do not look alike: `prompt` and `completion` are named as a prompt and its completion and `text` is the only column of text. Import them one by one, or map the columns."].assert_eq(&said);
    open(&[pair, ("b.jsonl", r#"{"prompt":"c","completion":"d"}"#)]).unwrap();
    let alpaca = ("a.jsonl", r#"{"instruction":"a","output":"b"}"#);
    let joined = open(&[alpaca, ("b.jsonl", r#"{"instruction":"a","input":"c","output":"b"}"#)]).unwrap();
    assert_eq!(
        joined.columns[&ColumnRole::Input],
        "input",
        "a column one file lacks is still read in the other"
    );
}

mod any_bytes {
    use super::*;
    use proptest::prelude::*;

    const SEEDS: &[&[u8]] = &[
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":[{\"text\":\"a\"}]}]}\n",
        b"[{\"instruction\":\"a\",\"input\":null,\"output\":\"\\ud83d\\ude42\"}]",
        b"{\"data\":[{\"prompt\":\"a\",\"completion\":1.5}]}",
        b"prompt;completion\r\n\"a;\"\"b\";c\r\n",
        b"\xff\xfeA\0,\0B\0\n\0a\0,\0b\0\n\0",
        b"# Title\n\nCaf\xe9 \x81 text.\n",
        b"{\"text\":\"New York\",\"entities\":[{\"start\":0,\"end\":8,\"label\":\"LOC\"}]}\n",
        b"{\"tokens\":[\"EU\",\"a\"],\"ner_tags\":[\"B-ORG\",0],\"label\":1.5}\n",
        b"EU B-ORG\nrejects O\n\n-DOCSTART- O\nPeter B-PER\n",
    ];
    const NAMES: &[&str] =
        &["a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a.md", "a.conll", "a.jsonl.gz", "a.parquet"];

    proptest! {
        #[test]
        fn are_examples_or_an_error(
            seed in prop::sample::select(SEEDS),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            name in prop::sample::select(NAMES),
        ) {
            let mut bytes = seed.to_vec();
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(imported) = read_bytes(name, &bytes, None) {
                prop_assert_eq!(imported.report.n_examples, imported.examples.len() as u64);
            }
        }
    }
}
