//! What one can say without looking at the text: the least that a model should beat.

use data::{Answer, Question};
use spec::{DatasetInfo, LabelCount, Task};

/// The same answer to every question.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// Of a text, or of each word.
    logits: Vec<f32>,
}

impl Guess {
    /// By the rows that `info` has for training: the most frequent label, the labels that most rows have, the mean. None
    /// where nothing is known of them.
    pub fn of(task: &Task, info: &DatasetInfo) -> Option<Self> {
        let trained = |label: &String| {
            let found: Option<&LabelCount> = info.labels.iter().find(|count| count.label == *label);
            found.map_or(0, |count| count.counts.train)
        };
        let sign = |holds: bool| if holds { 1.0 } else { -1.0 };
        let logits: Vec<f32> = match task {
            Task::Classify { labels } | Task::Tag { labels } => {
                let counts: Vec<u64> = labels.iter().map(trained).collect();
                let most = counts.iter().copied().max().filter(|most| *most > 0)?;
                let first = counts.iter().position(|count| *count == most);
                (0..labels.len()).map(|place| sign(Some(place) == first)).collect()
            }
            Task::ClassifySeveral { labels } => {
                labels.iter().map(|label| sign(2 * trained(label) > info.counts.train)).collect()
            }
            Task::Score => vec![info.scores?.mean as f32],
            Task::Write | Task::Transform => return None,
        };
        Some(Self { logits })
    }

    /// As a head would say it.
    pub fn logits(&self, question: &Question) -> Vec<f32> {
        match question.answer {
            Answer::Tags(_) => self.logits.repeat(question.ids.len()),
            Answer::Label(_) | Answer::Labels(_) | Answer::Number(_) => self.logits.clone(),
        }
    }
}
