//! The way between a gate and its registry, with everything that goes wrong on it. What arrives at the registry is the real
//! registry's to answer; the little that its HTTP layer adds to that is done here.

use std::cell::RefCell;
use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tongguan::sync::{Transport, TransportError};
use tongguan_pass::{FileRef, Sha256Hash};
use tongguan_registry::store::StoreError;
use tongguan_registry::{Error, Registry};

use crate::city::City;
use crate::tally::Tally;
use crate::world::SECOND;

/// Milliseconds in the world's unit.
const MS: i128 = SECOND / 1_000;
/// A request that takes longer has no answer (`sync/transport.rs`).
const DEADLINE: i128 = 60 * SECOND;

/// What goes wrong in one sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// There is no way to the registry.
    Unreachable,
    /// After so many requests the way is gone.
    CutAfter(u32),
    /// Answers take up to the deadline, and some longer.
    Slow,
    /// An old head of this registry.
    OldHead,
    /// The name of one file, the bytes of another.
    Mixed,
    /// Files lack their end.
    Truncated,
    /// One bit is wrong.
    BitFlipped,
    /// Bytes without end.
    Endless,
    /// A page that is no answer, with status 200.
    LoginPage,
    /// The registry has a problem of its own.
    Status500,
    /// The files of the head are not there.
    FilesMissing,
    /// Batches do not arrive.
    PostLost,
    /// Batches arrive, receipts do not.
    ReceiptLost,
    /// Batches arrive twice.
    PostTwice,
    /// Old batches arrive once more before the new ones.
    PostReplayed,
    /// An old answer to the question for the time.
    OldTime,
    /// Nothing on the way; the registry itself is about to go.
    Registry,
}

impl Fault {
    /// All that can go wrong.
    pub const ALL: [Self; 16] = [
        Self::Unreachable,
        Self::CutAfter(2),
        Self::Slow,
        Self::OldHead,
        Self::Mixed,
        Self::Truncated,
        Self::BitFlipped,
        Self::Endless,
        Self::LoginPage,
        Self::Status500,
        Self::FilesMissing,
        Self::PostLost,
        Self::ReceiptLost,
        Self::PostTwice,
        Self::PostReplayed,
        Self::OldTime,
    ];

    /// As the summary shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "network: well",
            Self::Unreachable => "network: unreachable",
            Self::CutAfter(_) => "network: cut in mid-sync",
            Self::Slow => "network: slow, and beyond the deadline",
            Self::OldHead => "network: old head replayed",
            Self::Mixed => "network: files mixed",
            Self::Truncated => "network: files truncated",
            Self::BitFlipped => "network: bit flipped",
            Self::Endless => "network: endless answer",
            Self::LoginPage => "network: log-in page with status 200",
            Self::Status500 => "network: status 500",
            Self::FilesMissing => "network: files missing",
            Self::PostLost => "network: batch lost",
            Self::ReceiptLost => "network: receipt lost",
            Self::PostTwice => "network: batch posted twice",
            Self::PostReplayed => "network: old batch replayed",
            Self::OldTime => "network: old time reply replayed",
            Self::Registry => "network: the registry's power goes",
        }
    }
}

/// What the network remembers, to say it again at the wrong moment.
#[derive(Debug, Default)]
pub struct Memory {
    batches: Vec<Vec<u8>>,
    times: Vec<Vec<u8>>,
    files: Vec<Vec<u8>>,
}

/// One sync's way to the registry.
pub struct Network<'a> {
    /// The registry and the time.
    pub city: &'a City,
    /// What goes wrong.
    pub fault: Fault,
    /// What was on the way before.
    pub memory: &'a RefCell<Memory>,
    /// Chance.
    pub dice: RefCell<ChaCha8Rng>,
    /// Requests so far.
    requests: RefCell<u32>,
    /// What really came to pass.
    tally: &'a RefCell<Tally>,
}

impl<'a> Network<'a> {
    /// A way on which `fault` goes wrong.
    pub fn new(
        city: &'a City,
        fault: Fault,
        memory: &'a RefCell<Memory>,
        dice: ChaCha8Rng,
        tally: &'a RefCell<Tally>,
    ) -> Self {
        Self { city, fault, memory, dice: RefCell::new(dice), requests: RefCell::new(0), tally }
    }

    fn happened(&self) {
        self.tally.borrow_mut().count(self.fault.name());
    }

    /// Half of the way; the time it takes passes for everybody.
    fn travel(&self) {
        let mut dice = self.dice.borrow_mut();
        let ms = match self.fault {
            Fault::Slow => dice.random_range(100..40_000),
            _ => dice.random_range(1..800),
        };
        self.city.world.pass(ms * MS);
    }

    fn way(&self, answer: impl FnOnce() -> Result<Vec<u8>, TransportError>) -> Result<Vec<u8>, TransportError> {
        *self.requests.borrow_mut() += 1;
        match self.fault {
            Fault::Unreachable => {
                self.happened();
                return Err(TransportError::Unreachable("no way".into()));
            }
            Fault::CutAfter(n) if *self.requests.borrow() > n => {
                self.happened();
                return Err(TransportError::BrokeOff("the line is dead".into()));
            }
            Fault::Status500 if *self.requests.borrow() > 1 || self.dice.borrow_mut().random() => {
                self.happened();
                return Err(TransportError::Status { status: 500, message: String::new() });
            }
            _ => {}
        }
        let asked = self.city.world.now();
        self.travel();
        let answer = answer();
        self.travel();
        if self.city.world.now() - asked > DEADLINE {
            self.happened();
            return Err(TransportError::BrokeOff("timeout".into()));
        }
        answer
    }

    /// The registry's answer at a time when all is well.
    fn ask(&self, path: &str) -> Result<Vec<u8>, TransportError> {
        let registry = self.city.registry();
        if path == "v1/head" {
            return registry.store().head().map_err(|e| failed(&e));
        }
        if let Some(nonce) = path.strip_prefix("v1/time?nonce=") {
            let nonce = HEXLOWER.decode(nonce.as_bytes()).ok().and_then(|n| n.try_into().ok());
            let nonce = nonce.ok_or(TransportError::Status { status: 400, message: String::new() })?;
            return registry.time(nonce).map_err(|e| failed(&e));
        }
        let hash = path.strip_prefix("v1/files/").and_then(|hex| HEXLOWER.decode(hex.as_bytes()).ok());
        let hash = hash.and_then(|hash| hash.try_into().ok()).map(Sha256Hash);
        let file = hash.map(|hash| registry.store().file(&hash)).transpose().map_err(|e| failed(&e))?.flatten();
        file.ok_or(TransportError::Status { status: 404, message: String::new() })
    }

    /// What the fault makes of an answer.
    fn spoil(&self, path: &str, answer: Vec<u8>) -> Vec<u8> {
        let mut memory = self.memory.borrow_mut();
        let mut dice = self.dice.borrow_mut();
        let time = path.starts_with("v1/time");
        let before = if time { memory.times.clone() } else { memory.files.clone() };
        if time {
            memory.times.push(answer.clone());
        } else if path != "v1/head" && !memory.files.contains(&answer) {
            memory.files.push(answer.clone());
        }
        let spoiled = match self.fault {
            Fault::OldHead if path == "v1/head" => {
                let heads = self.city.heads();
                heads[dice.random_range(0..heads.len())].clone()
            }
            Fault::Mixed if path.starts_with("v1/files") => match before.len() {
                0 => b"another file".to_vec(),
                n => before[dice.random_range(0..n)].clone(),
            },
            Fault::OldTime if time => match before.len() {
                0 => return answer,
                n => before[dice.random_range(0..n)].clone(),
            },
            Fault::Truncated => answer[..dice.random_range(0..answer.len().max(1))].to_vec(),
            Fault::BitFlipped if !answer.is_empty() => {
                let mut wrong = answer.clone();
                let at = dice.random_range(0..wrong.len());
                wrong[at] ^= 1 << dice.random_range(0..8);
                wrong
            }
            Fault::LoginPage => b"<!DOCTYPE html><title>Welcome to our network</title>".to_vec(),
            _ => return answer,
        };
        if spoiled != answer {
            drop((memory, dice));
            self.happened();
        }
        spoiled
    }

    fn accept(&self, bytes: &[u8]) -> Result<Vec<u8>, TransportError> {
        accept(self.city.registry(), bytes)
    }
}

/// What the registry's HTTP layer answers to a batch (SY 6.5).
fn accept(registry: &Registry, bytes: &[u8]) -> Result<Vec<u8>, TransportError> {
    match registry.accept(bytes) {
        Ok((device, r)) => {
            let receipt = registry.receipt(device, &r.run).ok().map(|bytes| BASE64.encode(&bytes));
            let (stored, duplicate, next_seq) = (r.stored, r.duplicate, r.next_seq);
            let answer = json!({"stored": stored, "duplicate": duplicate, "next_seq": next_seq, "receipt": receipt});
            Ok(answer.to_string().into_bytes())
        }
        Err(Error::Batch(_)) => Err(TransportError::Status { status: 400, message: String::new() }),
        Err(Error::Store(StoreError::ChainConflict { .. })) => {
            Err(TransportError::Status { status: 409, message: "chain_conflict".into() })
        }
        Err(e) => Err(failed(&e)),
    }
}

fn failed(error: &dyn std::error::Error) -> TransportError {
    TransportError::Status { status: 500, message: error.to_string() }
}

impl Transport for Network<'_> {
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
        let answer = self.way(|| self.ask(path))?;
        if self.fault == Fault::FilesMissing && path.starts_with("v1/files") {
            self.happened();
            return Err(TransportError::Status { status: 404, message: String::new() });
        }
        if self.fault == Fault::Endless {
            self.happened();
            return Err(TransportError::TooLong(limit));
        }
        let answer = self.spoil(path, answer);
        if answer.len() > limit { Err(TransportError::TooLong(limit)) } else { Ok(answer) }
    }

    fn post(&self, _: &str, bytes: &[u8]) -> Result<Vec<u8>, TransportError> {
        let lost = || TransportError::BrokeOff("no answer".into());
        let answer = self.way(|| match self.fault {
            Fault::PostLost => {
                self.happened();
                Err(lost())
            }
            Fault::ReceiptLost => {
                self.accept(bytes)?;
                self.happened();
                Err(lost())
            }
            Fault::PostTwice => {
                let (first, second) = (self.accept(bytes)?, self.accept(bytes)?);
                self.happened();
                Ok(if self.dice.borrow_mut().random() { first } else { second })
            }
            Fault::PostReplayed => {
                let old = self.memory.borrow().batches.clone();
                if !old.is_empty() {
                    // Whatever the registry says to it, the gate does not hear it.
                    accept(self.city.registry(), &old[self.dice.borrow_mut().random_range(0..old.len())]).ok();
                    self.happened();
                }
                self.accept(bytes)
            }
            Fault::LoginPage => {
                self.happened();
                Ok(b"<!DOCTYPE html>".to_vec())
            }
            _ => self.accept(bytes),
        });
        self.memory.borrow_mut().batches.push(bytes.to_vec());
        answer
    }

    fn takes_events(&self) -> bool {
        true
    }

    fn tells_time(&self) -> bool {
        true
    }

    fn place(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// A stick with the lists of some day.
#[derive(Debug, Clone)]
pub struct Stick {
    head: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Stick {
    /// A copy of what the registry has now.
    ///
    /// # Errors
    /// What the registry says.
    pub fn copy(registry: &Registry) -> Result<Self, StoreError> {
        let (edition, files) = registry.store().edition()?;
        let named = |file: Vec<u8>| (format!("v1/files/{}", FileRef::to(0, &file).hash), file);
        Ok(Self { head: edition.bytes, files: files.into_iter().map(named).collect() })
    }
}

impl Transport for Stick {
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
        let file = if path == "v1/head" { Some(&self.head) } else { self.files.get(path) };
        let absent = || TransportError::File { path: path.into(), source: std::io::ErrorKind::NotFound.into() };
        let file = file.ok_or_else(absent)?;
        if file.len() > limit { Err(TransportError::TooLong(limit)) } else { Ok(file.clone()) }
    }

    fn post(&self, path: &str, _: &[u8]) -> Result<Vec<u8>, TransportError> {
        Err(TransportError::File { path: path.into(), source: std::io::ErrorKind::Unsupported.into() })
    }

    fn takes_events(&self) -> bool {
        false
    }

    fn tells_time(&self) -> bool {
        false
    }

    fn place(&self, path: &str) -> String {
        path.to_owned()
    }
}
