//! `tongguan note`: what a guard types, sealed to the registry.

use std::io::{IsTerminal as _, Read as _};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tongguan::clock::Clock as _;
use tongguan::store::{Journal, NoteError, TrustStore};
use tongguan_pass::limits;

use super::{Answer, Place, clock, print_json, print_line};

const EXAMPLE: &str = "\
Example:
  tongguan note --data DIR --about latest     then type it, and Ctrl-D on a line of its own

The text is read from standard input, never from the command line, which others can see. It is sealed to the registry's \
key before it is written: not even this gate can read it again.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct NoteArgs {
    #[command(flatten)]
    place: Place,
    /// The number of the event it is about, as `tongguan events` shows it, or `latest`
    #[arg(long, value_name = "SEQ|latest", value_parser = about)]
    about: About,
    /// Answer as a JSON object
    #[arg(long)]
    json: bool,
}

/// Which event.
#[derive(Debug, Clone, Copy)]
enum About {
    Latest,
    Seq(u64),
}

fn about(text: &str) -> Result<About, String> {
    match text {
        "latest" => Ok(About::Latest),
        number => number.parse().map(About::Seq).map_err(|_| "give the number of an event, or latest".to_owned()),
    }
}

impl NoteArgs {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let (config, dir) = self.place.open()?;
        let trust = TrustStore::open_to_read(&dir)?.load()?;
        // Before anybody has typed anything in vain.
        let now = clock(&config, &dir).now().best_guess();
        if trust.keys.notes_key(now.as_second()).is_none() {
            return Err(NoteError::NoKey.into());
        }
        let journal = Journal::open(&dir)?;
        let seq = if let About::Seq(seq) = self.about { Some(seq) } else { None };
        let (about, id) = journal.event_id(seq)?;
        if std::io::stdin().is_terminal() {
            tracing::info!("type the note and end it with Ctrl-D on a line of its own");
        }
        let mut text = Vec::new();
        // A line's end more than fits, which does not count.
        let most = limits::NOTE_TEXT as u64 + 3;
        std::io::stdin().take(most).read_to_end(&mut text).context("cannot read standard input; nothing was stored")?;
        while text.pop_if(|b| matches!(b, b'\r' | b'\n')).is_some() {}
        // A text that is cut where it no longer fits is too long, whatever it was cut in.
        let fits = text.len() <= limits::NOTE_TEXT;
        anyhow::ensure!(
            !fits || std::str::from_utf8(&text).is_ok(),
            "the note is not text (UTF-8); nothing was stored"
        );
        let entry = journal.note(&trust.keys, id, &text, now)?;
        if self.json {
            print_json(&json!({"seq": entry.seq, "about": about}))?;
        } else {
            print_line(&format!(
                "note {} about event {about} is sealed and goes to the registry with the events; only there it can be read",
                entry.seq
            ))?;
        }
        Ok(Answer::Yes)
    }
}
