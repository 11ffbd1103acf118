//! What `config.json` says of a task: the head's class, what its outputs are called and how they are to be read; what
//! texts begin with that are turned into others.

use model::{Reads, encoder::EncoderConfig, head_class, padding_of};
use serde_json::{Map, Value, json};
use spec::{Prefix, Task};

/// `config` for a model with the head of `task`; as it is where the task is to write. `end` is a token that ends texts:
/// decoders look for the last token before the padding, and transformers refuses batches where nothing says what that is.
pub(crate) fn with_head(mut config: Value, task: &Task, end: Option<u32>) -> Value {
    let (reads, problem) = match task {
        Task::Write | Task::Transform => return config,
        Task::Classify { .. } => (Reads::Text, Some("single_label_classification")),
        Task::ClassifySeveral { .. } => (Reads::Text, Some("multi_label_classification")),
        Task::Score => (Reads::Text, Some("regression")),
        Task::Tag { .. } => (Reads::Tokens, None),
    };
    let class = config["model_type"].as_str().and_then(|kind| head_class(kind, reads));
    let pads = EncoderConfig::is_one(&config) || !config["pad_token_id"].is_null();
    let padding = padding_of(&config).or(end);
    let Some(fields) = config.as_object_mut() else { return config };
    if let Some(pad) = padding.filter(|_| !pads) {
        fields.insert("pad_token_id".to_owned(), json!(pad));
    }
    if let Some(class) = class {
        fields.insert("architectures".to_owned(), json!([class]));
    }
    let (id2label, label2id) = maps(task);
    fields.insert("id2label".to_owned(), Value::Object(id2label));
    fields.insert("label2id".to_owned(), Value::Object(label2id));
    // Transformers counts `id2label`, and an older count would contradict it.
    fields.remove("num_labels");
    match problem {
        Some(problem) => fields.insert("problem_type".to_owned(), json!(problem)),
        None => fields.remove("problem_type"),
    };
    config
}

/// `config` for a model that turns texts into others which begin with `prefix`: transformers puts that before them by
/// itself. What the base had been told of tasks (prefixes, shortest and longest texts) is no longer so.
pub(crate) fn with_prefix(mut config: Value, task: &Task, prefix: &Prefix) -> Value {
    let Some(fields) = config.as_object_mut().filter(|_| *task == Task::Transform) else { return config };
    fields.remove("task_specific_params");
    fields.remove("prefix");
    if let Some(prefix) = prefix.in_config() {
        fields.insert("prefix".to_owned(), json!(prefix));
    }
    config
}

/// `id2label` and `label2id`. The one output of a score is called what transformers calls it.
fn maps(task: &Task) -> (Map<String, Value>, Map<String, Value>) {
    let score = ["LABEL_0".to_owned()];
    let labels = if *task == Task::Score { &score } else { task.labels() };
    let places = || labels.iter().enumerate();
    (
        places().map(|(place, label)| (place.to_string(), json!(label))).collect(),
        places().map(|(place, label)| (label.clone(), json!(place))).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_named_with_its_labels_and_its_kind_of_problem() {
        let base = json!({"model_type": "bert", "architectures": ["BertModel"], "num_labels": 2});
        let labels = vec!["flu".to_owned(), "a cold".to_owned()];
        let said = with_head(base.clone(), &Task::Classify { labels: labels.clone() }, None);
        assert_eq!(
            said,
            json!({"model_type": "bert", "architectures": ["BertForSequenceClassification"],
                "id2label": {"0": "flu", "1": "a cold"}, "label2id": {"flu": 0, "a cold": 1},
                "problem_type": "single_label_classification"})
        );
        let several = with_head(base.clone(), &Task::ClassifySeveral { labels: labels.clone() }, None);
        assert_eq!(several["problem_type"], "multi_label_classification");
        let score = with_head(base.clone(), &Task::Score, None);
        assert_eq!(
            (&score["problem_type"], &score["id2label"]),
            (&json!("regression"), &json!({"0": "LABEL_0"}))
        );
        let tag = with_head(several, &Task::Tag { labels }, None);
        assert_eq!(tag["architectures"], json!(["BertForTokenClassification"]));
        assert!(tag.get("problem_type").is_none(), "what stood there was for another head");
        assert_eq!(with_head(base.clone(), &Task::Write, None), base);
    }

    #[test]
    fn a_prefix_stands_where_transformers_looks_for_it_and_those_of_other_tasks_are_gone() {
        let base = json!({"prefix": "old: ", "task_specific_params": {"summarization": {"prefix": "s: "}}});
        let new = Prefix("summarize:".to_owned());
        assert_eq!(with_prefix(base.clone(), &Task::Transform, &new), json!({"prefix": "summarize: "}));
        assert_eq!(with_prefix(base.clone(), &Task::Transform, &Prefix::default()), json!({}));
        assert_eq!(with_prefix(base.clone(), &Task::Write, &new), base);
    }

    #[test]
    fn a_decoder_with_a_head_is_told_what_padding_is() {
        let pad = |config: Value, end| with_head(config, &Task::Score, end)["pad_token_id"].clone();
        let llama = |field: &str, value: Value| json!({"model_type": "llama", field: value});
        assert_eq!(pad(llama("pad_token_id", json!(7)), Some(2)), json!(7));
        assert_eq!(pad(llama("eos_token_id", json!([5, 6])), Some(2)), json!(5));
        assert_eq!(pad(llama("pad_token_id", Value::Null), Some(2)), json!(2));
        assert_eq!(pad(json!({"model_type": "bert", "eos_token_id": 5}), Some(2)), Value::Null);
    }
}
