//! The model card: what it is, what it learned from and how, what came of it, how it is loaded.

use std::{fmt::Write, path::Path};

use adapt::{Learner, Learns};
use spec::{ExportForm, ModelId, Plan, Task};

/// What is told of a tuned model to whoever finds the folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// What the person calls it.
    pub name: String,
    /// What it learned from, as the person calls it.
    pub data: String,
    /// The base's licence (`Apache-2.0`), if it is known.
    pub base_license: Option<String>,
    /// How it was trained.
    pub plan: Plan,
    /// What came of it.
    pub losses: Losses,
    /// Of the program.
    pub app_version: String,
}

/// Mean negative log-likelihood of the taught tokens, in nats.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    /// Steps until what is exported.
    pub steps: u32,
    /// Of the first step.
    pub first_training: Option<f64>,
    /// Of the last step.
    pub last_training: Option<f64>,
    /// Of the first look at the validation data.
    pub first_validation: Option<f64>,
    /// Of the best look.
    pub best_validation: Option<f64>,
}

impl Card {
    /// The base as other tools find it: the hub's name, or of a local one its last part alone, since a path of this
    /// computer helps nobody elsewhere and tells of its owner.
    pub(crate) fn base_name(&self) -> String {
        let ModelId(id) = &self.plan.model;
        match is_on_hub(&self.plan.model) {
            true => id.clone(),
            false => id.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(id).to_owned(),
        }
    }

    /// `README.md`.
    pub(crate) fn render(&self, form: ExportForm, learner: &Learner) -> String {
        let mut card = self.front_matter(form, learner);
        // Writing to a String cannot fail.
        let _ = self.body(&mut card, form, learner);
        card
    }

    /// What the hub reads. Names are quoted as JSON, which YAML understands, whatever is in them.
    fn front_matter(&self, form: ExportForm, learner: &Learner) -> String {
        let mut lines = vec!["---".to_owned()];
        if is_on_hub(&self.plan.model) {
            lines.push(format!("base_model: {}", quoted(&self.base_name())));
        }
        if let Some(license) = &self.base_license {
            lines.push(format!("license: {}", quoted(&license.to_lowercase())));
        }
        let (library, tag) = match (form, learner) {
            (ExportForm::Adapter, _) => ("peft", "lora"),
            (ExportForm::Merged { .. }, Learner::Lora(_)) => ("transformers", "lora-merged"),
            (ExportForm::Merged { .. }, Learner::Full(_)) => ("transformers", "fine-tuned"),
        };
        lines.push(format!("library_name: {library}"));
        lines.push(format!("pipeline_tag: {}", pipeline(&self.plan.task.value)));
        lines.push(format!("tags: [{tag}, tunesmith]"));
        lines.push("---\n\n".to_owned());
        lines.join("\n")
    }

    fn body(&self, out: &mut String, form: ExportForm, learner: &Learner) -> std::fmt::Result {
        let base = self.base_name();
        writeln!(out, "# {}\n", one_line(&self.name))?;
        let n = learner.n_parameters();
        match (form, learner) {
            (ExportForm::Adapter, _) => writeln!(
                out,
                "A LoRA adapter of {n} parameters for `{base}`. It holds only what was learned and needs its base.\n"
            )?,
            (ExportForm::Merged { precision }, Learner::Lora(_)) => writeln!(
                out,
                "`{base}`, tuned with LoRA; the adapter is merged into the weights, which are stored in {precision}.\n"
            )?,
            (ExportForm::Merged { precision }, Learner::Full(_)) => writeln!(
                out,
                "`{base}`, of which {n} parameters were trained; the weights are stored in {precision}.\n"
            )?,
        }
        writeln!(
            out,
            "## How to load it\n\n```python\n{}```\n",
            how_to_load(form, &self.plan, &quoted(&base), ".")
        )?;

        writeln!(out, "## What it learned\n")?;
        writeln!(out, "Data: {} (version `{}`).\n", one_line(&self.data), self.plan.data_version.short())?;
        let Losses { steps, first_training, last_training, first_validation, best_validation } = self.losses;
        match &self.plan.task.value {
            Task::Write | Task::Transform => {
                writeln!(out, "After {steps} steps, loss in nats per taught token:\n")?;
            }
            _ => writeln!(out, "After {steps} steps, mean loss:\n")?,
        }
        writeln!(out, "| | at first | here |\n| --- | --- | --- |")?;
        writeln!(out, "| training | {} | {} |", loss(first_training), loss(last_training))?;
        writeln!(out, "| validation | {} | {} |\n", loss(first_validation), loss(best_validation))?;

        writeln!(out, "## How it was trained\n")?;
        writeln!(out, "With Tunesmith {}, on {}.\n", self.app_version, self.plan.device.value)?;
        writeln!(out, "| setting | value |\n| --- | --- |")?;
        for (key, value, _) in self.plan.knobs.rows().into_iter().filter(|(key, ..)| self.plan.uses(key)) {
            writeln!(out, "| {key} | {value} |")?;
        }

        writeln!(out, "\n## The base\n")?;
        writeln!(out, "`{base}`; SHA-256 of the weights it was trained on: `{}`.", self.plan.model_hash)?;
        match &self.base_license {
            Some(license) => {
                writeln!(out, "It is licensed under {license}, whose terms apply to what is built on it too.")
            }
            None => writeln!(out, "Its licence is not known here: look it up before you pass this on."),
        }
    }
}

/// How an export of what was trained by `plan` is loaded from `folder` on this computer: Python, to copy. `path` is where
/// the base lies.
pub fn snippet(form: ExportForm, plan: &Plan, path: &Path, folder: &Path) -> String {
    let base = &plan.model;
    let said = |path: &Path| quoted(&path.display().to_string());
    let is_gguf = path.extension().is_some_and(|ending| ending == "gguf");
    let base = match (is_on_hub(base), is_gguf) {
        (true, _) => quoted(&base.0),
        (false, true) => {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            format!("{}, gguf_file={}", said(path.parent().unwrap_or(path)), quoted(&file))
        }
        (false, false) => said(path),
    };
    how_to_load(form, plan, &base, &folder.display().to_string())
}

/// The hub's word for what a model does.
fn pipeline(task: &Task) -> &'static str {
    match task {
        Task::Write => "text-generation",
        Task::Classify { .. } | Task::ClassifySeveral { .. } | Task::Score => "text-classification",
        Task::Tag { .. } => "token-classification",
        Task::Transform => "text2text-generation",
    }
}

/// `base` as arguments in Python.
fn how_to_load(form: ExportForm, plan: &Plan, base: &str, folder: &str) -> String {
    let task = &plan.task.value;
    let remark = if folder == "." { "  # where this file is" } else { "" };
    let folder = quoted(folder);
    let class = match task {
        Task::Write => "AutoModelForCausalLM",
        Task::Classify { .. } | Task::ClassifySeveral { .. } | Task::Score => {
            "AutoModelForSequenceClassification"
        }
        Task::Tag { .. } => "AutoModelForTokenClassification",
        Task::Transform => "AutoModelForSeq2SeqLM",
    };
    // A head's labels stand in the folder's own configuration.
    let (config, labels) = match task {
        Task::Write | Task::Transform => ("", ""),
        _ => ("AutoConfig, ", ", config=AutoConfig.from_pretrained(folder)"),
    };
    let load = match form {
        ExportForm::Adapter => format!(
            "from peft import PeftModel\n\
             from transformers import {config}{class}, AutoTokenizer\n\n\
             folder = {folder}{remark}\n\
             tokenizer = AutoTokenizer.from_pretrained(folder)\n\
             base = {class}.from_pretrained({base}{labels})\n\
             model = PeftModel.from_pretrained(base, folder)\n"
        ),
        ExportForm::Merged { .. } => format!(
            "from transformers import {class}, AutoTokenizer\n\n\
             folder = {folder}{remark}\n\
             tokenizer = AutoTokenizer.from_pretrained(folder)\n\
             model = {class}.from_pretrained(folder, dtype=\"auto\")\n"
        ),
    };
    match task {
        Task::Transform => load + &how_to_ask(plan),
        _ => load,
    }
}

/// What a source begins with is easily forgotten, and without it the model was never taught.
fn how_to_ask(plan: &Plan) -> String {
    let prefix = plan.knobs.source_prefix.value.in_config();
    let text = prefix.map_or("text".to_owned(), |prefix| format!("{} + text", quoted(&prefix)));
    format!(
        "\ntext = \"…\"  # what is to be turned into another\n\
         ids = model.generate(**tokenizer({text}, return_tensors=\"pt\"), max_new_tokens=128)\n\
         print(tokenizer.decode(ids[0], skip_special_tokens=True))\n"
    )
}

/// `owner/name`, as the hub spells it.
fn is_on_hub(ModelId(id): &ModelId) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    !id.ends_with(".gguf") && id.split_once('/').is_some_and(|(owner, name)| plain(owner) && plain(name))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn loss(loss: Option<f64>) -> String {
    loss.map_or("not measured".to_owned(), |loss| format!("{loss:.4}"))
}

#[cfg(test)]
mod tests {
    use spec::Prefix;

    use super::*;

    #[test]
    fn the_snippet_names_the_base_as_it_is_found_on_this_computer() {
        let load = |id: &str, path: &str| {
            let plan = Plan { model: ModelId(id.to_owned()), ..testkit::plan(|_| {}) };
            let said = snippet(ExportForm::Adapter, &plan, Path::new(path), Path::new("/out/my \"best\""));
            assert!(said.contains("folder = \"/out/my \\\"best\\\"\"\n"), "{said}");
            said.lines().find_map(|line| line.strip_prefix("base = ").map(str::to_owned)).unwrap()
        };
        let call = |arguments: &str| format!("AutoModelForCausalLM.from_pretrained({arguments})");
        assert_eq!(load("owner/name", "/models/owner--name/m.gguf"), call("\"owner/name\""));
        assert_eq!(load("/my/base", "/my/base"), call("\"/my/base\""));
        assert_eq!(load("base.gguf", "/my/base.gguf"), call("\"/my\", gguf_file=\"base.gguf\""));
        let merged = ExportForm::Merged { precision: spec::Precision::F16 };
        let plan = testkit::plan(|_| {});
        let said = snippet(merged, &plan, Path::new("/b"), Path::new("/out"));
        assert!(!said.contains("peft") && said.contains("folder = \"/out\"\n"), "{said}");
        assert!(!said.contains("generate"), "{said}");
    }

    #[test]
    fn the_snippet_of_a_model_with_a_task_prefix_says_it() {
        let said = |prefix: &str| {
            let mut plan = testkit::plan(|knobs| knobs.source_prefix.value = Prefix(prefix.to_owned()));
            plan.task.value = Task::Transform;
            snippet(ExportForm::Adapter, &plan, Path::new("/b"), Path::new("/out"))
        };
        assert!(
            said("summarize:").contains("tokenizer(\"summarize: \" + text, return"),
            "{}",
            said("summarize:")
        );
        assert!(said("").contains("tokenizer(text, return"), "{}", said(""));
    }

    #[test]
    fn a_hub_name_is_told_from_a_path() {
        for (id, on_hub) in [
            ("HuggingFaceTB/SmolLM2-135M-Instruct", true),
            ("/home/me/models/base", false),
            ("../base", false),
            ("./base", false),
            ("models/base.gguf", false),
            ("C:\\models\\base", false),
            ("gpt2", false),
            ("a/b/c", false),
        ] {
            assert_eq!(is_on_hub(&ModelId(id.to_owned())), on_hub, "{id}");
        }
    }
}
