//! Outputs and inputs on GPIO: rppal on a Raspberry Pi, gpiocdev on anything with a gpiochip.

use gpiocdev::Request;
use gpiocdev::line::{Bias, Value};

use super::{Contact, GateError, Relay};
use crate::config::{Active, GateConfig};

/// A pin of a Raspberry Pi.
pub(super) struct Rppal {
    pin: rppal::gpio::OutputPin,
    active: Active,
}

impl Rppal {
    pub(super) fn open(line: u32, active: Active) -> Result<Self, GateError> {
        let pin = rppal_pin(line)?;
        // The released level is set before the pin becomes an output: the gate must not twitch when the program starts.
        // Dropping the pin makes it again what it was: an input, which its pull resistor holds; an output only after a program that was killed.
        let pin = match active {
            Active::High => pin.into_output_low(),
            Active::Low => pin.into_output_high(),
        };
        Ok(Self { pin, active })
    }
}

impl Relay for Rppal {
    fn set(&mut self, energised: bool) -> Result<(), GateError> {
        if energised == (self.active == Active::High) {
            self.pin.set_high();
        } else {
            self.pin.set_low();
        }
        Ok(())
    }

    fn describe(&self) -> String {
        format!("GPIO {} through rppal", self.pin.pin())
    }
}

/// To what an input is pulled while nothing is connected to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pull {
    Up,
    Down,
}

/// An input pin of a Raspberry Pi.
pub(super) struct RppalInput {
    pin: rppal::gpio::InputPin,
    active: Active,
}

impl RppalInput {
    pub(super) fn open(line: u32, active: Active, pull: Pull) -> Result<Self, GateError> {
        let pin = rppal_pin(line)?;
        let pin = match pull {
            Pull::Down => pin.into_input_pulldown(),
            Pull::Up => pin.into_input_pullup(),
        };
        Ok(Self { pin, active })
    }
}

impl Contact for RppalInput {
    fn is_active(&self) -> Result<bool, GateError> {
        Ok(self.pin.is_high() == (self.active == Active::High))
    }
}

fn rppal_pin(line: u32) -> Result<rppal::gpio::Pin, GateError> {
    let number = u8::try_from(line).map_err(|_| rppal::gpio::Error::PinNotAvailable(u8::MAX));
    number.and_then(|n| rppal::gpio::Gpio::new()?.get(n)).map_err(|e| rppal_fails(line, &e))
}

fn rppal_fails(line: u32, error: &rppal::gpio::Error) -> GateError {
    GateError::Driver {
        driver: "rppal",
        problem: format!(
            "GPIO {line}: {error} (on a Raspberry Pi: is the user in the group gpio? elsewhere: use --gate gpiocdev or sim)"
        ),
    }
}

/// A line of a gpiochip. The kernel lets go of the line when the process ends.
pub(super) struct Gpiocdev {
    request: Request,
    line: u32,
    chip: String,
}

impl Gpiocdev {
    pub(super) fn open(config: &GateConfig, line: u32, active: Active) -> Result<Self, GateError> {
        let (mut builder, chip) = line_of(config, line)?;
        builder.as_output(Value::Inactive);
        if active == Active::Low {
            builder.as_active_low();
        }
        let request = builder.request().map_err(|e| line_fails(line, &chip, &e))?;
        Ok(Self { request, line, chip })
    }
}

/// An input line of a gpiochip.
pub(super) struct GpiocdevInput {
    request: Request,
    line: u32,
    chip: String,
}

impl GpiocdevInput {
    pub(super) fn open(config: &GateConfig, line: u32, active: Active, pull: Pull) -> Result<Self, GateError> {
        let (mut builder, chip) = line_of(config, line)?;
        builder.as_input().with_bias(if pull == Pull::Up { Bias::PullUp } else { Bias::PullDown });
        if active == Active::Low {
            builder.as_active_low();
        }
        let request = builder.request().map_err(|e| line_fails(line, &chip, &e))?;
        Ok(Self { request, line, chip })
    }
}

impl Contact for GpiocdevInput {
    fn is_active(&self) -> Result<bool, GateError> {
        let value = self.request.value(self.line).map_err(|e| line_fails(self.line, &self.chip, &e))?;
        Ok(value == Value::Active)
    }
}

/// A line of the configured chip, and the chip's name as configured.
fn line_of(config: &GateConfig, line: u32) -> Result<(gpiocdev::request::Builder, String), GateError> {
    let fail = |problem: String| GateError::Driver { driver: "gpiocdev", problem };
    let wanted = config.chip.as_deref().ok_or_else(|| fail("set gate.chip to the chip's path or label".into()))?;
    let path = if wanted.starts_with('/') { wanted.into() } else { by_label(wanted).map_err(fail)? };
    let mut builder = Request::builder();
    builder.on_chip(&path).with_consumer("tongguan").with_line(line);
    Ok((builder, wanted.to_owned()))
}

fn line_fails(line: u32, chip: &str, error: &gpiocdev::Error) -> GateError {
    let problem =
        format!("line {line} of {chip}: {error} (is another program using it? may this user open the gpiochip?)");
    GateError::Driver { driver: "gpiocdev", problem }
}

/// The number of a chip changes between boots and models; its label does not.
fn by_label(label: &str) -> Result<std::path::PathBuf, String> {
    let chips = gpiocdev::chip::chips().map_err(|e| format!("cannot list the gpiochips: {e}"))?;
    let mut labels = Vec::new();
    for path in chips {
        let Ok(info) = gpiocdev::chip::Chip::from_path(&path).and_then(|chip| chip.info()) else { continue };
        if info.label == label {
            return Ok(path);
        }
        labels.push(info.label);
    }
    Err(format!("no gpiochip is labelled {label:?}; here are: {labels:?}"))
}

impl Relay for Gpiocdev {
    fn set(&mut self, energised: bool) -> Result<(), GateError> {
        let value = if energised { Value::Active } else { Value::Inactive };
        self.request.set_value(self.line, value).map(drop).map_err(|e| line_fails(self.line, &self.chip, &e))
    }

    fn describe(&self) -> String {
        format!("line {} of {} through gpiocdev", self.line, self.chip)
    }
}
