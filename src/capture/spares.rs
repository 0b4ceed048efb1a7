//! Pictures that were looked at, on their way back to the camera: their memory is used again.

use std::sync::{Mutex, PoisonError};

use super::Luma;

/// One is being filled, one waits and one is being looked at. For a moment all of them may be spare: when the camera's
/// thread has handed one on and not taken the next yet.
const MOST: usize = 3;

/// Used pictures.
#[derive(Debug)]
pub struct Spares(Mutex<Vec<Luma>>);

impl Default for Spares {
    fn default() -> Self {
        Self(Mutex::new(Vec::with_capacity(MOST)))
    }
}

impl Spares {
    /// Hands a picture back.
    pub fn give(&self, luma: Luma) {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < MOST {
            spares.push(luma);
        }
    }

    /// A picture to be overwritten; one without memory if none is spare.
    pub fn take(&self) -> Luma {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }
}
