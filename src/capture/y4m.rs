//! A y4m film: a line that says its size, then frame after frame a line and the planes, of which the first is luma.

use std::io::{BufRead, ErrorKind, Read as _};

use super::Luma;
use super::luma::LONGEST_SIDE;

/// Bytes of a line.
const LONGEST_LINE: u64 = 1024;

/// A film that is being read.
pub(super) struct Film<R> {
    stream: R,
    size: [usize; 2],
    /// Bytes of colour after the luma of each frame.
    colours: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Film<R> {
    /// Reads the first line.
    pub(super) fn open(mut stream: R) -> Result<Self, String> {
        let not_y4m = |why: &str| format!("it is not a y4m stream ({why})");
        let mut line = Vec::new();
        if !read_line(&mut stream, &mut line).map_err(|e| not_y4m(&e))? {
            return Err(not_y4m("it is empty"));
        }
        let Some(says) = line.strip_prefix(b"YUV4MPEG2 ") else { return Err(not_y4m("its first line is another")) };
        let (mut size, mut colours): ([Option<usize>; 2], &[u8]) = ([None; 2], b"420");
        for word in says.split(|byte| *byte == b' ') {
            match word {
                [b'W', width @ ..] => size[0] = number(width),
                [b'H', height @ ..] => size[1] = number(height),
                [b'C', space @ ..] => colours = space,
                _ => {}
            }
        }
        let [Some(width), Some(height)] = size.map(|side| side.filter(|pixels| *pixels > 0)) else {
            return Err(not_y4m("it has no size"));
        };
        if width.max(height) > LONGEST_SIDE {
            return Err(format!("it is wider or higher than {LONGEST_SIDE} pixels"));
        }
        let colours = match colours {
            b"mono" => 0,
            b"420" | b"420jpeg" | b"420paldv" | b"420mpeg2" => 2 * width.div_ceil(2) * height.div_ceil(2),
            b"422" => 2 * width.div_ceil(2) * height,
            b"444" => 2 * width * height,
            b"mono12" | b"420p10" | b"420p12" | b"422p10" | b"422p12" | b"444p10" | b"444p12" => {
                return Err("only 8-bit y4m is read".into());
            }
            _ => return Err(not_y4m("its colours are of a kind that is not known")),
        };
        Ok(Self { stream, size: [width, height], colours: colours as u64, line })
    }

    /// Writes the next frame over a picture; `false` at the end, which is no end inside a frame.
    pub(super) fn next(&mut self, into: &mut Luma) -> Result<bool, String> {
        self.line.clear();
        if !read_line(&mut self.stream, &mut self.line)? {
            return Ok(false);
        }
        if !matches!(self.line.strip_prefix(b"FRAME"), Some([] | [b' ', ..])) {
            return Err("where a frame should begin is something else".into());
        }
        self.stream.read_exact(into.resize(self.size[0], self.size[1])).map_err(in_words)?;
        let mut colours = self.stream.by_ref().take(self.colours);
        let skipped = std::io::copy(&mut colours, &mut std::io::sink()).map_err(in_words)?;
        if skipped < self.colours { Err(in_words(ErrorKind::UnexpectedEof.into())) } else { Ok(true) }
    }
}

/// Reads a line without its end; `false` if there is nothing more.
fn read_line(stream: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, String> {
    if stream.by_ref().take(LONGEST_LINE).read_until(b'\n', line).map_err(in_words)? == 0 {
        return Ok(false);
    }
    match line.pop() {
        Some(b'\n') => Ok(true),
        _ if (line.len() as u64) + 1 < LONGEST_LINE => Err(in_words(ErrorKind::UnexpectedEof.into())),
        _ => Err("a line without an end".into()),
    }
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn in_words(error: std::io::Error) -> String {
    if error.kind() == ErrorKind::UnexpectedEof { "it ends too early".into() } else { error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_luma_of_each_kind_is_read_and_its_colours_are_skipped() {
        for (kind, colours) in [("", 6 * 2), (" Cmono", 0), (" C420jpeg", 6 * 2), (" C422", 6 * 3), (" C444", 2 * 15)] {
            let mut film = format!("YUV4MPEG2 W5 H3 F15:1 Ip{kind}\n").into_bytes();
            for luma in [7, 8] {
                film.extend_from_slice(b"FRAME Ixyz\n");
                film.resize(film.len() + 15, luma);
                film.resize(film.len() + colours, 99);
            }
            let (mut film, mut picture) = (Film::open(film.as_slice()).unwrap(), Luma::default());
            for luma in [7, 8] {
                assert_eq!(film.next(&mut picture), Ok(true), "{kind}");
                assert_eq!(picture, Luma::new(5, 3, vec![luma; 15]));
            }
            assert_eq!(film.next(&mut picture), Ok(false), "{kind}");
        }
    }

    #[test]
    fn first_lines_that_lie_are_refused() {
        let huge = usize::MAX;
        for (line, why) in [
            (String::new(), "is empty"),
            ("YUV4MPEG2 W5 H3".into(), "ends too early"),
            ("YUV4MPEG2 W5 H0\n".into(), "no size"),
            ("YUV4MPEG2 W5\n".into(), "no size"),
            (format!("YUV4MPEG2 W{huge} H{huge}\n"), "wider or higher"),
            (format!("YUV4MPEG2 W5 H{huge}0\n"), "no size"),
            ("YUV4MPEG2 W5 H3 C420p10\n".into(), "only 8-bit"),
            ("YUV4MPEG2 W5 H3 Cmauve\n".into(), "colours"),
            (format!("YUV4MPEG2 {}", "W".repeat(5000)), "without an end"),
        ] {
            let error = Film::open(line.as_bytes()).err().unwrap();
            assert!(error.contains(why), "{error}");
        }
    }
}
