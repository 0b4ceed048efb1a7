//! A code by itself, to be laid upon a page: only its ink, so that the page shines through between.

use crate::plane::{level, pack};
use crate::surface::Modules;
use crate::texture::{Sizes, Texture};

/// How the code is laid upon the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Print {
    /// Its middle, millimetres.
    pub(crate) middle: [f32; 2],
    /// Its side without quiet zone, millimetres.
    pub(crate) side: f32,
    /// Light of its dark modules; lighter than the page, it is an inverted code.
    pub(crate) ink: f32,
    /// Of a page of its own under the code, four modules wider on all sides.
    pub(crate) ground: Option<f32>,
    /// Half modules of quiet zone left free before something else is printed around it.
    pub(crate) quiet: Option<usize>,
}

impl Print {
    /// Only ink on the page that is there.
    pub(crate) fn plain(middle: [f32; 2], side: f32, ink: f32) -> Self {
        Self { middle, side, ink, ground: None, quiet: None }
    }

    /// The drawing. Cells are half modules, so that a quiet zone may end within one.
    pub(crate) fn draw(&self, modules: &Modules) -> Sizes {
        let margin = match (self.ground, self.quiet) {
            (_, Some(quiet)) => quiet + AROUND,
            (Some(_), None) => 8,
            (None, None) => 2,
        };
        let (code, cells) = (2 * modules.side, 2 * modules.side + 2 * margin);
        let ink = pack(level(self.ink), 255);
        let ground = self.ground.map_or(0, |light| pack(level(light), 255));
        let half_module = self.side / (2 * modules.side) as f32;
        let wide = half_module * cells as f32;
        let from = self.middle.map(|v| v - wide / 2.0);
        let cell = |x: usize, y: usize| {
            let within = |v: usize| (margin..margin + code).contains(&v);
            let free = |v: usize| self.quiet.is_none_or(|quiet| v + quiet >= margin && v < margin + code + quiet);
            if within(x) && within(y) {
                if modules.dark((x - margin) / 2, (y - margin) / 2) { ink } else { ground }
            } else if free(x) && free(y) {
                ground
            } else {
                ink
            }
        };
        Sizes::of(Texture::cells(from, wide, cells, cell))
    }
}

/// Half modules of print around a quiet zone.
const AROUND: usize = 5;
