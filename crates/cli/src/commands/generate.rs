//! `tunesmith generate`: writes with a model, as the words come.

use std::io::{self, BufRead, Read};

use engine::{Engine, Tuned};
use serde_json::json;
use spec::{
    ApiError, Beams, ChatPrompt, Code, EarlyStopping, Message, ModelId, Role, Sampling, Search, Voice,
};

use crate::{
    args::{EarlyStop, Generate},
    interrupt,
    out::Out,
    progress::Bar,
};

pub fn run(engine: &Engine, asked: &Generate, out: &mut Out) -> Result<(), ApiError> {
    let mut bar = Bar::new(out);
    let mut show = |p: &engine::Progress| bar.show(p);
    let tuned = match &asked.run {
        Some(run) => engine.open_run(engine.find_run(run)?, asked.device, &mut show)?,
        // clap asks for one of --run and --model.
        None => {
            engine.open_base(&ModelId(asked.model.clone().unwrap_or_default()), asked.device, &mut show)?
        }
    };
    drop(bar);
    match asked.prompt.as_deref() {
        Some("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(unreadable)?;
            once(&tuned, asked, text, out)
        }
        Some(prompt) => once(&tuned, asked, prompt.to_owned(), out),
        None => converse(&tuned, asked, out),
    }
}

fn once(tuned: &Tuned, asked: &Generate, prompt: String, out: &mut Out) -> Result<(), ApiError> {
    let prompt = if asked.raw || !tuned.chats() {
        ChatPrompt::Text { text: prompt }
    } else {
        let mut messages = opening(asked);
        messages.push(Message::new(Role::User, prompt));
        ChatPrompt::Chat { messages }
    };
    reply(tuned, asked, &prompt, out).map(|_| ())
}

/// Each line of standard input is a turn; what was said before is remembered.
fn converse(tuned: &Tuned, asked: &Generate, out: &mut Out) -> Result<(), ApiError> {
    let mut messages = opening(asked);
    for line in io::stdin().lock().lines() {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        if asked.raw || !tuned.chats() {
            reply(tuned, asked, &ChatPrompt::Text { text: line }, out)?;
            continue;
        }
        messages.push(Message::new(Role::User, line));
        let said = reply(tuned, asked, &ChatPrompt::Chat { messages: messages.clone() }, out)?;
        messages.push(Message::new(Role::Assistant, said));
    }
    Ok(())
}

fn opening(asked: &Generate) -> Vec<Message> {
    asked.system.iter().map(|system| Message::new(Role::System, system)).collect()
}

fn reply(tuned: &Tuned, asked: &Generate, prompt: &ChatPrompt, out: &mut Out) -> Result<String, ApiError> {
    let sampling = Sampling {
        temperature: asked.temperature,
        top_p: asked.top_p,
        top_k: asked.top_k,
        repetition_penalty: asked.repetition_penalty,
        seed: asked.seed,
    };
    let beams = Beams {
        num_beams: asked.beams,
        length_penalty: asked.length_penalty,
        early_stopping: match asked.early_stopping {
            EarlyStop::AtOnce => EarlyStopping::AtOnce,
            EarlyStop::WhenUnlikely => EarlyStopping::WhenUnlikely,
            EarlyStop::WhenImpossible => EarlyStopping::WhenImpossible,
        },
        no_repeat_ngram_size: asked.no_repeat_ngram,
    };
    let search = if asked.beams > 1 { Search::Beams { beams } } else { Search::Sample { sampling } };
    let said = tuned.write(Voice::Tuned, prompt, search, asked.max_tokens, |piece| {
        out.piece(piece);
        interrupt::going()
    })?;
    out.say("");
    out.object(&json!({ "text": said.text, "tokens": said.n_tokens, "complete": said.complete }))?;
    match interrupt::pressed() {
        0 => Ok(said.text),
        _ => Err(ApiError::new(Code::Cancelled, "Cancelled")),
    }
}

fn unreadable(error: io::Error) -> ApiError {
    ApiError::new(Code::Usage, format!("Standard input cannot be read: {error}"))
}
