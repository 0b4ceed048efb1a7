//! `person` and `community`: who lives where, and by which document a guard finds them.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use serde_json::json;
use tongguan_pass::{Document, DocumentKind, limits};
use tongguan_registry::Registry;
use tongguan_registry::registry::{Changes, Particulars};
use zeroize::Zeroizing;

use super::args::{Community, Person};
use super::output::{Failure, Output};
use super::places;
use super::run::known;

/// Bytes of a line with a number, however it is written.
const LINE_BYTES: u64 = 16 * limits::DOCUMENT_NUMBER as u64;

pub(crate) fn person(registry: &Registry, command: Person, out: &Output) -> Result<(), Failure> {
    match command {
        Person::Add { name, community, category, building, document } => {
            let document = document.map(ask_for_number).transpose()?;
            let home = building.unwrap_or_default();
            let (id, token) = registry.add_person(Particulars { name, community, category, home, document })?;
            let token = token.reveal();
            let sentence = || format!("Person {id}. Their token, shown only now: {}", *token);
            out.show(&json!({ "person": id.as_str(), "token": *token }), sentence)
        }
        Person::Set { person, name, community, category, building, document, no_document } => {
            let id = known(&person)?;
            let nothing = name.is_none() && community.is_none() && category.is_none() && building.is_none();
            if nothing && document.is_none() && !no_document {
                return Err(Failure::misuse("say what to change, such as --building; `person set --help` lists it"));
            }
            let document = match document {
                Some(kind) => Some(Some(ask_for_number(kind)?)),
                None => no_document.then_some(None),
            };
            registry.change_person(&id, Changes { name, community, category, home: building, document })?;
            let sentence = || format!("{id} is changed. Rosters tell it from the next one on: `roster publish`.");
            out.show(&json!({ "person": id.as_str() }), sentence)
        }
    }
}

/// Never from the command line, which others on the machine can read. On a terminal it is not shown.
fn ask_for_number(kind: DocumentKind) -> Result<Document, Failure> {
    let text = if io::stdin().is_terminal() {
        Zeroizing::new(rpassword::prompt_password("Number of the document (not shown): ").map_err(unread)?)
    } else {
        let mut line = Zeroizing::new(String::new());
        io::stdin().lock().take(LINE_BYTES).read_line(&mut line).map_err(unread)?;
        line
    };
    Document::parse(kind, text.trim_end_matches(['\r', '\n']))
        .map_err(|wrong| Failure::misuse(format!("the number of the {} {wrong}; nothing was changed", kind.name())))
}

fn unread(error: io::Error) -> Failure {
    Failure::error(format!("cannot read the document's number from standard input: {error}"))
}

pub(crate) fn community(registry: &Registry, command: Community, out: &Output) -> Result<(), Failure> {
    match command {
        Community::Add { community, name } => {
            registry.add_community(community, &name)?;
            let value = json!({ "community": community, "name": name.as_str() });
            out.show(&value, || format!("Community {community} is there: {}", name.as_str()))
        }
        Community::Import { file, .. } => {
            let read = places::read(&file, out)?;
            let stored = registry.import_communities(&read.places)?;
            places::report(&read, Some(stored), out)
        }
        Community::List => {
            for community in registry.store().communities()? {
                let value = json!({ "community": community.id, "name": community.name });
                out.show(&value, || format!("{:>10}  {}", community.id, community.name))?;
            }
            Ok(())
        }
    }
}
