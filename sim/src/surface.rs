//! A flat thing with a code on it: a page drawn once, and what is laid upon it.

use std::fmt;
use std::sync::Arc;

use qrcode::{Color, EcLevel, QrCode};

use crate::medium::{self, Medium, Tone};
use crate::texture::{Sizes, Texture};

/// The text does not fit into any QR code of error correction level M.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextTooLong;

impl fmt::Display for TextTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is too long for a QR code of error correction level M (at most 2331 bytes)")
    }
}

impl std::error::Error for TextTooLong {}

/// The modules of a QR code.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub(crate) side: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// The smallest code of level M that holds the text; upper case, digits and few signs make it an alphanumeric one.
    pub(crate) fn of(text: &str) -> Result<Self, TextTooLong> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| TextTooLong)?;
        Ok(Self { side: code.width(), dark: code.into_colors().iter().map(|c| *c == Color::Dark).collect() })
    }

    pub(crate) fn dark(&self, x: usize, y: usize) -> bool {
        self.dark[y * self.side + x]
    }
}

/// A phone or a card with a code on it, and the hand that holds it.
#[derive(Debug)]
pub struct Surface {
    matter: Matter,
    code_mm: f32,
    modules: usize,
    pub(crate) page: Arc<Sizes>,
    /// Codes and other things on the page, from back to front.
    pub(crate) patches: Vec<Sizes>,
    /// Where a screen shines; all of it, if not drawn.
    pub(crate) shining: Option<Arc<Texture>>,
}

/// What light does on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matter {
    /// A screen: throws lamps back like a mirror, shines by itself, may crack.
    Glass,
    /// Throws little back, creases.
    Paper,
}

impl Surface {
    /// The code of `text` on a medium. The seed varies hand, page and paper.
    pub fn new(text: &str, medium: Medium, seed: u64) -> Result<Self, TextTooLong> {
        let modules = Modules::of(text)?;
        let page = Arc::new(Sizes::of(medium::draw(medium, Some(&modules), Tone::Light, medium::FINE, seed)));
        let shining = medium::shining(medium).map(Arc::new);
        Ok(Self {
            matter: medium.matter(),
            code_mm: medium.code_mm(),
            modules: modules.side,
            page,
            patches: Vec::new(),
            shining,
        })
    }

    /// A page that was drawn before, with codes of its own laid upon it; the first is the one that is measured.
    pub(crate) fn laid(page: Arc<Sizes>, matter: Matter, code_mm: f32, modules: usize, patches: Vec<Sizes>) -> Self {
        Self { matter, code_mm, modules, page, patches, shining: None }
    }

    /// Shines only there.
    pub(crate) fn shining(mut self, shining: Option<Arc<Texture>>) -> Self {
        self.shining = shining;
        self
    }

    /// Side of the code, millimetres, without its quiet zone.
    pub fn code_mm(&self) -> f32 {
        self.code_mm
    }

    pub(crate) fn matter(&self) -> Matter {
        self.matter
    }

    /// How much of a lamp's light it throws back in one direction: glass all, paper little.
    pub(crate) fn gloss(&self) -> f32 {
        match self.matter {
            Matter::Glass => 1.0,
            Matter::Paper => 0.35,
        }
    }

    /// Modules along one side of the code: 41 for version 6, 57 for version 10.
    pub fn modules(&self) -> usize {
        self.modules
    }
}
