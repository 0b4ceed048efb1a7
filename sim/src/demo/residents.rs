//! The sample residents and what they hold: every code comes from the registry's own commands or from a phone's key.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;
use tongguan_sim::{Issuer, Phone};

use super::programs::{ask, run};

/// How old the picture of an expired code is: twice its life.
const OLD: i64 = 20 * 60;

#[derive(Deserialize)]
struct Person {
    person: PersonId,
    token: String,
}

/// An id as the registry writes it, text or number.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum PersonId {
    Text(String),
    Number(u64),
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct CertificateAnswer {
    certificate: String,
}

/// Four residents of community 1.
pub(super) struct Residents {
    registry: Registry,
    shows_live: PersonId,
    has_card: PersonId,
    offline: Phone,
    revoked: Phone,
    token: String,
}

/// The registry's command line.
pub(super) struct Registry {
    pub(super) program: PathBuf,
    pub(super) data: PathBuf,
}

impl Registry {
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--data").arg(&self.data).arg("--json");
        command
    }

    fn person(&self, name: &str) -> anyhow::Result<Person> {
        ask(&mut self.command(&["person", "add", "--name", name, "--community", "1"]))
    }

    fn code(&self, kind: &str, person: &PersonId, more: &[&str]) -> anyhow::Result<String> {
        let person = person.text();
        let mut words = vec!["code", kind, "--person", &person];
        words.extend(more);
        ask::<Code>(&mut self.command(&words)).map(|answer| answer.code)
    }

    fn phone_of(&self, person: &PersonId) -> anyhow::Result<Phone> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|e| anyhow::anyhow!("no randomness for a phone's key: {e}"))?;
        let mut phone = Phone::new(secret);
        let (person, key) = (person.text(), phone.holder_key());
        let answer: CertificateAnswer =
            ask(&mut self.command(&["certificate", "--person", &person, "--holder-key", &key]))?;
        phone.keep(&answer.certificate)?;
        Ok(phone)
    }
}

impl PersonId {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl Residents {
    /// Registers them, revokes one and publishes the lists.
    pub(super) fn register(registry: Registry) -> anyhow::Result<Self> {
        let live = registry.person("王小明")?;
        let card = registry.person("张桂兰")?;
        let offline = registry.person("李芳")?;
        let revoked = registry.person("陈静")?;
        let offline = registry.phone_of(&offline.person)?;
        let revoked_phone = registry.phone_of(&revoked.person)?;
        run(&mut registry.command(&["revoke", "--person", &revoked.person.text()]))?;
        run(&mut registry.command(&["publish"]))?;
        Ok(Self {
            registry,
            shows_live: live.person,
            has_card: card.person,
            offline,
            revoked: revoked_phone,
            token: live.token,
        })
    }

    /// What opens the page with the first resident's live code.
    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

impl Issuer for Residents {
    type Error = anyhow::Error;

    fn live(&mut self) -> anyhow::Result<String> {
        self.registry.code("live", &self.shows_live, &[])
    }

    fn expired(&mut self) -> anyhow::Result<String> {
        let then = Timestamp::from_second(now() - OLD)?.to_string();
        self.registry.code("live", &self.shows_live, &["--at", &then])
    }

    fn printed(&mut self) -> anyhow::Result<String> {
        self.registry.code("printed", &self.has_card, &[])
    }

    fn carried(&mut self) -> anyhow::Result<String> {
        carried(&self.offline)
    }

    fn revoked(&mut self) -> anyhow::Result<String> {
        carried(&self.revoked)
    }
}

fn carried(phone: &Phone) -> anyhow::Result<String> {
    Ok(phone.code(u32::try_from(now()).context("this computer's clock is outside the years the codes can say")?)?)
}

/// The one place the demo takes the time from, as the phones it stands for would.
#[expect(clippy::disallowed_methods, reason = "the phones' clock comes in here")]
fn now() -> i64 {
    Timestamp::now().as_second()
}
