//! The camera itself: where it is, what it offers, and what it is set to before a driver streams from it.

use std::path::{Path, PathBuf};

use v4l::capability::Flags;
use v4l::control::{Control, Value};
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture as _;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, FourCC, Fraction};

use crate::capture::CaptureError;
use crate::capture::yuv::Packing;
use crate::config::{Adjusted, Camera, CameraPlace};

/// The size that is wanted: large enough for a code at arm's length, small enough for a Pi.
const WANTED: (u32, u32) = (1280, 720);
/// Frames a second below which a size is of no use.
const SLOWEST: u32 = 10;
/// Frames a second of which more are of no use.
const FASTEST: u32 = 30;
/// Formats, sizes and rates of a device that are looked at, at most: a device is not trusted to end its lists.
const MOST: usize = 4096;

/// How a buffer holds its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pixels {
    Plain(Packing),
    Jpeg,
}

/// The formats whose luma can be had without converting colours, the easiest first.
const FORMATS: [(&[u8; 4], Pixels); 4] = [
    (b"YUYV", Pixels::Plain(Packing::Yuyv)),
    (b"NV12", Pixels::Plain(Packing::Nv12)),
    (b"GREY", Pixels::Plain(Packing::Grey)),
    (b"MJPG", Pixels::Jpeg),
];

/// A format of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// V4L2's code of the format, such as `MJPG`.
    pub fourcc: [u8; 4],
    /// Pixels in a row, and rows.
    pub size: (u32, u32),
    /// Seconds between two frames, as a fraction.
    pub interval: (u32, u32),
}

impl Offer {
    fn rate(&self) -> u32 {
        self.interval.1 / self.interval.0.max(1)
    }

    /// How much a gate wants it: fast enough, then as near to the wanted size as can be, then faster, then easier to convert.
    fn suits(&self) -> impl Ord + use<> {
        let (width, height) = self.size;
        let off = width.abs_diff(WANTED.0).saturating_add(height.abs_diff(WANTED.1));
        let ease = FORMATS.iter().rev().position(|(fourcc, _)| **fourcc == self.fourcc);
        let rate = self.rate();
        (rate >= SLOWEST, std::cmp::Reverse(off), rate.min(FASTEST), std::cmp::Reverse(rate), ease)
    }
}

impl std::fmt::Display for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (width, height) = self.size;
        write!(f, "{width}x{height} {} {} fps", String::from_utf8_lossy(&self.fourcc).trim_end(), self.rate())
    }
}

/// A camera that is set up, and what it is set to.
pub(super) struct Prepared {
    /// Its node, such as `/dev/video0`.
    pub(super) node: PathBuf,
    pub(super) pixels: Pixels,
    pub(super) offer: Offer,
    /// Pixels in a row, and rows.
    pub(super) size: [usize; 2],
    /// Bytes from a row's start to the next one's.
    pub(super) stride: usize,
}

/// What a driver can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Able {
    /// Everything.
    All,
    /// nokhwa knows V4L2's grey by another name, and no rates but whole ones.
    Nokhwa,
}

/// Finds a camera and sets it up, whatever state it was left in.
///
/// # Errors
/// [`CaptureError::Source`], saying what to do.
pub(super) fn prepare(camera: &Camera, able: Able) -> Result<(Device, Prepared), CaptureError> {
    let fail = |problem: String| CaptureError::Source(format!("camera {camera}: {problem}"));
    let node = find(&camera.place).map_err(fail)?;
    let device = open(&node).map_err(fail)?;
    let offers = offers_of(&device).map_err(|e| fail(format!("{}: {e}", node.display())))?;
    let able = |offer: &&Offer| able == Able::All || (offer.interval.0 == 1 && offer.fourcc != *b"GREY");
    let offer = offers.iter().filter(able).max_by_key(|offer| offer.suits()).copied();
    let offer = offer.ok_or_else(|| {
        fail(format!("{} offers no format that this program reads (YUYV, NV12, GREY, MJPG)", node.display()))
    })?;
    let refused = |e: std::io::Error| fail(format!("{} does not take {offer}: {e}{}", node.display(), hint(&e)));
    let wanted = Format::new(offer.size.0, offer.size.1, FourCC::new(&offer.fourcc));
    let format = device.set_format(&wanted).map_err(refused)?;
    let Some((_, pixels)) = FORMATS.iter().find(|(fourcc, _)| format.fourcc.repr == **fourcc).copied() else {
        return Err(fail(format!("{} was set to {offer} and is {}", node.display(), format.fourcc)));
    };
    let (numerator, denominator) = offer.interval;
    // The rate that the last program chose must not stay; a device without rates has none to refuse.
    if let Err(error) = device.set_params(&Parameters::new(Fraction::new(numerator, denominator))) {
        tracing::debug!("{}: the frame rate is the device's own: {error}", node.display());
    }
    adjust(&device, camera, &node);
    let size = [format.width as usize, format.height as usize];
    let stride = match pixels {
        Pixels::Plain(packing) => packing.row(size[0]).max(format.stride as usize),
        Pixels::Jpeg => 0,
    };
    tracing::info!("camera {camera}: {offer} of {}", node.display());
    Ok((device, Prepared { node, pixels, offer, size, stride }))
}

/// The formats of a camera that this program reads.
///
/// # Errors
/// In words, saying what to do.
pub fn offers(place: &CameraPlace) -> Result<(PathBuf, Vec<Offer>), String> {
    let node = find(place)?;
    let device = open(&node)?;
    let offers = offers_of(&device).map_err(|e| format!("{}: {e}", node.display()))?;
    Ok((node, offers))
}

/// The node of a camera.
fn find(place: &CameraPlace) -> Result<PathBuf, String> {
    let node = match place {
        CameraPlace::First => return first(),
        CameraPlace::Index(index) => PathBuf::from(format!("/dev/video{index}")),
        CameraPlace::Path(path) => path.clone(),
    };
    // Links by serial number or by port lead to where the camera is now.
    node.canonicalize().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => format!("there is no {}: {}", node.display(), here()),
        _ => format!("{}: {e}", node.display()),
    })
}

fn first() -> Result<PathBuf, String> {
    nodes().into_iter().find(|node| is_camera(node)).ok_or_else(|| format!("there is no camera: {}", here()))
}

/// What is there instead.
fn here() -> String {
    let cameras: Vec<String> =
        nodes().iter().filter(|node| is_camera(node)).map(|node| node.display().to_string()).collect();
    match cameras.as_slice() {
        [] => "no camera is plugged in, or this user may not open it (group video)".to_owned(),
        cameras => format!("the cameras here are {}", cameras.join(", ")),
    }
}

fn nodes() -> Vec<PathBuf> {
    let mut nodes: Vec<(u32, PathBuf)> = std::fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.strip_prefix("video")?.parse().ok()?, entry.path())))
        .collect();
    nodes.sort();
    nodes.into_iter().map(|(_, node)| node).collect()
}

/// A camera has a node for its metadata, too, and a Pi has nodes of codecs.
fn is_camera(node: &Path) -> bool {
    open(node).and_then(|device| offers_of(&device)).is_ok_and(|offers| !offers.is_empty())
}

fn open(node: &Path) -> Result<Device, String> {
    let device = Device::with_path(node).map_err(|e| format!("{} does not open: {e}{}", node.display(), hint(&e)))?;
    let capabilities = device.query_caps().map_err(|e| format!("{}: {e}", node.display()))?;
    if capabilities.capabilities.contains(Flags::VIDEO_CAPTURE | Flags::STREAMING) {
        Ok(device)
    } else {
        Err(format!("{} is no camera, but perhaps its metadata: {}", node.display(), here()))
    }
}

fn hint(error: &std::io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EBUSY) => " (another program uses it)",
        Some(libc::EACCES | libc::EPERM) => " (is this user in the group video?)",
        _ => "",
    }
}

fn offers_of(device: &Device) -> Result<Vec<Offer>, String> {
    let said = |e: std::io::Error| format!("cannot say its formats: {e}");
    let mut offers = Vec::new();
    for format in device.enum_formats().map_err(said)?.into_iter().take(MOST) {
        if !FORMATS.iter().any(|(fourcc, _)| format.fourcc.repr == **fourcc) {
            continue;
        }
        for size in device.enum_framesizes(format.fourcc).map_err(said)?.into_iter().take(MOST) {
            let size = match size.size {
                FrameSizeEnum::Discrete(size) => (size.width, size.height),
                FrameSizeEnum::Stepwise(s) => (
                    nearest(WANTED.0, s.min_width, s.max_width, s.step_width),
                    nearest(WANTED.1, s.min_height, s.max_height, s.step_height),
                ),
            };
            let intervals = device.enum_frameintervals(format.fourcc, size.0, size.1).unwrap_or_default();
            let each = intervals.into_iter().take(MOST).map(|interval| match interval.interval {
                FrameIntervalEnum::Discrete(f) => (f.numerator, f.denominator),
                FrameIntervalEnum::Stepwise(s) => within((1, FASTEST), &s.min, &s.max),
            });
            let mut each: Vec<(u32, u32)> = each.filter(|(n, d)| *n > 0 && *d > 0).collect();
            if each.is_empty() {
                // A device that does not say has one rate; what it is, is asked as the usual one.
                each.push((1, FASTEST));
            }
            offers.extend(each.into_iter().map(|interval| Offer { fourcc: format.fourcc.repr, size, interval }));
            if offers.len() > MOST {
                return Ok(offers);
            }
        }
    }
    Ok(offers)
}

/// The step that is nearest to what is wanted.
fn nearest(wanted: u32, least: u32, most: u32, step: u32) -> u32 {
    let (least, step) = (least.min(most), step.max(1));
    least + (wanted.clamp(least, most) - least) / step * step
}

/// The wanted interval, if it lies between the shortest and the longest; else the nearer of them.
fn within(wanted: (u32, u32), shortest: &Fraction, longest: &Fraction) -> (u32, u32) {
    let longer = |a: (u32, u32), b: (u32, u32)| u64::from(a.0) * u64::from(b.1) > u64::from(b.0) * u64::from(a.1);
    let (shortest, longest) = ((shortest.numerator, shortest.denominator), (longest.numerator, longest.denominator));
    match () {
        () if longer(shortest, wanted) => shortest,
        () if longer(wanted, longest) => longest,
        () => wanted,
    }
}

// V4L2's controls (linux/v4l2-controls.h).
const POWER_LINE_FREQUENCY: u32 = 0x0098_0918;
const EXPOSURE_AUTO: u32 = 0x009a_0901;
const EXPOSURE_ABSOLUTE: u32 = 0x009a_0902;
const EXPOSURE_AUTO_PRIORITY: u32 = 0x009a_0903;
const FOCUS_ABSOLUTE: u32 = 0x009a_090a;
const FOCUS_AUTO: u32 = 0x009a_090c;
/// Aperture priority, the automatic of a camera without an iris; and by hand.
const EXPOSURE_BY_ITSELF: i64 = 3;
const EXPOSURE_BY_HAND: i64 = 1;
/// 50 Hz, as in China and most of the world: lamps do not flicker in the picture.
const FIFTY_HERTZ: i64 = 1;

/// Sets what the camera lets be set. What another program left there does not stay.
fn adjust(device: &Device, camera: &Camera, node: &Path) {
    let set = |id: u32, name: &str, value: Value, wanted: bool| {
        if let Err(error) = device.set_control(Control { id, value }) {
            // Cheap cameras have few controls; only what somebody configured is missed.
            if wanted {
                tracing::warn!("{} has no {name} to set: {error}", node.display());
            } else {
                tracing::debug!("{} has no {name} to set: {error}", node.display());
            }
        }
    };
    set(POWER_LINE_FREQUENCY, "power line frequency", Value::Integer(FIFTY_HERTZ), false);
    match camera.exposure {
        Adjusted::Auto => {
            set(EXPOSURE_AUTO, "exposure", Value::Integer(EXPOSURE_BY_ITSELF), false);
            // In the dark a steady rate serves better than a bright and blurred picture.
            set(EXPOSURE_AUTO_PRIORITY, "exposure priority", Value::Boolean(false), false);
        }
        Adjusted::At(value) => {
            set(EXPOSURE_AUTO, "exposure by hand", Value::Integer(EXPOSURE_BY_HAND), true);
            set(EXPOSURE_ABSOLUTE, "exposure", Value::Integer(value.into()), true);
        }
    }
    match camera.focus {
        Adjusted::Auto => set(FOCUS_AUTO, "focus", Value::Boolean(true), false),
        Adjusted::At(value) => {
            set(FOCUS_AUTO, "focus by hand", Value::Boolean(false), false);
            set(FOCUS_ABSOLUTE, "focus", Value::Integer(value.into()), true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(fourcc: &[u8; 4], size: (u32, u32), interval: (u32, u32)) -> Offer {
        Offer { fourcc: *fourcc, size, interval }
    }

    fn best(offers: &[Offer]) -> Offer {
        *offers.iter().max_by_key(|offer| offer.suits()).unwrap()
    }

    #[test]
    fn the_format_is_fast_enough_then_near_the_wanted_size_then_easy() {
        let slow_raw = offer(b"YUYV", (1280, 720), (1, 5));
        let jpeg = offer(b"MJPG", (1280, 720), (1, 30));
        let (small, large) = (offer(b"YUYV", (640, 480), (1, 30)), offer(b"MJPG", (1920, 1080), (1, 30)));
        assert_eq!(best(&[slow_raw, jpeg, small, large]), jpeg);
        assert_eq!(best(&[slow_raw, small]), small);
        assert_eq!(best(&[slow_raw]), slow_raw, "better slow than blind");
        let raw = offer(b"YUYV", (1280, 720), (1, 30));
        let (fifteen, sixty) = (offer(b"YUYV", (1280, 720), (1, 15)), offer(b"MJPG", (1280, 720), (1, 60)));
        assert_eq!(best(&[jpeg, fifteen, sixty, raw]), raw);
    }

    #[test]
    fn of_sizes_and_rates_in_steps_the_nearest_is_taken_whatever_a_device_says() {
        assert_eq!(nearest(1280, 160, 1920, 16), 1280);
        assert_eq!(nearest(1280, 2, 1000, 4), 998);
        assert_eq!(nearest(720, 64, 64, 0), 64);
        assert_eq!(nearest(720, 900, 100, 7), 100);
        let f = Fraction::new;
        assert_eq!(within((1, 30), &f(1, 60), &f(1, 1)), (1, 30));
        assert_eq!(within((1, 30), &f(1, 20), &f(1, 1)), (1, 20));
        assert_eq!(within((1, 30), &f(1, 120), &f(1, 60)), (1, 60));
    }
}
