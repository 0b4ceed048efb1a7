//! The camera's side of the control pipe, as gadgetfs hands it to us.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::descriptors::{self, Camera, Choice, PAYLOAD, STREAMING};
use crate::stream::{Stage, stream};

const GADGETFS: &str = "/dev/gadget";
/// An event: eight bytes of a request, and its kind.
const EVENT: usize = 12;
const SETUP: u32 = 3;
/// UVC 1.1, table 4-75: the length of what is negotiated.
const PROBE: usize = 34;

/// Plugs the camera in and answers the host, for ever.
pub(crate) fn serve(camera: &Camera, stage: &Arc<Stage>) -> anyhow::Result<()> {
    let control = std::fs::read_dir(GADGETFS)
        .and_then(|mut entries| entries.next().context("empty").map_err(std::io::Error::other)?)
        .context("no gadgetfs on /dev/gadget, or no dummy_hcd")?;
    let mut pipe = Pipe(File::options().read(true).write(true).open(control.path())?);
    pipe.0.write_all(&camera.for_gadgetfs()).context("gadgetfs refuses the descriptors")?;
    let mut negotiated = probe(camera, [1, 1]).1;
    let mut streaming = false;
    loop {
        let mut events = [0; EVENT * 5];
        let read = pipe.read(&mut events)?;
        for event in events[..read].chunks_exact(EVENT) {
            if event[8..] != SETUP.to_ne_bytes() {
                continue;
            }
            let request = Request::of(event);
            match (request.kind, request.code) {
                // SET_CONFIGURATION: the endpoint is there from now on.
                (0x00, 0x09) => {
                    if request.value != 0 && !streaming {
                        streaming = true;
                        let (endpoint, stage) = (open_endpoint()?, Arc::clone(stage));
                        std::thread::spawn(move || stream(endpoint, &stage));
                    }
                    pipe.acknowledge()?;
                }
                (0x01, 0x0B) => pipe.acknowledge()?,
                (0x80, 0x06) => pipe.answer(&request, descriptors::string(request.value.to_le_bytes()[0]))?,
                (0x21, 0x01) if request.is_negotiation() => {
                    let mut wish = [0; PROBE];
                    pipe.read(&mut wish[..PROBE.min(request.length)])?;
                    let (choice, answer) = probe(camera, [wish[2], wish[3]]);
                    negotiated = answer;
                    if request.selector() == 2 {
                        stage.change(|scene| scene.choice = Some(choice));
                    }
                }
                (0xA1, 0x85) if request.is_negotiation() => pipe.answer(&request, Some(vec![byte(PROBE), 0]))?,
                (0xA1, 0x86) if request.is_negotiation() => pipe.answer(&request, Some(vec![3]))?,
                (0xA1, _) if request.is_negotiation() => pipe.answer(&request, Some(negotiated.clone()))?,
                (kind, _) if kind & 0x80 != 0 => pipe.answer(&request, None)?,
                _ => pipe.refuse_out(),
            }
        }
    }
}

struct Request {
    kind: u8,
    code: u8,
    value: u16,
    index: u16,
    length: usize,
}

impl Request {
    fn of(event: &[u8]) -> Self {
        let short = |at: usize| u16::from_le_bytes([event[at], event[at + 1]]);
        Self { kind: event[0], code: event[1], value: short(2), index: short(4), length: usize::from(short(6)) }
    }

    fn selector(&self) -> u8 {
        self.value.to_le_bytes()[1]
    }

    /// Probe (1) or commit (2) of the streaming interface.
    fn is_negotiation(&self) -> bool {
        self.index == u16::from(STREAMING) && matches!(self.selector(), 1 | 2)
    }
}

/// Endpoint 0. gadgetfs stalls a request that is answered in the wrong direction.
struct Pipe(File);

impl Pipe {
    /// Nothing, if the host has given up meanwhile and asks for something else.
    fn read(&mut self, into: &mut [u8]) -> anyhow::Result<usize> {
        match self.0.read(into) {
            Err(e) if given_up(&e) => Ok(0),
            read => Ok(read?),
        }
    }

    fn answer(&mut self, request: &Request, bytes: Option<Vec<u8>>) -> anyhow::Result<()> {
        if let Some(bytes) = bytes {
            match self.0.write(&bytes[..bytes.len().min(request.length)]) {
                Err(e) if given_up(&e) => {}
                written => drop(written?),
            }
        } else {
            let _stalled = self.0.read(&mut []);
        }
        Ok(())
    }

    fn acknowledge(&mut self) -> anyhow::Result<()> {
        self.read(&mut []).map(drop)
    }

    fn refuse_out(&mut self) {
        let _stalled = self.0.write(&[]);
    }
}

/// EIDRM, EL2HLT, ECANCELED, ESRCH, ESHUTDOWN, EIO: the host did not wait and asks for something else, or has gone.
fn given_up(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(3 | 5 | 43 | 51 | 108 | 125))
}

/// The nearest the camera can do, and how it says so.
fn probe(camera: &Camera, wish: [u8; 2]) -> (Choice, Vec<u8>) {
    let (choice, chosen) = camera.choose(wish[0], wish[1]);
    let mut answer = [&[1, 0][..], &chosen, &choice.packing.interval().to_le_bytes(), &[0; 10]].concat();
    answer.extend([choice.most_bytes(), PAYLOAD, 48_000_000].iter().flat_map(|n| n.to_le_bytes()));
    answer.extend([3, 0, 0, 0]);
    (choice, answer)
}

fn open_endpoint() -> anyhow::Result<File> {
    let endpoint: PathBuf = Path::new(GADGETFS).join("ep1in-bulk");
    let mut endpoint = File::options().read(true).write(true).open(&endpoint).context("no bulk endpoint")?;
    endpoint
        .write_all(&[&1_u32.to_ne_bytes()[..], &descriptors::endpoint(64), &descriptors::endpoint(512)].concat())?;
    Ok(endpoint)
}

fn byte(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}
