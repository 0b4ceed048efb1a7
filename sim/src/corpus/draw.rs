//! Random numbers of one frame, and the texts of its codes.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::medium::Medium;

/// What is drawn for one frame. Frames of one run differ by their index, runs by their seed, kinds of frames by a salt.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(salt: u64, seed: u64, index: u64) -> Self {
        let mut key = [0; 32];
        for (part, number) in key.chunks_exact_mut(8).zip([salt, seed, index, 0x746F_6E67]) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.random::<f32>()
    }

    /// Either sign, and a size between these.
    pub(super) fn either(&mut self, low: f32, high: f32) -> f32 {
        let size = self.between(low, high);
        if self.chance(0.5) { size } else { -size }
    }

    pub(super) fn chance(&mut self, share: f32) -> bool {
        self.0.random::<f32>() < share
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end.max(1))
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(super) fn seed(&mut self) -> u64 {
        self.0.random()
    }

    fn signs(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(self.pick(alphabet))).collect()
    }

    /// Of our form: 136 signs a live code, 145 a printed, 296 a carried one. Nobody signed it.
    pub(super) fn ours(&mut self, length: usize) -> String {
        format!("TG1:{}", self.signs(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length - 4))
    }

    /// What people hold up to a gate: mostly ours, and now and then something else.
    pub(super) fn shown_on(&mut self, medium: Medium) -> String {
        match medium {
            Medium::Phone if self.chance(0.08) => self.payment(),
            Medium::Phone if self.chance(0.3) => self.ours(CARRIED),
            Medium::Phone => self.ours(LIVE),
            Medium::Paper if self.chance(0.2) => self.web(),
            Medium::Paper => self.ours(PRINTED),
        }
    }

    pub(super) fn web(&mut self) -> String {
        let (path, length) = (self.below(9000) + 1000, self.below(24) + 4);
        format!("https://example.com/n/{path}?k={}", self.signs(LETTERS, length))
    }

    pub(super) fn payment(&mut self) -> String {
        let nobody = self.signs(LETTERS, 30);
        format!("wxp://f2f0SIMULATED{nobody}")
    }

    /// Anything long that a code can hold in few modules.
    pub(super) fn data(&mut self, length: usize) -> String {
        self.signs(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length)
    }

    /// A few signs, for small codes.
    pub(super) fn tag(&mut self) -> String {
        let length = 6 + self.below(30);
        self.signs(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", length)
    }
}

const LETTERS: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789";

/// Signs of a live, a printed and a carried code.
pub(super) const LIVE: usize = 136;
pub(super) const PRINTED: usize = 145;
pub(super) const CARRIED: usize = 296;
