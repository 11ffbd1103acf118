//! `ui/src/backend/bindings.ts` is written from the Rust commands and committed, so that the page builds without Rust.
//!
//! To write it again: `UPDATE_BINDINGS=1 cargo test -p tunesmith-app --test bindings`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

#[test]
fn the_page_knows_the_commands_as_they_are() {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/backend/bindings.ts");
    let fresh = concat!(env!("CARGO_TARGET_TMPDIR"), "/bindings.ts");
    let to = if std::env::var_os("UPDATE_BINDINGS").is_some() { committed } else { fresh };
    tunesmith_app::ipc::<tauri::Wry>()
        .export(specta_typescript::Typescript::default(), to)
        .expect("the bindings can be written");
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        read(committed) == read(to),
        "{committed} is out of date: UPDATE_BINDINGS=1 cargo test -p tunesmith-app --test bindings"
    );
}
