//! A registry, a checkpoint and what is held in front of its camera: the real programs in throw-away folders.
#![expect(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, reason = "tests")]

pub mod server;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The checkpoint's program.
pub const TONGGUAN: &str = env!("CARGO_BIN_EXE_tongguan");

/// The registry's program, which stands beside it.
pub fn registry_program() -> PathBuf {
    let path = Path::new(TONGGUAN).with_file_name("tongguan-registry");
    assert!(path.exists(), "{} is missing: run `cargo build --workspace` first (make test does)", path.display());
    path
}

/// What a program said.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON objects, one a line.
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line:?}; {}", self.err));
        self.out.lines().map(parse).collect()
    }

    pub fn one(&self) -> Value {
        let all = self.json();
        assert_eq!(all.len(), 1, "one JSON object expected: {} {}", self.out, self.err);
        all.into_iter().next().unwrap()
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        self.with_code(0)
    }

    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        self
    }
}

pub fn run(program: impl AsRef<Path>, args: &[&str]) -> Said {
    Said::of(Command::new(program.as_ref()).args(args).output().unwrap())
}

/// A city's registry.
pub struct Registry {
    pub dir: TempDir,
    serving: Option<(Child, String)>,
}

impl Registry {
    pub fn new() -> Self {
        let registry = Self { dir: tempfile::tempdir().unwrap(), serving: None };
        registry.command(&["init"]).ok();
        registry
    }

    pub fn data(&self) -> String {
        self.dir.path().join("registry").display().to_string()
    }

    pub fn root(&self) -> String {
        format!("{}/root.pub", self.data())
    }

    /// A command of the registry, answering in JSON.
    pub fn command(&self, args: &[&str]) -> Said {
        let data = self.data();
        run(registry_program(), &[args, &["--data", &data, "--json"]].concat())
    }

    pub fn person(&self, name: &str) -> String {
        text(&self.command(&["person", "add", "--name", name]).ok().one()["person"])
    }

    /// Somebody with a resident identity card.
    pub fn resident(&self, name: &str, number: &str) -> String {
        let data = self.data();
        let add = ["person", "add", "--name", name, "--document", "resident_id", "--data", &data, "--json"];
        text(&pipe_to(registry_program(), &add, number.as_bytes()).ok().one()["person"])
    }

    pub fn live(&self, person: &str) -> String {
        text(&self.command(&["code", "live", "--person", person]).ok().one()["code"])
    }

    pub fn printed(&self, person: &str) -> String {
        text(&self.command(&["code", "printed", "--person", person]).ok().one()["code"])
    }

    pub fn publish(&self) -> u64 {
        self.command(&["publish"]).ok().one()["version"].as_u64().unwrap()
    }

    pub fn revoke(&self, person: &str) {
        self.command(&["revoke", "--person", person]).ok();
        self.publish();
    }

    /// Everything signed, as a folder such as a USB stick.
    pub fn bundle(&self) -> TempDir {
        let stick = tempfile::tempdir().unwrap();
        self.command(&["bundle", &stick.path().display().to_string()]).ok();
        stick
    }

    /// Starts serving on a free port of the loopback; gives the address.
    pub fn serve(&mut self) -> String {
        self.serve_at("127.0.0.1:0")
    }

    /// Serves where it served before.
    pub fn serve_again(&mut self, url: &str) {
        self.serve_at(url.strip_prefix("http://").unwrap());
    }

    fn serve_at(&mut self, listen: &str) -> String {
        let mut child = Command::new(registry_program())
            .args(["serve", "--data", &self.data(), "--listen", listen, "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        let url = format!("http://{}", text(&listening["listening"]));
        self.serving = Some((child, url.clone()));
        url
    }

    pub fn stop(&mut self) {
        if let Some((mut child, _)) = self.serving.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A gate.
pub struct Checkpoint {
    pub dir: TempDir,
}

impl Checkpoint {
    /// Trusts the registry, gets its files from `source`, and believes this machine's clock, as nothing may vouch for it.
    pub fn new(registry: &Registry, source: &str) -> Self {
        let checkpoint = Self::doubting(registry, source);
        checkpoint.configure("clock", "unsynced_error_s = 60");
        checkpoint
    }

    /// The same, and believes no clock that nobody vouches for.
    pub fn doubting(registry: &Registry, source: &str) -> Self {
        let checkpoint = Self { dir: tempfile::tempdir().unwrap() };
        run(
            TONGGUAN,
            &["init", "--data", &checkpoint.data(), "--registry", source, "--root", &registry.root(), "--json"],
        )
        .ok();
        checkpoint
    }

    /// One that has synced once, from a stick.
    pub fn synced(registry: &Registry) -> Self {
        let stick = registry.bundle();
        let checkpoint = Self::new(registry, "");
        checkpoint.sync_from(&stick.path().display().to_string()).ok();
        checkpoint
    }

    pub fn data(&self) -> String {
        self.dir.path().join("checkpoint").display().to_string()
    }

    pub fn command(&self, args: &[&str]) -> Said {
        let data = self.data();
        run(TONGGUAN, &[args, &["--data", &data]].concat())
    }

    /// The registry has moved to another address.
    pub fn follow(&self, url: &str) {
        self.change_config(|config| config.insert("registry".into(), url.into()));
    }

    /// Sets a key of the configuration: `readers` is a list of one.
    pub fn set(&self, key: &str, value: String) {
        let value: toml::Value = if key == "readers" { vec![value].into() } else { value.into() };
        self.change_config(|config| config.insert(key.into(), value));
    }

    /// Sets a section of the configuration.
    pub fn configure(&self, section: &str, keys: &str) {
        let keys: toml::Table = toml::from_str(keys).unwrap();
        self.change_config(|config| config.insert(section.into(), keys.into()));
    }

    fn change_config(&self, change: impl FnOnce(&mut toml::Table) -> Option<toml::Value>) {
        let file = self.dir.path().join("checkpoint/tongguan.toml");
        let mut config: toml::Table = toml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        change(&mut config);
        std::fs::write(file, config.to_string()).unwrap();
    }

    /// A sync with the configured registry.
    pub fn sync(&self) -> Said {
        self.command(&["sync", "--json"])
    }

    pub fn sync_from(&self, source: &str) -> Said {
        self.command(&["sync", "--json", "--from", source])
    }

    /// The verdict and the reason for a code, now.
    pub fn verdict(&self, code: &str) -> (String, String) {
        let answer = self.command(&["verify", "--json", code]).one();
        (text(&answer["verdict"]), text(&answer["reason"]))
    }

    /// Why a code cannot be answered to: what is stored does not hold, and a question mends nothing.
    pub fn unanswered(&self, code: &str) -> String {
        self.command(&["verify", "--json", code]).with_code(2).err
    }

    /// Holds pictures in front of the camera, one after the other, and gives the events.
    pub fn show(&self, pictures: &Path) -> Vec<Value> {
        self.play(&format!("replay:{}?fps=0&loop=0", pictures.display())).ok().json()
    }

    pub fn play(&self, camera: &str) -> Said {
        self.command(&["run", "--camera", camera, "--gate", "sim", "--screen", "none", "--events", "-"])
    }

    /// Shows each text as a clean picture, one after the other.
    pub fn show_codes(&self, texts: &[&str]) -> Vec<Value> {
        let pictures = tempfile::tempdir().unwrap();
        for (i, text) in texts.iter().enumerate() {
            picture(text, &pictures.path().join(format!("{i:04}.png")));
        }
        self.show(pictures.path())
    }

    pub fn journal(&self) -> Vec<Value> {
        self.command(&["events", "--json"]).ok().json()
    }
}

/// Starts the gate and lets it run until it is told to stop.
pub fn start(args: &[&str]) -> Child {
    Command::new(TONGGUAN).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Verdict, reason and gate of events.
pub fn outcomes(events: &[Value]) -> Vec<(String, String, String)> {
    events.iter().map(|e| (text(&e["verdict"]), text(&e["reason"]), text(&e["gate"]))).collect()
}

/// The same, to compare with.
pub fn expected(all: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    all.iter().map(|(v, r, g)| ((*v).to_owned(), (*r).to_owned(), (*g).to_owned())).collect()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a string expected, not {value}")).to_owned()
}

/// A clean picture of a code.
pub fn picture(text: &str, path: &Path) {
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).unwrap();
    let picture: image::GrayImage = code.render::<image::Luma<u8>>().module_dimensions(6, 6).build();
    picture.save(path).unwrap();
}

/// Writes `input` to a command's standard input.
pub fn pipe(args: &[&str], input: &[u8]) -> Said {
    pipe_to(TONGGUAN, args, input)
}

pub fn pipe_to(program: impl AsRef<Path>, args: &[&str], input: &[u8]) -> Said {
    let mut child = Command::new(program.as_ref())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).ok());
    let said = Said::of(child.wait_with_output().unwrap());
    writer.join().unwrap();
    said
}

/// The time by this machine's clock, which the programs under test go by.
#[expect(clippy::disallowed_methods, reason = "tests")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
