//! The computer under the gate, as far as Linux says. What it does not say is left out.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::decide::Level;
use crate::lang::Text;

const MB: u64 = 1_000_000;
/// A Raspberry Pi slows down at 80 degrees.
const HOT: i64 = 75;
/// Less memory than this, and the kernel may end the gate at any moment.
const SCARCE_MB: u64 = 64;
/// No file of these is longer.
const LIMIT: usize = 16 * 1024;

/// One look at the computer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// What it is, such as "Raspberry Pi 4 Model B Rev 1.5".
    pub model: Option<String>,
    /// The system's name, such as "Debian GNU/Linux 12 (bookworm)".
    pub system: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// Seconds since it was switched on.
    pub up: Option<u64>,
    /// Bytes of memory, and of those that a program can still have.
    pub memory: Option<(u64, u64)>,
    /// Of the processor, degrees.
    pub celsius: Option<i64>,
    /// What a Raspberry Pi says of its supply and its heat.
    pub throttled: Option<u32>,
}

impl Machine {
    /// The computer this runs on.
    pub fn look() -> Self {
        Self::at(Path::new("/"))
    }

    fn at(root: &Path) -> Self {
        let read = |path: &str| {
            let text = fs::read(root.join(path)).ok()?;
            Some(String::from_utf8_lossy(&text[..text.len().min(LIMIT)]).trim_matches(['\0', '\n', ' ']).to_owned())
        };
        let number = |text: String| text.parse::<i64>().ok();
        let memory = read("proc/meminfo").and_then(|text| {
            let kilobytes = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name))?;
                line.split_whitespace().next()?.parse::<u64>().ok()
            };
            Some((kilobytes("MemTotal:")?.saturating_mul(1024), kilobytes("MemAvailable:")?.saturating_mul(1024)))
        });
        let system = read("etc/os-release").and_then(|text| {
            let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
            Some(name.trim_matches('"').to_owned())
        });
        let up = read("proc/uptime").and_then(|text| text.split('.').next()?.parse().ok());
        let throttled = read("sys/devices/platform/soc/soc:firmware/get_throttled");
        Self {
            model: read("proc/device-tree/model"),
            system,
            kernel: read("proc/sys/kernel/osrelease"),
            up,
            memory,
            celsius: read("sys/class/thermal/thermal_zone0/temp").and_then(number).map(|milli| milli / 1000),
            throttled: throttled.and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()),
        }
    }

    /// What is known, each with how good it is.
    pub fn lines(&self) -> Vec<(Level, Text)> {
        let mut lines = Vec::new();
        if let Some((all, left)) = self.memory {
            let (all, left) = (all / MB, left / MB);
            let level = if left < SCARCE_MB { Level::Amber } else { Level::Green };
            let text =
                Text::new(format!("内存：{all} MB，可用 {left} MB"), format!("Memory: {left} of {all} MB available"));
            lines.push((level, text));
        }
        if let Some(celsius) = self.celsius {
            let level = if celsius >= HOT { Level::Amber } else { Level::Green };
            lines.push((level, Text::new(format!("处理器温度：{celsius} °C"), format!("Processor: {celsius} °C"))));
        }
        lines.extend(self.throttled.map(throttling));
        if let Some(up) = self.up {
            let text = Text::new("开机{time}", "Switched on {time} ago");
            lines.push((Level::Green, text.with("time", &Text::span(i64::try_from(up).unwrap_or(i64::MAX)))));
        }
        lines
    }

    /// The same for programs.
    pub fn as_json(&self) -> Value {
        json!({
            "model": self.model,
            "system": self.system,
            "kernel": self.kernel,
            "up_s": self.up,
            "memory_bytes": self.memory.map(|(all, _)| all),
            "available_bytes": self.memory.map(|(_, left)| left),
            "celsius": self.celsius,
            "throttled": self.throttled,
        })
    }
}

/// The bits as the Raspberry Pi's firmware documents them: 0 to 3 now, 16 to 19 at some time since the start.
fn throttling(bits: u32) -> (Level, Text) {
    let (undervoltage, slowed) = (1, 0b1110);
    if bits & undervoltage != 0 {
        return (
            Level::Red,
            Text::new("供电电压不足，请更换电源", "The voltage is too low: use a better power supply"),
        );
    }
    if bits & slowed != 0 {
        return (
            Level::Amber,
            Text::new("处理器过热降速，请改善散热", "The processor is slowed down by heat: cool it"),
        );
    }
    match bits >> 16 {
        0 => (Level::Green, Text::new("供电和散热正常", "Supply and cooling are in order")),
        then if then & undervoltage != 0 => (
            Level::Amber,
            Text::new("开机以来曾供电不足", "The voltage was too low at some time since it was switched on"),
        ),
        _ => (Level::Amber, Text::new("开机以来曾过热降速", "It was slowed down by heat since it was switched on")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> Machine {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Machine::at(root.path())
    }

    #[test]
    fn what_a_raspberry_pi_says_is_said_in_words() {
        let firmware = "sys/devices/platform/soc/soc:firmware/get_throttled";
        let pi = machine(&[
            ("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0"),
            ("proc/meminfo", "MemTotal:        1000000 kB\nMemFree: 1 kB\nMemAvailable:      10000 kB\n"),
            ("proc/uptime", "7200.51 20000.00\n"),
            ("sys/class/thermal/thermal_zone0/temp", "81200\n"),
            (firmware, "50005\n"),
            ("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
        ]);
        assert_eq!(pi.model.as_deref(), Some("Raspberry Pi 4 Model B Rev 1.5"));
        assert_eq!(pi.system.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        let said: Vec<(Level, String)> = pi.lines().into_iter().map(|(level, text)| (level, text.en)).collect();
        assert_eq!(
            said,
            [
                (Level::Amber, "Memory: 10 of 1024 MB available".into()),
                (Level::Amber, "Processor: 81 °C".into()),
                (Level::Red, "The voltage is too low: use a better power supply".into()),
                (Level::Green, "Switched on 2 hours ago".into()),
            ]
        );
        for (bits, level) in
            [("0", Level::Green), ("8", Level::Amber), ("10000", Level::Amber), ("80000", Level::Amber)]
        {
            assert_eq!(machine(&[(firmware, bits)]).lines()[0].0, level, "{bits}");
        }
    }

    #[test]
    fn what_is_not_said_is_left_out() {
        assert_eq!(machine(&[("proc/meminfo", "nonsense"), ("proc/uptime", "")]), Machine::default());
        assert_eq!(Machine::default().lines(), []);
    }
}
