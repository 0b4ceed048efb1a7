//! The databases, as SQLite finds them, and the list of guards.

use std::path::Path;

use super::Check;
use crate::guards::Roster;
use crate::lang::Text;
use crate::store::DataDir;

pub(super) fn check(folder: &Path) -> Vec<Check> {
    let name = "stores";
    let sound = DataDir::open(folder).and_then(|dir| dir.is_sound());
    vec![match sound {
        Ok(true) => Check::well(name, Text::new("存储：数据库完好", "Storage: the databases are sound")),
        Ok(false) => Check::red(
            name,
            Text::new("存储：数据库损坏", "Storage: a database is damaged"),
            Text::new(
                "重启检查点，它会把损坏的文件放到一边并重建；请更换存储卡",
                "Restart the checkpoint: it sets the damaged file aside and begins anew; replace the card",
            ),
        ),
        Err(error) => Check::red(
            name,
            Text::new(format!("存储：{}", error.words().zh), format!("Storage: {error}")),
            Text::new("请检查数据目录的权限和磁盘", "Check the data folder's permissions and its disk"),
        ),
    }]
}

pub(super) fn guards(file: &Path) -> Check {
    match Roster::read(file) {
        Ok(roster) if roster.guards().is_empty() => Check::well(
            "guards",
            Text::new(
                "保安：没有名单，任何人可在屏幕上决定",
                "Guards: none are listed, so whoever stands there decides",
            ),
        ),
        Ok(roster) => {
            let count = roster.guards().len();
            Check::well("guards", Text::new(format!("保安：{count} 人"), format!("Guards: {count} may log in")))
        }
        Err(error) => Check::red(
            "guards",
            Text::new(format!("保安：名单无法读取（{error}）"), format!("Guards: {error}")),
            Text::new(
                "无人能登录；请检查 guards.json 及其所有者",
                "Nobody can log in; check guards.json and who owns it",
            ),
        ),
    }
}
