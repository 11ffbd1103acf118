//! Settings and the token, each where it belongs.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{fs, path::Path};

use common::open;
use engine::Engine;
use secrets::Pretended;
use spec::{Code, ModelId, OnClose, Settings, ThemeChoice, TokenState};

fn file(home: &Path) -> String {
    fs::read_to_string(home.join("settings.json")).unwrap()
}

#[test]
fn what_is_set_stays_and_what_another_version_knows_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    assert_eq!(engine.settings().unwrap(), Settings::default());
    fs::write(home.path().join("settings.json"), r#"{"theme": "dark", "from_the_future": [1, 2]}"#).unwrap();
    let found = engine.settings().unwrap();
    assert_eq!(found, Settings { theme: ThemeChoice::Dark, ..Settings::default() });
    let set = Settings { on_close: OnClose::Pause, welcomed: true, ..found };
    engine.save_settings(&set).unwrap();
    drop(engine);
    assert_eq!(open(home.path()).settings().unwrap(), set);
    assert!(file(home.path()).contains("from_the_future"));
}

#[test]
fn a_broken_file_is_put_aside_and_said() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    assert!(!engine.diagnostics().contains("put aside"));
    for broken in ["{oops", "[]", r#"{"theme": "purple"}"#] {
        fs::write(home.path().join("settings.json"), broken).unwrap();
        assert_eq!(engine.settings().unwrap(), Settings::default());
        assert_eq!(fs::read_to_string(home.path().join("settings.json.broken")).unwrap(), broken);
        assert!(!home.path().join("settings.json").exists());
    }
    assert!(engine.diagnostics().contains("settings.json could not be understood"));
}

#[test]
fn an_address_that_is_none_is_not_kept() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let set = |address: &str| Settings { hf_endpoint: Some(address.to_owned()), ..Settings::default() };
    assert!(engine.save_settings(&set("not an address")).is_err());
    assert_eq!(engine.settings().unwrap(), Settings::default());
    engine.save_settings(&set("https://mirror.example")).unwrap();
}

#[test]
fn a_page_to_read_is_one_of_the_hub_and_of_no_other_place() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let mirror = Settings { hf_endpoint: Some("https://mirror.example/".to_owned()), ..Settings::default() };
    engine.save_settings(&mirror).unwrap();
    // The environment of whoever runs the tests may name another hub, which goes first.
    let hub = std::env::var("HF_ENDPOINT").unwrap_or_else(|_| "https://mirror.example".to_owned());
    let hub = hub.trim_end_matches('/');
    let page = engine.model_page(&ModelId("meta-llama/Llama-3.2-1B".to_owned())).unwrap();
    assert_eq!(page, format!("{hub}/meta-llama/Llama-3.2-1B"));
    assert_eq!(engine.token_page().unwrap(), format!("{hub}/settings/tokens"));
    for led_astray in ["https://elsewhere.example/a", "../../a", "a/b?c=d", "a/b/c", "/a", "file:///a"] {
        let refused = engine.model_page(&ModelId(led_astray.to_owned())).unwrap_err();
        assert_eq!(refused.code, Code::Usage, "{led_astray}");
    }
}

/// The environment of whoever runs the tests may have a token, which goes first.
fn has_token(engine: &Engine) -> bool {
    matches!(engine.token_state(), TokenState::Environment { .. })
}

#[test]
fn a_token_lies_in_the_keyring_and_nowhere_else() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path()).with_keyring(Pretended::open());
    for odd in ["", "  ", "two words", "hf_ä"] {
        assert_eq!(engine.save_token(Some(odd)).unwrap_err().code, Code::Usage, "{odd:?}");
    }
    let kept = engine.save_token(Some(" hf_secret ")).unwrap();
    assert!(kept == TokenState::Kept || has_token(&engine));
    engine.save_settings(&Settings::default()).unwrap();
    let everything = format!("{}{}{engine:?}", file(home.path()), engine.diagnostics());
    assert!(!everything.contains("hf_secret"), "{everything}");
    let gone = engine.save_token(None).unwrap();
    assert!(gone == TokenState::None || has_token(&engine));
}

#[test]
fn without_a_keyring_the_way_out_is_said() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path()).with_keyring(Pretended::locked("it is locked"));
    let refused = engine.save_token(Some("hf_secret")).unwrap_err();
    assert!(refused.message.contains("it is locked"), "{refused}");
    assert!(refused.hint.unwrap().contains("HF_TOKEN"));
    match engine.token_state() {
        TokenState::Unavailable { why } => assert!(why.contains("HF_TOKEN"), "{why}"),
        other => assert!(has_token(&engine), "{other:?}"),
    }
}

#[test]
fn only_places_of_the_program_are_shown_in_the_file_manager() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    engine.may_reveal(home.path()).unwrap();
    engine.may_reveal(&engine.home().models()).unwrap();
    assert_eq!(engine.may_reveal(elsewhere.path()).unwrap_err().code, Code::Forbidden);
    assert_eq!(engine.may_reveal(&home.path().join("gone")).unwrap_err().code, Code::NotFound);
    let out = engine.home().models().join("../../..");
    assert_eq!(engine.may_reveal(&out).unwrap_err().code, Code::Forbidden);
}

#[test]
fn the_program_says_what_it_is_and_what_it_takes() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let about = engine.about();
    assert_eq!(
        (about.version.as_str(), about.home.as_str()),
        (env!("CARGO_PKG_VERSION"), home.path().to_str().unwrap())
    );
    assert!(about.licences.len() > 100 && about.licences.iter().any(|part| part.name == "tokenizers"));
    let before = engine.disk_use();
    fs::create_dir_all(engine.home().exports().join("a")).unwrap();
    fs::write(engine.home().exports().join("a/model.safetensors"), [0; 1000]).unwrap();
    let after = engine.disk_use();
    assert_eq!((after.exports - before.exports, after.models), (1000, before.models));
    assert!(engine.diagnostics().contains("Some processor"), "the devices are in a report");
}
