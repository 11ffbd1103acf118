//! What the rows of a data set teach a model to answer, where they are not to be written.

use model::{HeadSpec, Reads};
use plan::DataKind;
use serde_json::Value;
use spec::{DatasetInfo, Shape, Task, in_order};

/// The task that goes with rows of labels, numbers or tags, with every label there is; none where rows are text.
pub(crate) fn answered(info: &DatasetInfo) -> Option<(Task, DataKind)> {
    let labels = || in_order(info.labels.iter().map(|count| count.label.clone()).collect());
    match info.mapping.shape {
        Shape::Labelled => Some((Task::Classify { labels: labels() }, DataKind::Labelled)),
        Shape::LabelledSeveral => {
            Some((Task::ClassifySeveral { labels: labels() }, DataKind::LabelledSeveral))
        }
        Shape::Scored => Some((Task::Score, DataKind::Scored)),
        Shape::TaggedWords | Shape::Spans => Some((Task::Tag { labels: labels() }, DataKind::Tagged)),
        Shape::Text | Shape::PromptCompletion | Shape::Alpaca | Shape::Messages | Shape::ShareGpt => None,
    }
}

/// What the rows of a data set are, by the shape they were read in.
pub(crate) fn kind_of(info: &DatasetInfo) -> DataKind {
    match info.mapping.shape {
        Shape::Text => DataKind::Text,
        Shape::PromptCompletion => DataKind::Completion,
        Shape::Alpaca | Shape::Messages | Shape::ShareGpt => DataKind::Chat,
        Shape::Labelled => DataKind::Labelled,
        Shape::LabelledSeveral => DataKind::LabelledSeveral,
        Shape::Scored => DataKind::Scored,
        Shape::TaggedWords | Shape::Spans => DataKind::Tagged,
    }
}

/// What the head in a model's own file does, by its `config.json`; none where there is no head, or nobody named what it
/// says.
pub(crate) fn of_file(config: &Value) -> Option<Task> {
    let head = HeadSpec::of(config).ok()??;
    let labels = || model::labels_of(config);
    match (head.reads, config["problem_type"].as_str()) {
        (Reads::Tokens, _) => Some(Task::Tag { labels: labels()? }),
        (Reads::Text, Some("multi_label_classification")) => {
            Some(Task::ClassifySeveral { labels: labels()? })
        }
        (Reads::Text, _) if head.num_labels == 1 => Some(Task::Score),
        (Reads::Text, _) => Some(Task::Classify { labels: labels()? }),
    }
}
