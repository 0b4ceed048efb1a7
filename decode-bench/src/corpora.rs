//! What the readers are held against: real photos where they are present, and the generator's frames.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use image::GrayImage;
use tongguan_sim::corpus::{Factor, Mix, Special};

use crate::pictures::{self, Picture};
use crate::shot::Shot;

/// Frames of a sequence.
pub(crate) const FRAMES: usize = 6;

/// A kind of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Jsqr,
    Negative,
    Mix(Mix),
    Special(Special),
    /// Six frames of one code on a hard day; ours keeps its memory.
    Sequences,
    /// Six frames of a gate where nobody stands: only the noise is new; ours keeps its memory.
    Waiting,
    Sweep(Factor),
}

impl Kind {
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Jsqr, Self::Negative];
        all.extend(Mix::ALL.map(Self::Mix));
        all.extend(Special::ALL.map(Self::Special));
        all.extend([Self::Sequences, Self::Waiting]);
        all.extend(Factor::ALL.map(Self::Sweep));
        all
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Jsqr => "jsqr",
            Self::Negative => "negative",
            Self::Mix(mix) => mix.name(),
            Self::Special(special) => special.name(),
            Self::Sequences => "sequences",
            Self::Waiting => "waiting",
            Self::Sweep(factor) => factor.name(),
        }
    }

    fn group(self) -> &'static str {
        match self {
            Self::Jsqr | Self::Negative => "photos",
            Self::Mix(_) => "mixes",
            Self::Special(_) => "specials",
            Self::Sequences | Self::Waiting => "films",
            Self::Sweep(_) => "sweeps",
        }
    }

    /// The kinds of a list of names and names of groups; all of them if it is empty.
    pub(crate) fn of(names: &[String]) -> Result<Vec<Self>> {
        let all = Self::all();
        let mut wrong = names.iter().filter(|n| !all.iter().any(|k| k.name() == **n || k.group() == **n));
        if let Some(wrong) = wrong.next() {
            let known: Vec<&str> = all.iter().map(|k| k.name()).collect();
            bail!(
                "there is no corpus {wrong:?}. Corpora: {}. Groups: photos, mixes, specials, films, sweeps",
                known.join(", ")
            );
        }
        let wanted = |k: &Self| names.is_empty() || names.iter().any(|n| k.name() == n || k.group() == n);
        Ok(all.into_iter().filter(wanted).collect())
    }

    pub(crate) fn one(name: &str) -> Result<Self> {
        match Self::of(&[name.to_owned()])?[..] {
            [kind] => Ok(kind),
            _ => bail!("{name:?} is a group of corpora; one is needed here"),
        }
    }

    /// Names of its places: levels of a sweep, frames of a sequence.
    pub(crate) fn places(self) -> Vec<String> {
        match self {
            Self::Sweep(factor) => factor.levels().iter().map(|level| level.to_string()).collect(),
            Self::Sequences | Self::Waiting => (1..=FRAMES).map(|frame| format!("frame {frame}")).collect(),
            _ => vec![String::new()],
        }
    }

    /// Whether readers for stills take part: where nobody waits for the next frame.
    pub(crate) fn is_of_stills(self) -> bool {
        matches!(self, Self::Jsqr | Self::Negative | Self::Special(_))
    }
}

/// A kind with its source and size.
pub(crate) struct Corpus {
    pub(crate) kind: Kind,
    pub(crate) seed: u64,
    pictures: Vec<Picture>,
    /// Takes at each level.
    each: u64,
}

/// Frames that belong together, from the first to the last: six of a sequence, else one.
pub(crate) type Take = Vec<Shot>;

impl Corpus {
    /// `None`, with a message, where the folder of photos is absent.
    pub(crate) fn open(kind: Kind, seed: u64, frames: u64, folder: &Path) -> Result<Option<Self>> {
        let photos = matches!(kind, Kind::Jsqr | Kind::Negative);
        if photos && !folder.is_dir() {
            eprintln!("{}: skipped, there is no folder {} (see --corpora)", kind.name(), folder.display());
            return Ok(None);
        }
        let pictures = if photos { pictures::list(folder, kind.name())? } else { Vec::new() };
        let each = match kind {
            Kind::Jsqr | Kind::Negative => pictures.len() as u64,
            Kind::Mix(_) => frames,
            Kind::Special(_) => frames.div_ceil(3),
            Kind::Sequences => frames.div_ceil(5),
            Kind::Waiting => frames.div_ceil(20),
            Kind::Sweep(_) => frames.div_ceil(16).max(4),
        };
        Ok(Some(Self { kind, seed, pictures, each }))
    }

    /// How many takes it has.
    pub(crate) fn takes(&self) -> u64 {
        match self.kind {
            Kind::Sweep(factor) => self.each * factor.levels().len() as u64,
            _ => self.each,
        }
    }

    pub(crate) fn take(&self, index: u64) -> Result<Take> {
        match self.kind {
            Kind::Jsqr | Kind::Negative => Ok(vec![self.pictures[usize::try_from(index)?].shot()?]),
            // Level by level within an index: a run that is ended early has seen all levels.
            Kind::Sweep(factor) => {
                let levels = factor.levels().len() as u64;
                generated(self.kind, usize::try_from(index % levels)?, self.seed, index / levels)
            }
            kind => generated(kind, 0, self.seed, index),
        }
    }
}

/// A take of the generator.
pub(crate) fn generated(kind: Kind, place: usize, seed: u64, index: u64) -> Result<Take> {
    let name = kind.name();
    let one = |sample| vec![Shot::new(format!("{name}:{index}"), 0, sample)];
    let film = |samples: Vec<_>| {
        let frames = samples.into_iter().enumerate();
        frames.map(|(i, sample)| Shot::new(format!("{name}:{index}:{}", i + 1), i, sample)).collect()
    };
    Ok(match kind {
        Kind::Jsqr | Kind::Negative => bail!("{name} is a folder of photos: give the file's path instead"),
        Kind::Mix(mix) => one(mix.sample(seed, index)),
        Kind::Special(special) => one(special.sample(seed, index)),
        Kind::Sequences => film(Mix::Hard.sequence(seed, index)),
        Kind::Waiting => {
            let first = Special::Empty.sample(seed, index);
            let mut noise = Noise(seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            film(
                (0..FRAMES)
                    .map(|_| {
                        let mut sample = first.clone();
                        noise.stir(&mut sample.frame);
                        sample
                    })
                    .collect(),
            )
        }
        Kind::Sweep(factor) => {
            let Some(level) = factor.levels().get(place) else {
                bail!("{name} has {} levels, counted from 0", factor.levels().len());
            };
            vec![Shot::new(format!("{name}:{level}:{index}"), place, factor.sample(*level, seed, index))]
        }
    })
}

/// A frame by its name: `hard:5`, `sequences:7:3`, `blur:0.35:5`, or a file.
pub(crate) fn named(name: &str, seed: u64) -> Result<Take> {
    let path = PathBuf::from(name);
    if path.is_file() {
        let luma = tongguan::capture::Luma::read(&path).map_err(|problem| anyhow::anyhow!("{name}: {problem}"))?;
        let truth = crate::shot::Truth::Unknown;
        return Ok(vec![Shot { name: name.into(), place: 0, luma, truth, what: String::new() }]);
    }
    let parts: Vec<&str> = name.split(':').collect();
    let help = || {
        anyhow::anyhow!(
            "{name:?} is neither a file nor a frame's name (hard:5, sequences:7, sequences:7:3, blur:0.35:5)"
        )
    };
    if parts.len() < 2 {
        return Err(help());
    }
    let kind = Kind::one(parts[0])?;
    match (kind, &parts[1..]) {
        (Kind::Sweep(_), [level, index]) => {
            let places = kind.places();
            let Some(place) = places.iter().position(|p| p == level) else {
                bail!("{} has no level {level}; it has {}", kind.name(), places.join(", "));
            };
            generated(kind, place, seed, index.parse().map_err(|_| help())?)
        }
        (Kind::Sequences | Kind::Waiting, [index, rest @ ..]) => {
            let mut take = generated(kind, 0, seed, index.parse().map_err(|_| help())?)?;
            if let [frame] = rest {
                let frame: usize = frame.parse().map_err(|_| help())?;
                take.retain(|shot| shot.place + 1 == frame);
            }
            Ok(take)
        }
        (_, [index]) => generated(kind, 0, seed, index.parse().map_err(|_| help())?),
        _ => Err(help()),
    }
}

/// Noise of a sensor in good light, for frames that differ in nothing else.
struct Noise(u64);

impl Noise {
    fn stir(&mut self, frame: &mut GrayImage) {
        for pixel in frame.iter_mut() {
            // xorshift64; the sum of four small draws is close enough to a bell curve.
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let sum: i16 = self.0.to_be_bytes()[..4].iter().map(|b| i16::from(b % 5)).sum();
            *pixel = (i16::from(*pixel) + (sum - 8) / 2).clamp(0, 255) as u8;
        }
    }
}
