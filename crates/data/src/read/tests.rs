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
    }
}

fn said(read: Result<Imported, Unreadable>) -> String {
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

fn check(name: &str, file: &str, expected: Expect) {
    expected.assert_eq(&said(read_bytes(name, file.as_bytes(), None)));
}

#[test]
fn a_broken_row_is_named_and_the_rest_is_kept() {
    check("a.jsonl", "{\"prompt\":\"2+2\",\"completion\":\"4\"}\n{oops\n{\"prompt\":\"3+3\",\"completion\":6}\n", expect![[""]]);
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
    check("a.jsonl", file, expect![[""]]);
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
    check("a.json", file, expect![[""]]);
    check("a.csv", "instruction,context,response,category\nAdd.,1 2,3,x\nGreet.,,Hello.,y\n", expect![[""]]);
    check("a.jsonl", r#"{"id":1,"system_prompt":"Be brief.","question":"Who?","response":"You."}"#, expect![[""]]);
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
    check("a.jsonl", file, expect![[""]]);
}

#[test]
fn sharegpt_is_told_by_its_spelling() {
    let file = r#"[
        {"id":"x","system":"Be kind.","conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Hello."}]},
        {"conversations":[{"from":"system","value":"S"},{"from":"human","value":"Hi"},{"from":"function_call","value":"{}"},{"from":"observation","value":"1"},{"from":"gpt","value":"One."}]}
    ]"#;
    check("a.json", file, expect![[""]]);
}

#[test]
fn prompts_and_completions_may_be_messages() {
    let file = r#"{"prompt":[{"role":"user","content":"Hi"}],"completion":[{"role":"assistant","content":"Hello."}]}"#;
    check("a.jsonl", file, expect![[""]]);
    check("a.csv", "messages\n\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"Hi\"\"},{\"\"role\"\":\"\"assistant\"\",\"\"content\"\":\"\"Hello.\"\"}]\"\n", expect![[""]]);
}

#[test]
fn pairs_are_told_by_their_names_or_by_their_contents() {
    check("a.jsonl", r#"{"question":"Why?","answer":"So."}"#, expect![[""]]);
    check("a.csv", "text,sentiment\nSo sad,negative\n", expect![[""]]);
    check("a.csv", "Text,Label\nSo sad,0\n", expect![[""]]);
    check("a.jsonl", r#"{"symptoms":"I cough and sneeze all day long.","diagnosis":"a cold"}"#, expect![[""]]);
    check("a.jsonl", r#"{"diagnosis":"a cold","symptoms":"I cough and sneeze all day long."}"#, expect![[""]]);
    check("a.csv", "id,one,two\n1,abc,abd\n", expect![[""]]);
}

#[test]
fn running_text_is_told_apart() {
    check("a.jsonl", "{\"text\":\"Once.\",\"n\":1}\n{\"text\":\"\"}\n", expect![[""]]);
    check("a.md", "# Title\n\nOne paragraph.\n", expect![[""]]);
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    check("a.csv", "", expect![[""]]);
    check("a.jsonl", "\n\n", expect![[""]]);
    check("a.csv", "prompt,completion\n", expect![[""]]);
    check("a.json", "[]", expect![[""]]);
    check("a.xlsx", "PK\u{3}\u{4}\0\0", expect![[""]]);
    check("a.txt", "MZ\0\0", expect![[""]]);
    check("a.yaml", "a: b", expect![[""]]);
    check("a.jsonl", "{oops\n{oops\n", expect![[""]]);
    check("a.csv", "a,b,c\nx,y,z\n", expect![[""]]);
    check("a.parquet", "PAR1PAR1", expect![[""]]);
    check("a.jsonl", r#"{"prompt":"a","completion":""}"#, expect![[""]]);
}

#[test]
fn a_mapping_by_hand_wins_over_the_guess() {
    let columns = [(ColumnRole::Prompt, "completion".to_owned()), (ColumnRole::Completion, "prompt".to_owned())];
    let mapping = Mapping { shape: Shape::PromptCompletion, columns: columns.into() };
    let read = |file: &str| said(read_bytes("a.csv", file.as_bytes(), Some(&mapping)));
    expect![[""]].assert_eq(&read("prompt,completion\na,b\n"));
    expect![[""]].assert_eq(&read("prompt,other\na,b\n"));
    let incomplete = Mapping { shape: Shape::Alpaca, ..mapping.clone() };
    expect![[""]].assert_eq(&said(read_bytes("a.csv", b"prompt\na\n", Some(&incomplete))));
}

#[test]
fn other_encodings_are_read_and_replaced_bytes_are_named() {
    let cafe = b"prompt,completion\nO\xf9 est le caf\xe9 ?,L\xe0-bas \xe0 c\xf4t\xe9.\n";
    expect![[""]].assert_eq(&said(read_bytes("a.csv", cafe, None)));
    let mut mostly = "prompt,completion\nÇa va très bien à côté,été où déjà\n".as_bytes().to_vec();
    mostly.extend_from_slice(b"bad \xff byte,ok\n");
    expect![[""]].assert_eq(&said(read_bytes("a.csv", &mostly, None)));
}

#[test]
fn files_that_do_not_look_alike_are_not_mixed() {
    let open = |files: &[(&str, &str)]| {
        let sources = files.iter().map(|(name, file)| Source::bytes(name, file.as_bytes())).collect();
        Reader::of(sources, None).map(|reader| reader.mapping().clone())
    };
    let pair = ("a.csv", "prompt,completion\na,b\n");
    let said = open(&[pair, ("b.txt", "Some text.")]).unwrap_err().to_string();
    expect![[""]].assert_eq(&said);
    open(&[pair, ("b.jsonl", r#"{"prompt":"c","completion":"d"}"#)]).unwrap();
    let alpaca = ("a.jsonl", r#"{"instruction":"a","output":"b"}"#);
    let joined = open(&[alpaca, ("b.jsonl", r#"{"instruction":"a","input":"c","output":"b"}"#)]).unwrap();
    assert_eq!(joined.columns[&ColumnRole::Input], "input", "a column one file lacks is still read in the other");
}
