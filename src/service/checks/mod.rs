//! What a technician would try by hand: does the camera see, do the pins obey, is the registry there. Each check has a time in
//! which to answer, says what it found, and what to do.

mod devices;
mod eye;
mod registry;
mod stores;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::config::Config;
use crate::decide::Level;
use crate::lang::Text;
use crate::store::{DataDir, StoreError, Trust};

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(15);

/// What was found.
#[derive(Debug, Clone)]
pub struct Check {
    /// What was looked at, for programs.
    pub name: &'static str,
    /// How good it is.
    pub level: Level,
    /// What was found.
    pub text: Text,
    /// What to do, where there is something to do.
    pub advice: Option<Text>,
}

impl Check {
    fn well(name: &'static str, text: Text) -> Self {
        Self { name, level: Level::Green, text, advice: None }
    }

    fn amber(name: &'static str, text: Text, advice: Text) -> Self {
        Self { name, level: Level::Amber, text, advice: Some(advice) }
    }

    fn red(name: &'static str, text: Text, advice: Text) -> Self {
        Self { name, level: Level::Red, text, advice: Some(advice) }
    }
}

/// Tries everything that can be tried without a person. The devices of a gate that runs are left to it.
pub fn checks(dir: &DataDir, config: &Config, trust: &Arc<Trust>) -> Vec<Check> {
    // Held while the devices are tried, so that no gate starts meanwhile.
    let lock = dir.lock();
    let (config, trust, folder) = (Arc::new(config.clone()), Arc::clone(trust), dir.path().to_owned());
    let mut checks = vec![in_time("decode", || vec![eye::check()])];
    checks.push(match &lock {
        Err(StoreError::InUse(_)) => vec![Check::well(
            "devices",
            Text::new(
                "闸机正在运行：摄像头、继电器、扫码器和屏幕由它使用，见其屏幕",
                "The gate is running and has camera, relay, readers and screen; its screen says how they are",
            ),
        )],
        // What `run` would stumble over first.
        Err(error) => vec![Check::red(
            "folder",
            Text::new(format!("数据目录：{}（{error}）", error.words().zh), format!("Data folder: {error}")),
            Text::new("请检查目录及其中文件的所有者", "Check who owns the folder and what is in it"),
        )],
        Ok(_) => {
            let of = |check: fn(&Config) -> Vec<Check>| {
                let config = Arc::clone(&config);
                move || check(&config)
            };
            [
                in_time("camera", of(devices::camera)),
                in_time("gate", of(devices::gate)),
                in_time("readers", of(devices::readers)),
                in_time("screen", of(devices::screen)),
            ]
            .concat()
        }
    });
    let guards = dir.guards_file();
    checks.push(in_time("guards", move || vec![stores::guards(&guards)]));
    checks.push(in_time("stores", {
        let folder = folder.clone();
        move || stores::check(&folder)
    }));
    checks.push(in_time("registry", move || registry::check(&config, &trust, &folder)));
    drop(lock);
    checks.concat()
}

/// What a check says within its time.
fn in_time(name: &'static str, check: impl FnOnce() -> Vec<Check> + Send + 'static) -> Vec<Check> {
    let (tell, told) = channel();
    let run = move || tell.send(check());
    let started = std::thread::Builder::new().name(format!("check-{name}")).spawn(run);
    match started.map(|_| told.recv_timeout(PATIENCE)) {
        Ok(Ok(checks)) => checks,
        Ok(Err(RecvTimeoutError::Timeout)) => {
            let seconds = PATIENCE.as_secs();
            let text = Text::new(
                format!("检查 {name}：{seconds} 秒内没有答复"),
                format!("{name}: no answer within {seconds} s"),
            );
            vec![Check::red(name, text, Text::new("请重启本机后再试", "Restart the computer and try again"))]
        }
        _ => {
            let text = Text::new(format!("检查 {name}：程序出错"), format!("{name}: the check itself failed"));
            vec![Check::red(name, text, Text::new("请查看日志", "See the log"))]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_dies_is_a_check_that_failed() {
        let found = in_time("camera", || panic!("the driver panics (part of the test)"));
        assert_eq!((found.len(), found[0].level), (1, Level::Red));
        assert!(found[0].advice.is_some());
    }
}
