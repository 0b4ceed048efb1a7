//! A town to search: the real names of `data/communities-sample.csv`, and made-up ones in their manner; and what people type for them.
//!
//! The same every time. The test in `src/places/mod.rs` and the bench use it both.

use std::collections::HashSet;

use pinyin::ToPinyin as _;

/// Id, name, region and old names of a community.
pub(crate) type Row = (u32, String, String, Vec<String>);

/// What somebody types, and what they mean.
#[derive(Debug)]
pub(crate) struct Query {
    /// How it was made from the name.
    pub(crate) how: &'static str,
    /// What is typed.
    pub(crate) text: String,
    /// The id of the community that is meant.
    pub(crate) meant: u32,
    /// Its name, for whoever looks at what was missed.
    #[expect(dead_code, reason = "shown by Debug")]
    pub(crate) name: String,
}

const SAMPLE: &str = include_str!("../../data/communities-sample.csv");

const REGIONS: [(&str, &str); 18] = [
    ("610102", "新城区"),
    ("610103", "碑林区"),
    ("610104", "莲湖区"),
    ("610111", "灞桥区"),
    ("610112", "未央区"),
    ("610113", "雁塔区"),
    ("610114", "阎良区"),
    ("610115", "临潼区"),
    ("610116", "长安区"),
    ("610117", "高陵区"),
    ("610118", "鄠邑区"),
    ("610122", "蓝田县"),
    ("610124", "周至县"),
    ("gaoxin", "高新区"),
    ("jingkai", "经开区"),
    ("qujiang", "曲江新区"),
    ("chanba", "浐灞"),
    ("xixian", "西咸新区"),
];
const BUILDERS: &str = "万科 金地 绿地 保利 龙湖 中海 碧桂园 融创 华润 招商 恒大 荣民 紫薇 高科 天地源 雅居乐 阳光城 富力 中铁 首创 \
    华远 金辉 世茂 龙湖 绿城 旭辉 海亮 天朗 立丰 莱安 白桦林 海荣 曲江 长安 雁塔 浐灞 未央 凤城 枫林 沣东";
const SCENES: &str = "翡翠 天誉 云锦 观澜 香堤 半岛 紫汀 湖城 锦绣 长安 公园 凤凰 桃花源 御景 金色 阳光 春天 翰林 学府 书香 枫叶 \
    丽景 秋实 明珠 东方 南湖 北岸 西锦 玫瑰 兰亭 梧桐 芳草 鹭岛 麒麟 龙首 雍景 悦澜 江山 星河 蓝山 银杏 丹桂 竹园 樱花 海棠 紫荆 \
    和平 建设 幸福 光华 文景 太白 含光 永宁 兴庆 大兴 青龙 渭水 沁园 橡树 城市 时代 未来 盛世 尚品 锦都 重阳 唐韵 汉风 秦岭 \
    终南 灞上 曲水 白鹿 卧龙 朱雀 玄武 长乐 延兴 崇仁";
const KINDS: &str =
    "花园 家园 小区 国际 名苑 华府 公馆 新城 郡 里 府 城 湾 天下 雅苑 嘉园 庄园 广场 世家 中心 一期 二期 水岸 观邸";
const SURNAMES: &str = "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧 程 曹 袁 邓 许 傅 \
    沈 曾 彭 吕 苏 卢 蒋 蔡 贾 丁 魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 任 姜 范 方 石 姚 谭 廖 邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 \
    顾 侯 邵 孟 龙 万 段 雷 钱 汤 尹 黎 易 常 武 乔 贺 赖 龚 文";
const HAMLETS: &str = "村 庄村 寨村 堡村 湾村 沟村 坡村 岭村 营村 庙村 桥村 滩村";
const STREETS: &str = "友谊 含光 太白 科技 丈八 电子 雁翔 咸宁 长缨 华清 幸福 万寿 金花 环城 建国 和平 文艺 朱雀 振兴 劳动 桃园 大庆 \
    枣园 昆明 红光 自强 龙首 凤城 文景 明光 太华 辛家 北辰 朝阳 永乐";
const WORKS: &str = "仪表厂 电力机械厂 纺织厂 油脂公司 铁路分局 公交公司 自来水公司 钢厂 电缆厂 制药厂 设计院 师范学校 粮食局 印刷厂 \
    开关厂 水利局 地质队 交通厅 邮电局 建筑公司";

/// Numbers that look as if they were thrown, the same in every run (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of 0 to `end - 1`; `end` is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap_or(0) % end
    }

    fn one_of<'a>(&mut self, words: &'a [&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// `count` communities: those of the sample, and then made-up ones. No two have one name.
pub(crate) fn communities(count: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = SAMPLE.lines().skip(1).filter_map(sample_row).collect();
    let mut names: HashSet<String> = rows.iter().map(|(_, name, ..)| name.clone()).collect();
    let mut dice = Dice::new(20_211_220);
    let mut id = 100_000;
    while rows.len() < count {
        let name = made_up(&mut dice);
        if !names.insert(name.clone()) {
            continue;
        }
        let old = made_up(&mut dice);
        let aliases = if dice.below(10) == 0 && names.insert(old.clone()) { vec![old] } else { Vec::new() };
        let region = REGIONS[dice.below(REGIONS.len())].0.to_owned();
        rows.push((id, name, region, aliases));
        id += 1;
    }
    rows
}

fn sample_row(line: &str) -> Option<Row> {
    let mut fields = line.split(',');
    let (id, name, region) = (fields.next()?, fields.next()?, fields.next()?);
    Some((id.parse().ok()?, name.to_owned(), region.to_owned(), Vec::new()))
}

fn made_up(dice: &mut Dice) -> String {
    let words = |text: &'static str| -> Vec<&'static str> { text.split_whitespace().collect() };
    let (scenes, kinds) = (words(SCENES), words(KINDS));
    match dice.below(10) {
        0 | 1 => {
            let side = dice.one_of(&["", "", "东", "西", "南", "北", "上", "下"]);
            format!("{side}{}家{}", dice.one_of(&words(SURNAMES)), dice.one_of(&words(HAMLETS)))
        }
        2 => {
            let side = dice.one_of(&["东", "西", "南", "北", "中"]);
            format!("{}{side}路{}号院", dice.one_of(&words(STREETS)), 1 + dice.below(299))
        }
        3 => {
            let number = dice.one_of(&["", "第一", "第二", "第三"]);
            format!("{}{}{number}家属院", dice.one_of(&words(STREETS)), dice.one_of(&words(WORKS)))
        }
        4 | 5 => format!(
            "{}{}社区",
            dice.one_of(&scenes),
            dice.one_of(&["", "路", "东", "西", "南", "北", "第一", "第二", "苑"])
        ),
        _ => format!("{}{}{}", dice.one_of(&words(BUILDERS)), dice.one_of(&scenes), dice.one_of(&kinds)),
    }
}

type Way = (&'static str, usize, fn(&Row, &mut Dice) -> String);

/// Ways to type a name, and the characters that it must have at least for that: nobody types three initials and expects one of
/// 10,000 places.
const WAYS: [Way; 20] = [
    ("characters", 2, |row, _| row.1.clone()),
    ("wrong character", 4, |row, dice| swap_in(&row.1, dice, |_, _| '大')),
    ("another wrong character", 5, |row, dice| swap_in(&row.1, dice, |_, dice| any_character(dice))),
    ("missing character", 4, |row, dice| without(&row.1, dice)),
    ("exchanged characters", 4, |row, dice| exchanged(&row.1, dice)),
    ("homophone", 3, |row, dice| swap_in(&row.1, dice, homophone)),
    ("two homophones", 5, |row, dice| swap_in(&swap_in(&row.1, dice, homophone), dice, homophone)),
    ("pinyin", 3, |row, _| syllables(&row.1).concat()),
    ("pinyin, wrong letter", 4, |row, dice| swap_in(&syllables(&row.1).concat(), dice, |_, dice| any_letter(dice))),
    ("pinyin, missing letter", 4, |row, dice| without(&syllables(&row.1).concat(), dice)),
    ("pinyin, exchanged letters", 4, |row, dice| exchanged(&syllables(&row.1).concat(), dice)),
    ("pinyin with spaces", 3, |row, _| syllables(&row.1).join(" ")),
    ("initials", 5, |row, _| initials(&row.1)),
    ("initials, exchanged", 6, |row, dice| exchanged(&initials(&row.1), dice)),
    ("characters, then pinyin", 4, |row, _| half(&row.1, |rest| syllables(rest).concat())),
    ("characters, then initials", 4, |row, _| half(&row.1, initials)),
    ("pinyin, then initials", 5, |row, _| {
        let syllables = syllables(&row.1);
        format!("{}{}", syllables[..2].concat(), initials(&row.1.chars().skip(2).collect::<String>()))
    }),
    ("district, homophone, no kind", 5, |row, dice| {
        let kindless: String = row.1.chars().take(row.1.chars().count() - 1).collect();
        format!("{}{}", region(row), swap_in(&kindless, dice, homophone))
    }),
    ("another kind", 4, |row, _| format!("{}小区", row.1)),
    ("old name, homophone", 4, |row, dice| swap_in(&row.3[0], dice, homophone)),
];

/// `count` queries over the 10,000 communities, each way as often.
pub(crate) fn queries(count: usize) -> Vec<Query> {
    let rows = communities(10_000);
    let mut dice = Dice::new(20_220_104);
    let mut queries = Vec::new();
    while queries.len() < count {
        let (how, least, make) = WAYS[queries.len() % WAYS.len()];
        // One in four is a real one.
        let row = if dice.below(4) == 0 { &rows[dice.below(400)] } else { &rows[dice.below(rows.len())] };
        let readable = row.1.chars().all(|c| c.to_pinyin().is_some() || c.is_ascii_digit());
        if row.1.chars().count() < least || !readable || (how.starts_with("old") && row.3.is_empty()) {
            continue;
        }
        queries.push(Query { how, text: make(row, &mut dice), meant: row.0, name: row.1.clone() });
    }
    queries
}

fn syllables(name: &str) -> Vec<String> {
    let syllable = |c: char| match c {
        // As they are read in names here; the dictionary's first readings are zhang and zhong.
        '长' => "chang".to_owned(),
        '重' => "chong".to_owned(),
        _ => c.to_pinyin().map_or_else(|| c.to_string(), |p| p.plain().replace('ü', "v")),
    };
    name.chars().map(syllable).collect()
}

fn initials(name: &str) -> String {
    syllables(name).iter().filter_map(|s| s.chars().next()).collect()
}

fn half(name: &str, rest: fn(&str) -> String) -> String {
    let count = name.chars().count() / 2;
    let head: String = name.chars().take(count).collect();
    format!("{head}{}", rest(&name.chars().skip(count).collect::<String>()))
}

fn region(row: &Row) -> &'static str {
    REGIONS.iter().find(|(code, _)| *code == row.2).map_or("", |(_, name)| name)
}

fn swap_in(text: &str, dice: &mut Dice, other: fn(char, &mut Dice) -> char) -> String {
    let mut all: Vec<char> = text.chars().collect();
    let at = dice.below(all.len());
    all[at] = other(all[at], dice);
    all.into_iter().collect()
}

fn without(text: &str, dice: &mut Dice) -> String {
    let at = dice.below(text.chars().count());
    text.chars().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c).collect()
}

fn exchanged(text: &str, dice: &mut Dice) -> String {
    let mut all: Vec<char> = text.chars().collect();
    let at = dice.below(all.len() - 1);
    all.swap(at, at + 1);
    all.into_iter().collect()
}

fn any_letter(dice: &mut Dice) -> char {
    char::from(b"abcdefghijklmnopqrstuwxyz"[dice.below(25)])
}

fn any_character(dice: &mut Dice) -> char {
    let all: Vec<char> = SCENES.chars().filter(|c| !c.is_whitespace()).collect();
    all[dice.below(all.len())]
}

/// Another character of the same first reading, if there is one.
fn homophone(c: char, dice: &mut Dice) -> char {
    let sound = c.to_pinyin().map(pinyin::Pinyin::plain);
    let others: Vec<char> = ('\u{4e00}'..='\u{9fa5}')
        .filter(|other| *other != c && sound.is_some() && other.to_pinyin().map(pinyin::Pinyin::plain) == sound)
        .collect();
    if others.is_empty() { c } else { others[dice.below(others.len())] }
}
