//! Outputs and a turnstile without hardware: they say what they do, and remember it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Contact, GateError, Relay};

/// How long a turnstile's contact is closed by somebody who goes through.
const TURN: Duration = Duration::from_millis(120);

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

/// A simulated contact, such as a turnstile's, which turns when it is told to. Clones share one contact.
#[derive(Debug, Clone, Default)]
pub struct SimulatedContact(Arc<Mutex<Closed>>);

#[derive(Debug, Default)]
struct Closed {
    always: bool,
    /// Until when somebody goes through.
    until: Option<Instant>,
}

impl SimulatedContact {
    /// Somebody goes through: it closes for a moment.
    pub fn turn(&self) {
        self.lock().until = Some(Instant::now() + TURN);
    }

    /// It closes, or opens.
    pub fn set(&self, closed: bool) {
        self.lock().always = closed;
    }

    fn lock(&self) -> MutexGuard<'_, Closed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contact for SimulatedContact {
    fn is_active(&self) -> Result<bool, GateError> {
        let closed = self.lock();
        Ok(closed.always || closed.until.is_some_and(|until| until > Instant::now()))
    }
}
