//! The real program in a folder of its own, and a client small enough to see through.
#![expect(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on should stop where it is")]
#![cfg_attr(test, expect(dead_code, reason = "each test file uses its part"))]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tongguan_pass::{Keyset, Root};

pub struct Folder {
    root: TempDir,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(done: Output) -> Self {
        Self {
            code: done.status.code().unwrap(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        assert_eq!(self.out.lines().count(), 1, "{}", self.out);
        serde_json::from_str(&self.out).unwrap()
    }

    /// The words of the error on standard error.
    #[track_caller]
    pub fn error(&self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert_eq!(self.out, "");
        let value: Value = serde_json::from_str(self.err.lines().last().unwrap()).unwrap();
        value["error"].as_str().unwrap().to_owned()
    }
}

impl Folder {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    /// A folder with a registry in it.
    pub fn initialised() -> Self {
        let folder = Self::new();
        folder.run("init").json();
        folder
    }

    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Runs a command, its words split at spaces, with `--json`.
    pub fn run(&self, command: &str) -> Ran {
        let mut all = vec!["--json".to_owned(), "--data".to_owned(), self.data().display().to_string()];
        all.extend(command.split(' ').map(str::to_owned));
        run(&all)
    }

    /// As [`Self::run`], with this on standard input.
    pub fn run_with(&self, command: &str, input: &str) -> Ran {
        self.command(command, input, "warn")
    }

    /// As [`Self::run_with`], and the log tells everything.
    pub fn run_traced(&self, command: &str, input: &str) -> Ran {
        self.command(command, input, "trace")
    }

    fn command(&self, command: &str, input: &str, log: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tongguan-registry"))
            .args(["--json", "--data"])
            .arg(self.data())
            .args(command.split(' '))
            .env("RUST_LOG", log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that is refused before it reads does not wait for it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ran::of(child.wait_with_output().unwrap())
    }

    /// A new person's id and token.
    pub fn person(&self) -> (String, String) {
        let added = self.run("person add --name 王小明").json();
        (added["person"].as_str().unwrap().to_owned(), added["token"].as_str().unwrap().to_owned())
    }

    pub fn root(&self) -> Root {
        Root::open_pinned(&std::fs::read(self.data().join("root.pub")).unwrap()).unwrap()
    }

    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, more: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tongguan-registry"))
            .args(["--json", "serve", "--listen", "127.0.0.1:0", "--publish-every", "1", "--data"])
            .arg(self.data())
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = serde_json::from_str::<Value>(&line).unwrap()["listening"].as_str().unwrap().to_owned();
        Server { child: Some(child), address }
    }
}

pub fn run(args: &[String]) -> Ran {
    Ran::of(Command::new(env!("CARGO_BIN_EXE_tongguan-registry")).args(args).output().unwrap())
}

/// The keyset a head leads to, believed from the root down.
pub fn keyset(root: &Root, file: &[u8]) -> Keyset {
    Keyset::open(file, root).unwrap()
}

pub struct Server {
    child: Option<Child>,
    address: String,
}

impl Server {
    pub fn get(&self, path: &str) -> Response {
        self.ask("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.ask("POST", path, headers, body)
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(request.as_bytes()).unwrap();
        // A server that refuses a long body may close before all of it is sent.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Response::parse(&answer)
    }

    /// Stops it as the system would, and returns what it logged.
    pub fn stop(mut self) -> (i32, String) {
        let child = self.child.take().unwrap();
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        let done = child.wait_with_output().unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    fn parse(answer: &[u8]) -> Self {
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("an HTTP answer");
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|l| l.split_once(':').unwrap())
            .map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
            .collect();
        Self { status, headers, body: answer[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// The values of a header that comes several times.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The stable code of an error.
    #[track_caller]
    pub fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        self.json()["error"].as_str().unwrap().to_owned()
    }
}
