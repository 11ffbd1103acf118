//! Labels, numbers and tags: what a file says, and what is made of it.

use std::fmt::Write;

use expect_test::expect;
use spec::{ColumnRole, Mapping, Shape};

use super::{read_bytes, tests::check, tests::said};

#[test]
fn a_label_is_told_by_its_name_and_may_be_a_word_a_number_or_a_truth_value() {
    check(
        "a.jsonl",
        r#"{"text":"a","label":"spam"}
{"text":"b","label":3}
{"text":"c","label":true}
{"text":"d","label":" 12 "}
{"text":"e","label":-1}
{"text":" ","label":"spam"}
{"text":"f","label":""}
{"text":"g","label":null}
{"text":"h","label":{"a":1}}
"#,
        expect![[r#"
            columns `text`, `label` are named as a text and its label
            "a" is ["spam"]
            "b" is ["LABEL_3"]
            "c" is ["true"]
            "d" is ["LABEL_12"]
            "e" is ["-1"]
            line 6: the text is empty
            line 7: the label is empty
            line 8: `label` is missing
            line 9: `label` is not a label
        "#]],
    );
}

#[test]
fn where_labels_are_spelled_out_beside_numbers_the_words_are_taken() {
    check(
        "a.csv",
        "text,label,label_text\nwell done,1,positive\n",
        expect![[r#"
            columns `text`, `label_text` are named as a text and its label
            "well done" is ["positive"]
        "#]],
    );
}

#[test]
fn two_texts_that_belong_together_are_a_pair() {
    check(
        "a.tsv",
        "premise\thypothesis\tlabel\nIt rains.\tIt is wet.\tentailment\nIt rains.\t \tneutral\n",
        expect![[r#"
            columns `premise`, `hypothesis`, `label` are named as two texts that belong together and its label
            "It rains." and "It is wet." is ["entailment"]
            line 3: the text is empty
        "#]],
    );
}

#[test]
fn a_list_of_labels_is_several_each_once_and_in_order() {
    check(
        "a.jsonl",
        r#"{"text":"a","labels":["toxic","insult","toxic"]}
{"text":"b","labels":[]}
{"text":"c","labels":[10,2]}
{"text":"d","labels":[["x"]]}
"#,
        expect![[r#"
            columns `text`, `labels` are named as a text and its list of labels
            "a" is ["insult", "toxic"]
            "b" is []
            "c" is ["LABEL_2", "LABEL_10"]
            line 4: `labels` is not a label
        "#]],
    );
}

#[test]
fn a_number_with_a_fraction_is_a_score_and_no_label() {
    check(
        "a.jsonl",
        r#"{"sentence1":"a","sentence2":"b","label":4.25}
{"sentence1":"a","sentence2":"c","label":"1"}
{"sentence1":"a","sentence2":"d","label":1e300}
{"sentence1":"a","sentence2":"e","label":"much"}
"#,
        expect![[r#"
            columns `sentence1`, `sentence2`, `label` are named as two texts that belong together and its number
            "a" and "b" is 4.25
            "a" and "c" is 1
            line 3: `label` is not a number
            line 4: `label` is not a number
        "#]],
    );
    check(
        "a.csv",
        "text,score\nfine,4.5\nwell,nan\nok,3\nbad,-1\nhuge,1e300\n",
        expect![[r#"
            columns `text`, `score` are named as a text and its number
            "fine" is 4.5
            "ok" is 3
            "bad" is -1
            line 3: `score` is not a number
            line 6: `score` is not a number
        "#]],
    );
}

#[test]
fn long_answers_in_a_column_called_label_are_completions() {
    let long = "The label here is a whole sentence that goes on and on, as no label ever would.";
    check(
        "a.jsonl",
        &format!("{{\"text\":\"a\",\"label\":\"{long}\"}}"),
        expect![[r#"
            `text` and `label` are named as a prompt and its completion
            "a" -> "The label here is a whole sentence that goes on and on, as no label ever would."
        "#]],
    );
}

#[test]
fn few_short_values_again_and_again_are_labels_whatever_the_name() {
    let mut file = "symptoms,diagnosis\n".to_owned();
    for n in 0..40 {
        writeln!(file, "I have had this for {n} days,{}", ["a cold", "the flu", "nothing"][n % 3]).unwrap();
    }
    let out = said(read_bytes("a.csv", file.as_bytes(), None));
    expect![
        "`diagnosis` holds 3 short values again and again in the first 40 rows, so it is taken for the label of `symptoms`"
    ]
    .assert_eq(out.lines().next().unwrap());
    let distinct = file.replace("a cold", "a cold and").replace("the flu,", "x");
    assert!(said(read_bytes("a.csv", distinct.as_bytes(), None)).contains("is taken for the label"));
}

#[test]
fn preferences_and_answers_are_no_labels() {
    check(
        "a.jsonl",
        r#"{"prompt":"a","completion":"b","label":true}"#,
        expect![[r#"
            `prompt` and `completion` are named as a prompt and its completion
            "a" -> "b"
        "#]],
    );
}

#[test]
fn lists_of_words_and_tags_are_a_sentence() {
    check(
        "a.jsonl",
        r#"{"tokens":["EU","rejects"],"ner_tags":["I-ORG","O"]}
{"tokens":["a","b"],"ner_tags":["O"]}
{"tokens":["a"],"ner_tags":[["O"]]}
{"tokens":[" "],"ner_tags":["O"]}
{"tokens":[3],"ner_tags":[0]}
"#,
        expect![[r#"
            `tokens` and `ner_tags` hold lists of words and of their tags
            EU/B-ORG rejects/O
            3/LABEL_0
            line 2: 2 words and 1 tags
            line 3: not a list of words and a list of their tags
            line 4: the text is empty
        "#]],
    );
}

#[test]
fn spans_become_tags_and_bad_ones_are_named() {
    check(
        "a.jsonl",
        r#"{"text":"Zürich and New York","entities":[{"start":0,"end":6,"label":"LOC"},[11,19,"LOC"]]}
{"text":"In Yorkshire","entities":[{"start":3,"end":7,"label":"LOC"}]}
{"text":"New York","entities":[[0,5,"LOC"],[4,8,"ORG"]]}
{"text":"New York","entities":[[4,80,"ORG"]]}
{"text":"New York","entities":[[-1,3,"ORG"]]}
{"text":"New York","entities":[["a",3,"ORG"]]}
{"text":"nothing here","entities":[]}
"#,
        expect![[r#"
            `entities` holds lists of spans in `text`, each with start, end and label
            Zürich/B-LOC and/O New/B-LOC York/I-LOC
            In/O Yorkshire/B-LOC
            nothing/O here/O
            line 2: a span that cut a word was widened to all of it
            line 3: two spans overlap
            line 4: a span is empty or lies outside the text
            line 5: a span is empty or lies outside the text
            line 6: not a list of spans with start, end and label
        "#]],
    );
}

#[test]
fn conll_files_are_sentences_whose_tags_begin_where_an_entity_does() {
    check(
        "a.txt",
        "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\nPeter NNP I-NP I-PER\nBlackburn NNP I-NP I-PER\n",
        expect![[r#"
            `tokens` and `tags` hold lists of words and of their tags
            EU/B-ORG rejects/O
            Peter/B-PER Blackburn/I-PER
        "#]],
    );
}

#[test]
fn labels_can_be_mapped_by_hand_from_one_text() {
    let columns =
        [(ColumnRole::Text, "q"), (ColumnRole::Label, "k")].map(|(role, name)| (role, name.to_owned()));
    let mapping = Mapping { shape: Shape::LabelledSeveral, columns: columns.into() };
    let out = said(read_bytes("a.csv", b"q,k\none,red; blue\ntwo,\n", Some(&mapping)));
    expect![[r#"
        you mapped the columns
        "one" is ["blue", "red"]
        "two" is []
    "#]]
    .assert_eq(&out);
}
