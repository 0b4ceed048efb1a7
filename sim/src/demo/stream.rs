//! The simulated camera: a thread that draws the walk and writes it, frame by frame, where the checkpoint reads.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::fs::{CWD, Mode, OFlags, fcntl_setfl, mkfifoat};
use tongguan_sim::{Camera, Case, FPS, Phase, Scene, Surface, Walk, y4m};

use super::programs::Running;
use super::residents::Residents;
use super::{Message, Rounds};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;

/// Empty frames after the last visitor, so that the last outcome comes and the screen is idle again.
const AFTERWARDS: usize = 2 * FPS;

pub(super) fn make_fifo(path: &Path) -> anyhow::Result<()> {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).with_context(|| format!("cannot make the pipe {}", path.display()))
}

/// Opens the pipe once the checkpoint reads it. Opening it plainly would wait for ever if the checkpoint did not start.
pub(super) fn open_fifo(path: &Path, reader: &mut Running, stop: &AtomicBool) -> anyhow::Result<File> {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path) {
            Ok(file) => {
                fcntl_setfl(&file, OFlags::empty())?;
                return Ok(file);
            }
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot write to the pipe {}", path.display())),
        }
        if let Some(status) = reader.ended() {
            bail!("the checkpoint ended at once ({status}).\n{}", reader.said());
        }
        if Instant::now() > until {
            bail!("the checkpoint does not read its camera.\n{}", reader.said());
        }
        if stop.load(Ordering::Relaxed) {
            bail!("stopped");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The codes of one walk, drawn.
type Round = Vec<(Case, Surface)>;

/// Draws and writes until the walk is over, the checkpoint is gone, or it is told to stop; then closes the pipe.
pub(super) fn start(pipe: File, residents: Residents, rounds: Rounds, tell: Sender<Message>, stop: Arc<AtomicBool>) {
    thread::spawn(move || {
        // Codes of the next walk are fetched while this one is shown, so the camera never stops for them.
        let (next, ready) = sync_channel::<anyhow::Result<Round>>(0);
        thread::spawn(move || {
            let mut residents = residents;
            loop {
                let round = prepare(&mut residents);
                let failed = round.is_err();
                if next.send(round).is_err() || failed {
                    return;
                }
            }
        });
        let done = walk(pipe, &ready, rounds, &tell, &stop);
        let _ = tell.send(Message::WalkOver(done));
    });
}

fn prepare(residents: &mut Residents) -> anyhow::Result<Round> {
    Case::ALL
        .iter()
        .zip(1_u64..)
        .map(|(case, seed)| {
            let text =
                case.text(residents).with_context(|| format!("cannot get the code for the case `{}`", case.id()))?;
            Ok((*case, Surface::new(&text, case.medium(), seed)?))
        })
        .collect()
}

fn walk(
    pipe: File,
    ready: &Receiver<anyhow::Result<Round>>,
    rounds: Rounds,
    tell: &Sender<Message>,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut film = Film::new(pipe)?;
    let empty = Scene { visitor: 0.0, ..Scene::default() };
    for number in 0.. {
        // The gate is seen empty while the first codes are fetched.
        let round = loop {
            match ready.try_recv() {
                Ok(round) => break round?,
                Err(_) if stop.load(Ordering::Relaxed) => return Ok(()),
                Err(_) => film.shoot(None, &Scene { seed: film.shown, ..empty.clone() })?,
            }
        };
        for (case, surface) in &round {
            let walk = Walk::new(surface, *case as u64 + 100 * number);
            for frame in 0..Walk::FRAMES {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let (phase, scene) = walk.scene(frame);
                // Said when the phone appears, not before: an answer that comes until then is still the last visitor's.
                if phase == Phase::Approach && Walk::phase(frame - 1) == Phase::Empty {
                    let _ = tell.send(Message::Shows(*case));
                }
                film.shoot((phase != Phase::Empty).then_some(surface), &scene)?;
            }
        }
        if rounds == Rounds::One {
            for _ in 0..AFTERWARDS {
                film.shoot(None, &Scene { seed: film.shown, ..empty.clone() })?;
            }
            return Ok(());
        }
    }
    Ok(())
}

/// Frames into the pipe, at the camera's pace.
struct Film {
    camera: Camera,
    out: BufWriter<File>,
    due: Instant,
    shown: u64,
}

impl Film {
    fn new(pipe: File) -> io::Result<Self> {
        let mut out = BufWriter::new(pipe);
        y4m::header(&mut out, WIDTH, HEIGHT, FPS)?;
        Ok(Self { camera: Camera::new(WIDTH, HEIGHT, 1), out, due: Instant::now(), shown: 0 })
    }

    fn shoot(&mut self, surface: Option<&Surface>, scene: &Scene) -> io::Result<()> {
        let frame = self.camera.see(surface, scene);
        thread::sleep(self.due.saturating_duration_since(Instant::now()));
        // A late frame moves all later ones: a camera has no hurry to make up for lost time.
        self.due = self.due.max(Instant::now() - Duration::from_millis(100)) + Duration::from_secs(1) / 15;
        self.shown += 1;
        y4m::frame(&mut self.out, &frame)?;
        self.out.flush()
    }
}
