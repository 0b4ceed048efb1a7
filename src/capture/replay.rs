//! Recorded frames: a folder of pictures, a .y4m or a .mjpeg file. Files are read as streams, so a named pipe works too.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::y4m::Film;
use super::{CaptureError, Luma, Source};
use crate::config::Replay;

/// Bytes of one JPEG of a stream: a stream without an end marker cannot fill the memory.
const LARGEST_JPEG: usize = 32 * 1024 * 1024;

/// Opens a replay.
pub(super) fn open(replay: &Replay) -> Result<Box<dyn Source>, CaptureError> {
    let reel = Reel::open(&replay.path)?;
    let pause = if replay.fps > 0.0 { Duration::from_secs_f64(1.0 / replay.fps) } else { Duration::ZERO };
    let (path, repeat) = (replay.path.clone(), replay.repeat);
    Ok(Box::new(Player { reel, path, repeat, pause, due: None, any: false, ever: false }))
}

/// Plays a reel at its pace.
struct Player {
    reel: Reel,
    path: PathBuf,
    repeat: bool,
    pause: Duration,
    due: Option<Instant>,
    /// Whether this round gave any frame: an empty reel must not be played for ever.
    any: bool,
    /// Whether there ever was one.
    ever: bool,
}

impl Source for Player {
    fn next(&mut self, into: &mut Luma) -> Result<bool, CaptureError> {
        let mut more = self.reel.next(&self.path, into)?;
        if !more && self.repeat && std::mem::take(&mut self.any) {
            self.reel = Reel::open(&self.path)?;
            more = self.reel.next(&self.path, into)?;
        }
        self.any |= more;
        self.ever |= self.any;
        if !self.ever {
            return Err(CaptureError::Source(format!("not one frame could be read from {}", self.path.display())));
        }
        let now = Instant::now();
        if let Some(due) = self.due.filter(|due| *due > now && more) {
            std::thread::sleep(due - now);
        }
        self.due = Some(self.due.map_or(now, |due| due.max(now)) + self.pause);
        Ok(more)
    }

    fn is_live(&self) -> bool {
        false
    }
}

enum Reel {
    /// Pictures still to come, the next one last.
    Folder(Vec<PathBuf>),
    Y4m(Film<BufReader<File>>),
    /// With the JPEG that was read last.
    Mjpeg(BufReader<File>, Vec<u8>),
}

impl Reel {
    fn open(path: &Path) -> Result<Self, CaptureError> {
        let fail = |problem: String| CaptureError::Source(format!("cannot replay {}: {problem}", path.display()));
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|e| fail(e.to_string()))?;
            let mut pictures: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| is_picture(p)).collect();
            if pictures.is_empty() {
                return Err(fail("there is no picture in the folder (PNG, JPEG, WebP, BMP, GIF, PNM)".into()));
            }
            pictures.sort_by(|a, b| b.cmp(a));
            return Ok(Self::Folder(pictures));
        }
        let file = || File::open(path).map(BufReader::new).map_err(|e| fail(e.to_string()));
        match extension(path).as_str() {
            "y4m" => Film::open(file()?).map(Self::Y4m).map_err(fail),
            "mjpeg" | "mjpg" => Ok(Self::Mjpeg(file()?, Vec::new())),
            _ if !path.exists() => Err(fail("there is no such file or folder".into())),
            _ => Err(fail("give a folder of pictures, a .y4m or a .mjpeg file".into())),
        }
    }

    /// Writes the next picture over `into`; `false` at the end.
    fn next(&mut self, path: &Path, into: &mut Luma) -> Result<bool, CaptureError> {
        match self {
            Self::Folder(pictures) => {
                let Some(path) = pictures.pop() else { return Ok(false) };
                *into = Luma::read(&path).map_err(|problem| CaptureError::Picture { path, problem })?;
                Ok(true)
            }
            Self::Y4m(film) => {
                film.next(into).map_err(|e| CaptureError::Source(format!("{} breaks off: {e}", path.display())))
            }
            Self::Mjpeg(stream, jpeg) => {
                let broken = |problem| CaptureError::Picture { path: path.to_owned(), problem };
                match next_jpeg(stream, jpeg) {
                    Ok(false) => Ok(false),
                    Ok(true) => into.decode_jpeg(jpeg).map(|()| true).map_err(broken),
                    Err(e) => Err(CaptureError::Source(format!("{} breaks off: {e}", path.display()))),
                }
            }
        }
    }
}

fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn is_picture(path: &Path) -> bool {
    ["png", "jpg", "jpeg", "webp", "bmp", "gif", "pgm", "ppm", "pnm"].contains(&extension(path).as_str())
}

/// The next JPEG of a stream: from its start marker (FF D8) to its end marker (FF D9). Inside the data of a JPEG an FF is
/// followed by 00 or a restart marker; only a thumbnail in its header could hold an end marker, and cameras send none.
fn next_jpeg(stream: impl BufRead, jpeg: &mut Vec<u8>) -> std::io::Result<bool> {
    jpeg.clear();
    for byte in stream.bytes() {
        jpeg.push(byte?);
        if jpeg.len() == 2 && *jpeg != [0xff, 0xd8] {
            jpeg.remove(0);
        } else if jpeg.len() > 2 && jpeg.ends_with(&[0xff, 0xd9]) {
            return Ok(true);
        } else if jpeg.len() > LARGEST_JPEG {
            return Err(std::io::Error::new(ErrorKind::InvalidData, "a JPEG without an end"));
        }
    }
    if jpeg.len() < 2 { Ok(false) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(path: &Path, repeat: bool) -> Result<Box<dyn Source>, CaptureError> {
        open(&Replay { path: path.to_owned(), fps: 0.0, repeat })
    }

    fn grey(value: u8) -> Luma {
        Luma::new(32, 24, vec![value; 32 * 24])
    }

    fn jpeg(value: u8) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::GrayImage::from_pixel(32, 24, image::Luma([value]))
            .write_to(&mut bytes, image::ImageFormat::Jpeg)
            .unwrap();
        bytes.into_inner()
    }

    fn next(source: &mut dyn Source) -> Result<Option<Luma>, CaptureError> {
        let mut luma = Luma::new(2, 2, vec![99; 4]);
        source.next(&mut luma).map(|more| more.then_some(luma))
    }

    fn first_pixels(source: &mut dyn Source, most: usize) -> Vec<u8> {
        std::iter::from_fn(|| next(source).unwrap()).take(most).map(|l| l.pixels()[0]).collect()
    }

    #[test]
    fn a_folder_is_played_in_the_order_of_its_names_once_or_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        for (name, value) in [("b.png", 2), ("a.png", 1), ("c.png", 3)] {
            std::fs::write(dir.path().join(name), grey(value).to_png().unwrap()).unwrap();
        }
        std::fs::write(dir.path().join("notes.txt"), "no picture").unwrap();
        assert_eq!(first_pixels(replay(dir.path(), false).unwrap().as_mut(), 9), [1, 2, 3]);
        assert_eq!(first_pixels(replay(dir.path(), true).unwrap().as_mut(), 7), [1, 2, 3, 1, 2, 3, 1]);
    }

    #[test]
    fn a_damaged_picture_is_named_and_the_next_one_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let whole = grey(5).to_png().unwrap();
        std::fs::write(dir.path().join("1.png"), &whole[..whole.len() / 2]).unwrap();
        std::fs::write(dir.path().join("2.png"), "not a picture").unwrap();
        std::fs::write(dir.path().join("3.png"), &whole).unwrap();
        let mut source = replay(dir.path(), false).unwrap();
        assert!(next(source.as_mut()).unwrap_err().to_string().contains("1.png"));
        assert!(next(source.as_mut()).unwrap_err().to_string().contains("2.png: is not a picture"));
        assert_eq!(next(source.as_mut()).unwrap(), Some(grey(5)));
        assert_eq!(next(source.as_mut()).unwrap(), None);
    }

    #[test]
    fn y4m_and_mjpeg_streams_are_played() {
        let dir = tempfile::tempdir().unwrap();
        let y4m = dir.path().join("x.y4m");
        let mut bytes = b"YUV4MPEG2 W32 H24 F15:1 Cmono\n".to_vec();
        for value in [7, 8] {
            bytes.extend_from_slice(b"FRAME\n");
            bytes.extend_from_slice(grey(value).pixels());
        }
        std::fs::write(&y4m, &bytes).unwrap();
        assert_eq!(first_pixels(replay(&y4m, false).unwrap().as_mut(), 9), [7, 8]);

        let mjpeg = dir.path().join("x.mjpeg");
        std::fs::write(&mjpeg, [jpeg(40), b"multipart junk".to_vec(), jpeg(90)].concat()).unwrap();
        assert_eq!(first_pixels(replay(&mjpeg, false).unwrap().as_mut(), 9), [40, 90]);
    }

    #[test]
    fn what_cannot_be_played_says_why() {
        let dir = tempfile::tempdir().unwrap();
        for (name, content, why) in [
            ("x.y4m", "junk", "not a y4m stream"),
            ("x.avi", "", ".y4m or a .mjpeg"),
            ("x.y4m", "YUV4MPEG2 W99999999 H99999999 F15:1\n", "wider or higher"),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            let error = replay(&path, false).map(drop).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        assert!(replay(&dir.path().join("missing"), false).is_err());
        assert!(replay(dir.path().join("empty").as_path(), false).is_err());
    }

    #[test]
    fn a_stream_that_breaks_off_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.mjpeg");
        std::fs::write(&path, &jpeg(40)[..100]).unwrap();
        let mut source = replay(&path, false).unwrap();
        assert!(next(source.as_mut()).unwrap_err().to_string().contains("breaks off"));

        let path = dir.path().join("x.y4m");
        let header = b"YUV4MPEG2 W32 H24 F15:1 Cmono\n";
        let frame = [b"FRAME\n", grey(7).pixels()].concat();
        for cut in [1, 5, 6, 7, frame.len() - 1] {
            std::fs::write(&path, [header, frame.as_slice(), &frame[..cut]].concat()).unwrap();
            let mut source = replay(&path, false).unwrap();
            assert_eq!(next(source.as_mut()).unwrap(), Some(grey(7)));
            assert!(next(source.as_mut()).unwrap_err().to_string().contains("breaks off"), "{cut}");
        }
    }
}
