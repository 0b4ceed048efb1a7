//! A server of the tests that stands in for the city's gateway and for a provider: it replies what it was told to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::SendError;
use crate::domain::phone::Phone;
use crate::edge::Clock;
use crate::lang::Lang;
use crate::message::{Content, Message};

/// What it replies to one connection.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing, for as long as the other side waits.
    Silence,
    /// It hangs up after the request.
    HangUp,
    /// A body that never ends.
    Endless(u16),
    /// Headers that never end.
    EndlessHead,
}

impl Reply {
    pub(super) fn of(status: u16, body: &str) -> Self {
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        Self::Bytes([head.as_bytes(), body.as_bytes()].concat())
    }

    /// With the address of somebody else.
    pub(super) fn moved(status: u16) -> Self {
        Self::Bytes(
            format!("HTTP/1.1 {status} X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .into(),
        )
    }
}

/// What it was asked.
pub(super) struct Request {
    /// Its first line.
    pub(super) line: String,
    headers: BTreeMap<String, String>,
    /// What was posted.
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// See the module. It takes as many connections as it has replies.
pub(super) struct StandIn {
    port: u16,
    requests: Receiver<Request>,
}

impl StandIn {
    pub(super) fn replying(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (asked, requests) = channel();
        let replies: Vec<_> = replies.into_iter().collect();
        std::thread::spawn(move || {
            for reply in replies {
                let Ok((mut stream, _)) = listener.accept() else { return };
                if let Some(request) = request(&stream) {
                    let _ = asked.send(request);
                }
                give(&mut stream, &reply);
            }
        });
        Self { port, requests }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next request.
    pub(super) fn request(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(20)).expect("a request")
    }

    pub(super) fn no_more_requests(&self) -> bool {
        self.requests.recv_timeout(Duration::from_millis(20)).is_err()
    }

    /// The address of one that is no longer there.
    pub(super) fn gone() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}/", listener.local_addr().expect("an address"))
    }
}

fn request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().map(|_| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = BTreeMap::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line: first, headers, body: String::from_utf8(body).ok()? })
}

fn give(stream: &mut TcpStream, reply: &Reply) {
    let endless = |stream: &mut TcpStream, head: &str, piece: &str| {
        // Until the other side hangs up.
        let _ = stream.write_all(head.as_bytes());
        while stream.write_all(piece.as_bytes()).is_ok() {}
    };
    match reply {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(bytes);
        }
        Reply::Silence => {
            let _ = stream.read(&mut [0]);
        }
        Reply::HangUp => {}
        Reply::Endless(status) => endless(stream, &format!("HTTP/1.1 {status} X\r\n\r\n"), &"x".repeat(4096)),
        Reply::EndlessHead => endless(stream, "HTTP/1.1 200 X\r\n", &format!("x-more: {}\r\n", "x".repeat(1000))),
    }
}

/// A message with the code 012345.
pub(super) fn message(phone: &str) -> Message {
    Message { phone: Phone::parse(phone).expect("a number"), lang: Lang::Zh, content: Content::Code("012345".into()) }
}

/// A clock that stands at this Unix second.
pub(super) fn at(second: u32) -> Arc<dyn Clock> {
    struct At(u32);
    impl Clock for At {
        fn now_ms(&self) -> u64 {
            u64::from(self.0) * 1000
        }
    }
    Arc::new(At(second))
}

/// An error has neither number nor code nor any of these secrets.
pub(super) fn tells_nothing(result: &Result<(), SendError>, secrets: &[&str]) {
    let said = format!("{result:?} {}", result.as_ref().err().map(ToString::to_string).unwrap_or_default());
    for secret in secrets.iter().chain(&["5312345678", "91234567", "012345"]) {
        assert!(!said.contains(secret), "{said}");
    }
}
