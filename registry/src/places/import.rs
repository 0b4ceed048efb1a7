//! Communities from a CSV file: UTF-8, the header `id,name,region,aliases`, a community a line, old names separated by `|`.
//!
//! A line that cannot be taken is left out and named with its reason; a file that is none of this is refused whole. No field holds a
//! line break, so a line is a record: what an unclosed quotation mark swallows ends with its line.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{BufRead, BufReader, Read};

use csv::{ReaderBuilder, StringRecord};

use super::region::Region;
use super::sound::essence;
use super::{ALIASES_KEPT, Place};
use crate::lang::Text;

/// What a file may have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes in all: against a device or a stream that never ends.
    pub file_bytes: u64,
    /// Bytes of a line, without its end: against a file without line breaks.
    pub line_bytes: usize,
    /// Communities: against memory, in which all are held to be compared.
    pub lines: u64,
}

/// What [`import`] allows.
pub const LIMITS: Limits = Limits { file_bytes: 256 * 1024 * 1024, line_bytes: 4096, lines: 1_000_000 };

/// Characters of a name, as everywhere in the registry.
pub const NAME_CHARACTERS: usize = 100;
/// Rejected lines that are named; the others are counted.
pub const REJECTED_NAMED: usize = 1000;
/// Lines between two words of progress.
pub const PROGRESS_EVERY: u64 = 10_000;

const HEADER: [&str; 4] = ["id", "name", "region", "aliases"];
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Lines read, without the header.
    pub lines: u64,
    /// Communities among them that can be taken.
    pub places: u64,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Imported {
    /// The communities, in the order of the file. No two have one id, or one name in one region.
    pub places: Vec<Place>,
    /// The lines that cannot be taken, at most [`REJECTED_NAMED`] of them.
    pub rejected: Vec<Rejected>,
    /// How many lines cannot be taken.
    pub rejected_count: u64,
}

/// A line that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its number; the header is line 1.
    pub line: u64,
    /// What is wrong, and what to do.
    pub why: Text,
}

/// Why a file was refused whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is another kind of file, or too large.
    #[error("{} {}", .0.zh, .0.en)]
    File(Text),
}

/// Reads the communities of a file. Stores nothing. `progress` is told every [`PROGRESS_EVERY`] lines, and at the end.
///
/// # Errors
/// [`ImportError`].
pub fn import(from: impl Read, progress: &mut dyn FnMut(Progress)) -> Result<Imported, ImportError> {
    within(LIMITS, from, progress)
}

fn within(limits: Limits, from: impl Read, progress: &mut dyn FnMut(Progress)) -> Result<Imported, ImportError> {
    let mut lines = Lines { from: BufReader::new(from), number: 0, bytes: 0, limits };
    let mut line = Vec::new();
    let mut rows = Rows::default();
    if lines.next(&mut line)?.is_none() {
        return Err(refused("文件是空的。", "The file is empty."));
    }
    header(&line)?;
    let mut read = 0;
    while let Some(whole) = lines.next(&mut line)? {
        if line.iter().all(u8::is_ascii_whitespace) && whole {
            continue;
        }
        read += 1;
        if read > limits.lines {
            return Err(refused(
                "文件超过一百万行，请拆成几个文件再导入。",
                "The file has more than 1,000,000 lines: split it and import the parts.",
            ));
        }
        let row = if whole { rows.read(lines.number, &line)? } else { Err(TOO_LONG) };
        rows.take(lines.number, row);
        if read % PROGRESS_EVERY == 0 {
            progress(rows.progress(read));
        }
    }
    if read % PROGRESS_EVERY != 0 || read == 0 {
        progress(rows.progress(read));
    }
    Ok(rows.done)
}

const TOO_LONG: Text = Text::new(
    "这一行超过 4096 字节，请检查换行是否正确。",
    "The line has more than 4,096 bytes: see whether its end is missing.",
);

/// The rows read so far, and what no other row may repeat.
#[derive(Default)]
struct Rows {
    done: Imported,
    /// The line of each id.
    ids: HashMap<u32, u64>,
    /// The line of each name in its region.
    names: HashMap<(String, String), u64>,
    record: StringRecord,
}

impl Rows {
    fn progress(&self, lines: u64) -> Progress {
        Progress { lines, places: self.done.places.len() as u64 }
    }

    fn take(&mut self, line: u64, row: Result<Place, Text>) {
        match row {
            Ok(place) => self.done.places.push(place),
            Err(why) => {
                self.done.rejected_count += 1;
                if self.done.rejected.len() < REJECTED_NAMED {
                    self.done.rejected.push(Rejected { line, why });
                }
            }
        }
    }

    /// The inner error rejects the line, the outer one the file.
    fn read(&mut self, number: u64, line: &[u8]) -> Result<Result<Place, Text>, ImportError> {
        if std::str::from_utf8(line).is_err() {
            return Err(not_utf8(number, line));
        }
        Ok(self.parse(line).and_then(|place| self.unique(number, place)))
    }

    fn parse(&mut self, line: &[u8]) -> Result<Place, Text> {
        if line.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            return Err(Text::new(
                "引号没有成对，请补上或删去。",
                "A quotation mark is not closed: close or remove it.",
            ));
        }
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(line.len().max(1)).from_reader(line);
        // Each line is read on its own, so nothing but a broken line can stop it.
        if !reader.read_record(&mut self.record).unwrap_or(false) {
            return Err(Text::new("这一行读不懂。", "The line cannot be read."));
        }
        let fields: Vec<&str> = self.record.iter().map(str::trim).collect();
        let [id, name, region, aliases] = fields.as_slice() else {
            return Err(Text::of(
                format!("这一行有 {} 列，应为 4 列：id,name,region,aliases；名称里有逗号时请加引号。", fields.len()),
                format!(
                    "The line has {} fields; it needs 4: id,name,region,aliases. Put a name with a comma in quotation marks.",
                    fields.len()
                ),
            ));
        };
        let id = id.parse().ok().filter(|id| *id > 0).ok_or(Text::new(
            "编号应为 1 到 4294967295 的整数。",
            "The id must be a whole number from 1 to 4,294,967,295.",
        ))?;
        let name = named(name)?;
        let region = match *region {
            "" => "",
            word => Region::named(word).map(|region| region.code).ok_or(Text::new(
                "区域应为空、六位区划代码、开发区代码或其名称，见 registry/data/regions.csv。",
                "The region must be empty, or a code or name of registry/data/regions.csv.",
            ))?,
        };
        let mut old: Vec<String> = Vec::new();
        for alias in aliases.split('|').map(str::trim).filter(|alias| !alias.is_empty()) {
            let alias = named(alias)?;
            if alias != name && !old.contains(&alias) {
                old.push(alias);
            }
            if old.len() > ALIASES_KEPT {
                return Err(Text::new("原名最多 8 个。", "There may be 8 old names at most."));
            }
        }
        Ok(Place { id, name, region: region.to_owned(), aliases: old })
    }

    fn unique(&mut self, number: u64, place: Place) -> Result<Place, Text> {
        if let Some(line) = self.ids.get(&place.id) {
            return Err(Text::of(
                format!("编号 {} 与第 {line} 行重复。", place.id),
                format!("The id {} stands already in line {line}.", place.id),
            ));
        }
        match self.names.entry((place.region.clone(), place.name.clone())) {
            Entry::Occupied(line) => Err(Text::of(
                format!("同一区域的同名社区已在第 {} 行。", line.get()),
                format!("The same name in the same region stands already in line {}.", line.get()),
            )),
            Entry::Vacant(free) => {
                free.insert(number);
                self.ids.insert(place.id, number);
                Ok(place)
            }
        }
    }
}

fn named(name: &str) -> Result<String, Text> {
    if name.is_empty() {
        return Err(Text::new("名称是空的。", "The name is empty."));
    }
    if name.chars().count() > NAME_CHARACTERS {
        return Err(Text::new("名称超过 100 个字。", "The name has more than 100 characters."));
    }
    // Marks that turn the direction of writing can make a name look like another one.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if name.chars().any(hidden) {
        return Err(Text::new(
            "名称里有看不见的字符，请重新输入。",
            "The name holds invisible characters: type it anew.",
        ));
    }
    if essence(name, NAME_CHARACTERS).is_empty() {
        return Err(Text::new("名称里没有汉字、字母或数字。", "The name has no character, letter or digit."));
    }
    Ok(name.to_owned())
}

/// The lines of a file, none kept that is longer than the limits allow.
struct Lines<R> {
    from: BufReader<R>,
    /// The number of the line that was read last.
    number: u64,
    bytes: u64,
    limits: Limits,
}

impl<R: Read> Lines<R> {
    /// Reads the next line into `line`, without its end; `false`, if it was too long and its rest was passed over. `None` at the end.
    fn next(&mut self, line: &mut Vec<u8>) -> Result<Option<bool>, ImportError> {
        line.clear();
        let (mut any, mut whole) = (false, true);
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            // One byte more, for the carriage return.
            if line.len() + part.len() > self.limits.line_bytes + 1 {
                whole = false;
            } else if whole {
                line.extend_from_slice(part);
            }
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.from.consume(used);
            self.bytes += used as u64;
            if self.bytes > self.limits.file_bytes {
                return Err(refused(
                    "文件超过 256 MB，请拆成几个文件再导入。",
                    "The file has more than 256 MB: split it and import the parts.",
                ));
            }
            if end.is_some() {
                break;
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        self.number += u64::from(any);
        Ok(any.then_some(whole && line.len() <= self.limits.line_bytes))
    }
}

fn header(line: &[u8]) -> Result<(), ImportError> {
    if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") || line.contains(&0) {
        return Err(refused(
            "文件是 UTF-16 或二进制文件，不是 UTF-8 文本；请另存为“CSV UTF-8”。",
            "The file is UTF-16 or binary, not text in UTF-8: save it as \"CSV UTF-8\".",
        ));
    }
    let line = line.strip_prefix(BOM).unwrap_or(line);
    let Ok(text) = std::str::from_utf8(line) else { return Err(not_utf8(1, line)) };
    let names = text.split(',').map(|name| name.trim().trim_matches('"').to_ascii_lowercase());
    if !names.eq(HEADER) {
        return Err(refused(
            "第一行应为 id,name,region,aliases（用半角逗号分隔）。",
            "The first line must be id,name,region,aliases, separated by commas.",
        ));
    }
    Ok(())
}

fn not_utf8(number: u64, line: &[u8]) -> ImportError {
    if is_gbk(line) {
        return ImportError::File(Text::of(
            format!(
                "第 {number} 行不是 UTF-8，看来是 GBK 编码（Excel 的普通 CSV）；请在 Excel 中另存为“CSV UTF-8”再导入。"
            ),
            format!(
                "Line {number} is not UTF-8 but looks like GBK, as Excel saves a plain CSV: save the file as \"CSV UTF-8\" and import that."
            ),
        ));
    }
    ImportError::File(Text::of(
        format!("第 {number} 行不是 UTF-8；请把文件另存为 UTF-8 再导入。"),
        format!("Line {number} is not UTF-8: save the file as UTF-8 and import that."),
    ))
}

/// Whether all that is not ASCII comes in pairs as GBK has them.
fn is_gbk(line: &[u8]) -> bool {
    let mut bytes = line.iter();
    while let Some(first) = bytes.next() {
        let paired = match first {
            0x00..=0x7f => true,
            0x81..=0xfe => bytes.next().is_some_and(|second| matches!(second, 0x40..=0x7e | 0x80..=0xfe)),
            _ => false,
        };
        if !paired {
            return false;
        }
    }
    true
}

fn refused(zh: &'static str, en: &'static str) -> ImportError {
    ImportError::File(Text::new(zh, en))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../data/communities-sample.csv");

    fn read(bytes: &[u8]) -> Result<Imported, ImportError> {
        import(bytes, &mut |_| {})
    }

    fn rows(rows: &str) -> Imported {
        read(format!("id,name,region,aliases\n{rows}").as_bytes()).unwrap()
    }

    #[test]
    fn the_sample_is_read_whole() {
        let done = read(SAMPLE.as_bytes()).unwrap();
        assert_eq!((done.places.len(), done.rejected), (400, Vec::new()));
    }

    #[test]
    fn a_file_from_excel_is_read() {
        let file = "\u{feff}ID, \"name\",region,aliases\r\n1,曲江花园,雁塔区,老曲江村| 曲江池村 |老曲江村|曲江花园\r\n\r\n2,\"K, Park\",,\r\n";
        let done = read(file.as_bytes()).unwrap();
        assert_eq!(done.rejected, []);
        let of = |id, name: &str, region: &str, aliases: &[&str]| {
            let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
            Place { id, name: name.to_owned(), region: region.to_owned(), aliases }
        };
        assert_eq!(done.places, [of(1, "曲江花园", "610113", &["老曲江村", "曲江池村"]), of(2, "K, Park", "", &[])]);
    }

    #[test]
    fn a_line_that_cannot_be_taken_is_named_and_the_others_are_taken() {
        let long = "长".repeat(101);
        let huge = format!("2,{},,", "长".repeat(2000));
        let many = format!("2,曲江,,{}", (0..9).map(|n| format!("村{n}")).collect::<Vec<_>>().join("|"));
        for (line, why) in [
            ("2,曲江", "2 fields"),
            ("2,曲江,610113,,", "5 fields"),
            ("0,曲江,610113,", "whole number"),
            ("-1,曲江,610113,", "whole number"),
            ("4294967296,曲江,610113,", "whole number"),
            ("x,曲江,610113,", "whole number"),
            ("2,,610113,", "name is empty"),
            ("2,!!,610113,", "no character"),
            ("2,曲\u{7}江,610113,", "invisible"),
            ("2,曲\u{202e}江,610113,", "invisible"),
            (&format!("2,{long},610113,"), "more than 100"),
            ("2,曲江,610199,", "regions.csv"),
            ("2,\"曲江,610113,", "not closed"),
            ("9,雁塔,610113,", "stands already in line 2"),
            ("2,大雁塔,610113,", "same region stands already in line 2"),
            ("2,大雁塔,雁塔区,", "same region stands already in line 2"),
            (&huge, "4,096 bytes"),
            (&many, "8 old names"),
        ] {
            let done = rows(&format!("9,大雁塔,610113,\n{line}\n3,民乐,,\n"));
            let whys: Vec<(u64, &str)> = done.rejected.iter().map(|r| (r.line, r.why.en.as_ref())).collect();
            assert!(matches!(whys.as_slice(), [(3, said)] if said.contains(why)), "{line}: {whys:?}");
            assert!(done.rejected.iter().all(|r| !r.why.zh.is_ascii()), "{line}");
            assert_eq!(done.places.iter().map(|p| p.id).collect::<Vec<_>>(), [9, 3], "{line}");
        }
        // A name may stand in two districts.
        assert_eq!(rows("1,民乐社区,610102,\n2,民乐社区,610113,\n").places.len(), 2);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_whole_with_what_to_do() {
        let gbk = b"id,name,region,aliases\n1,\xc7\xfa\xbd\xad\xbb\xa8\xd4\xb0,610113,\n";
        let gbk_header = b"\xb1\xe0\xba\xc5,\xc3\xfb\xb3\xc6\n";
        for (file, why) in [
            (b"".as_slice(), "empty"),
            (b"1,x,,\n", "first line must be"),
            (b"id;name;region;aliases\n", "first line must be"),
            (gbk, "GBK"),
            (gbk_header, "GBK"),
            (b"id,name,region,aliases\n1,\xff\xff,,\n", "not UTF-8: save"),
            (b"\xff\xfei\0d\0", "UTF-16"),
            (b"PK\x03\x04\0\0", "binary"),
        ] {
            let error = read(file).map(|done| done.places).unwrap_err().to_string();
            assert!(error.contains(why), "{why}: {error}");
        }
    }

    #[test]
    fn nothing_grows_without_bounds() {
        /// A file that never ends.
        struct Endless(&'static [u8]);
        impl Read for Endless {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                for (at, byte) in into.iter_mut().enumerate() {
                    *byte = self.0[at % self.0.len()];
                }
                Ok(into.len() - into.len() % self.0.len())
            }
        }
        let limits = Limits { file_bytes: 100_000, line_bytes: 100, lines: 10_000 };
        let endless = |bytes| b"id,name,region,aliases\n".chain(Endless(bytes));
        let mut said = 0;
        let one_line = within(limits, endless(b"x"), &mut |_| said += 1).unwrap_err().to_string();
        assert!(one_line.contains("256 MB"), "{one_line}");
        let lines = within(limits, endless(b"1,x\n"), &mut |_| said += 1).unwrap_err().to_string();
        assert!(lines.contains("1,000,000"), "{lines}");
        assert_eq!(said, 1);
        let bad = rows(&"x\n".repeat(5000));
        assert_eq!((bad.rejected.len(), bad.rejected_count), (REJECTED_NAMED, 5000));
    }

    #[test]
    fn progress_is_told_every_10000_lines_and_at_the_end() {
        use std::fmt::Write as _;
        let mut file = "id,name,region,aliases\n".to_owned();
        for id in 1..=25_000 {
            writeln!(file, "{id},社区{id},,").unwrap();
        }
        let mut told = Vec::new();
        let done = import(file.as_bytes(), &mut |progress| told.push(progress.lines)).unwrap();
        assert_eq!((told, done.places.len()), (vec![10_000, 20_000, 25_000], 25_000));
    }
}
