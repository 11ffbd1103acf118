//! Models on this computer: those of the person's own, downloads that were begun, and what fits.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{fs, ops::ControlFlow, path::Path};

use common::{hear_out, open, prepared};
use engine::Prepared;
use spec::{Code, FitKind, ModelId, ModelOrigin, ModelState, Skill};

/// The tiny model under `folder`, where it can be touched.
fn copy_of_tiny(folder: &Path) -> std::path::PathBuf {
    let copy = folder.join("tiny llama");
    fs::create_dir_all(&copy).unwrap();
    for entry in fs::read_dir(testkit::fixture("tiny/llama_tied")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn a_model_says_what_it_can_do() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let skill = |name: &str, names: Option<[&str; 3]>| {
        let folder = elsewhere.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut config = testkit::json("tiny/bert/config.json");
        if let Some(names) = names {
            config["id2label"] = serde_json::json!({ "0": names[0], "1": names[1], "2": names[2] });
        }
        fs::write(folder.join("config.json"), config.to_string()).unwrap();
        fs::copy(testkit::fixture("tiny/bert/model.safetensors"), folder.join("model.safetensors")).unwrap();
        fs::copy(testkit::fixture("tokenizers/bert/vocab.txt"), folder.join("vocab.txt")).unwrap();
        engine.add_model(&folder).unwrap().skill
    };
    assert_eq!(skill("without names", None), Some(Skill::Reads));
    assert_eq!(skill("with names", Some(["good", "bad", "ugly"])), Some(Skill::Answers));
    let llama = copy_of_tiny(elsewhere.path());
    assert_eq!(engine.add_model(&llama).unwrap().skill, Some(Skill::Chats));
}

#[test]
fn a_model_of_ones_own_is_remembered_where_it_lies_and_forgotten_with_its_files_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = copy_of_tiny(elsewhere.path());
    let engine = open(home.path());
    assert_eq!(engine.local_models().unwrap(), []);
    let added = engine.add_model(&folder).unwrap();
    assert_eq!((added.name.as_str(), added.origin), ("tiny llama", ModelOrigin::Own));
    assert_eq!((added.context, added.skill, added.trouble.as_ref()), (Some(64), Some(Skill::Chats), None));
    assert_eq!(added.fit.as_ref().unwrap().kind, FitKind::Good);
    assert!(added.bytes > 10_000, "{} bytes", added.bytes);
    assert_eq!(engine.add_model(&folder).unwrap(), added, "once");
    engine.may_reveal(&folder).unwrap();

    let mut run = Prepared { model: folder.clone(), ..prepared("free", 1) };
    run.plan.model = added.id.clone();
    hear_out(&engine, engine.begin(&run).unwrap());
    drop(engine);
    let engine = open(home.path());
    let listed = engine.local_models().unwrap();
    assert_eq!((listed.len(), listed[0].n_runs), (1, 1));
    assert_eq!(engine.inspect_model(&added.id, &mut |_| ControlFlow::Continue(())).unwrap().path, folder);

    engine.remove_model(&added.id).unwrap();
    assert_eq!(engine.local_models().unwrap(), []);
    assert!(folder.join("model.safetensors").exists());
    assert_eq!(engine.remove_model(&added.id).unwrap_err().code, Code::NotFound);
}

#[test]
fn what_is_no_model_is_refused_and_one_that_is_gone_says_so() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    assert_eq!(engine.add_model(&elsewhere.path().join("nowhere")).unwrap_err().code, Code::NotFound);
    fs::write(elsewhere.path().join("holiday.gguf"), b"no model at all").unwrap();
    assert_eq!(engine.add_model(&elsewhere.path().join("holiday.gguf")).unwrap_err().code, Code::BadModel);
    assert_eq!(engine.local_models().unwrap(), []);

    let folder = copy_of_tiny(elsewhere.path());
    engine.add_model(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let gone = &engine.local_models().unwrap()[0];
    assert_eq!(gone.trouble.as_ref().unwrap().code, Code::NotFound);
    assert_eq!((gone.fit.as_ref(), gone.n_parameters), (None, None));
    let folder = copy_of_tiny(elsewhere.path());
    fs::write(folder.join("config.json"), "{").unwrap();
    assert_eq!(engine.local_models().unwrap()[0].trouble.as_ref().unwrap().code, Code::BadModel);
    copy_of_tiny(elsewhere.path());
    assert_eq!(engine.local_models().unwrap()[0].trouble, None, "it is looked at again once it was touched");
}

#[test]
fn a_download_that_was_begun_is_offered_to_go_on_with_or_thrown_away() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let recommended = engine.model_offers().unwrap();
    assert_eq!(recommended.len(), engine::CATALOGUE.len());
    assert!(recommended.iter().all(|offer| offer.state == ModelState::Absent));
    assert!(recommended[0].fit.why.contains("on Some processor"), "{}", recommended[0].fit.why);

    let begun = engine.home().models().join(".someone--small.download");
    fs::create_dir_all(&begun).unwrap();
    let manifest = r#"{"id": "someone/small", "revision": "0", "files": [
        {"name": "config.json", "size": 100, "sha256": null},
        {"name": "model.safetensors", "size": 2000, "sha256": null}]}"#;
    fs::write(begun.join("hub.json"), manifest).unwrap();
    fs::write(begun.join("config.json"), [b' '; 100]).unwrap();
    fs::write(begun.join("model.safetensors.part"), [0; 500]).unwrap();
    let offers = engine.model_offers().unwrap();
    let offer = offers.last().unwrap();
    assert_eq!((offer.entry.id.0.as_str(), offer.entry.name.as_str()), ("someone/small", "small"));
    assert_eq!(offer.state, ModelState::Partial { done: 600, total: Some(2100) });
    engine.discard_download(&ModelId("someone/small".to_owned())).unwrap();
    assert!(!begun.exists());
    assert_eq!(engine.model_offers().unwrap().len(), recommended.len());
    assert!(engine.discard_download(&ModelId("../escape".to_owned())).is_err());
}
