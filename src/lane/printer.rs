//! Prints events in a thread of its own: whoever reads them may stop reading, and the gate must not wait for that.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Lines that may wait for the reader: some 2 MB, hours of a busy gate.
const WAITING: usize = 4096;
/// A reader that takes nothing for so long has stalled.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a reader that is behind is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// The way of lines to whoever reads them. In order; a line that finds no room is dropped and counted.
pub(super) struct Printer {
    lines: SyncSender<String>,
    /// A word for each line printed; closed when the thread ends.
    printed: Receiver<()>,
    /// Recorded frames can wait a moment for their reader; people before a gate cannot.
    recorded: bool,
    dropped: u64,
    gone: bool,
}

impl Printer {
    /// Starts the thread that writes to `out`.
    pub(super) fn start(out: Box<dyn Write + Send>, recorded: bool) -> anyhow::Result<Self> {
        Self::with_room(out, recorded, WAITING)
    }

    fn with_room(mut out: Box<dyn Write + Send>, recorded: bool, room: usize) -> anyhow::Result<Self> {
        let (lines, waiting) = sync_channel::<String>(room);
        let (tell, printed) = channel();
        let write = move || {
            for line in waiting {
                if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
                    tracing::warn!("events are only journaled from here on: they cannot be printed any more ({error})");
                    return;
                }
                tell.send(()).ok();
            }
        };
        thread::Builder::new().name("events".into()).spawn(write).context("cannot start the thread events")?;
        Ok(Self { lines, printed, recorded, dropped: 0, gone: false })
    }

    /// Hands on a line.
    pub(super) fn print(&mut self, mut line: String) {
        if self.gone {
            return;
        }
        self.printed.try_iter().for_each(drop);
        line.push('\n');
        // A reader that has stalled is waited for once, not again for each line.
        let until = Instant::now() + if self.recorded && self.dropped == 0 { PATIENCE } else { Duration::ZERO };
        loop {
            match self.lines.try_send(line) {
                Ok(()) => return self.works_again(),
                Err(TrySendError::Disconnected(_)) => {
                    self.gone = true;
                    return;
                }
                Err(TrySendError::Full(back)) if Instant::now() < until => line = back,
                Err(TrySendError::Full(_)) => break,
            }
            thread::sleep(LOOK);
        }
        if self.dropped == 0 {
            tracing::warn!("nobody reads the printed events: they are only journaled until somebody does");
        }
        self.dropped += 1;
    }

    fn works_again(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            tracing::warn!("events are printed again; {dropped} were not, the journal has them");
        }
    }

    /// Waits until all is printed, but not for a reader that has stalled: that thread ends with the process.
    pub(super) fn finish(self) {
        let Self { lines, printed, recorded, dropped, .. } = self;
        drop(lines);
        let mut until = Instant::now() + PATIENCE;
        loop {
            match printed.recv_timeout(until.saturating_duration_since(Instant::now())) {
                // A film's reader may be slow, as long as it reads; a gate that is told to stop does.
                Ok(()) if recorded => until = Instant::now() + PATIENCE,
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    tracing::warn!("nobody reads the printed events: the last ones are only in the journal");
                    break;
                }
            }
        }
        if dropped > 0 {
            tracing::warn!("{dropped} events were not printed; the journal has them");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Condvar, Mutex};

    use super::*;

    /// A pipe whose reader reads only while it may.
    #[derive(Clone, Default)]
    struct Pipe(Arc<(Mutex<Reader>, Condvar)>);

    #[derive(Default)]
    struct Reader {
        reads: bool,
        read: Vec<u8>,
    }

    impl Pipe {
        fn reads(&self, reads: bool) {
            self.0.0.lock().unwrap().reads = reads;
            self.0.1.notify_all();
        }

        fn lines(&self) -> Vec<String> {
            String::from_utf8(self.0.0.lock().unwrap().read.clone()).unwrap().lines().map(str::to_owned).collect()
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let mut state = self.0.1.wait_while(self.0.0.lock().unwrap(), |r| !r.reads).unwrap();
            state.read.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|i| i.to_string()).collect()
    }

    #[test]
    fn a_live_gate_never_waits_for_its_reader_and_ends_without_it() {
        let (pipe, start) = (Pipe::default(), Instant::now());
        let mut printer = Printer::with_room(Box::new(pipe.clone()), false, 4).unwrap();
        numbers(0..1000).into_iter().for_each(|n| printer.print(n));
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        // However late the thread takes its first line: what finds no room is dropped.
        assert!(printer.dropped > 0);
        printer.finish();
        assert!(start.elapsed() < PATIENCE * 2, "{:?}", start.elapsed());
    }

    #[test]
    fn after_a_stall_printing_goes_on_in_order() {
        let pipe = Pipe::default();
        let mut printer = Printer::with_room(Box::new(pipe.clone()), false, 4).unwrap();
        numbers(0..100).into_iter().for_each(|n| printer.print(n));
        pipe.reads(true);
        while pipe.lines().len() < 4 {
            thread::sleep(LOOK);
        }
        thread::sleep(LOOK);
        printer.print("100".into());
        assert_eq!(printer.dropped, 0);
        printer.finish();
        let lines: Vec<u32> = pipe.lines().iter().map(|l| l.parse().unwrap()).collect();
        assert!(lines.is_sorted() && lines.last() == Some(&100), "{lines:?}");
    }

    #[test]
    fn of_recorded_frames_a_reader_that_is_slow_gets_every_line() {
        let pipe = Pipe::default();
        let mut printer = Printer::with_room(Box::new(pipe.clone()), true, 4).unwrap();
        let late = pipe.clone();
        let reader = thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            late.reads(true);
        });
        numbers(0..200).into_iter().for_each(|n| printer.print(n));
        printer.finish();
        reader.join().unwrap();
        assert_eq!(pipe.lines(), numbers(0..200));
    }
}
