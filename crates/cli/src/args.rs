//! The tree of commands. Each says what it does in a sentence and shows an example.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use spec::{DeviceChoice, Effort, Split, Supervise, TaskKind};

use crate::knobs::KnobArgs;

/// Fine-tunes small language models on this computer.
#[derive(Debug, Parser)]
#[command(
    name = "tunesmith",
    version,
    about,
    after_help = "Everything is kept in TUNESMITH_HOME, or in your account's data folder.\n\n\
    Examples:\n  tunesmith demo\n  tunesmith train --model HuggingFaceTB/SmolLM2-135M-Instruct --data letters.csv\n  \
    tunesmith generate --run last --prompt \"Dear neighbour,\"\n  tunesmith export --run last --out my-adapter"
)]
pub struct Cli {
    /// Print one JSON object per line.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Models to start from: recommended, downloaded, on the hub.
    #[command(after_help = "Example: tunesmith models list")]
    Models {
        #[command(subcommand)]
        command: Models,
    },
    /// Data sets: import, look at, manage.
    #[command(after_help = "Example: tunesmith data import letters.csv --name letters")]
    Data {
        #[command(subcommand)]
        command: Data,
    },
    /// Shows what a run would do, why, and what it would cost; starts nothing.
    #[command(
        after_help = "Example: tunesmith plan --model HuggingFaceTB/SmolLM2-135M-Instruct --data letters.csv"
    )]
    Plan(Asked),
    /// Trains: from a model and a file to an adapter, in one line.
    #[command(after_help = "Ctrl-C pauses the run, a second one stops it and keeps what was learned.\n\n\
        Examples:\n  tunesmith train --model HuggingFaceTB/SmolLM2-135M-Instruct --data letters.csv\n  \
        tunesmith train --model ./my-model --data letters --effort quick --rank 16 --device cpu --detach")]
    Train(Train),
    /// The history: list, show, compare and steer runs.
    #[command(after_help = "A run is named by `last`, its name, or the beginning or end of its id.\n\n\
        Example: tunesmith runs chart last --out loss.svg")]
    Runs {
        #[command(subcommand)]
        command: Runs,
    },
    /// Measures a model on a part of a data set.
    #[command(after_help = "Examples:\n  tunesmith eval --run last --split validation\n  \
        tunesmith eval --run last --html report.html")]
    Eval(Eval),
    /// Asks a model what a text is: its label, a number, or what is named in it.
    #[command(
        after_help = "Examples:\n  tunesmith classify --run last \"I have had a headache for days\"\n  \
        tunesmith classify --run last --json < texts.txt"
    )]
    Classify(Classify),
    /// Writes with a model, tuned or not; without a prompt it reads a conversation from standard input.
    #[command(after_help = "Example: tunesmith generate --run last --prompt \"What did you see tonight?\"")]
    Generate(Generate),
    /// Exports what a run learned, in a form that other tools load.
    #[command(after_help = "Examples:\n  tunesmith export --run last --out my-adapter\n  \
        tunesmith export --run last --format merged --dtype bf16 --out my-model")]
    Export(Export),
    /// Lists the devices that can compute, what their last checks came to, and which to use.
    #[command(after_help = "Examples:
  tunesmith doctor
  tunesmith doctor --check
  tunesmith doctor --check gpu:0 --json

Ends with 12 if no device computes rightly.")]
    Doctor(Doctor),
    /// The whole job on a small sample: trains the starter model for two or three minutes and exports an adapter.
    #[command(after_help = "Example: tunesmith demo")]
    Demo(Demo),
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Checks that a device computes rightly, and how quickly it trains: this one, or each of them.
    #[arg(long, value_name = "DEVICE", num_args = 0..=1)]
    pub check: Option<Option<DeviceChoice>>,
}

#[derive(Debug, Subcommand)]
pub enum Models {
    /// Recommended models, and those that are here.
    #[command(after_help = "Example: tunesmith models list --json")]
    List,
    /// Searches the hub for models that can be trained here.
    #[command(after_help = "Example: tunesmith models search smollm")]
    Search {
        /// Part of the name.
        text: String,
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Downloads a model; what is here of it is not fetched again.
    #[command(after_help = "Example: tunesmith models download HuggingFaceTB/SmolLM2-135M-Instruct")]
    Download {
        /// Its name on the hub.
        model: String,
        /// This GGUF file of it.
        #[arg(long)]
        file: Option<String>,
    },
    /// Shows what a model is.
    #[command(after_help = "Example: tunesmith models show ./my-model")]
    Show {
        /// A folder, a GGUF file, or a name on the hub.
        model: String,
    },
    /// Deletes a downloaded model.
    #[command(after_help = "Example: tunesmith models remove HuggingFaceTB/SmolLM2-135M-Instruct")]
    Remove {
        /// Its name on the hub.
        model: String,
    },
}

/// How files become a data set.
#[derive(Clone, Debug, Args)]
pub struct Reading {
    /// What a column is, as ROLE=COLUMN; roles are prompt, completion, instruction, input, output, system, messages,
    /// text, pair, label, score, words, tags, spans. Guessed if left out.
    #[arg(long = "map", value_name = "ROLE=COLUMN")]
    pub map: Vec<String>,
    /// Files of the validation part.
    #[arg(long, value_name = "FILE")]
    pub validation: Vec<PathBuf>,
    /// Files of the test part.
    #[arg(long, value_name = "FILE")]
    pub test: Vec<PathBuf>,
    /// Map `label` to a column that lists every label that holds, rather than the one there is.
    #[arg(long)]
    pub several_labels: bool,
    /// Share of the rows set aside for validation, where it has no files of its own.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub validation_share: f64,
    /// Share of the rows set aside for a test.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub test_share: f64,
    /// Seed of the split.
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    pub split_seed: u64,
}

#[derive(Debug, Subcommand)]
pub enum Data {
    /// Reads files or folders and keeps them as a data set.
    #[command(after_help = "Examples:\n  tunesmith data import letters.csv\n  \
        tunesmith data import q-and-a.csv --map prompt=Question --map completion=Answer")]
    Import {
        /// Files or folders: .jsonl, .json, .csv, .tsv, .parquet, .conll, .txt, .md
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// As it is called; the file's name if left out.
        #[arg(long)]
        name: Option<String>,
        /// A new version of this data set.
        #[arg(long, value_name = "DATA")]
        into: Option<String>,
        #[command(flatten)]
        reading: Reading,
    },
    /// All data sets, newest first.
    #[command(after_help = "Example: tunesmith data list")]
    List,
    /// Shows a data set: its parts, and what was wrong with rows that were left out.
    #[command(after_help = "Example: tunesmith data show last")]
    Show {
        /// `last`, its name, or the beginning or end of its id.
        data: String,
    },
    /// Looks at files without keeping them, or at what a model will see of a data set.
    #[command(after_help = "Examples:\n  tunesmith data preview letters.csv\n  \
        tunesmith data preview letters --model HuggingFaceTB/SmolLM2-135M-Instruct")]
    Preview {
        /// A file or folder; with --model a data set.
        data: String,
        /// Show what this model will see.
        #[arg(long)]
        model: Option<String>,
        /// How many examples.
        #[arg(long, short, default_value_t = 3)]
        n: usize,
        /// Which tokens are taught.
        #[arg(long, default_value = "replies")]
        supervise: Supervise,
        /// Tokens that are kept of an example.
        #[arg(long, default_value_t = 2048)]
        context_length: u32,
        /// What a column is, as ROLE=COLUMN.
        #[arg(long = "map", value_name = "ROLE=COLUMN")]
        map: Vec<String>,
    },
    /// Gives a data set another name.
    #[command(after_help = "Example: tunesmith data rename last \"Letters, cleaned\"")]
    Rename {
        /// Which.
        data: String,
        /// Its new name.
        name: String,
    },
    /// Takes a data set out of the list.
    #[command(after_help = "Example: tunesmith data delete letters")]
    Delete {
        /// Which.
        data: String,
    },
    /// Brings back the data set that was deleted last.
    #[command(after_help = "Example: tunesmith data undo")]
    Undo,
}

/// What is asked of a run.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// What to start from: a folder, a GGUF file, or a name on the hub.
    #[arg(long)]
    pub model: String,
    /// What to learn: a file, a folder, or a data set.
    #[arg(long)]
    pub data: String,
    /// Which version of a data set: the beginning of its hash; the newest if left out.
    #[arg(long, value_name = "VERSION")]
    pub data_version: Option<String>,
    /// As the run is called.
    #[arg(long)]
    pub name: Option<String>,
    /// What it should learn to do: write, classify, classify-several, score, tag, transform; told from data and model if
    /// left out.
    #[arg(long)]
    pub task: Option<TaskKind>,
    /// How much time to spend: quick, standard or thorough.
    #[arg(long)]
    pub effort: Option<Effort>,
    /// Where to compute: cpu, gpu, gpu:1.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub knobs: KnobArgs,
}

#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    pub asked: Asked,
    /// Leave the run to itself and return at once.
    #[arg(long)]
    pub detach: bool,
    /// Measure what the parts of the first steps cost: a table, and a trace that a browser's trace viewer opens.
    #[arg(long)]
    pub profile: bool,
}

#[derive(Debug, Subcommand)]
pub enum Runs {
    /// All runs, newest first.
    #[command(after_help = "Example: tunesmith runs list")]
    List,
    /// Shows a run: where it stands, what was planned and why, what it said.
    #[command(after_help = "Example: tunesmith runs show last")]
    Show {
        /// Which.
        run: String,
    },
    /// Gives a run another name.
    #[command(after_help = "Example: tunesmith runs rename last \"Rank 16\"")]
    Rename {
        /// Which.
        run: String,
        /// Its new name.
        name: String,
    },
    /// Takes a run out of the list; it can be brought back for thirty days.
    #[command(after_help = "Example: tunesmith runs delete last")]
    Delete {
        /// Which.
        run: String,
    },
    /// Brings back the run that was deleted last.
    #[command(after_help = "Example: tunesmith runs undo")]
    Undo,
    /// Starts a run with the same words, and the knobs that are given here changed.
    #[command(after_help = "Example: tunesmith runs duplicate last --rank 32")]
    Duplicate {
        /// Which.
        run: String,
        /// Leave the run to itself and return at once.
        #[arg(long)]
        detach: bool,
        #[command(flatten)]
        knobs: Box<KnobArgs>,
    },
    /// Where runs differ, and what came of it.
    #[command(after_help = "Example: tunesmith runs compare last 4f2a91c0")]
    Compare {
        /// Which, from 2 to 8.
        #[arg(required = true, num_args = 2..=8)]
        runs: Vec<String>,
    },
    /// Asks a run to save and be put aside.
    #[command(after_help = "Example: tunesmith runs pause last")]
    Pause {
        /// Which.
        run: String,
    },
    /// Goes on from the last checkpoint.
    #[command(after_help = "Example: tunesmith runs resume last")]
    Resume {
        /// Which.
        run: String,
        /// After memory ran out: with what needs less. Where that does not come to the same, another run starts.
        #[arg(long)]
        with_less: bool,
        /// Leave the run to itself and return at once.
        #[arg(long)]
        detach: bool,
    },
    /// Asks a run to save and end; what was learned is kept.
    #[command(after_help = "Example: tunesmith runs stop last")]
    Stop {
        /// Which.
        run: String,
    },
    /// Follows a run until it ends. Ctrl-C ends the following, not the run.
    #[command(after_help = "Example: tunesmith runs follow last --json")]
    Follow {
        /// Which.
        run: String,
        /// Begin with this event.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Draws the loss of a run.
    #[command(after_help = "Example: tunesmith runs chart last --out loss.png")]
    Chart {
        /// Which.
        run: String,
        /// The file; its ending says what it becomes: .svg or .png
        #[arg(long)]
        out: PathBuf,
        /// For a dark background.
        #[arg(long)]
        dark: bool,
    },
}

#[derive(Debug, Args)]
pub struct Eval {
    /// What this run learned, beside the model it started from.
    #[arg(long, required_unless_present = "model", conflicts_with = "model")]
    pub run: Option<String>,
    /// A model as it is.
    #[arg(long, requires = "data")]
    pub model: Option<String>,
    /// The data set; the run's own if left out.
    #[arg(long)]
    pub data: Option<String>,
    /// train, validation or test; left out: the test part if there is one, or validation.
    #[arg(long, value_parser = split)]
    pub split: Option<Split>,
    /// Write the report to this file, a page for any browser.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Look at no more than so many examples, drawn by a seed; 0 is all. Left out: all, or 200 of a model that writes.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Where to compute.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
}

#[derive(Debug, Args)]
pub struct Classify {
    /// With what this run learned.
    #[arg(long, required_unless_present = "model", conflicts_with = "model")]
    pub run: Option<String>,
    /// With a model that has a head of its own.
    #[arg(long)]
    pub model: Option<String>,
    /// The text; left out, each line of standard input is one.
    pub text: Option<String>,
    /// The second text of a pair.
    #[arg(long)]
    pub pair: Option<String>,
}

fn split(word: &str) -> Result<Split, String> {
    let found = Split::ALL.into_iter().find(|split| split.as_str() == word);
    found.ok_or_else(|| format!("`{word}` is not one of train, validation, test"))
}

#[derive(Debug, Args)]
pub struct Generate {
    /// With what this run learned.
    #[arg(long, required_unless_present = "model", conflicts_with = "model")]
    pub run: Option<String>,
    /// With a model as it is.
    #[arg(long)]
    pub model: Option<String>,
    /// What it is given; `-` reads it from standard input. Left out, each line of standard input is a turn.
    #[arg(long)]
    pub prompt: Option<String>,
    /// Sets the scene of a conversation.
    #[arg(long)]
    pub system: Option<String>,
    /// Go on from the prompt as text, without the chat template.
    #[arg(long)]
    pub raw: bool,
    /// How freely it is written; 0 always takes the best token.
    #[arg(long, default_value_t = 0.0)]
    pub temperature: f64,
    /// Draw from the smallest set of best tokens with this much probability.
    #[arg(long, default_value_t = 1.0)]
    pub top_p: f64,
    /// Draw from this many best tokens; 0 is all.
    #[arg(long, default_value_t = 0)]
    pub top_k: usize,
    /// Above 1, what occurred is less likely to occur again.
    #[arg(long, default_value_t = 1.0)]
    pub repetition_penalty: f64,
    /// Of the draw.
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// At most so many new tokens.
    #[arg(long, default_value_t = 256)]
    pub max_tokens: usize,
    /// Search the likeliest text with so many lines side by side, instead of drawing one token after the other.
    #[arg(long, default_value_t = 1, conflicts_with_all = ["temperature", "top_p", "top_k"])]
    pub beams: usize,
    /// With beams: above 0 prefers long texts, below 0 short ones.
    #[arg(long, default_value_t = 1.0, allow_hyphen_values = true)]
    pub length_penalty: f64,
    /// With beams: when the search ends, once as many texts are finished as there are beams.
    #[arg(long, value_enum, default_value_t)]
    pub early_stopping: EarlyStop,
    /// With beams: no so many tokens in a row come twice; 0 lets them.
    #[arg(long, default_value_t = 0)]
    pub no_repeat_ngram: usize,
    /// Where to compute.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
}

/// When a search with beams ends.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum EarlyStop {
    /// At once.
    AtOnce,
    /// When the best text still open would not be better if it ended now.
    #[default]
    WhenUnlikely,
    /// When it could not become better any more.
    WhenImpossible,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Format {
    /// The adapter alone, as PEFT has it.
    #[default]
    Adapter,
    /// The whole model.
    Merged,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Dtype {
    /// Four bytes a weight.
    F32,
    /// Two bytes, with the range of f32.
    #[default]
    Bf16,
    /// Two bytes, finer near zero.
    F16,
}

#[derive(Debug, Args)]
pub struct Export {
    /// Whose result.
    #[arg(long)]
    pub run: String,
    /// What is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// How merged weights are stored.
    #[arg(long, value_enum, default_value_t)]
    pub dtype: Dtype,
    /// The folder; one named after the run in the exports folder if left out.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Replace an earlier export at that place.
    #[arg(long)]
    pub overwrite: bool,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Another model than the starter.
    #[arg(long)]
    pub model: Option<String>,
    /// How many steps to train.
    #[arg(long, default_value_t = 40)]
    pub steps: u32,
    /// Where to compute: cpu, gpu, gpu:1.
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// The folder of the adapter; one in the exports folder if left out.
    #[arg(long)]
    pub out: Option<PathBuf>,
}
