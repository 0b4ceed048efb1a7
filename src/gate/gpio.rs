//! Relays on GPIO: rppal on a Raspberry Pi, gpiocdev on anything with a gpiochip.

use gpiocdev::Request;
use gpiocdev::line::Value;

use super::{GateError, Relay};
use crate::config::{Active, GateConfig};

/// A pin of a Raspberry Pi.
pub(super) struct Rppal {
    pin: rppal::gpio::OutputPin,
    active: Active,
}

impl Rppal {
    pub(super) fn open(config: &GateConfig) -> Result<Self, GateError> {
        let fail = |e: rppal::gpio::Error| GateError::Driver {
            driver: "rppal",
            problem: format!(
                "GPIO {}: {e} (on a Raspberry Pi: is the user in the group gpio? elsewhere: use --gate gpiocdev or sim)",
                config.line
            ),
        };
        let line = u8::try_from(config.line).map_err(|_| fail(rppal::gpio::Error::PinNotAvailable(u8::MAX)))?;
        let pin = rppal::gpio::Gpio::new().and_then(|gpio| gpio.get(line)).map_err(fail)?;
        // The released level is set before the pin becomes an output: the gate must not twitch when the program starts.
        // Dropping the pin makes it an input again, and the pull resistor takes over.
        let pin = match config.active {
            Active::High => pin.into_output_low(),
            Active::Low => pin.into_output_high(),
        };
        Ok(Self { pin, active: config.active })
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

/// A line of a gpiochip. The kernel lets go of the line when the process ends.
pub(super) struct Gpiocdev {
    request: Request,
    line: u32,
    chip: String,
}

impl Gpiocdev {
    pub(super) fn open(config: &GateConfig) -> Result<Self, GateError> {
        let fail = |problem: String| GateError::Driver { driver: "gpiocdev", problem };
        let wanted = config.chip.as_deref().ok_or_else(|| fail("set gate.chip to the chip's path or label".into()))?;
        let path = if wanted.starts_with('/') { wanted.into() } else { by_label(wanted).map_err(fail)? };
        let mut builder = Request::builder();
        builder.on_chip(&path).with_consumer("tongguan").with_line(config.line).as_output(Value::Inactive);
        if config.active == Active::Low {
            builder.as_active_low();
        }
        let request = builder.request().map_err(|e| {
            fail(format!(
                "line {} of {wanted}: {e} (is another program using it? may this user open {})",
                config.line,
                path.display()
            ))
        })?;
        Ok(Self { request, line: config.line, chip: wanted.to_owned() })
    }
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
        self.request
            .set_value(self.line, value)
            .map_err(|e| GateError::Driver { driver: "gpiocdev", problem: format!("line {}: {e}", self.line) })
    }

    fn describe(&self) -> String {
        format!("line {} of {} through gpiocdev", self.line, self.chip)
    }
}
