//! Gates and pages that were drawn already. Drawing one takes longer than ten frames, so each of the few there are is
//! drawn once in the life of the program and shared by all its threads.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::frame::Camera;
use crate::medium::{self, Medium, Tone};
use crate::texture::{Sizes, Texture};

/// Different gates of each frame size. A camera holds about 9 MB at 1280 x 720.
const GATES: u64 = 4;

/// Different pages of each medium and tone, about 4 MB each.
const PAGES: u64 = 3;

/// Pixels in a millimetre of a page: what is around a code is out of interest and mostly out of focus.
const PAGE_DETAIL: f32 = 4.5;

type Store<K, V> = LazyLock<Mutex<HashMap<K, Arc<V>>>>;

/// A camera of this size at one of the gates.
pub(super) fn camera(size: [u32; 2], variant: u64) -> Arc<Camera> {
    static CAMERAS: Store<([u32; 2], u64), Camera> = LazyLock::new(Mutex::default);
    let variant = variant % GATES;
    kept(&CAMERAS, (size, variant), || Camera::new(size[0], size[1], variant + 1))
}

/// A page without a code.
pub(super) fn page(medium: Medium, tone: Tone, variant: u64) -> Arc<Sizes> {
    static BLANK: Store<(Medium, Tone, u64), Sizes> = LazyLock::new(Mutex::default);
    let variant = variant % PAGES;
    kept(&BLANK, (medium, tone, variant), || Sizes::of(medium::draw(medium, None, tone, PAGE_DETAIL, variant * 37 + 5)))
}

/// Where such a page shines.
pub(super) fn shining(medium: Medium) -> Option<Arc<Texture>> {
    static PHONE: LazyLock<Option<Arc<Texture>>> = LazyLock::new(|| medium::shining(Medium::Phone).map(Arc::new));
    (medium == Medium::Phone).then(|| PHONE.clone()).flatten()
}

/// Something else that codes are laid upon, by its name and number; there must be few.
pub(super) fn ground(name: &'static str, variant: u64, draw: impl FnOnce() -> Texture) -> Arc<Sizes> {
    static GROUNDS: Store<(&'static str, u64), Sizes> = LazyLock::new(Mutex::default);
    kept(&GROUNDS, (name, variant), || Sizes::of(draw()))
}

/// The lock is not held while something is drawn: two threads may draw the same, and one of them is kept.
fn kept<K: Hash + Eq, V>(store: &Store<K, V>, key: K, make: impl FnOnce() -> V) -> Arc<V> {
    let lock = || store.lock().unwrap_or_else(PoisonError::into_inner);
    let found = lock().get(&key).cloned();
    found.unwrap_or_else(|| Arc::clone(lock().entry(key).or_insert(Arc::new(make()))))
}
