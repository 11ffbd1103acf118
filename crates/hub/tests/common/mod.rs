//! A server of our own that speaks the hub's protocol, and misbehaves where it is told to.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use hub::{Hub, Patience};

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is answered.
pub enum Reply {
    /// All of it; a range if one was asked for.
    Whole(Vec<u8>),
    /// All of it, whatever range was asked for.
    WholeWithoutRanges(Vec<u8>),
    /// The announced length, but only so many bytes of it.
    CutAfter(Vec<u8>, usize),
    /// So many bytes, then silence until the server goes.
    SilentAfter(Vec<u8>, usize),
    /// Elsewhere.
    Redirect(String),
    /// A status with headers.
    Refuse(u16, &'static [(&'static str, &'static str)]),
}

pub struct Server {
    pub port: u16,
    asked: Arc<Mutex<Vec<Request>>>,
    // Dropped with the server: silent connections end.
    _alive: Arc<Mutex<mpsc::Sender<()>>>,
}

impl Server {
    pub fn new(answer: impl Fn(&Request, u16) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (alive, ended) = mpsc::channel::<()>();
        let (answer, log, ended) = (Arc::new(answer), asked.clone(), Arc::new(Mutex::new(ended)));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log, ended) = (answer.clone(), log.clone(), ended.clone());
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let Some(request) = read(&stream) else { return };
                    log.lock().unwrap().push(request.clone());
                    if write(&mut stream, &request, answer(&request, port)).is_ok_and(|silent| silent) {
                        let _ = ended.lock().unwrap().recv();
                    }
                });
            }
        });
        Self { port, asked, _alive: Arc::new(Mutex::new(alive)) }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn hub(&self, token: Option<&str>) -> Hub {
        Hub::new(&self.address(), token.map(str::to_owned)).unwrap().with_patience(impatient())
    }

    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

/// Tries again at once, three times.
pub fn impatient() -> Patience {
    Patience { silence: Duration::from_secs(20), pauses: vec![Duration::ZERO; 3] }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':').map(|(k, v)| (k.to_ascii_lowercase(), v.trim().to_owned())))
        .collect();
    Some(Request { path, headers })
}

/// Whether the connection should stay open.
fn write(stream: &mut TcpStream, request: &Request, reply: Reply) -> std::io::Result<bool> {
    let knows_ranges = !matches!(reply, Reply::WholeWithoutRanges(_));
    let (body, limit, silent) = match reply {
        Reply::Redirect(to) => {
            let head = "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0";
            write!(stream, "{head}\r\nLocation: {to}\r\n\r\n")?;
            return Ok(false);
        }
        Reply::Refuse(status, headers) => {
            write!(stream, "HTTP/1.1 {status} No\r\nConnection: close\r\nContent-Length: 0\r\n")?;
            for (name, value) in headers {
                write!(stream, "{name}: {value}\r\n")?;
            }
            write!(stream, "\r\n")?;
            return Ok(false);
        }
        Reply::Whole(body) | Reply::WholeWithoutRanges(body) => (body, usize::MAX, false),
        Reply::CutAfter(body, limit) => (body, limit, false),
        Reply::SilentAfter(body, limit) => (body, limit, true),
    };
    let from = request
        .header("range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok())
        .filter(|from| knows_ranges && *from < body.len());
    let rest = &body[from.unwrap_or(0)..];
    match from {
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
            write!(stream, "HTTP/1.1 206 Partial\r\nContent-Range: {range}\r\n")?;
        }
        None => write!(stream, "HTTP/1.1 200 OK\r\n")?,
    }
    write!(stream, "Connection: close\r\nContent-Length: {}\r\n\r\n", rest.len())?;
    stream.write_all(&rest[..limit.min(rest.len())])?;
    stream.flush()?;
    Ok(silent)
}
