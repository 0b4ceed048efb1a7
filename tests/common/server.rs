//! A web server with the registry's files and a mind of its own: what a broken or hostile registry does.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// What it does to a request.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Serves the file.
    None,
    /// Answers with this status and body.
    Answer(u16, &'static str),
    /// Serves another file of the folder instead.
    Instead(&'static str),
    /// Sends this and hangs up.
    Raw(&'static str),
    /// Promises the whole file, sends half and hangs up.
    Half,
    /// Sends bytes without end.
    Endless,
}

/// The server; stops when dropped.
pub struct Server {
    pub url: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `folder`; `fault` says what to do to each path.
    pub fn new(folder: &Path, fault: impl Fn(&str) -> Fault + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let (folder, stopped) = (folder.to_owned(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                serve(stream, &folder, &fault);
            }
        });
        Self { url, stop, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        TcpStream::connect(self.url.trim_start_matches("http://")).ok();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(mut stream: TcpStream, folder: &Path, fault: &impl Fn(&str) -> Fault) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    // A body that stays unread would break the answer off.
    let length =
        request.to_ascii_lowercase().lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse().ok());
    std::io::copy(&mut (&stream).take(length.unwrap_or(0)), &mut std::io::sink()).ok();
    let path = request.split(' ').nth(1).unwrap_or("/").trim_start_matches('/');
    let fault = fault(path);
    let file = std::fs::read(folder.join(if let Fault::Instead(other) = fault { other } else { path }));
    // A client that hangs up is what some of these faults are about.
    let mut send = |bytes: &[u8]| stream.write_all(bytes).is_ok();
    let head = |status: u16, length: usize| {
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").into_bytes()
    };
    match (fault, file) {
        (Fault::Answer(status, body), _) => {
            let _ = send(&head(status, body.len())) && send(body.as_bytes());
        }
        (Fault::Raw(words), _) => {
            send(words.as_bytes());
        }
        (Fault::Endless, _) => {
            let mut sent = send(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n");
            while sent {
                sent = send(&[0x54; 65_536]);
            }
        }
        (_, Err(_)) => {
            send(&head(404, 0));
        }
        (Fault::Half, Ok(file)) => {
            let _ = send(&head(200, file.len())) && send(&file[..file.len() / 2]);
        }
        (Fault::None | Fault::Instead(_), Ok(file)) => {
            let _ = send(&head(200, file.len())) && send(&file);
        }
    }
}
