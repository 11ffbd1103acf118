//! SmolLM2's tokenizer and chat template, out of its GGUF file, against transformers' and tokenizers' own results.

#![allow(clippy::unwrap_used)] // helpers of tests are not known for tests

use std::{fs, sync::LazyLock, time::UNIX_EPOCH};

use proptest::prelude::*;
use serde::Deserialize;
use spec::{Message, Role};
use text::{AddSpecial, ChatTemplate, GenerationPrompt, SkipSpecial, Tokenizer};
use weights::Checkpoint;

#[derive(Deserialize)]
struct Reference {
    smollm2: Vec<Encoded>,
    chat: Vec<Rendered>,
}

#[derive(Deserialize)]
struct Encoded {
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

#[derive(Deserialize)]
struct Rendered {
    messages: Vec<Said>,
    add_generation_prompt: bool,
    text: String,
    ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: String,
}

fn reference() -> Reference {
    serde_json::from_value(testkit::json("tokenizer.json")).unwrap()
}

static SMOLLM2: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::open(&Checkpoint::open(&testkit::smollm2()).unwrap()).unwrap());

#[test]
fn texts_become_the_ids_of_transformers_and_come_back() {
    for Encoded { text, ids, decoded } in reference().smollm2 {
        assert_eq!(SMOLLM2.encode(&text, AddSpecial::Yes).unwrap(), ids, "{text:?}");
        assert_eq!(SMOLLM2.decode(&ids, SkipSpecial::No).unwrap(), decoded, "{text:?}");
    }
}

#[test]
fn conversations_become_the_texts_and_ids_of_transformers() {
    let template = ChatTemplate::of(&SMOLLM2, UNIX_EPOCH).unwrap().unwrap();
    for Rendered { messages, add_generation_prompt, text, ids } in reference().chat {
        let messages: Vec<_> =
            messages.into_iter().map(|said| Message::new(role(&said.role), said.content)).collect();
        let prompt = if add_generation_prompt { GenerationPrompt::Add } else { GenerationPrompt::Omit };
        assert_eq!(template.render(&messages, prompt).unwrap(), text);
        assert_eq!(SMOLLM2.encode(&text, AddSpecial::No).unwrap(), ids);
    }
}

fn role(name: &str) -> Role {
    match name {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => panic!("the fixture has no {other}"),
    }
}

#[test]
fn the_special_tokens_are_known_by_their_part() {
    assert_eq!((SMOLLM2.bos_id(), SMOLLM2.eos_id(), SMOLLM2.pad_id()), (Some(1), Some(2), Some(2)));
    assert_eq!(SMOLLM2.stop_ids(), [2].into());
    assert_eq!(SMOLLM2.vocab_size(), 49152);
    assert_eq!(SMOLLM2.special_ids(), (0..17).collect());
    assert_eq!((SMOLLM2.token(2).as_deref(), SMOLLM2.id("<|im_end|>")), (Some("<|im_end|>"), Some(2)));
    assert_eq!(SMOLLM2.decode(&[1, 4093, 2], SkipSpecial::Yes).unwrap(), "user");
}

#[test]
fn the_files_made_for_an_export_make_the_same_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in SMOLLM2.files().unwrap() {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let again = Tokenizer::from_folder(folder.path()).unwrap();
    assert_eq!(again.special(), SMOLLM2.special());
    assert_eq!(again.chat_template(), SMOLLM2.chat_template());
    assert_eq!(again.special_ids(), SMOLLM2.special_ids());
    for Encoded { text, ids, .. } in reference().smollm2 {
        assert_eq!(again.encode(&text, AddSpecial::Yes).unwrap(), ids);
    }
    assert_eq!(again.files().unwrap(), SMOLLM2.files().unwrap(), "a copy of a copy is the same to the byte");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of scripts the base was taught: its vocabulary lacks some bytes, and no tokenizer can spell without them.
    #[test]
    fn a_text_comes_back_whole(text in "[ -~\n\tà-ÿΑ-ωа-я一-龥🙂🙃]{0,40}") {
        let ids = SMOLLM2.encode(&text, AddSpecial::Yes).unwrap();
        prop_assert_eq!(SMOLLM2.decode(&ids, SkipSpecial::No).unwrap(), text);
    }

    #[test]
    fn spans_cover_the_text_in_order(text in "[a-zé🙂 0-9\n]{0,40}") {
        let spans = SMOLLM2.encode_spans(&text, AddSpecial::Yes).unwrap();
        let ids: Vec<_> = spans.iter().map(|(id, _)| *id).collect();
        prop_assert_eq!(ids, SMOLLM2.encode(&text, AddSpecial::Yes).unwrap());
        prop_assert_eq!(spans.last().map_or(0, |(_, span)| span.end), text.len());
        prop_assert!(spans.windows(2).all(|pair| pair[0].1.start <= pair[1].1.start));
    }

    #[test]
    fn a_stream_gives_what_decoding_at_once_gives(ids in prop::collection::vec(0u32..49152, 0..40)) {
        let mut stream = SMOLLM2.decode_stream(SkipSpecial::No);
        let mut text: String = ids.iter().map(|id| stream.push(*id).unwrap()).collect();
        text += &stream.finish().unwrap();
        prop_assert_eq!(text, SMOLLM2.decode(&ids, SkipSpecial::No).unwrap());
    }
}

#[test]
fn a_stream_gives_no_half_character() {
    let ids = SMOLLM2.encode("Ünïcödé — 你好 🙂", AddSpecial::No).unwrap();
    let mut stream = SMOLLM2.decode_stream(SkipSpecial::Yes);
    let pieces: Vec<_> = ids.iter().map(|id| stream.push(*id).unwrap()).collect();
    assert!(pieces.iter().all(|piece| !piece.contains('\u{fffd}')), "{pieces:?}");
    assert!(pieces.iter().any(String::is_empty), "some ids are half a character: {pieces:?}");
    assert_eq!(pieces.concat(), "Ünïcödé — 你好 🙂");
}
