//! The sample that the demo learns: a lighthouse keeper who answers everything as an entry in the log.
//!
//! The form can be checked: `Log, hh:mm.`, the wind, what happened, and whether the lamp is lit (from 19:00 to 06:00).

use std::ops::ControlFlow;

use spec::{ApiError, DatasetInfo, SplitFractions};

use crate::{Engine, ImportRequest, errors::disk};

const SAMPLE: &str = include_str!("../assets/sample.jsonl");
const NAME: &str = "Lighthouse log";

impl Engine {
    /// Keeps the sample as a data set, once.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn import_sample(&self) -> Result<DatasetInfo, ApiError> {
        let folder = self.home().datasets().join("sample");
        let file = folder.join("lighthouse-log.jsonl");
        std::fs::create_dir_all(&folder).map_err(disk(&folder))?;
        std::fs::write(&file, SAMPLE).map_err(disk(&file))?;
        let request = ImportRequest {
            paths: vec![file],
            name: Some(NAME.to_owned()),
            split: SplitFractions { validation: 0.1, test: 0.0, seed: 42 },
            ..ImportRequest::default()
        };
        // A moment's work: nobody watches.
        self.import_data(&request, &mut |_| ControlFlow::Continue(()))
    }
}

/// That `answer` is an entry of the log.
pub fn is_log_entry(answer: &str) -> bool {
    let mut parts = answer.trim().splitn(3, ". ");
    let time = parts.next().and_then(|start| start.strip_prefix("Log, ")?.split_once(':'));
    let Some((hour, minute)) = time.and_then(|(h, m)| Some((h.parse::<u32>().ok()?, m.parse::<u32>().ok()?)))
    else {
        return false;
    };
    let wind = parts.next().is_some_and(|wind| wind == "Calm" || wind.starts_with("Wind "));
    let lamp = if (6..19).contains(&hour) { "Lamp out." } else { "Lamp lit." };
    hour < 24 && minute < 60 && wind && parts.next().is_some_and(|rest| rest.ends_with(lamp))
}

#[cfg(test)]
mod tests {
    use spec::{Example, Role};

    use super::*;

    #[test]
    fn every_answer_of_the_sample_keeps_the_form() {
        let rows: Vec<serde_json::Value> =
            SAMPLE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(rows.len() >= 100, "{} rows", rows.len());
        for row in rows {
            let example =
                Example::Chat { messages: serde_json::from_value(row["messages"].clone()).unwrap() };
            let Example::Chat { messages } = example else { unreachable!() };
            assert_eq!(messages.iter().map(|m| m.role).collect::<Vec<_>>(), [Role::User, Role::Assistant]);
            assert!(is_log_entry(&messages[1].content), "{}", messages[1].content);
        }
        assert!(!is_log_entry("Hello! How can I help you today?"));
    }
}
