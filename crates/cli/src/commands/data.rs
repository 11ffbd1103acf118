//! `tunesmith data`: from files to data sets.

use std::path::PathBuf;

use engine::{Engine, ImportRequest, Seen};
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error};
use serde_json::json;
use spec::{
    ApiError, Code, ColumnRole, DatasetInfo, Example, LabelCount, Mapping, ModelId, Shape, SplitFractions,
};

use crate::{
    args::{Data, Reading},
    out::{Out, short},
    problems,
    progress::Bar,
};

/// Labels that are listed.
const LABELS: usize = 40;

pub fn run(engine: &Engine, command: Data, out: &mut Out) -> Result<(), ApiError> {
    match command {
        Data::Import { paths, name, into, reading } => {
            let mut request = request(paths, &reading)?;
            request.name = name;
            request.into = into.map(|asked| engine.find_dataset(&asked)).transpose()?;
            let mut bar = Bar::new(out);
            let info = engine.import_data(&request, &mut |p| bar.show(p))?;
            drop(bar);
            show(&info, out)
        }
        Data::List => list(engine, out),
        Data::Show { data } => show(&engine.dataset(engine.find_dataset(&data)?, None)?, out),
        Data::Preview { data, model: Some(model), n, supervise, context_length, .. } => {
            let (id, model) = (engine.find_dataset(&data)?, ModelId(model));
            let mut bar = Bar::new(out);
            engine.locate_model(&model, &mut |p| bar.show(p))?;
            drop(bar);
            let seen = engine.see_from(id, None, &model, supervise, context_length, 0, n)?;
            seen.iter().try_for_each(|seen| show_seen(seen, out))
        }
        Data::Preview { data, model: None, n, map, .. } => preview(engine, &[data.into()], n, &map, out),
        Data::Rename { data, name } => {
            engine.rename_dataset(engine.find_dataset(&data)?, &name)?;
            out.say(format!("It is called {name} now."));
            out.object(&json!({ "name": name }))
        }
        Data::Delete { data } => {
            let id = engine.find_dataset(&data)?;
            engine.delete_dataset(id)?;
            out.say("Deleted. Bring it back with: tunesmith data undo");
            out.object(&json!({ "deleted": id }))
        }
        Data::Undo => {
            let back = engine.undo_delete_dataset()?;
            out.say(back.map_or("No data set is deleted.".to_owned(), |id| format!("{id} is back.")));
            out.object(&json!({ "restored": back }))
        }
    }
}

/// What the options say of reading files.
pub fn request(paths: Vec<PathBuf>, reading: &Reading) -> Result<ImportRequest, ApiError> {
    Ok(ImportRequest {
        paths,
        validation: reading.validation.clone(),
        test: reading.test.clone(),
        mapping: mapping(&reading.map, reading.several_labels)?,
        split: SplitFractions {
            validation: reading.validation_share,
            test: reading.test_share,
            seed: reading.split_seed,
        },
        ..ImportRequest::default()
    })
}

fn word<T: DeserializeOwned>(word: &str) -> Option<T> {
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(word)).ok()
}

/// `prompt=Question`, several times: the roles tell the shape.
fn mapping(given: &[String], several_labels: bool) -> Result<Option<Mapping>, ApiError> {
    let usage = |what: String| {
        ApiError::new(Code::Usage, what)
            .hint("Write --map ROLE=COLUMN, for example --map prompt=Question --map completion=Answer.")
    };
    let mut mapping = Mapping { shape: Shape::Text, columns: Default::default() };
    for pair in given {
        let parts = pair.split_once('=').and_then(|(role, column)| Some((word::<ColumnRole>(role)?, column)));
        let (role, column) = parts.ok_or_else(|| usage(format!("`{pair}` maps no role to a column")))?;
        mapping.columns.insert(role, column.to_owned());
    }
    let has = |role| mapping.columns.contains_key(&role);
    mapping.shape = if has(ColumnRole::Messages) {
        Shape::Messages
    } else if has(ColumnRole::Instruction) {
        Shape::Alpaca
    } else if has(ColumnRole::Label) {
        if several_labels { Shape::LabelledSeveral } else { Shape::Labelled }
    } else if has(ColumnRole::Score) {
        Shape::Scored
    } else if has(ColumnRole::Words) || has(ColumnRole::Tags) {
        Shape::TaggedWords
    } else if has(ColumnRole::Spans) {
        Shape::Spans
    } else if has(ColumnRole::Text) {
        Shape::Text
    } else {
        Shape::PromptCompletion
    };
    Ok((!given.is_empty()).then_some(mapping))
}

fn list(engine: &Engine, out: &mut Out) -> Result<(), ApiError> {
    out.list(
        &engine.datasets()?,
        &["ID", "NAME", "TRAIN", "VALIDATION", "TEST", "LEFT OUT"],
        |set| {
            vec![
                short(set.id),
                set.name.clone(),
                set.counts.train.to_string(),
                set.counts.validation.to_string(),
                set.counts.test.to_string(),
                set.n_problems.to_string(),
            ]
        },
        "No data sets yet. Import one with: tunesmith data import FILE",
    )
}

fn show(info: &DatasetInfo, out: &mut Out) -> Result<(), ApiError> {
    let counts = info.counts;
    out.say(format!("{}  {}", info.name, info.id));
    out.say(format!(
        "  {} rows to train, {} to validate, {} to test; version {}",
        counts.train,
        counts.validation,
        counts.test,
        info.version.short()
    ));
    let why = if info.because.is_empty() { String::new() } else { format!(", since {}", info.because) };
    out.say(format!("  read as {}{why}", shape(info.mapping.shape)));
    for source in &info.sources {
        out.say(format!("  from {source}"));
    }
    let counted = if info.entities.is_empty() { &info.labels } else { &info.entities };
    for LabelCount { label, counts } in counted.iter().take(LABELS) {
        out.say(format!(
            "  {label}: {} to train, {} to validate, {} to test",
            counts.train, counts.validation, counts.test
        ));
    }
    if counted.len() > LABELS {
        out.say(format!("  and {} more labels", counted.len() - LABELS));
    }
    if let Some(spread) = info.scores {
        out.say(format!(
            "  numbers from {} to {}, {:.3} on average (standard deviation {:.3})",
            spread.least, spread.most, spread.mean, spread.deviation
        ));
    }
    for sentence in problems::sentences(info) {
        out.say(format!("  {sentence}"));
    }
    out.object(info)
}

fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "running text",
        Shape::PromptCompletion => "prompts and completions",
        Shape::Alpaca => "instructions and outputs",
        Shape::Messages | Shape::ShareGpt => "conversations",
        Shape::Labelled => "texts and their labels",
        Shape::LabelledSeveral => "texts and lists of labels",
        Shape::Scored => "texts and numbers",
        Shape::TaggedWords => "words and tags",
        Shape::Spans => "texts and spans",
    }
}

fn preview(
    engine: &Engine,
    paths: &[PathBuf],
    n: usize,
    map: &[String],
    out: &mut Out,
) -> Result<(), ApiError> {
    let preview = engine.preview_data(paths, mapping(map, false)?.as_ref(), n)?;
    out.say(format!("{}: {}, columns {}", preview.file, preview.format, preview.columns.join(", ")));
    match &preview.mapping {
        Some(mapping) => out.say(format!("read as {}, since {}", shape(mapping.shape), preview.because)),
        None => out.say(format!("{}: say which column is which with --map", preview.because)),
    }
    for example in &preview.examples {
        out.say("");
        show_example(example, out);
    }
    for problem in &preview.problems {
        out.say(format!("line {}: {}", problem.line, problem.kind));
    }
    out.object(&preview)
}

fn show_example(example: &Example, out: &mut Out) {
    match example {
        Example::Text { text } => out.say(text),
        Example::Completion { prompt, completion } => out.say(format!("{prompt}\n→ {completion}")),
        Example::Chat { messages } => {
            for message in messages {
                out.say(format!("{}: {}", message.role, message.content));
            }
        }
        Example::Labelled { text, pair, labels } => {
            out.say(format!("{}\n→ {}", joined(text, pair.as_deref()), labels.join(", ")));
        }
        Example::Scored { text, pair, score } => {
            out.say(format!("{}\n→ {score}", joined(text, pair.as_deref())));
        }
        Example::Tagged { words, tags } => {
            let tagged = words.iter().zip(tags).map(|(word, tag)| match tag.as_str() {
                "O" => word.clone(),
                tag => format!("{word}/{tag}"),
            });
            out.say(tagged.collect::<Vec<_>>().join(" "));
        }
    }
}

/// A pair's second text stands below the first.
fn joined(text: &str, pair: Option<&str>) -> String {
    pair.map_or_else(|| text.to_owned(), |pair| format!("{text}\n{pair}"))
}

/// Taught text stands in «».
fn show_seen(seen: &Seen, out: &mut Out) -> Result<(), ApiError> {
    let mut taught = false;
    for token in &seen.tokens {
        if token.taught != taught {
            out.piece(if token.taught { "«" } else { "»" });
            taught = token.taught;
        }
        out.piece(&token.piece);
    }
    out.say(if taught { "»" } else { "" });
    let cut = if seen.n_cut > 0 { format!(", {} cut off", seen.n_cut) } else { String::new() };
    let end = match (&seen.end_token, seen.end_is_taught) {
        (Some(token), true) => format!("; the end ({token}) is taught"),
        (Some(token), false) => format!("; the end ({token}) is not taught"),
        (None, _) => "; the model has no end token".to_owned(),
    };
    out.say(format!("— {} tokens, {} taught{cut}{end}\n", seen.n_tokens, seen.n_supervised));
    out.object(seen)
}
