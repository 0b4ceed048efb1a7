//! The registry: whether it answers, and whether it is ours.

use std::path::Path;
use std::time::Instant;

use super::Check;
use crate::config::Config;
use crate::lang::Text;
use crate::store::Trust;
use crate::sync;

pub(super) fn check(config: &Config, trust: &Trust, folder: &Path) -> Vec<Check> {
    let name = "registry";
    let source = &config.registry;
    if source.is_empty() {
        let text = Text::new("登记处：未配置，名单由人带来", "Registry: none is configured, lists are brought by hand");
        return vec![Check::well(name, text)];
    }
    if let Err(problem) = sync::check_source(source) {
        let text = Text::new(format!("登记处：{problem}"), format!("Registry: {problem}"));
        return vec![Check::red(name, text, Text::new("请更正 registry", "Correct registry in the configuration"))];
    }
    // Not where a gate that runs keeps its half-fetched file.
    let transport = sync::open(source, folder.join("doctor.part"));
    let started = Instant::now();
    let answer = sync::signed_time(transport.as_ref(), trust);
    let ms = started.elapsed().as_millis();
    vec![match answer {
        Ok(Some(_)) => Check::well(
            name,
            Text::new(format!("登记处：{ms} 毫秒内签名答复"), format!("Registry: signed its answer within {ms} ms")),
        ),
        Ok(None) => {
            Check::well(name, Text::new(format!("登记处：目录 {source}"), format!("Registry: the folder {source}")))
        }
        Err(error) => Check::amber(
            name,
            Text::new(format!("登记处：{}（{error}）", error.words().zh), format!("Registry: {error}")),
            Text::new(
                "没有网络时闸机照常工作；请检查网线、地址（registry）和登记处",
                "A gate works without it; check the cable, the address (registry) and the registry",
            ),
        ),
    }]
}
