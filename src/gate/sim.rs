//! Outputs and a turnstile without hardware: they say what they do, and remember it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{GateError, Relay, Sensor};

/// One switching of an output.
#[derive(Debug, Clone, Copy)]
pub struct Switched {
    /// When.
    pub at: Instant,
    /// To what.
    pub energised: bool,
}

/// A simulated output: the gate's relay, unless it is called something else. Clones share one history.
#[derive(Debug, Clone)]
pub struct Simulated {
    name: &'static str,
    history: Arc<Mutex<Vec<Switched>>>,
}

impl Default for Simulated {
    fn default() -> Self {
        Self::called("relay")
    }
}

impl Simulated {
    /// One of that name.
    pub fn called(name: &'static str) -> Self {
        Self { name, history: Arc::default() }
    }

    /// What happened to it so far.
    pub fn history(&self) -> Vec<Switched> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Relay for Simulated {
    fn set(&mut self, energised: bool) -> Result<(), GateError> {
        tracing::info!("{} (simulated) {}", self.name, if energised { "on" } else { "off" });
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        // A gate opens and closes for years; the last switchings are enough.
        if history.len() >= 10_000 {
            history.drain(..5_000);
        }
        history.push(Switched { at: Instant::now(), energised });
        Ok(())
    }

    fn describe(&self) -> String {
        format!("simulated {} (no hardware is moved)", self.name)
    }
}

/// The simulated turnstile's input. Clones share one turnstile, which turns when it is told to.
#[derive(Debug, Clone, Default)]
pub struct SimulatedSensor(Arc<(Mutex<u32>, Condvar)>);

impl SimulatedSensor {
    /// Somebody goes through.
    pub fn turn(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.1.notify_all();
    }
}

impl Sensor for SimulatedSensor {
    fn wait(&mut self, at_most: Duration) -> Result<bool, GateError> {
        let turns = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.0.1.wait_timeout_while(turns, at_most, |turns| *turns == 0);
        let mut turns = wait.unwrap_or_else(PoisonError::into_inner).0;
        let turned = *turns > 0;
        *turns = turns.saturating_sub(1);
        Ok(turned)
    }

    fn is_active(&self) -> Result<bool, GateError> {
        Ok(*self.0.0.lock().unwrap_or_else(PoisonError::into_inner) > 0)
    }
}
