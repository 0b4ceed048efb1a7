//! The vectors of `vectors/`: written by an encoder of their own, and judged by the crate from the files alone.
//!
//! `UPDATE_VECTORS=1 cargo test -p tongguan-pass --test vectors` writes the files anew.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use support::schema::{CodeVector, DocumentVector, ListVector, PolicyVector};
use support::{codes, documents, judge, lists, policies, receipts, revocations, rosters, tampered, uploads};

#[test]
fn the_committed_vectors_are_the_ones_this_code_makes() {
    let made = made();
    let committed = read();
    let names = |files: &BTreeMap<PathBuf, String>| files.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&committed), names(&made), "files are missing or left over; see the head of this file");
    for (path, text) in &made {
        assert_eq!(committed.get(path), Some(text), "{} has drifted; see the head of this file", path.display());
    }
}

#[test]
fn every_code_vector_is_judged_as_it_says() {
    let mut judged = 0;
    for (path, text) in read().iter().filter(|(path, _)| path.starts_with("code")) {
        let vector: CodeVector = serde_json::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(judge::code(&vector), vector.expect, "{}: {}", vector.name, vector.about);
        judged += 1;
    }
    assert!(judged > 0, "there are code vectors");
}

#[test]
fn every_list_vector_is_judged_as_it_says() {
    let mut judged = 0;
    for (path, text) in read().iter().filter(|(path, _)| path.starts_with("list")) {
        let vector: ListVector = serde_json::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(judge::list(&vector), vector.expect, "{}: {}", vector.name, vector.about);
        judged += 1;
    }
    assert!(judged > 0, "there are list vectors");
}

#[test]
fn every_policy_vector_is_judged_as_it_says() {
    let mut judged = 0;
    for (path, text) in read().iter().filter(|(path, _)| path.starts_with("policy")) {
        let vector: PolicyVector = serde_json::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(judge::policy(&vector), vector.expect, "{}: {}", vector.name, vector.about);
        judged += 1;
    }
    assert!(judged > 0, "there are policy vectors");
}

#[test]
fn every_document_vector_is_judged_as_it_says() {
    let mut judged = 0;
    for (path, text) in read().iter().filter(|(path, _)| path.starts_with("document")) {
        let vector: DocumentVector = serde_json::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(judge::document(&vector), vector.expect, "{}: {}", vector.name, vector.about);
        judged += 1;
    }
    assert!(judged > 0, "there are document vectors");
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_witness_judges_every_vector_as_it_says() {
    let vectors_there = read().len();
    let witness = match Command::new("python3").arg(vectors().join("witness.py")).output() {
        Ok(witness) => witness,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: there is no python3 here to run vectors/witness.py");
            return;
        }
        Err(e) => panic!("python3: {e}"),
    };
    let said = String::from_utf8_lossy(&witness.stdout) + String::from_utf8_lossy(&witness.stderr);
    assert!(witness.status.success(), "{said}");
    assert!(said.contains(&format!("{vectors_there} passed, 0 failed")), "{said}");
}

#[test]
fn there_are_many_vectors_most_of_them_negative_and_each_has_its_own_name() {
    let all = read();
    let mut names = BTreeSet::new();
    let mut negative = 0;
    for (path, text) in &all {
        let vector: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let name = vector["name"].as_str().expect("a name");
        assert_eq!(path.file_stem().and_then(|s| s.to_str()), Some(name), "a file is named as its vector");
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        assert!(vector["about"].as_str().is_some_and(|s| s.ends_with('.')), "{name} says what it is about");
        let expect = &vector["expect"];
        let fresh = expect["freshness"] == "fresh";
        let believed = expect["error"].is_null() && expect["freshness"].is_null() && expect["follows"] != false;
        let believed = believed && (expect["admission"].is_null() || expect["admission"] == "pass");
        negative += usize::from(!fresh && !believed);
    }
    assert!(all.len() >= 80, "{} vectors", all.len());
    assert!(negative * 2 > all.len(), "{negative} of {} are negative", all.len());
}

#[test]
fn documents_code_and_vectors_speak_of_the_same_clauses() {
    let mut written = BTreeSet::new();
    for (name, file) in [("PF", "PASS-FORMAT.md"), ("SY", "SYNC.md")] {
        let text = fs::read_to_string(repository().join("docs").join(file)).expect("the document");
        for line in text.lines() {
            if let Some(number) = line.strip_prefix("## ").and_then(|l| l.split([' ', '.']).next()) {
                written.insert(format!("{name} {number}"));
            } else if let Some(clause) = line.strip_prefix(&format!("**{name} ")).and_then(|l| l.split("**").next()) {
                assert!(written.insert(format!("{name} {clause}")), "{name} {clause} is written twice");
            }
        }
    }
    let mut cited = BTreeMap::new();
    for path in files_under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&path).expect("source");
        cited.extend(citations(&text).into_iter().map(|clause| (clause, path.display().to_string())));
    }
    for (path, text) in read() {
        let vector: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        cited.insert(vector["clause"].as_str().expect("a clause").to_owned(), path.display().to_string());
    }
    for (clause, place) in cited {
        assert!(written.contains(&clause), "{place} cites {clause}, which no document has");
    }
}

#[test]
fn what_the_code_quotes_of_a_clause_stands_in_the_document() {
    let plain = |text: &str| {
        let text: String = text.chars().filter(|c| !"`*|".contains(*c)).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    };
    let documents = ["PASS-FORMAT.md", "SYNC.md"].map(|file| repository().join("docs").join(file));
    let documents = documents.map(|path| plain(&fs::read_to_string(path).expect("the document"))).concat();
    let mut quotes = 0;
    for path in files_under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let source = fs::read_to_string(&path).expect("source");
        let comments = source.lines().map(str::trim_start).filter_map(|l| l.strip_prefix("//"));
        let comments = comments.map(|l| l.trim_start_matches(['/', '!'])).collect::<String>();
        for (at, _) in comments.match_indices(": \"") {
            let before = &comments[at.saturating_sub(4)..at];
            if !before.ends_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let quote = comments[at + 3..].split('"').next().expect("a quote");
            for sentence in quote.split_inclusive(". ").map(|s| plain(s.trim().trim_end_matches('.'))) {
                assert!(documents.contains(&sentence), "{} quotes what is not there: {sentence}", path.display());
                quotes += 1;
            }
        }
    }
    assert!(quotes > 40, "{quotes} quoted sentences");
}

#[test]
fn the_worked_examples_of_the_documents_are_vectors() {
    let format = fs::read_to_string(repository().join("docs/PASS-FORMAT.md")).expect("the document");
    let joined: String = format.chars().filter(|c| !c.is_whitespace()).collect();
    for name in ["live-fresh", "carried-fresh", "printed-fresh"] {
        let text = fs::read_to_string(vectors().join(format!("code/{name}.json"))).expect("the vector");
        let vector: CodeVector = serde_json::from_str(&text).expect("a code vector");
        let bytes = data_encoding::BASE32_NOPAD.decode(&vector.text.as_bytes()[4..]).expect("base32");
        assert!(joined.contains(&vector.text), "the text of {name} is in the document");
        assert!(joined.contains(&support::make::hex(&bytes)), "the bytes of {name} are in the document");
    }
    let sync = fs::read_to_string(repository().join("docs/SYNC.md")).expect("the document");
    let joined: String = sync.chars().filter(|c| !c.is_whitespace()).collect();
    let text = fs::read_to_string(vectors().join("list/revocations-worked-example.json")).expect("the vector");
    let vector: ListVector = serde_json::from_str(&text).expect("a list vector");
    assert!(joined.contains(&vector.file), "the worked snapshot is in the document");
}

/// `PF 2.1`, and both of `SY 2.5, 2.6` or `PF 7.1 to 7.3`.
fn citations(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["PF ", "SY "] {
        for (at, _) in text.match_indices(name) {
            let rest = &text[at + 3..];
            let end = rest.find(|c: char| !c.is_ascii_digit() && !" .,to".contains(c)).unwrap_or(rest.len());
            let numbers = rest[..end].split([' ', ',']).map(|n| n.trim_end_matches('.'));
            let numbers = numbers.filter(|n| n.starts_with(|c: char| c.is_ascii_digit()));
            found.extend(numbers.filter(|n| n.len() <= 4).map(|n| format!("{name}{n}")));
        }
    }
    found
}

fn made() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for vector in codes::all().into_iter().chain(tampered::all()).chain(policies::codes()) {
        let path = Path::new("code").join(format!("{}.json", vector.name));
        assert!(files.insert(path, pretty(&vector)).is_none(), "{} is made twice", vector.name);
    }
    let all = lists::all().into_iter().chain(revocations::all()).chain(uploads::all());
    for vector in all.chain(receipts::all()).chain(rosters::all()) {
        let path = Path::new("list").join(format!("{}.json", vector.name));
        assert!(files.insert(path, pretty(&vector)).is_none(), "{} is made twice", vector.name);
    }
    for vector in policies::all() {
        let path = Path::new("policy").join(format!("{}.json", vector.name));
        assert!(files.insert(path, pretty(&vector)).is_none(), "{} is made twice", vector.name);
    }
    for vector in documents::all() {
        let path = Path::new("document").join(format!("{}.json", vector.name));
        assert!(files.insert(path, pretty(&vector)).is_none(), "{} is made twice", vector.name);
    }
    files
}

fn pretty(vector: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(vector).expect("it has only texts and numbers") + "\n"
}

fn write(made: &BTreeMap<PathBuf, String>) {
    for path in on_disk().keys().filter(|path| !made.contains_key(*path)) {
        fs::remove_file(vectors().join(path)).expect("a vector that is no longer made can be removed");
    }
    for (path, text) in made {
        let path = vectors().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }
}

/// The vectors as they are on disk, after the new ones are written if that was asked for.
fn read() -> BTreeMap<PathBuf, String> {
    static UPDATE: Once = Once::new();
    UPDATE.call_once(|| {
        if std::env::var_os("UPDATE_VECTORS").is_some() {
            write(&made());
        }
    });
    on_disk()
}

fn on_disk() -> BTreeMap<PathBuf, String> {
    let root = vectors();
    let files = ["code", "list", "policy", "document"].into_iter().flat_map(|folder| files_under(&root.join(folder)));
    files
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a vector");
            (path.strip_prefix(&root).expect("below the root").to_owned(), text)
        })
        .collect()
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.expect("a folder's entry").path()).collect()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the repository")
}

fn vectors() -> PathBuf {
    repository().join("vectors")
}
