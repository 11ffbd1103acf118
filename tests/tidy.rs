//! Rules of the house that can be checked are checked here: what may see what, and what no file may hold.
//!
//! Part of `xtask`'s tests, since those compile without the rest of the project.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Which of our crates each may use, tests aside. A crate that is not here has no place in the design yet: give it one
/// in ARCHITECTURE.md, and a line here.
const MAY_USE: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("atomic", &[]),
    ("metrics", &[]),
    ("weights", &["spec", "atomic"]),
    ("runfolder", &["spec", "atomic"]),
    ("text", &["spec", "weights"]),
    ("plan", &["spec"]),
    ("charts", &["spec"]),
    ("data", &["spec", "text", "atomic"]),
    ("hub", &["spec", "atomic"]),
    ("secrets", &[]),
    ("store", &["spec", "atomic", "runfolder"]),
    ("kernels", &[]),
    ("model", &["spec", "weights", "kernels"]),
    ("adapt", &["spec", "weights", "atomic", "kernels", "model"]),
    ("judge", &["spec", "data", "metrics"]),
    ("train", &["spec", "atomic", "weights", "data", "text", "kernels", "model", "adapt"]),
    ("export", &["spec", "atomic", "weights", "text", "model", "adapt"]),
    (
        "worker",
        &[
            "spec",
            "atomic",
            "runfolder",
            "weights",
            "plan",
            "data",
            "text",
            "judge",
            "model",
            "adapt",
            "train",
        ],
    ),
    (
        "engine",
        &[
            "spec",
            "atomic",
            "runfolder",
            "weights",
            "plan",
            "data",
            "text",
            "judge",
            "model",
            "adapt",
            "train",
            "export",
            "hub",
            "secrets",
            "store",
            "charts",
            "worker",
        ],
    ),
    ("cli", &["spec", "atomic", "engine", "worker"]),
    ("tunesmith-app", &["spec", "engine", "worker"]),
    ("testkit", &["spec"]),
    ("xtask", &["testkit"]),
];

/// What only some may use, and why.
const KEPT_TO: &[(&str, &[&str], &str)] = &[
    ("tauri", &["tunesmith-app"], "everything works without a window"),
    ("rusqlite", &["store"], "ask the store"),
    ("hf-hub", &["hub"], "the network is behind one door"),
    ("plotters", &["charts"], "a chart is the same picture everywhere"),
    ("tokenizers", &["text"], "token ids have one source"),
    ("keyring", &["secrets"], "a token has one way in and out"),
    ("cubecl", &["kernels"], "kernels have one home"),
    (
        "burn",
        &["kernels", "model", "adapt", "train", "export", "worker"],
        "what does not compute must not carry the tensors",
    ),
];

/// Longer than a file may be, because they are one table or one story, and why.
const LONG: &[(&str, &str)] = &[];

const LONGEST: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask has a parent").to_path_buf()
}

/// Every file of the project, without what is built or fetched; paths from the top, with `/`.
fn files() -> Vec<(String, PathBuf)> {
    const BUILT: &[&str] = &[
        ".git",
        "target",
        "gen",
        "ui/node_modules",
        "ui/dist",
        "fuzz/target",
        "fuzz/corpus",
        "fuzz/artifacts",
        "tests/fixtures",
    ];
    fn walk(folder: &Path, above: &str, found: &mut Vec<(String, PathBuf)>) {
        for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
            let name = format!("{above}{}", entry.file_name().to_string_lossy());
            if BUILT.contains(&name.as_str()) {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => walk(&entry.path(), &format!("{name}/"), found),
                Ok(kind) if kind.is_file() => found.push((name, entry.path())),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    found.sort();
    found
}

/// Those that are text and end in one of `endings`, with what they hold.
fn texts(endings: &[&str]) -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|(name, _)| endings.iter().any(|end| name.ends_with(end)))
        .filter_map(|(name, path)| Some((name, fs::read_to_string(path).ok()?)))
        .collect()
}

struct Manifest {
    name: String,
    path: String,
    /// Of the program itself and its build script; what only tests use is left out.
    uses: Vec<String>,
}

/// As much of TOML as manifests of ours use: sections, and a name at the start of each line.
fn manifest(path: &str, text: &str) -> Option<Manifest> {
    let (mut section, mut name, mut uses) = ("", None, Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let key = key.trim().trim_matches('"');
        if section == "package" && key == "name" {
            name = Some(value.trim().trim_matches('"').to_string());
        }
        let depends = section.ends_with("dependencies") && !section.ends_with("dev-dependencies");
        if depends && section != "workspace.dependencies" {
            uses.push(key.split('.').next().unwrap_or(key).to_string());
        }
    }
    Some(Manifest { name: name?, path: path.into(), uses })
}

fn workspace() -> Vec<Manifest> {
    let ours = |name: &str| !name.starts_with("fuzz/") && !name.starts_with("bench/");
    texts(&["Cargo.toml"])
        .iter()
        .filter(|(name, _)| ours(name))
        .filter_map(|(name, text)| manifest(name, text))
        .collect()
}

/// Fails with all of `found`, so that one look mends everything.
#[track_caller]
fn none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}\n  {}", found.join("\n  "));
}

#[test]
fn arrows_between_crates_only_go_down() {
    let may: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for krate in workspace() {
        let Some(allowed) = may.get(krate.name.as_str()) else {
            wrong.push(format!("{} ({}) has no line in MAY_USE", krate.name, krate.path));
            continue;
        };
        let ours = krate.uses.iter().filter(|used| may.contains_key(used.as_str()));
        wrong.extend(
            ours.filter(|used| !allowed.contains(&used.as_str()))
                .map(|used| format!("{} uses {used}", krate.name)),
        );
    }
    none(wrong, "against the layering of ARCHITECTURE.md:");
}

#[test]
fn the_table_of_layers_is_itself_in_order() {
    let place = |name: &str| MAY_USE.iter().position(|(krate, _)| *krate == name);
    let upward = MAY_USE.iter().flat_map(|(krate, uses)| uses.iter().map(move |used| (krate, used)));
    let upward = upward.filter(|(krate, used)| place(used) >= place(krate));
    none(
        upward.map(|(krate, used)| format!("{krate} before {used}")).collect(),
        "each line uses only lines above it:",
    );
}

#[test]
fn only_the_shell_knows_tauri_and_only_the_store_knows_sqlite() {
    let mut wrong = Vec::new();
    for krate in workspace() {
        for (what, kept_to, why) in KEPT_TO {
            let is_it = |used: &&String| *used == what || used.starts_with(&format!("{what}-"));
            if !kept_to.contains(&krate.name.as_str()) && krate.uses.iter().any(|used| is_it(&used)) {
                wrong.push(format!("{} uses {what}: {why}", krate.name));
            }
        }
    }
    none(wrong, "kept to their crates:");
}

#[test]
fn no_source_file_is_longer_than_a_reader_bears() {
    let mut wrong = Vec::new();
    for (name, text) in texts(&[".rs", ".ts", ".svelte", ".mjs", ".py"]) {
        let lines = text.lines().count();
        let generated = name == "ui/src/backend/bindings.ts";
        if lines > LONGEST && !generated && !LONG.iter().any(|(long, _)| *long == name) {
            wrong.push(format!("{name}: {lines} lines"));
        }
    }
    none(wrong, "longer than 600 lines; split it, or name it in LONG with a reason:");
}

#[test]
fn each_module_says_what_it_is() {
    let sources = texts(&[".rs"]);
    let silent = sources.iter().filter(|(_, text)| {
        let mut said = text.lines().skip_while(|line| line.trim().is_empty() || line.starts_with("#!["));
        !said.next().is_some_and(|first| first.starts_with("//!"))
    });
    none(
        silent.map(|(name, _)| name.clone()).collect(),
        "without a header (`//!`: what is here, what holds):",
    );
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // Put together here, so that this file does not find itself.
    let machine = [["/wo", "rk/"].concat(), ["/ro", "ot/"].concat(), ["../sh", "ared"].concat()];
    let endings =
        [".rs", ".toml", ".json", ".ts", ".svelte", ".mjs", ".py", ".md", ".sh", ".html", ".css", ".ci/run"];
    let mut wrong = Vec::new();
    for (name, text) in texts(&endings) {
        for (i, line) in text.lines().enumerate() {
            // In the middle of a longer path it is anybody's folder; at the start it is this machine's.
            let starts = |path: &&String| {
                line.match_indices(path.as_str()).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_-.$}".contains(c))
                })
            };
            wrong.extend(machine.iter().filter(starts).map(|path| format!("{name}:{}: {path}", i + 1)));
        }
    }
    none(wrong, "paths that exist on one machine only:");
}

#[test]
fn packages_come_from_wherever_the_person_gets_theirs() {
    let lock = fs::read_to_string(root().join("ui/package-lock.json")).expect("the page's lock file");
    assert!(
        !lock.contains("\"resolved\""),
        "package-lock.json names a registry: set omit-lockfile-registry-resolved"
    );
    let cargo = fs::read_to_string(root().join("Cargo.lock")).expect("the workspace's lock file");
    let index = "registry+https://github.com/rust-lang/crates.io-index";
    let strange = cargo.lines().filter(|line| line.starts_with("source = ") && !line.contains(index));
    none(strange.map(str::to_string).collect(), "crates that do not come from crates.io:");
    let settings = files()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name.ends_with(".npmrc") || name.ends_with("pip.conf"));
    none(settings.collect(), "settings of a machine:");
}

#[test]
fn no_test_is_skipped() {
    let skips = [
        ["#[ig", "nore"].concat(),
        ["test.", "skip("].concat(),
        ["skip", ": true"].concat(),
        ["test.", "todo("].concat(),
    ];
    let mut wrong = Vec::new();
    for (name, text) in texts(&[".rs", ".mjs"]) {
        wrong.extend(
            skips.iter().filter(|skip| text.contains(skip.as_str())).map(|skip| format!("{name}: {skip}")),
        );
    }
    none(wrong, "a test that does not run promises nothing:");
}

#[test]
fn each_fuzz_target_starts_from_seeds() {
    let targets = files().into_iter().filter_map(|(name, _)| {
        Some(name.strip_prefix("fuzz/fuzz_targets/")?.strip_suffix(".rs")?.to_string())
    });
    let seeded = |target: &String| {
        fs::read_dir(root().join("fuzz/seeds").join(target)).is_ok_and(|mut dir| dir.next().is_some())
    };
    none(targets.filter(|target| !seeded(target)).collect(), "without a file in fuzz/seeds/<target>/:");
}

#[test]
fn one_version_everywhere() {
    let read = |name| fs::read_to_string(root().join(name)).unwrap_or_default();
    let manifest = read("Cargo.toml");
    let section = manifest.split("[workspace.package]").nth(1).expect("the workspace has a version");
    let version = section.split('"').nth(1).expect("a quoted version").to_string();
    for (file, line) in [
        ("tauri.conf.json", format!("\"version\": \"{version}\"")),
        ("ui/package.json", format!("\"version\": \"{version}\"")),
        ("CHANGELOG.md", format!("## {version}")),
    ] {
        assert!(read(file).contains(&line), "{file} does not say {line}");
    }
}

#[test]
fn the_page_has_one_door() {
    let page = texts(&[".ts", ".svelte"]).into_iter().filter(|(name, _)| name.starts_with("ui/src/"));
    let past =
        page.filter(|(name, text)| !name.starts_with("ui/src/backend/") && text.contains("@tauri-apps/"));
    none(past.map(|(name, _)| name).collect(), "only ui/src/backend/ may import @tauri-apps:");
}

/// Each `import` of a page's file, on one line, with what stands between its last quotes.
fn imports(text: &str) -> Vec<(String, String)> {
    let (mut found, mut begun) = (Vec::new(), String::new());
    for line in text.lines().map(str::trim) {
        if begun.is_empty() && !line.starts_with("import ") {
            continue;
        }
        begun.push_str(line);
        if line.ends_with(';') {
            let from = begun.rsplit('"').nth(1).unwrap_or_default().to_string();
            found.push((std::mem::take(&mut begun), from));
        }
    }
    found
}

/// Where under `ui/src` a relative import leads: `parts/Page.svelte` for `../../parts/Page.svelte` in `views/run/`.
fn leads_to(name: &str, from: &str) -> Option<String> {
    if !from.starts_with('.') {
        return None;
    }
    let mut path: Vec<&str> = name.split('/').collect();
    path.pop();
    for part in from.split('/') {
        match part {
            "." => {}
            ".." => {
                path.pop();
            }
            other => path.push(other),
        }
    }
    Some(path.join("/"))
}

#[test]
fn the_page_imports_downward() {
    // What stands beside these folders (App.svelte, main.ts) puts them together, and sees them all.
    const MAY_SEE: &[(&str, &[&str])] = &[
        ("backend", &["words"]),
        ("words", &["backend", "state"]),
        ("state", &["backend", "words"]),
        ("parts", &["backend", "words"]),
        ("views", &["backend", "words", "parts", "state"]),
    ];
    // `words.ts` belongs to `words/`.
    let folder = |path: &str| path.split(['/', '.']).next().unwrap_or_default().to_string();
    // `views/run/Run.svelte` → `views/run`; nothing for what stands in `views/` itself.
    let area = |path: &str| path.match_indices('/').nth(1).map(|(at, _)| path[..at].to_string());
    let mut wrong = Vec::new();
    for (name, text) in texts(&[".ts", ".svelte"]) {
        let Some(name) = name.strip_prefix("ui/src/") else { continue };
        let own = folder(name);
        let Some((_, may_see)) = MAY_SEE.iter().find(|(layer, _)| *layer == own) else { continue };
        for (line, from) in imports(&text) {
            let Some(target) = leads_to(name, &from) else { continue };
            let seen = folder(&target);
            let up = seen != own && !may_see.contains(&seen.as_str());
            let sideways =
                own == "views" && seen == "views" && area(name).is_some() && area(name) != area(&target);
            // Words say what they are given: of what gives it they know only the types, and so do parts.
            let runs = ["backend", "state"].contains(&seen.as_str())
                && ["parts", "words"].contains(&own.as_str())
                && !line.starts_with("import type");
            if up || sideways || runs {
                wrong.push(format!("{name}: {line}"));
            }
        }
    }
    none(wrong, "views → parts, state → backend, never sideways or up; parts and words know only its types:");
}

#[test]
fn the_page_and_its_charts_have_the_same_colours() {
    let charts = fs::read_to_string(root().join("crates/charts/src/theme.rs")).expect("the charts' colours");
    let data = |theme: &str| -> Vec<String> {
        let list = charts
            .split(&format!("const {theme}: Palette"))
            .nth(1)
            .and_then(|rest| rest.split("data: [").nth(1));
        let list = list.and_then(|rest| rest.split(']').next()).expect("eight colours of a theme");
        list.split("0x")
            .skip(1)
            .map(|colour| colour.chars().take(6).collect::<String>().to_lowercase())
            .collect()
    };
    let page = fs::read_to_string(root().join("ui/src/tokens.css")).expect("the page's colours");
    let wrong = data("LIGHT").into_iter().zip(data("DARK")).enumerate().filter_map(|(i, (light, dark))| {
        let token = format!("--data-{}: light-dark(#{light}, #{dark});", i + 1);
        (!page.contains(&token)).then_some(token)
    });
    none(wrong.collect(), "a chart in a report is the chart on the screen; not in ui/src/tokens.css:");
}

#[test]
fn colours_and_pixels_stand_in_one_file() {
    let is_colour = |word: &str| {
        let hex = word.strip_prefix('#').unwrap_or("-");
        let hex = hex.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        matches!(hex.len(), 3 | 4 | 6 | 8) && hex.chars().all(|c| c.is_ascii_hexdigit())
    };
    let is_pixels = |word: &str| {
        let number = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).strip_suffix("px");
        number.is_some_and(|n| n.trim_start_matches('-').parse::<f64>().is_ok())
    };
    let mut wrong = Vec::new();
    for (name, text) in texts(&[".svelte", ".css", ".html"]) {
        if name == "ui/src/tokens.css" || !name.starts_with("ui/") {
            continue;
        }
        for (i, line) in text.lines().enumerate() {
            let call = ["rgb(", "rgba(", "hsl(", "hsla(", "oklch(", "oklab(", "lab(", "lch("]
                .iter()
                .any(|f| line.contains(f));
            let word = line.split([' ', '(', ',', ':', '"']).any(|word| is_colour(word) || is_pixels(word));
            if call || word {
                wrong.push(format!("{name}:{}: {}", i + 1, line.trim()));
            }
        }
    }
    none(wrong, "literals outside ui/src/tokens.css:");
}

#[test]
fn components_are_small() {
    let mut wrong = Vec::new();
    for (name, text) in texts(&[".svelte"]) {
        let most = if name.starts_with("ui/src/parts/") { 150 } else { 200 };
        let lines = text.lines().count();
        if lines > most {
            wrong.push(format!("{name}: {lines} lines, at most {most}"));
        }
    }
    none(wrong, "split them:");
}
