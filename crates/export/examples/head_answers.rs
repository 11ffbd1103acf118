//! What a model with a head says in the app to a file of texts, for `tests/peers/check_head_export.py` to hold other
//! tools to.
//!
//!     cargo run --release -p export --example head_answers -- BASE [--adapter FOLDER] --texts FILE --out FILE
//!
//! BASE is an exported model folder, or with `--adapter` the base of that exported adapter. Of the texts each line is one.
//! Writes JSON: for each text its token ids and the head's numbers, of the text or of each token.

use std::{error::Error, fs, path::PathBuf};

use adapt::Lora;
use burn::tensor::Device;
use model::{Adapter, Bare, HeadFrom, HeadModel, HeadSpec, Text};
use serde_json::{Value, json};
use text::{AddSpecial, Tokenizer};
use weights::Checkpoint;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut base, mut adapter, mut texts, mut out) = (None, None, None, None);
    let mut given = std::env::args_os().skip(1);
    while let Some(word) = given.next() {
        let mut next = || given.next().map(PathBuf::from);
        match word.to_str() {
            Some("--adapter") => adapter = next(),
            Some("--texts") => texts = next(),
            Some("--out") => out = next(),
            _ => base = Some(PathBuf::from(word)),
        }
    }
    let (Some(base), Some(texts), Some(out)) = (base, texts, out) else {
        return Err("usage: head_answers BASE [--adapter FOLDER] --texts FILE --out FILE".into());
    };
    let checkpoint = Checkpoint::open(&base)?;
    // The labels of an adapter stand beside it.
    let config: Value = match &adapter {
        Some(folder) => serde_json::from_slice(&fs::read(folder.join("config.json"))?)?,
        None => checkpoint.config_json()?,
    };
    let spec = HeadSpec::of(&config)?.ok_or("this model has no head")?;
    let from = if adapter.is_some() { HeadFrom::Nothing } else { HeadFrom::File };
    let model = HeadModel::open(&checkpoint, HeadSpec { from, ..spec }, &Device::flex())?;
    let lora = adapter.as_ref().map(|folder| Lora::open(folder, &model)).transpose()?;
    let learned: &dyn Adapter = lora.as_ref().map_or(&Bare, |lora| lora);
    let tokenizer = Tokenizer::from_folder(adapter.as_ref().unwrap_or(&base))?;

    let mut answers = Vec::new();
    for line in fs::read_to_string(texts)?.lines().filter(|line| !line.is_empty()) {
        let mut ids = tokenizer.encode(line, AddSpecial::Yes)?;
        ids.truncate(model.longest());
        let said = model.logits(&[Text { ids: &ids, type_ids: None }], learned)?;
        let numbers: Vec<f32> = said.try_into_data().map_err(|e| e.to_string())?.iter::<f32>().collect();
        let rows: Vec<&[f32]> = numbers.chunks(spec.num_labels).collect();
        answers.push(json!({ "text": line, "ids": ids, "logits": rows }));
    }
    fs::write(out, serde_json::to_vec(&answers)?)?;
    Ok(())
}
