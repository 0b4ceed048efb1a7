//! A relay without hardware: says what it does, and remembers it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{GateError, Relay};

/// One switching of the relay.
#[derive(Debug, Clone, Copy)]
pub struct Switched {
    /// When.
    pub at: Instant,
    /// To what.
    pub energised: bool,
}

/// The simulated relay. Clones share one history.
#[derive(Debug, Clone, Default)]
pub struct Simulated(Arc<Mutex<Vec<Switched>>>);

impl Simulated {
    /// What happened to it so far.
    pub fn history(&self) -> Vec<Switched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Relay for Simulated {
    fn set(&mut self, energised: bool) -> Result<(), GateError> {
        tracing::info!("relay (simulated) {}", if energised { "on" } else { "off" });
        let mut history = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A gate opens and closes for years; the last switchings are enough.
        if history.len() >= 10_000 {
            history.drain(..5_000);
        }
        history.push(Switched { at: Instant::now(), energised });
        Ok(())
    }

    fn describe(&self) -> String {
        "simulated relay (no hardware is moved)".into()
    }
}
