//! The relay that opens the gate.
//!
//! Invariant: the relay never stays energised because something died. A timer thread of its own releases it; if that
//! thread is gone the relay is not energised in the first place; and when the process ends in order, on a signal or by a
//! panic, the relay is released on the way out. A process that is killed outright (SIGKILL, out of memory) in mid-pulse
//! cannot: gpiocdev's line goes back to the kernel, but rppal's pin keeps its level until the next start releases it. So the
//! wiring needs a relay that times out by itself (docs/OPERATIONS.md).

mod gpio;
mod pulse;
mod sim;

pub use pulse::Gate;
pub use sim::{Simulated, Switched};

use std::path::Path;

use crate::config::{GateConfig, GateDriver};
use crate::lang::Text;

/// Why the gate could not be moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// The driver refuses.
    #[error("{driver}: {problem}")]
    Driver {
        /// Which.
        driver: &'static str,
        /// Why, and what to do.
        problem: String,
    },
    /// The thread that would release the relay is gone.
    #[error("the relay's timer has died, so the relay is not energised; restart the checkpoint")]
    TimerDied,
}

impl GateError {
    /// What the guard reads; the log has the rest.
    pub fn words(&self) -> Text {
        match self {
            Self::Driver { driver, .. } => Text::new(
                format!("继电器不听控制，请检查接线（{driver}）"),
                format!("the relay does not obey; check its wiring ({driver})"),
            ),
            Self::TimerDied => {
                Text::new("继电器的定时器已停，请重启检查点", "the relay's timer has died; restart the checkpoint")
            }
        }
    }
}

/// A relay. Dropping it releases it.
pub trait Relay: Send {
    /// Energises the relay, or lets go.
    ///
    /// # Errors
    /// [`GateError::Driver`].
    fn set(&mut self, energised: bool) -> Result<(), GateError>;

    /// What is driven, for the log.
    fn describe(&self) -> String;
}

/// The relay of the configuration. `auto` is rppal on a Raspberry Pi, else gpiocdev if a chip is configured, else simulated.
///
/// # Errors
/// [`GateError::Driver`].
pub fn open(config: &GateConfig) -> Result<Box<dyn Relay>, GateError> {
    match config.driver {
        GateDriver::Rppal => Ok(Box::new(gpio::Rppal::open(config)?)),
        GateDriver::Gpiocdev => Ok(Box::new(gpio::Gpiocdev::open(config)?)),
        GateDriver::Sim => Ok(Box::new(Simulated::default())),
        GateDriver::Auto if is_raspberry_pi() => Ok(Box::new(gpio::Rppal::open(config)?)),
        GateDriver::Auto if config.chip.is_some() => Ok(Box::new(gpio::Gpiocdev::open(config)?)),
        GateDriver::Auto => Ok(Box::new(Simulated::default())),
    }
}

fn is_raspberry_pi() -> bool {
    let model = std::fs::read_to_string(Path::new("/proc/device-tree/model"));
    model.is_ok_and(|model| model.starts_with("Raspberry Pi"))
}
