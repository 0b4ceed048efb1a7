//! The log on standard error. Whoever reads a gate's log may stall (a pager, a stopped terminal), and no thread of a gate
//! waits for that: lines that find no room are dropped and counted.

use std::io::{IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Lines that may wait for the reader.
const WAITING: usize = 1024;
/// How long the end of the program waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts the log of a command that answers and ends: at once, in order, nothing dropped.
pub(crate) fn start() {
    subscribe(std::io::stderr);
}

/// Starts the log of a gate. What is written is waited for, a while, when the answer is dropped.
pub(crate) fn start_without_waiting() -> std::io::Result<Log> {
    let log = Log::with_room(std::io::stderr(), WAITING)?;
    let writer = log.writer.clone();
    subscribe(move || writer.clone());
    // The usual hook writes to standard error itself, and a relay is only released when the panic goes on.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(log)
}

fn subscribe<W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static>(writer: W) {
    // SQLite's migrations are no news to anybody.
    let default = || "info,rusqlite_migration=warn".into();
    let filter = tracing_subscriber::EnvFilter::try_from_env("TONGGUAN_LOG").unwrap_or_else(|_| default());
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    log.with_target(false).with_ansi(colours).init();
}

enum Message {
    Line(Vec<u8>),
    /// The subscriber keeps its end of the channel for ever, so the end is a word of its own.
    End,
}

/// The thread that writes the log. Dropping it waits for the last lines, but not for a reader that has stalled.
pub(crate) struct Log {
    writer: Writer,
    ended: Receiver<()>,
}

impl Log {
    fn with_room(out: impl Write + Send + 'static, room: usize) -> std::io::Result<Self> {
        let (lines, waiting) = sync_channel(room);
        let (end, ended) = channel();
        let writer = Writer { lines, dropped: Arc::default() };
        let dropped = Arc::clone(&writer.dropped);
        thread::Builder::new().name("log".into()).spawn(move || {
            write(out, &waiting, &dropped);
            end.send(()).ok();
        })?;
        Ok(Self { writer, ended })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let until = Instant::now() + PATIENCE;
        let mut end = Message::End;
        while let Err(TrySendError::Full(back)) = self.writer.lines.try_send(end) {
            if Instant::now() > until {
                return;
            }
            end = back;
            thread::sleep(Duration::from_millis(10));
        }
        self.ended.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
    }
}

/// Writes until the end. A reader that has gone is no reason to stop the gate.
fn write(mut out: impl Write, waiting: &Receiver<Message>, dropped: &AtomicU64) {
    loop {
        let next = match waiting.try_recv() {
            Err(TryRecvError::Empty) => {
                // All that waited is out, so it is here that the dropped lines are missing.
                let missing = dropped.swap(0, Ordering::Relaxed);
                if missing > 0 {
                    writeln!(out, "{missing} lines of the log are missing here: nobody read them").ok();
                }
                out.flush().ok();
                waiting.recv().ok()
            }
            next => next.ok(),
        };
        let Some(Message::Line(line)) = next else { break };
        out.write_all(&line).ok();
    }
    out.flush().ok();
}

/// Takes one line a call, which is how the subscriber writes.
#[derive(Clone)]
struct Writer {
    lines: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        if self.lines.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    #[test]
    fn a_reader_that_stalls_holds_nobody_up_and_learns_what_it_missed() {
        let (reader, pipe) = std::io::pipe().unwrap();
        let log = Log::with_room(pipe, 8).unwrap();
        let (mut writer, start, line) = (log.writer.clone(), Instant::now(), [b'x'; 1023]);
        for _ in 0..1000 {
            writer.write_all(&[&line[..], b"\n"].concat()).unwrap();
        }
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        let reading = thread::spawn(move || BufReader::new(reader).lines().map(Result::unwrap).collect::<Vec<_>>());
        thread::sleep(Duration::from_millis(50));
        writer.write_all(b"the last\n").unwrap();
        drop(log);
        let lines = reading.join().unwrap();
        let missing: usize = lines[lines.len() - 2].split(' ').next().unwrap().parse().unwrap();
        assert_eq!(missing + lines.len() - 2, 1000);
        assert_eq!(lines.last().unwrap(), "the last");
    }

    #[test]
    fn a_program_ends_although_nobody_reads_its_log() {
        let (_reader, pipe) = std::io::pipe().unwrap();
        let log = Log::with_room(pipe, 8).unwrap();
        let (mut writer, start) = (log.writer.clone(), Instant::now());
        (0..1000).for_each(|_| writer.write_all(&[b'x'; 1024]).unwrap());
        drop(log);
        assert!(start.elapsed() < PATIENCE * 2, "{:?}", start.elapsed());
    }
}
