//! The checkpoint's own decoder.

use tongguan::capture::Luma;
use tongguan::decode::{Decoder, Settings};

use super::Reader;

pub(super) struct Ours {
    decoder: Decoder,
}

impl Ours {
    pub(super) fn at_a_gate() -> Self {
        Self { decoder: Decoder::new(Settings::default()) }
    }

    pub(super) fn thorough() -> Self {
        Self { decoder: Decoder::new(Settings::thorough()) }
    }
}

impl Reader for Ours {
    fn read(&mut self, frame: &Luma) -> Vec<Vec<u8>> {
        measured_look(&mut self.decoder, frame)
    }

    fn forget(&mut self) {
        self.decoder.forget();
    }
}

/// A function of its own also after inlining, so that callgrind can count what happens in it and nothing else.
#[inline(never)]
pub(crate) fn measured_look(decoder: &mut Decoder, frame: &Luma) -> Vec<Vec<u8>> {
    decoder.look(frame).codes.iter().map(|code| code.bytes.clone()).collect()
}
