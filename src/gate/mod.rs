//! The relay that opens the gate.
//!
//! Invariant: the relay never stays energised because something died. A timer thread of its own releases it; if that
//! thread is gone the relay is not energised in the first place; and when the process ends in order, on a signal or by a
//! panic, the relay is released on the way out. A process that is killed outright (SIGKILL, out of memory) in mid-pulse
//! cannot: gpiocdev's line goes back to the kernel, but rppal's pin keeps its level until the next start releases it. So the
//! wiring needs a relay that times out by itself (docs/OPERATIONS.md).

mod gpio;
mod passage;
mod pulse;
mod signals;
mod sim;

pub use passage::{Ended, Opening};
pub use pulse::Gate;
pub use signals::{Output, Signals};
pub use sim::{Simulated, SimulatedSensor, Switched};

use std::path::Path;
use std::time::Duration;

use crate::config::{Active, GateConfig, GateDriver};
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

/// An output with two states: the gate's relay, a lamp, a buzzer. Dropping it releases it.
pub trait Relay: Send {
    /// Energises the relay, or lets go.
    ///
    /// # Errors
    /// [`GateError::Driver`].
    fn set(&mut self, energised: bool) -> Result<(), GateError>;

    /// What is driven, for the log.
    fn describe(&self) -> String;
}

/// The input on which a turnstile says that somebody went through.
pub trait Sensor: Send {
    /// Waits at most `at_most` for the next passage; whether there was one.
    ///
    /// # Errors
    /// [`GateError::Driver`].
    fn wait(&mut self, at_most: Duration) -> Result<bool, GateError>;

    /// Whether it says so at this moment.
    ///
    /// # Errors
    /// [`GateError::Driver`].
    fn is_active(&self) -> Result<bool, GateError>;
}

/// The gate of the configuration. `auto` is rppal on a Raspberry Pi, else gpiocdev if a chip is configured, else simulated.
///
/// # Errors
/// [`GateError::Driver`].
pub fn open(config: &GateConfig) -> Result<Gate, GateError> {
    let relay = output(config, config.line, config.active, "relay")?;
    let gate = Gate::new(relay, Duration::from_millis(config.pulse_ms))?;
    let Some(line) = config.passage_line else { return Ok(gate) };
    let sensor: Box<dyn Sensor> = match driver(config) {
        Driver::Rppal => Box::new(gpio::RppalInput::open(config, line)?),
        Driver::Gpiocdev => Box::new(gpio::GpiocdevInput::open(config, line)?),
        Driver::Sim => Box::new(SimulatedSensor::default()),
    };
    gate.with_sensor(sensor, Duration::from_millis(config.passage_wait_ms))
}

/// An output of the gate's driver.
fn output(config: &GateConfig, line: u32, active: Active, name: &'static str) -> Result<Box<dyn Relay>, GateError> {
    Ok(match driver(config) {
        Driver::Rppal => Box::new(gpio::Rppal::open(line, active)?),
        Driver::Gpiocdev => Box::new(gpio::Gpiocdev::open(config, line, active)?),
        Driver::Sim => Box::new(Simulated::called(name)),
    })
}

#[derive(Clone, Copy)]
enum Driver {
    Rppal,
    Gpiocdev,
    Sim,
}

fn driver(config: &GateConfig) -> Driver {
    match config.driver {
        GateDriver::Rppal => Driver::Rppal,
        GateDriver::Gpiocdev => Driver::Gpiocdev,
        GateDriver::Sim => Driver::Sim,
        GateDriver::Auto if is_raspberry_pi() => Driver::Rppal,
        GateDriver::Auto if config.chip.is_some() => Driver::Gpiocdev,
        GateDriver::Auto => Driver::Sim,
    }
}

fn is_raspberry_pi() -> bool {
    let model = std::fs::read_to_string(Path::new("/proc/device-tree/model"));
    model.is_ok_and(|model| model.starts_with("Raspberry Pi"))
}
