//! What the program is made of, and under which licences: `crates/engine/assets/licences.tsv`, which the page About
//! shows.

use std::{collections::BTreeSet, fs};

use crate::{
    Outcome,
    process::{answer, root},
};

const FILE: &str = "crates/engine/assets/licences.tsv";

/// Writes the list anew.
pub fn run() -> Outcome {
    let path = root().join(FILE);
    fs::write(&path, list()?).map_err(|error| format!("{}: {error}", path.display()))
}

/// A line for each part: name, version, licence, between tabs.
fn list() -> Outcome<String> {
    let packages = ["--package", "cli", "--package", "tunesmith-app"];
    let form =
        ["--prefix", "none", "--format", "{p}\t{l}", "--edges", "normal", "--target", "all", "--locked"];
    let tree = answer("cargo", ["tree"].iter().chain(&packages).chain(&form)).ok_or("`cargo tree` failed")?;
    let mut parts: BTreeSet<String> = tree.lines().filter_map(crate_of).collect();
    let lock = root().join("ui/package-lock.json");
    let lock = fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    parts.extend(packages_of(&lock));
    Ok(parts.into_iter().map(|part| part + "\n").collect())
}

/// `serde v1.0.0 (*)⇥MIT`; a path in parentheses is a crate of ours.
fn crate_of(line: &str) -> Option<String> {
    let (package, licence) = line.split_once('\t')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let ours = words.next().is_some_and(|more| more.starts_with("(/") || more.contains(":\\"));
    let licence = licence.trim_end_matches("(*)").trim();
    (!ours)
        .then(|| format!("{name}\t{version}\t{}", if licence.is_empty() { "see its files" } else { licence }))
}

/// Those of the page's packages that are more than tools: as npm writes its lock file, a property a line.
fn packages_of(lock: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in lock.split("\"node_modules/").skip(1) {
        let entry = entry.split("\n    }").next().unwrap_or(entry);
        let property = |name: &str| {
            let line = entry.lines().find_map(|line| line.trim().strip_prefix(&format!("\"{name}\": \"")))?;
            line.split('"').next()
        };
        let is_tool = entry.lines().any(|line| line.trim().starts_with("\"dev\": true"));
        let name = entry.split('"').next().unwrap_or_default();
        if let (false, Some(version), Some(licence)) = (is_tool, property("version"), property("license")) {
            found.push(format!("{name}\t{version}\t{licence}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_list_is_that_of_the_program() {
        let committed = fs::read_to_string(root().join(FILE)).unwrap_or_default();
        assert!(committed == list().unwrap_or_default(), "{FILE} is out of date: cargo xtask licences");
    }

    #[test]
    fn a_tool_of_the_page_is_no_part_of_the_program() {
        let lock = "{\n    \"node_modules/a/b\": {\n      \"version\": \"1.0.0\",\n      \"license\": \"MIT\"\n    },\n    \
                    \"node_modules/vite\": {\n      \"version\": \"8.0.0\",\n      \"dev\": true,\n      \"license\": \"MIT\"\n    }\n}";
        assert_eq!(packages_of(lock), ["a/b\t1.0.0\tMIT"]);
    }
}
