//! The relay that opens the gate.
//!
//! Invariant: the relay never stays energised because something died. A timer thread of its own releases it; if that thread is
//! gone the relay is not energised in the first place; when the process ends in order, on a signal or by a panic, the relay is
//! released on the way out; and when it is killed outright or hangs, a second process does it ([`keeper`]). What is left is a
//! computer that stops as a whole, for which the wiring needs a relay that times out by itself (docs/INSTALL.md).

mod contact;
mod gpio;
mod keeper;
mod machine;
mod passage;
mod signals;
mod sim;
mod turnstile;

pub use contact::Contact;
pub use keeper::{COMMAND as KEEPER, Outputs, keep};
pub use machine::Gate;
pub use passage::{Ended, Opening};
pub use signals::{Output, Signals};
pub use sim::{Simulated, SimulatedContact, Switched};
pub use turnstile::{Happened, Stands};

use std::path::Path;
use std::time::Duration;

use crate::config::{Active, GateConfig, GateDriver, GateOpens, SignalsConfig};
use crate::lang::Text;
use gpio::Pull;
use keeper::Keeper;
use machine::Contacts;
use turnstile::Opens;

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
            // What went wrong in detail is technical, and in English; a screen has no room for it.
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

/// The gate of the configuration. `auto` is rppal on a Raspberry Pi, else gpiocdev if a chip is configured, else simulated.
///
/// # Errors
/// [`GateError::Driver`].
pub fn open(config: &GateConfig, signals: &SignalsConfig) -> Result<Gate, GateError> {
    // Before the relay: from its first moment on there is somebody to let go of it.
    let keeper = (!matches!(driver(config), Driver::Sim)).then(|| Keeper::start(config, signals));
    let relay = output(config, config.line, config.active, "relay")?;
    let opens = match config.opens {
        GateOpens::Pulse => Opens::Pulse(Duration::from_millis(config.pulse_ms)),
        GateOpens::Hold => Opens::Hold,
    };
    let wait = Duration::from_millis(config.passage_wait_ms);
    let held = (config.door_held_s > 0).then(|| Duration::from_secs(config.door_held_s.into()));
    // A passage contact that is cut says nothing; a fire contact to ground that is cut says fire.
    let silent = if config.passage_active == Active::High { Pull::Down } else { Pull::Up };
    let passage = config.passage_line.map(|line| input(config, line, config.passage_active, silent)).transpose()?;
    let fire = config.fire_line.map(|line| input(config, line, config.fire_active, Pull::Up)).transpose()?;
    let contacts = Contacts { passage: passage.map(|contact| (contact, wait, held)), fire };
    Gate::with(relay, opens, contacts, keeper)
}

/// What drives a gate.
#[derive(Debug)]
pub struct Driven {
    /// In words.
    pub name: String,
    /// Whether no hardware is moved.
    pub is_simulated: bool,
}

/// Whether every pin of a gate can be had; its outputs are released by that.
///
/// # Errors
/// The first [`GateError::Driver`].
pub fn probe(config: &GateConfig, signals: &SignalsConfig) -> Result<Driven, GateError> {
    release_all(config, signals)?;
    for line in [config.passage_line, config.fire_line].into_iter().flatten() {
        input(config, line, Active::High, Pull::Up)?;
    }
    let relay = output(config, config.line, config.active, "relay")?;
    Ok(Driven { name: relay.describe(), is_simulated: matches!(driver(config), Driver::Sim) })
}

/// The white lamp of the configuration, if it has one and it can be had: a gate works without.
pub fn torch(config: &GateConfig, signals: &SignalsConfig) -> Option<Box<dyn Relay>> {
    let lamp = output(config, signals.torch_line?, signals.active, "torch");
    lamp.inspect_err(|error| tracing::error!("the white lamp: {error}")).ok()
}

/// Sets every output of a gate to the level at which it is released, for a program that could not.
///
/// # Errors
/// The first [`GateError::Driver`]; the other outputs are released all the same.
pub fn release_all(config: &GateConfig, signals: &SignalsConfig) -> Result<(), GateError> {
    let relay = output(config, config.line, config.active, "relay").map(drop);
    let torch = signals.torch_line.map_or(Ok(()), |line| output(config, line, signals.active, "torch").map(drop));
    signals::release(config, signals).and(torch).and(relay)
}

/// An input of the gate's driver.
fn input(config: &GateConfig, line: u32, active: Active, pull: Pull) -> Result<Box<dyn Contact>, GateError> {
    Ok(match driver(config) {
        Driver::Rppal => Box::new(gpio::RppalInput::open(line, active, pull)?),
        Driver::Gpiocdev => Box::new(gpio::GpiocdevInput::open(config, line, active, pull)?),
        Driver::Sim => Box::new(SimulatedContact::default()),
    })
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
