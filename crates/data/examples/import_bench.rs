//! The work that `bench/import` times: makes chat rows, imports them, tokenises them. Prints JSON.
//!
//! - `import_bench make FILE N` writes N conversations as JSON lines;
//! - `import_bench big FILE BYTES` writes prompts and completions until the file is that large;
//! - `import_bench tokenizer MODEL FOLDER` writes the model's `tokenizer.json` and chat template;
//! - `import_bench run FILE MODEL` imports FILE into a temporary store and tokenises it, replies taught;
//! - `import_bench keep FILE` imports FILE into a temporary store.

#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::{Instant, UNIX_EPOCH},
};

use data::{Import, Lengths, Sources, Teacher};
use serde_json::json;
use spec::{DatasetId, Split, SplitFractions, Supervise};
use text::{ChatTemplate, Tokenizer};

/// As in the programs that people get.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["make", file, n] => make(Path::new(file), n.parse()?),
        ["big", file, bytes] => big(Path::new(file), bytes.parse()?),
        ["tokenizer", model, folder] => write_tokenizer(Path::new(model), Path::new(folder)),
        ["run", file, model] => run(Path::new(file), Some(Path::new(model))),
        ["keep", file] => run(Path::new(file), None),
        _ => Err("make FILE N | big FILE BYTES | tokenizer MODEL FOLDER | run FILE MODEL | keep FILE".into()),
    }
}

fn run(file: &Path, model: Option<&Path>) -> Done {
    let store = tempfile::tempdir()?;
    let begun = Instant::now();
    let import = Import {
        id: DatasetId(Default::default()),
        name: "bench".to_owned(),
        given: Vec::new(),
        sources: Sources::of(&[file.to_owned()])?,
        mapping: None,
        split: SplitFractions { validation: 0.0, test: 0.0, seed: 1 },
    };
    let info = data::keep(store.path(), &import, &mut data::unwatched)?;
    let import_secs = begun.elapsed().as_secs_f64();
    let mut said =
        json!({ "rows": info.counts.train, "problems": info.n_problems, "import_secs": import_secs });
    if let Some(model) = model {
        let (tokenizer, template) = open(model)?;
        let teacher = Teacher {
            tokenizer: &tokenizer,
            template: template.as_ref(),
            supervise: Supervise::Replies,
            context_length: 2048,
        };
        let begun = Instant::now();
        let kept = data::open(&store.path().join(&info.version.0))?;
        let made = teacher.kept(&kept, Split::Train, &mut data::unwatched)?;
        let lengths = Lengths::of(&made.examples);
        said["tokenise_secs"] = begun.elapsed().as_secs_f64().into();
        said["tokens"] = lengths.n_tokens.into();
        said["supervised"] = lengths.n_supervised.into();
    }
    println!("{said}");
    Ok(())
}

fn open(model: &Path) -> Result<(Tokenizer, Option<ChatTemplate>), Box<dyn Error>> {
    let tokenizer = Tokenizer::open(&weights::Checkpoint::open(model)?)?;
    let template = ChatTemplate::of(&tokenizer, UNIX_EPOCH)?;
    Ok((tokenizer, template))
}

fn write_tokenizer(model: &Path, folder: &Path) -> Done {
    let (tokenizer, _) = open(model)?;
    atomic::write_whole(&folder.join("tokenizer.json"), tokenizer.tokenizer_json()?.as_bytes())?;
    let template = tokenizer.chat_template().unwrap_or_default();
    atomic::write_whole(&folder.join("chat_template.jinja"), template.as_bytes())?;
    Ok(())
}

fn make(file: &Path, n: u64) -> Done {
    let mut out = BufWriter::new(File::create(file)?);
    let mut words = Words(1);
    for i in 0..n {
        let mut messages = vec![json!({ "role": "system", "content": "You answer briefly and kindly." })];
        for turn in 0..1 + i % 3 {
            let asked = format!("{} ({i}.{turn})?", words.some_about(8, 40));
            messages.push(json!({ "role": "user", "content": asked }));
            messages.push(json!({ "role": "assistant", "content": words.some_about(20, 100) }));
        }
        writeln!(out, "{}", json!({ "messages": messages }))?;
    }
    Ok(out.flush()?)
}

fn big(file: &Path, bytes: u64) -> Done {
    let mut out = BufWriter::new(File::create(file)?);
    let (mut words, mut written, mut i) = (Words(2), 0, 0);
    while written < bytes {
        i += 1;
        let row =
            json!({ "id": i, "prompt": format!("{i}: {}", words.some(60)), "completion": words.some(90) });
        let row = row.to_string();
        written += row.len() as u64 + 1;
        writeln!(out, "{row}")?;
    }
    Ok(out.flush()?)
}

/// Text of common and made-up words, the same every time.
struct Words(u64);

impl Words {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// At least `least` words, and up to `more` on top.
    fn some_about(&mut self, least: u64, more: u64) -> String {
        let n = least + self.below(more);
        self.some(n)
    }

    fn some(&mut self, n: u64) -> String {
        const COMMON: &[&str] = &[
            "the", "river", "and", "boats", "of", "a", "small", "town", "were", "painted", "in", "colours",
            "that", "nobody", "could", "name", "so", "people", "called", "them", "after", "fruit,",
            "weather,", "days.", "When", "it", "rained", "for", "42", "hours", "we", "counted", "1,024",
            "drops", "on", "each", "window",
        ];
        const SYLLABLES: &[&str] = &["ka", "lo", "mi", "ren", "tas", "vu", "é", "shi", "dor", "pel"];
        let mut text = String::new();
        for i in 0..n {
            if i > 0 {
                text.push(' ');
            }
            if self.below(8) == 0 {
                for _ in 0..2 + self.below(3) {
                    text.push_str(SYLLABLES[self.below(10) as usize]);
                }
            } else {
                text.push_str(COMMON[self.below(COMMON.len() as u64) as usize]);
            }
        }
        text
    }
}
