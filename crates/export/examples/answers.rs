//! What the model in the app answers to a few fixed prompts, for `tests/peers/check_export.py` to hold other tools to.
//!
//!     cargo run --release -p export --example answers -- BASE [--adapter FOLDER] --out FOLDER
//!
//! BASE is a model folder or GGUF file. Writes `answers.json` (prompts, their ids, the greedy continuation) and
//! `logits.safetensors` (for each prompt its logits, `[tokens, vocab_size]`, f32).

use std::{collections::BTreeMap, error::Error, fs, ops::ControlFlow, path::PathBuf, time::SystemTime};

use adapt::Lora;
use burn::tensor::Device;
use export::logits;
use model::{Adapter, Bare, Decoder, Sampling, generate};
use serde_json::{Value, json};
use spec::{Message, Role};
use text::{AddSpecial, ChatTemplate, GenerationPrompt, SkipSpecial, Tokenizer};
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

const MAX_TOKENS: usize = 40;

const TEXTS: &[(&str, &str)] = &[
    ("plain", "The lighthouse keeper climbed the 214 steps, lit the lamp, and"),
    ("unicode", "Grüße aus Köln! 数字: 3,14159… fn main() {\n\tprintln!(\"☕\");\n}"),
];

const CHATS: &[(&str, &[(Role, &str)])] = &[
    ("chat", &[(Role::User, "Name three things that float on water.")]),
    (
        "turns",
        &[
            (Role::System, "You answer in one short sentence."),
            (Role::User, "What is bread made of?"),
            (Role::Assistant, "Flour, water, salt and yeast."),
            (Role::User, "And pasta?"),
        ],
    ),
];

/// Where a prompt came from, and its tokens.
struct Prompt {
    name: &'static str,
    text: String,
    messages: Option<Vec<Message>>,
    ids: Vec<u32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (base, adapter, out) = arguments()?;
    let checkpoint = Checkpoint::open(&base)?;
    let tokenizer = Tokenizer::open(&checkpoint)?;
    let model = Decoder::open(&checkpoint, &Device::flex())?;
    let lora = adapter.map(|folder| Lora::open(&folder, &model)).transpose()?;
    let adapter: &dyn Adapter = lora.as_ref().map_or(&Bare, |lora| lora);

    let prompts = prompts(&tokenizer)?;
    fs::create_dir_all(&out)?;
    let answers: Vec<Value> =
        prompts.iter().map(|prompt| answer(prompt, &model, adapter, &tokenizer)).collect::<Result<_, _>>()?;
    fs::write(out.join("answers.json"), serde_json::to_vec_pretty(&answers)?)?;

    let vocab_size = model.config().vocab_size;
    let tensors = prompts.iter().map(|Prompt { name, ids, .. }| {
        Outgoing::of_f32(*name, &[ids.len(), vocab_size], Float::F32, || Ok(logits(&model, adapter, ids)?))
    });
    safetensors(&out.join("logits.safetensors"), tensors, &BTreeMap::new())?;
    Ok(())
}

fn arguments() -> Result<(PathBuf, Option<PathBuf>, PathBuf), Box<dyn Error>> {
    let (mut base, mut adapter, mut out) = (None, None, None);
    let mut given = std::env::args_os().skip(1);
    while let Some(word) = given.next() {
        match word.to_str() {
            Some("--adapter") => adapter = given.next().map(PathBuf::from),
            Some("--out") => out = given.next().map(PathBuf::from),
            _ => base = Some(PathBuf::from(word)),
        }
    }
    match (base, out) {
        (Some(base), Some(out)) => Ok((base, adapter, out)),
        _ => Err("usage: answers BASE [--adapter FOLDER] --out FOLDER".into()),
    }
}

fn prompts(tokenizer: &Tokenizer) -> Result<Vec<Prompt>, Box<dyn Error>> {
    let mut prompts = Vec::new();
    for &(name, text) in TEXTS {
        let ids = tokenizer.encode(text, AddSpecial::Yes)?;
        prompts.push(Prompt { name, text: text.to_owned(), messages: None, ids });
    }
    if let Some(template) = ChatTemplate::of(tokenizer, SystemTime::UNIX_EPOCH)? {
        for (name, turns) in CHATS {
            let messages: Vec<_> = turns.iter().map(|(role, said)| Message::new(*role, *said)).collect();
            let text = template.render(&messages, GenerationPrompt::Add)?;
            let ids = tokenizer.encode(&text, AddSpecial::No)?;
            prompts.push(Prompt { name, text, messages: Some(messages), ids });
        }
    }
    Ok(prompts)
}

fn answer(
    prompt: &Prompt,
    model: &Decoder,
    adapter: &dyn Adapter,
    tokenizer: &Tokenizer,
) -> Result<Value, Box<dyn Error>> {
    let ends: Vec<u32> = tokenizer.stop_ids().into_iter().collect();
    let on_token = |_| ControlFlow::Continue(());
    let said = generate(model, adapter, &prompt.ids, &ends, MAX_TOKENS, &Sampling::GREEDY, on_token)?;
    Ok(json!({
        "name": prompt.name,
        "prompt": prompt.text,
        "messages": prompt.messages,
        "ids": prompt.ids,
        "ends": ends,
        "max_tokens": MAX_TOKENS,
        "greedy_ids": said.ids,
        "greedy_text": tokenizer.decode(&said.ids, SkipSpecial::Yes)?,
    }))
}
