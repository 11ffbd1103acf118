//! One file from an address to its place: checked, resumed, cancelled.
//!
//! `hf-hub`'s own download can neither be cancelled nor told apart from a changed file when it resumes, and it keeps
//! a cache of links beside the file; so names, tokens and addresses are its, and the bytes are asked for here.
//!
//! **Invariant:** `place` is whole and checked, or not there. `place.part` holds a beginning of it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256 as Hasher};
use spec::Sha256;
use ureq::Agent;

use crate::{
    HubError, Patience,
    digest::{digest, feed},
    http::{Address, Subject, host, refusal, trouble},
};

/// A file that is wanted.
pub(crate) struct Order<'a> {
    pub address: Address<'a>,
    pub subject: Subject<'a>,
    /// What it must have, where that is known.
    pub size: Option<u64>,
    /// What it must have, where that is known.
    pub sha256: Option<&'a Sha256>,
    pub place: &'a Path,
}

/// Told how many bytes are here.
pub(crate) type Count<'a> = dyn FnMut(u64) -> ControlFlow<()> + 'a;

/// The caller is asked at least so often whether to go on.
const HEARTBEAT: Duration = Duration::from_millis(100);
const PIECE: usize = 1 << 17;
const PIECES_WAITING: usize = 8;

/// Fetches `order` to its place, going on from where an earlier attempt stopped.
pub(crate) fn fetch(
    agent: &Agent,
    patience: &Patience,
    order: &Order<'_>,
    count: &mut Count<'_>,
) -> Result<(), HubError> {
    let mut part = Part::open(order)?;
    let mut pauses = patience.pauses.iter();
    while !part.is_complete(order) {
        let before = part.len;
        let Err(error) = attempt(agent, order, &mut part, count) else { break };
        if part.len > before {
            pauses = patience.pauses.iter();
        }
        match pauses.next() {
            Some(pause) if error.may_pass() => wait(*pause, part.len, count)?,
            _ => return Err(error),
        }
    }
    part.finish(order)
}

/// One request, from where `part` ends to the end of the file.
fn attempt(agent: &Agent, order: &Order<'_>, part: &mut Part, count: &mut Count<'_>) -> Result<(), HubError> {
    let heard = listen(agent, &order.address, part.len);
    loop {
        let Some(word) = next(&heard, part.len, count)? else {
            return Err(HubError::Stalled { host: host(order.address.url).to_owned() });
        };
        match word {
            Word::Answer { status, headers } => match status.as_u16() {
                206 if continues(&headers, part.len) => {}
                200 => part.restart()?,
                // The part is no beginning of what the server has.
                206 | 416 if part.len > 0 => {
                    part.restart()?;
                    return attempt(agent, order, part, count);
                }
                _ => return Err(refusal(status, &headers, &order.address, &order.subject)),
            },
            Word::Bytes(bytes) => {
                part.append(&bytes)?;
                if order.size.is_some_and(|size| part.len > size) {
                    return Err(part.refuse(order, "size"));
                }
            }
            Word::End if order.size.is_none_or(|size| part.len >= size) => return Ok(()),
            Word::End => return Err(HubError::Stalled { host: host(order.address.url).to_owned() }),
            Word::Trouble(error) => return Err(error),
        }
    }
}

/// What the thread that asks has to say.
enum Word {
    Answer { status: ureq::http::StatusCode, headers: Box<ureq::http::HeaderMap> },
    Bytes(Vec<u8>),
    End,
    Trouble(HubError),
}

/// Asks on a thread of its own, so that cancelling does not wait for a server that is silent. The thread ends at its
/// next word once nobody listens.
fn listen(agent: &Agent, address: &Address<'_>, from: u64) -> Receiver<Word> {
    let (tell, heard) = sync_channel(PIECES_WAITING);
    let url = address.url.to_owned();
    let mut request = agent.get(&url).header("Accept-Encoding", "identity");
    if let Some(token) = address.token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    thread::spawn(move || {
        let last = match request.call() {
            Ok(response) => relay(response, &url, &tell),
            Err(error) => Word::Trouble(trouble(&url, &error)),
        };
        // If nobody listens any more, nobody needs to know.
        let _ = tell.send(last);
    });
    heard
}

fn relay(response: ureq::http::Response<ureq::Body>, url: &str, tell: &SyncSender<Word>) -> Word {
    let (head, body) = response.into_parts();
    let good = head.status.is_success();
    if tell.send(Word::Answer { status: head.status, headers: Box::new(head.headers) }).is_err() || !good {
        return Word::End;
    }
    let mut reader = body.into_reader();
    loop {
        let mut piece = vec![0; PIECE];
        match reader.read(&mut piece) {
            Ok(0) => return Word::End,
            Ok(n) => {
                piece.truncate(n);
                if tell.send(Word::Bytes(piece)).is_err() {
                    return Word::End;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Word::Trouble(trouble(url, &ureq::Error::Io(error))),
        }
    }
}

/// The next word, asking the caller meanwhile; `None` if the thread died.
fn next(heard: &Receiver<Word>, len: u64, count: &mut Count<'_>) -> Result<Option<Word>, HubError> {
    loop {
        if count(len).is_break() {
            return Err(HubError::Cancelled);
        }
        match heard.recv_timeout(HEARTBEAT) {
            Ok(word) => return Ok(Some(word)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}

fn wait(pause: Duration, len: u64, count: &mut Count<'_>) -> Result<(), HubError> {
    let until = Instant::now() + pause;
    loop {
        if count(len).is_break() {
            return Err(HubError::Cancelled);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(HEARTBEAT));
    }
}

/// Whether an answer of status 206 goes on at `from`.
fn continues(headers: &ureq::http::HeaderMap, from: u64) -> bool {
    headers
        .get("content-range")
        .and_then(|value| value.to_str().ok())
        .and_then(|range| range.trim().strip_prefix("bytes "))
        .and_then(|range| range.split_once('-'))
        .and_then(|(first, _)| first.trim().parse().ok())
        == Some(from)
}

/// The beginning of a file that is here already, and its digest so far.
struct Part {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    len: u64,
}

impl Part {
    fn open(order: &Order<'_>) -> Result<Self, HubError> {
        let mut name = order.place.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = order.place.with_file_name(name);
        let file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(HubError::file(&path))?;
        let found = file.metadata().map_err(HubError::file(&path))?.len();
        let mut part = Self { path, file, hasher: Hasher::new(), len: 0 };
        if order.size.is_some_and(|size| found > size) {
            part.restart()?;
        } else {
            part.len = feed(&mut part.hasher, &mut part.file).map_err(HubError::file(&part.path))?;
        }
        Ok(part)
    }

    fn restart(&mut self) -> Result<(), HubError> {
        self.file.set_len(0).map_err(HubError::file(&self.path))?;
        (self.hasher, self.len) = (Hasher::new(), 0);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        self.file.write_all(bytes).map_err(HubError::file(&self.path))?;
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn is_complete(&self, order: &Order<'_>) -> bool {
        self.len > 0 && order.size == Some(self.len)
    }

    /// Checks the digest and takes its place.
    fn finish(mut self, order: &Order<'_>) -> Result<(), HubError> {
        let found = digest(std::mem::take(&mut self.hasher));
        if order.sha256.is_some_and(|expected| *expected != found) {
            return Err(self.refuse(order, "SHA-256"));
        }
        self.file.sync_all().map_err(HubError::file(&self.path))?;
        drop(self.file); // Windows renames only what nobody holds open
        fs::rename(&self.path, order.place).map_err(HubError::file(order.place))
    }

    /// Throws away what is here.
    fn refuse(&mut self, order: &Order<'_>, what: &'static str) -> HubError {
        if let Err(error) = self.restart() {
            return error;
        }
        let file = order.place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        HubError::Mismatch { file, what }
    }
}
