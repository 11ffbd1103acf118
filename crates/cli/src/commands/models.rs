//! `tunesmith models`: models to start from.

use engine::{CATALOGUE, Engine};
use serde_json::json;
use spec::{ApiError, ModelId};

use crate::{
    args::Models,
    out::{Out, bytes},
    progress::Bar,
};

pub fn run(engine: &Engine, command: Models, out: &mut Out) -> Result<(), ApiError> {
    match command {
        Models::List => list(engine, out),
        Models::Search { text, limit } => {
            let found = engine.search_models(&text, limit)?;
            out.list(
                &found,
                &["MODEL", "WEIGHTS", "LICENCE", "DOWNLOADS"],
                |model| {
                    vec![
                        model.id.to_string(),
                        model.n_parameters.map(millions).unwrap_or_default(),
                        model.licence.clone().unwrap_or_default(),
                        model.downloads.map(|n| n.to_string()).unwrap_or_default(),
                    ]
                },
                "Nothing that can be trained here has that in its name.",
            )
        }
        Models::Download { model, file } => {
            let mut bar = Bar::new(out);
            let path = engine.download_model(&ModelId(model.clone()), file, &mut |p| bar.show(p))?;
            drop(bar);
            out.say(format!("{model} is at {}", path.display()));
            out.object(&json!({ "model": model, "path": path }))
        }
        Models::Show { model } => {
            let mut bar = Bar::new(out);
            let sheet = engine.inspect_model(&ModelId(model), &mut |p| bar.show(p))?;
            drop(bar);
            out.say(format!("{}\n  at        {}", sheet.id, sheet.path.display()));
            out.say(format!("  weights   {}, {}", millions(sheet.n_parameters), bytes(sheet.bytes)));
            out.say(format!("  layers    {} of width {}", sheet.n_layers, sheet.hidden_size));
            out.say(format!("  context   {} tokens", sheet.max_position_embeddings));
            out.say(format!(
                "  chats     {}",
                if sheet.chats { "yes" } else { "no: it has no chat template" }
            ));
            out.say(format!("  SHA-256   {}", sheet.hash));
            out.object(&sheet)
        }
        Models::Remove { model } => {
            engine.remove_model(&ModelId(model.clone()))?;
            out.say(format!("{model} is deleted."));
            out.object(&json!({ "removed": model }))
        }
    }
}

fn list(engine: &Engine, out: &mut Out) -> Result<(), ApiError> {
    let here = engine.installed_models();
    out.list(
        CATALOGUE,
        &["RECOMMENDED", "WEIGHTS", "DOWNLOAD", "LICENCE", "GOOD FOR"],
        |model| {
            vec![
                model.id.to_owned(),
                millions(model.n_parameters),
                bytes(model.download),
                model.licence.to_owned(),
                model.good_for.to_owned(),
            ]
        },
        "",
    )?;
    out.say("");
    let shown: Vec<_> = here
        .iter()
        .map(|model| json!({ "installed": model.id, "path": model.folder, "bytes": model.bytes, "gguf": model.gguf }))
        .collect();
    let cell = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    out.list(
        &shown,
        &["DOWNLOADED", "SIZE", "AT"],
        |model| {
            vec![cell(&model["installed"]), bytes(model["bytes"].as_u64().unwrap_or(0)), cell(&model["path"])]
        },
        "Nothing is downloaded yet.",
    )
}

fn millions(n: u64) -> String {
    format!("{} M", n / 1_000_000)
}
