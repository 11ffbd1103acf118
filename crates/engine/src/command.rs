//! A run as the command that starts it in a terminal.

use spec::RunSpec;

/// `tunesmith train …`, with `data` as the terminal finds it.
pub(crate) fn line(spec: &RunSpec, data: &str) -> String {
    let mut words = vec!["tunesmith".to_owned(), "train".to_owned()];
    let mut option = |name: &str, value: &str| words.extend([format!("--{name}"), quoted(value)]);
    option("model", &spec.model.0);
    option("data", data);
    if let Some(version) = &spec.data_version {
        option("data-version", version.short());
    }
    if let Some(name) = &spec.name {
        option("name", name);
    }
    if let Some(task) = spec.task {
        option("task", task.as_str());
    }
    if let Some(effort) = spec.effort {
        option("effort", &effort.to_string());
    }
    if let Some(device) = spec.device {
        option("device", &device.to_string());
    }
    for (key, value) in spec.knobs.rows() {
        option(&key.replace('_', "-"), &value);
    }
    if spec.profile {
        words.push("--profile".to_owned());
    }
    words.join(" ")
}

/// One word for the shell, whatever is in it: a POSIX shell, or `cmd` and PowerShell on Windows.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    match () {
        // An option's value that begins with a dash would be taken for an option.
        () if !word.is_empty() && word.chars().all(plain) && !word.starts_with('-') => word.to_owned(),
        () if cfg!(windows) => format!("\"{}\"", word.replace('"', "\\\"")),
        () => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use spec::{Asked, DatasetId, DeviceChoice, Effort, ModelId, Sha256};

    use super::*;

    #[test]
    #[cfg(unix)]
    fn what_was_asked_is_asked_the_same_way_whatever_is_in_a_name() {
        let mut knobs = Asked::default();
        knobs.set("rank", "16").unwrap();
        knobs.set("target_modules", "q_proj,v_proj").unwrap();
        let mut spec = RunSpec {
            name: None,
            model: ModelId("HuggingFaceTB/SmolLM2-135M-Instruct".to_owned()),
            data: DatasetId(Default::default()),
            data_version: None,
            task: None,
            effort: Some(Effort::Quick),
            device: Some(DeviceChoice::Gpu { index: 1 }),
            knobs,
            profile: true,
        };
        expect![
            "tunesmith train --model HuggingFaceTB/SmolLM2-135M-Instruct --data letters --effort quick --device gpu:1 --rank 16 --target-modules q_proj,v_proj --profile"
        ]
        .assert_eq(&line(&spec, "letters"));
        (spec.knobs, spec.profile) = (Asked::default(), false);
        (spec.effort, spec.device) = (None, None);
        spec.name = Some("Anna's run; rm -rf $HOME".to_owned());
        spec.model = ModelId("/my models/a.gguf".to_owned());
        spec.data_version = Some(Sha256("ab".repeat(32)));
        expect![
            r"tunesmith train --model '/my models/a.gguf' --data 'Fragen & Antworten' --data-version abababababab --name 'Anna'\''s run; rm -rf $HOME'"
        ]
        .assert_eq(&line(&spec, "Fragen & Antworten"));
        assert_eq!([quoted(""), quoted("-1"), quoted("0.5")], ["''", "'-1'", "0.5"]);
    }
}
