//! What the camera says of itself, in the bytes of USB 2.0 (chapter 9) and USB Video Class 1.1 (chapter 3).

use anyhow::Context as _;

/// The control interface and the streaming interface.
pub(crate) const STREAMING: u8 = 1;
/// Bulk IN, endpoint 1.
const ENDPOINT: u8 = 0x81;
/// Header and picture in one transfer, at most.
pub(crate) const PAYLOAD: u32 = 16384;
/// gadgetfs cuts a longer configuration off: two formats of two sizes each, and no words on colours.
const LONGEST: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Yuyv,
    Mjpeg,
}

impl Packing {
    /// In units of 100 ns. Raw frames are slow, as on a real camera behind USB 2.0.
    pub(crate) fn interval(self) -> u32 {
        match self {
            Self::Yuyv => 666_666,
            Self::Mjpeg => 333_333,
        }
    }
}

/// The formats it offers, each with its sizes. UVC counts both from 1.
#[derive(Debug)]
pub(crate) struct Camera(Vec<(Packing, Vec<[u16; 2]>)>);

impl Camera {
    pub(crate) fn offering(words: &[String]) -> anyhow::Result<Self> {
        let mut formats: Vec<(Packing, Vec<[u16; 2]>)> = Vec::new();
        for word in words {
            let (name, size) = word.split_once(':').context("a format without a size")?;
            let (width, height) = size.split_once('x').context("a size without a height")?;
            let size = [width.parse()?, height.parse()?];
            let packing = match name {
                "yuyv" => Packing::Yuyv,
                "mjpeg" => Packing::Mjpeg,
                _ => anyhow::bail!("no format {name}"),
            };
            match formats.iter_mut().find(|(known, _)| *known == packing) {
                Some((_, sizes)) => sizes.push(size),
                None => formats.push((packing, vec![size])),
            }
        }
        let camera = Self(formats);
        let length = camera.configuration(512).len();
        anyhow::ensure!(!camera.0.is_empty() && length <= LONGEST, "{length} bytes of descriptors");
        Ok(camera)
    }

    /// The format and the size of a pair of UVC's indices; the nearest there are.
    pub(crate) fn choose(&self, format: u8, frame: u8) -> (Choice, [u8; 2]) {
        let format = usize::from(format).clamp(1, self.0.len());
        let (packing, sizes) = &self.0[format - 1];
        let frame = usize::from(frame).clamp(1, sizes.len());
        (Choice { packing: *packing, size: sizes[frame - 1] }, [byte(format), byte(frame)])
    }

    /// What gadgetfs wants to be told first: a tag, the configuration at full and at high speed, the device.
    pub(crate) fn for_gadgetfs(&self) -> Vec<u8> {
        let device = [
            &[18, 1, 0x00, 0x02, 0xEF, 2, 1, 64][..],
            &0x1D6B_u16.to_le_bytes(),
            &0x0102_u16.to_le_bytes(),
            &[0x00, 0x01, 1, 2, 3, 1],
        ];
        [&[0; 4][..], &self.configuration(64), &self.configuration(512), &device.concat()].concat()
    }

    fn configuration(&self, packet: u16) -> Vec<u8> {
        let terminals = [
            // A camera without controls, and where its pictures go.
            &[18, 0x24, 2, 1, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0][..],
            &[9, 0x24, 3, 2, 0x01, 0x01, 0, 1, 0],
        ]
        .concat();
        let formats = self.formats();
        let count = byte(self.0.len());
        let streaming = [
            &[13 + count, 0x24, 1, count][..],
            &short(usize::from(13 + count) + formats.len()),
            &[ENDPOINT, 0, 2, 0, 0, 0, 1],
            &vec![0; usize::from(count)],
            &formats,
        ]
        .concat();
        let body = [
            &[8, 0x0B, 0, 2, 0x0E, 3, 0, 2][..],
            &[9, 4, 0, 0, 0, 0x0E, 1, 0, 2],
            &[13, 0x24, 1, 0x10, 0x01],
            &short(13 + terminals.len()),
            &48_000_000_u32.to_le_bytes(),
            &[1, STREAMING],
            &terminals,
            &[9, 4, STREAMING, 0, 1, 0x0E, 2, 0, 0],
            &streaming,
            &endpoint(packet),
        ]
        .concat();
        [&[9, 2][..], &short(9 + body.len()), &[2, 1, 0, 0x80, 250], &body].concat()
    }

    fn formats(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (index, (packing, sizes)) in self.0.iter().enumerate() {
            let (index, count) = (byte(index + 1), byte(sizes.len()));
            let frames = match packing {
                Packing::Yuyv => {
                    out.extend([27, 0x24, 4, index, count]);
                    out.extend(b"YUY2\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71");
                    out.extend([16, 1, 0, 0, 0, 0]);
                    5
                }
                Packing::Mjpeg => {
                    out.extend([11, 0x24, 6, index, count, 0, 1, 0, 0, 0, 0]);
                    7
                }
            };
            for (frame, size) in sizes.iter().enumerate() {
                let choice = Choice { packing: *packing, size: *size };
                let rate = choice.most_bytes() * 8 * (10_000_000 / packing.interval());
                out.extend([30, 0x24, frames, byte(frame + 1), 0]);
                out.extend(size.iter().flat_map(|side| side.to_le_bytes()));
                let interval = packing.interval();
                out.extend([rate, rate, choice.most_bytes(), interval].iter().flat_map(|n| n.to_le_bytes()));
                out.push(1);
                out.extend(interval.to_le_bytes());
            }
        }
        out
    }
}

/// What the host asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) packing: Packing,
    pub(crate) size: [u16; 2],
}

impl Choice {
    pub(crate) fn most_bytes(self) -> u32 {
        u32::from(self.size[0]) * u32::from(self.size[1]) * 2
    }
}

pub(crate) fn endpoint(packet: u16) -> Vec<u8> {
    [&[7, 5, ENDPOINT, 2][..], &packet.to_le_bytes(), &[0]].concat()
}

/// The strings of the device, for whoever lists what is plugged in.
pub(crate) fn string(index: u8) -> Option<Vec<u8>> {
    let text = match index {
        0 => return Some(vec![4, 3, 0x09, 0x04]),
        1 => "Tongguan",
        2 => "Stand-in webcam",
        3 => "17",
        _ => return None,
    };
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Some([&[byte(units.len() + 2), 3][..], &units].concat())
}

fn short(n: usize) -> [u8; 2] {
    u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes()
}

fn byte(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}
