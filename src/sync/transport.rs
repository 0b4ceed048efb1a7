//! Where the registry's files come from: a server, or a folder such as a USB stick. Both have the same layout (SYNC 1.1).

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tongguan_pass::Sha256Hash;

use super::partial::Partial;
use crate::lang::Text;

/// The longest a request may take as a whole, so that a server that sends a byte a minute does not hold a sync for ever.
const DEADLINE: Duration = Duration::from_secs(60);

/// The longest a server may take to be there and to begin its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a file could not be fetched. What to do next differs: look at the network, at the registry, or at the address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Nobody was there: no name, no way, no listener, no answer to a connection.
    #[error("the registry cannot be reached: {0}")]
    Unreachable(String),
    /// It was there, and then no longer.
    #[error("the registry was reached, but the answer broke off ({0}): try again, then look at the network in between")]
    BrokeOff(String),
    /// It was there, but no secure connection came about.
    #[error("the registry was reached, but not securely ({0}): is the clock right, and is this an https address?")]
    Insecure(String),
    /// The server answers, but not with the file.
    #[error("the registry answers {status}{}", explain(*status, message))]
    Status {
        /// The HTTP status.
        status: u16,
        /// What the registry says, if it says anything.
        message: String,
    },
    /// Something answers, but no registry does so.
    #[error(
        "what answers there is no registry ({0}): is the address right, or is a log-in page of the network in between?"
    )]
    Nonsense(String),
    /// More bytes than the file may have (endless data).
    #[error("more than the {0} bytes this file may have: is this the address of a Tongguan registry?")]
    TooLong(usize),
    /// A file of the folder cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl TransportError {
    /// What the guard reads; the log has the rest.
    pub fn words(&self) -> Text {
        match self {
            Self::Unreachable(_) => {
                Text::new("连不上登记处，请检查网络", "the registry cannot be reached; check the network")
            }
            Self::BrokeOff(_) => {
                Text::new("与登记处的连接中断，请检查网络", "the registry's answer broke off; check the network")
            }
            Self::Insecure(_) => Text::new(
                "无法与登记处安全连接，请检查时间和地址",
                "no secure connection to the registry; check the clock and the address",
            ),
            Self::Status { status: 404, .. } => Text::new(
                "此地址没有登记处，请检查配置（404）",
                "there is no registry at this address; check the configuration (404)",
            ),
            Self::Status { status, .. } if *status >= 500 => Text::new(
                format!("登记处自身出错，请通知管理员（{status}）"),
                format!("the registry has a problem of its own; tell who runs it ({status})"),
            ),
            Self::Status { status, .. } => Text::new(
                format!("登记处拒绝，请通知管理员（{status}）"),
                format!("the registry refuses; tell who runs it ({status})"),
            ),
            Self::Nonsense(_) | Self::TooLong(_) => Text::new(
                "回答的不是登记处，请检查地址，或网络需要登录",
                "what answers is no registry; check the address, or log in to the network",
            ),
            Self::File { .. } => Text::new("名单文件读不出，请检查存储盘", "the lists cannot be read; check the disk"),
        }
    }

    /// Whether the source answered that it does not have the file.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 404,
            Self::File { source, .. } => source.kind() == ErrorKind::NotFound,
            _ => false,
        }
    }
}

fn explain(status: u16, message: &str) -> String {
    match status {
        _ if !message.is_empty() => format!(": {message}"),
        401 | 403 => ": it does not let this gate in; ask who runs it".into(),
        404 => ": is this the address of a Tongguan registry?".into(),
        429 => ": too many ask; it is asked again later".into(),
        500.. => ": it has a problem of its own; its log tells".into(),
        _ => String::new(),
    }
}

/// Fetches files and hands in batches.
pub trait Transport {
    /// The file at `path`, at most `limit` bytes.
    ///
    /// # Errors
    /// [`TransportError`].
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, TransportError>;

    /// The file at `path`, or nothing if it is still `known`.
    ///
    /// # Errors
    /// [`TransportError`].
    fn get_unless(&self, path: &str, known: &[u8], limit: usize) -> Result<Option<Vec<u8>>, TransportError> {
        let bytes = self.get(path, limit)?;
        Ok((known.is_empty() || bytes != known).then_some(bytes))
    }

    /// Hands in `bytes` at `path`, and gives the answer.
    ///
    /// # Errors
    /// [`TransportError`].
    fn post(&self, path: &str, bytes: &[u8]) -> Result<Vec<u8>, TransportError>;

    /// Whether events can be handed in here.
    fn takes_events(&self) -> bool;

    /// Whether it can be asked for the time.
    fn tells_time(&self) -> bool;

    /// Where `path` is looked for, in words for people.
    fn place(&self, path: &str) -> String;
}

/// The transport for `source`: an `http(s)://` address or a folder. A download that breaks off goes on from what is kept in
/// the file `partial`.
pub fn open(source: &str, partial: PathBuf) -> Box<dyn Transport + Send> {
    if source.starts_with("http://") || source.starts_with("https://") {
        Box::new(Http::new(source, DEADLINE, Partial::at(partial)))
    } else {
        Box::new(Folder(PathBuf::from(source)))
    }
}

/// Whether `source` can be the transport of anything: an address with a host, or a folder that is there.
///
/// # Errors
/// What an address looks like.
pub fn check_source(source: &str) -> Result<(), String> {
    let usage = || {
        format!(
            "{source:?} is not a registry: give an address such as https://registry.example, or a folder that is there"
        )
    };
    let Some((scheme, _)) = source.split_once("://") else {
        return if Path::new(source).is_dir() { Ok(()) } else { Err(usage()) };
    };
    let host = source.parse::<ureq::http::Uri>().ok().and_then(|uri| uri.host().map(|host| !host.is_empty()));
    if matches!(scheme, "http" | "https") && host == Some(true) { Ok(()) } else { Err(usage()) }
}

/// Another source than the configured registry. Its lists are checked; who takes events only says that it has them, and is
/// believed for being the registry that was configured.
pub struct ListsOnly(pub Box<dyn Transport + Send>);

impl Transport for ListsOnly {
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
        self.0.get(path, limit)
    }

    fn get_unless(&self, path: &str, known: &[u8], limit: usize) -> Result<Option<Vec<u8>>, TransportError> {
        self.0.get_unless(path, known, limit)
    }

    fn post(&self, path: &str, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        Err(takes_nothing(PathBuf::from(path)))
    }

    fn tells_time(&self) -> bool {
        self.0.tells_time()
    }

    fn takes_events(&self) -> bool {
        false
    }

    fn place(&self, path: &str) -> String {
        self.0.place(path)
    }
}

fn takes_nothing(path: PathBuf) -> TransportError {
    TransportError::File { path, source: ErrorKind::Unsupported.into() }
}

/// A registry, or any web server with its files.
#[derive(Debug)]
pub(super) struct Http {
    agent: ureq::Agent,
    base: String,
    partial: Partial,
}

impl Http {
    /// The registry at `base`, such as `https://registry.example`; no request takes longer than `deadline`.
    pub(super) fn new(base: &str, deadline: Duration, partial: Partial) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(deadline))
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .http_status_as_error(false)
            .user_agent(concat!("tongguan/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), base: base.trim_end_matches('/').to_owned(), partial }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }
}

impl Transport for Http {
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
        // Only what is named by its content can go on where it broke off: anything else may have changed.
        let Some(name) = path.strip_prefix("v1/files/") else {
            return read(self.agent.get(self.url(path)).call().map_err(failed)?, limit).map_err(Cut::into_error);
        };
        let mut bytes = self.partial.take(name, limit);
        let mut request = self.agent.get(self.url(path));
        if !bytes.is_empty() {
            // RFC 9110 14.2
            request = request.header("Range", format!("bytes={}-", bytes.len()));
        }
        let answer = request.call().map_err(failed)?;
        if !goes_on(&answer, bytes.len()) {
            bytes.clear();
        }
        // Refused only for the range: the next sync asks for the whole.
        match read(answer, limit.saturating_sub(bytes.len())) {
            Ok(rest) => bytes.extend(rest),
            Err(Cut { got, error }) => {
                bytes.extend(got);
                if matches!(error, TransportError::BrokeOff(_)) {
                    self.partial.keep(name, &bytes);
                }
                return Err(error);
            }
        }
        Ok(bytes)
    }

    fn get_unless(&self, path: &str, known: &[u8], limit: usize) -> Result<Option<Vec<u8>>, TransportError> {
        let mut request = self.agent.get(self.url(path));
        if !known.is_empty() {
            // SY 1.6: the tag is the hash.
            request = request.header("If-None-Match", format!("\"{}\"", Sha256Hash::of(known)));
        }
        let answer = request.call().map_err(failed)?;
        if !known.is_empty() && answer.status() == ureq::http::StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let bytes = read(answer, limit).map_err(Cut::into_error)?;
        Ok((known.is_empty() || bytes != known).then_some(bytes))
    }

    fn post(&self, path: &str, bytes: &[u8]) -> Result<Vec<u8>, TransportError> {
        let request = self.agent.post(self.url(path)).content_type("application/octet-stream");
        read(request.send(bytes).map_err(failed)?, 64 * 1024).map_err(Cut::into_error)
    }

    fn tells_time(&self) -> bool {
        true
    }

    fn takes_events(&self) -> bool {
        true
    }

    fn place(&self, path: &str) -> String {
        self.url(path)
    }
}

/// RFC 9110 14.4: whether the answer is the rest of a file of which `from` bytes are here.
fn goes_on(answer: &ureq::http::Response<ureq::Body>, from: usize) -> bool {
    let range = answer.headers().get("Content-Range").and_then(|range| range.to_str().ok());
    from > 0
        && answer.status() == ureq::http::StatusCode::PARTIAL_CONTENT
        && range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}

/// An answer that did not come to its end, and what came of it.
struct Cut {
    got: Vec<u8>,
    error: TransportError,
}

impl Cut {
    fn into_error(self) -> TransportError {
        self.error
    }
}

impl From<TransportError> for Cut {
    fn from(error: TransportError) -> Self {
        Self { got: Vec::new(), error }
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>, limit: usize) -> Result<Vec<u8>, Cut> {
    let status = answer.status().as_u16();
    // SY 1.6
    let good = matches!(status, 200 | 206);
    // An error's words are for people; a page of HTML is not.
    let limit = if good { limit } else { 2_000 };
    let mut bytes = Vec::new();
    let mut body = answer.body_mut().as_reader().take(limit as u64 + 1);
    if let Err(error) = body.read_to_end(&mut bytes) {
        return Err(Cut { got: bytes, error: TransportError::BrokeOff(error.to_string()) });
    }
    if !good {
        let message = serde_json::from_slice::<serde_json::Value>(&bytes)
            .ok()
            .and_then(|json| {
                Some(json.get("message")?.as_str()?.chars().filter(|c| !c.is_control()).take(120).collect())
            })
            .unwrap_or_default();
        return Err(TransportError::Status { status, message }.into());
    }
    if bytes.len() > limit { Err(TransportError::TooLong(limit).into()) } else { Ok(bytes) }
}

/// Before there is an answer: who or what failed.
fn failed(error: ureq::Error) -> TransportError {
    use ureq::{Error, Timeout};
    let said = error.to_string();
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            TransportError::Unreachable(format!("{said}; is the network connected?"))
        }
        Error::Timeout(_) => TransportError::BrokeOff(said),
        Error::Io(e) => match e.kind() {
            ErrorKind::ConnectionRefused => TransportError::Unreachable(format!(
                "{e}; nothing listens there: is the registry running, and is the port right?"
            )),
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown => {
                TransportError::Unreachable(format!("{e}; is the network connected?"))
            }
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => TransportError::BrokeOff(e.to_string()),
            // The handshake's complaints come this way.
            ErrorKind::InvalidData => TransportError::Insecure(e.to_string()),
            _ => unknown_name(&e.to_string()),
        },
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) | Error::TlsRequired => TransportError::Insecure(said),
        Error::Protocol(_)
        | Error::Http(_)
        | Error::LargeResponseHeader(..)
        | Error::TooManyRedirects
        | Error::RedirectFailed => TransportError::Nonsense(said),
        _ => unknown_name(&said),
    }
}

fn unknown_name(said: &str) -> TransportError {
    TransportError::Unreachable(format!("{said}; is the address right, and does this network resolve names?"))
}

/// A folder with the registry's files: what `tongguan-registry bundle` writes.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Transport for Folder {
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
        let path = self.0.join(path);
        let read = |path: &Path| {
            let mut bytes = Vec::new();
            // A pipe on a stick would be waited for, for ever.
            if !path.metadata()?.is_file() {
                return Err(ErrorKind::InvalidInput.into());
            }
            File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read(&path).map_err(|source| TransportError::File { path, source })?;
        if bytes.len() > limit { Err(TransportError::TooLong(limit)) } else { Ok(bytes) }
    }

    fn post(&self, path: &str, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        Err(takes_nothing(self.0.join(path)))
    }

    fn tells_time(&self) -> bool {
        false
    }

    fn takes_events(&self) -> bool {
        false
    }

    fn place(&self, path: &str) -> String {
        self.0.join(path).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// Answers one request after the other as told, and gives what was asked. An answer without end drips on.
    fn server(answers: Vec<Vec<u8>>, drips: bool) -> (String, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, requests) = channel();
        std::thread::spawn(move || {
            for answer in answers {
                let mut stream = listener.accept().unwrap().0;
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    request.push(byte[0]);
                }
                asked.send(String::from_utf8(request).unwrap().to_lowercase()).unwrap();
                stream.write_all(&answer).ok();
                while drips && stream.write_all(b"x").is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        (url, requests)
    }

    fn answer(status: &str, headers: &str, length: usize, body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
        [head.as_bytes(), body].concat()
    }

    fn http(url: &str, folder: &tempfile::TempDir) -> Http {
        Http::new(url, Duration::from_secs(20), Partial::at(folder.path().join("partial")))
    }

    #[test]
    fn a_download_that_breaks_off_goes_on_where_it_was_also_in_another_run() {
        let folder = tempfile::tempdir().unwrap();
        let name = "ab".repeat(32);
        let path = format!("v1/files/{name}");
        let file: Vec<u8> = (0..100_000_u32).map(|i| i.to_be_bytes()[3]).collect();
        let from = |at: usize| format!("Content-Range: bytes {at}-99999/100000\r\n");
        let (url, requests) = server(
            vec![
                answer("200 OK", "", 100_000, &file[..40_000]),
                answer("206 Partial Content", &from(40_000), 60_000, &file[40_000..70_000]),
                answer("206 Partial Content", &from(70_000), 30_000, &file[70_000..]),
                // The next download begins anew, and so does one from a server that knows no ranges.
                answer("200 OK", "", 100_000, &file[..40_000]),
                answer("200 OK", "", 100_000, &file),
                // What is answered is not what was asked for.
                answer("200 OK", "", 100_000, &file[..50_000]),
                answer("206 Partial Content", &from(10_000), 90_000, &file[10_000..]),
            ],
            false,
        );
        let get = || http(&url, &folder).get(&path, 100_000);
        assert!(matches!(get(), Err(TransportError::BrokeOff(_))));
        assert!(matches!(get(), Err(TransportError::BrokeOff(_))));
        assert_eq!(get().unwrap(), file);
        assert!(matches!(get(), Err(TransportError::BrokeOff(_))));
        assert_eq!(get().unwrap(), file);
        assert!(matches!(get(), Err(TransportError::BrokeOff(_))));
        assert_eq!(get().unwrap(), file[10_000..], "which its hash will refuse");
        let asked: Vec<String> = requests.try_iter().collect();
        let ranges = asked.iter().map(|r| r.lines().find_map(|l| l.strip_prefix("range: bytes=")));
        let expected = [None, Some("40000-"), Some("70000-"), None, Some("40000-"), None, Some("50000-")];
        assert_eq!(ranges.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_server_that_drips_is_given_up_and_what_came_is_kept_within_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let (url, _requests) = server(vec![answer("200 OK", "", 1_000_000, &[1; 20_000])], true);
        let partial = Partial::at(folder.path().join("partial"));
        let http = Http::new(&url, Duration::from_millis(500), partial);
        let name = "cd".repeat(32);
        assert!(matches!(http.get(&format!("v1/files/{name}"), 1_000_000), Err(TransportError::BrokeOff(_))));
        let kept = Partial::at(folder.path().join("partial")).take(&name, 1_000_000).len();
        assert!((20_000..21_000).contains(&kept), "{kept}");
    }

    #[test]
    fn an_unchanged_file_is_asked_for_by_its_hash_and_not_sent_again() {
        let folder = tempfile::tempdir().unwrap();
        let not_modified = b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_vec();
        let (url, requests) = server(
            vec![
                answer("200 OK", "", 4, b"head"),
                not_modified.clone(),
                answer("200 OK", "", 4, b"head"),
                not_modified,
            ],
            false,
        );
        let ask = |known: &[u8]| http(&url, &folder).get_unless("v1/head", known, 100);
        assert_eq!(ask(b"").unwrap().as_deref(), Some(b"head".as_slice()));
        assert_eq!(ask(b"head").unwrap(), None);
        assert_eq!(ask(b"head").unwrap(), None, "a server without tags");
        assert!(ask(b"").is_err(), "nothing is unchanged that is not known");
        let asked: Vec<String> = requests.try_iter().collect();
        let tag = format!("if-none-match: \"{}\"", Sha256Hash::of(b"head"));
        assert_eq!(asked.iter().map(|r| r.contains(&tag)).collect::<Vec<_>>(), [false, true, true, false]);
    }
}
