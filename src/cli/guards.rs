//! `tongguan guard`: who may log in at this gate.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use tongguan::guards::{Pin, Role, Roster};
use tongguan::store::{DataDir, TrustStore};
use tongguan_pass::{Kind, Unverified};

use super::{Answer, Place, print_json, print_line};

#[derive(Debug, Args)]
pub(super) struct GuardArgs {
    #[command(subcommand)]
    command: GuardCommand,
}

#[derive(Debug, Subcommand)]
enum GuardCommand {
    /// Add somebody. The PIN is asked for, or read as one line from standard input.
    Add {
        #[command(flatten)]
        place: Place,
        /// Their name, as it is shown on the screen and stands in the journal
        name: String,
        /// What they may do: decide about people, or look after the device too
        #[arg(long, value_enum, default_value = "guard")]
        role: Role,
        /// Their own code from their phone, to log in with it too; - reads it as the first line from standard input
        #[arg(long, value_name = "CODE|-")]
        code: Option<String>,
    },
    /// Remove somebody.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Their name
        name: String,
    },
    /// List them.
    List {
        #[command(flatten)]
        place: Place,
        /// One JSON object a guard
        #[arg(long)]
        json: bool,
    },
}

impl GuardArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        match self.command {
            GuardCommand::Add { place, name, role, code } => {
                let dir = place.open()?.1;
                let file = dir.guards_file();
                let mut roster = Roster::read(&file)?;
                let handle = code.map(|code| handle(&code, &dir)).transpose()?;
                roster.add(&name, role, &ask_for_pin()?)?;
                if let Some(handle) = handle {
                    roster.know_code(&name, handle)?;
                }
                roster.write(&file)?;
                print_line(&format!("{name} can log in; a running gate knows within a second"))?;
            }
            GuardCommand::Remove { place, name } => {
                let file = place.open()?.1.guards_file();
                let mut roster = Roster::read(&file)?;
                roster.remove(&name)?;
                roster.write(&file)?;
                print_line(&format!("{name} can log in no longer"))?;
            }
            GuardCommand::List { place, json } => {
                for guard in Roster::read(&place.open()?.1.guards_file())?.guards() {
                    let role = if guard.role == Role::Technician { "technician" } else { "guard" };
                    let code = guard.handle().is_some();
                    if json {
                        print_json(&json!({"name": guard.name, "role": role, "code": code}))?;
                    } else {
                        print_line(&format!(
                            "{role:<11} {}{}",
                            guard.name,
                            if code { " (also with their code)" } else { "" }
                        ))?;
                    }
                }
            }
        }
        Ok(Answer::Yes)
    }
}

/// The pseudonym in somebody's code; the code itself is good for minutes, and not kept.
fn handle(code: &str, dir: &DataDir) -> anyhow::Result<u32> {
    let code = if code == "-" { read_line().context("cannot read the code")? } else { code.to_owned() };
    let trust = TrustStore::open_to_read(dir)?.load()?;
    let code =
        Unverified::parse(code.trim())?.verify(&trust.keys).context("the code cannot be checked; sync first?")?;
    if code.body().kind() == Kind::Printed {
        bail!("a paper pass logs nobody in: it can be copied; take the code from their phone");
    }
    Ok(code.body().handle())
}

fn read_line() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// On a terminal asked for twice and not shown.
fn ask_for_pin() -> anyhow::Result<Pin> {
    let text = if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("PIN, 4 to 8 digits: ").context("cannot read the PIN")?;
        if rpassword::prompt_password("once more: ").context("cannot read the PIN")? != first {
            bail!("the two PINs differ; nothing was changed");
        }
        first
    } else {
        read_line().context("cannot read the PIN from standard input")?
    };
    Pin::parse(&text).context("a PIN has 4 to 8 digits")
}
