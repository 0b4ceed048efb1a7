//! `keys`: the signing keys and the root, asked for and shown.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tongguan_pass::draft::Content;
use tongguan_pass::{Draft, KeyId, Keyset, Purpose, RegistryKey, Root, Sha256Hash, VerifyingKey};
use tongguan_registry::domain::audit::Actor;
use tongguan_registry::domain::rotation::Want;
use tongguan_registry::domain::time::{DAY, rfc3339};
use tongguan_registry::keys::{Change, Listed, Listing, Waiting};
use tongguan_registry::{Registry, ceremony, data};

use super::args::Keys;
use super::output::{Failure, Output};

/// What needs no registry; `None` for the rest.
pub(crate) fn run_offline(command: &Keys, out: &Output) -> Option<Result<(), Failure>> {
    match command {
        Keys::RootNew { after, keys, threshold, out: folder } => Some(root_new(after, *keys, *threshold, folder, out)),
        Keys::Sign { root, root_key, drafts } => Some(sign(root, root_key, drafts, out)),
        _ => None,
    }
}

pub(crate) fn run(registry: &Registry, command: Keys, out: &Output) -> Result<(), Failure> {
    let change = match command {
        Keys::List => return list(&registry.list_keys()?, out),
        Keys::Rotate { purpose: None, .. } => registry.rotate(Want::Due, Actor::Operator)?,
        Keys::Rotate { purpose: Some(purpose), from } => {
            registry.rotate(Want::Next { purpose: purpose.into(), from }, Actor::Operator)?
        }
        Keys::Revoke { ids, yes } => revoke(registry, &ids, yes, out)?,
        Keys::RootRotate { draft: true } => Change::Waiting(registry.draft_keyset()?),
        Keys::RootRotate { draft: false } => registry.root_rotate(Actor::Operator)?,
        Keys::Import { drafts } => {
            let read = |path: PathBuf| data::read_draft_file(&path).map(|draft| (path, draft));
            let files =
                drafts.into_iter().map(read).collect::<Result<_, _>>().map_err(tongguan_registry::Error::from)?;
            registry.import(files, Actor::Operator)?
        }
        Keys::RootNew { .. } | Keys::Sign { .. } => return Ok(()),
    };
    show_change(&change, out)
}

fn list(listing: &Listing, out: &Output) -> Result<(), Failure> {
    for listed in &listing.keys {
        let todo = todo(listed);
        let mut value = key_json(&listed.key);
        value["state"] = listed.state.into();
        value["until"] = rfc3339(listed.until).into();
        value["days_left"] = (listed.until.saturating_sub(listing.now) / DAY).into();
        value["todo"] = todo.into();
        out.show(&value, || {
            let (k, until) = (&listed.key, rfc3339(listed.until));
            let what = match listed.state {
                "next" => format!("signs from {until}"),
                "current" => format!("signs until {until} ({} days)", listed.until.saturating_sub(listing.now) / DAY),
                "retiring" => format!("leaves after {until}"),
                "revoked" => format!("since {until}"),
                _ => format!("ended {until}"),
            };
            let todo = todo.map(|t| format!("  ! {t}")).unwrap_or_default();
            format!("{:>5}  {:<11}  {:<8}  {what}{todo}", k.id.0, k.purpose.name(), listed.state)
        })?;
    }
    let (root, here) = (&listing.root, listing.root_keys_here);
    let waiting = listing.waiting.as_ref().map(waiting_json);
    let value = json!({
        "root": root.version, "threshold": root.threshold, "root_keys": root.keys.len(), "root_keys_here": here, "waiting": waiting,
    });
    out.show(&value, || {
        let waits = listing.waiting.as_ref().map(|w| format!("\n{}", waiting_words(w))).unwrap_or_default();
        format!(
            "Root {}: {} of {} keys must sign; {here} are in the data folder.{waits}",
            root.version,
            root.threshold,
            root.keys.len()
        )
    })
}

fn todo(listed: &Listed) -> Option<&'static str> {
    match listed.state {
        _ if listed.due => Some("no next key yet: run `keys rotate`"),
        "ended" => Some("goes with the next rotation"),
        _ => None,
    }
}

fn revoke(registry: &Registry, ids: &[u16], yes: bool, out: &Output) -> Result<Change, Failure> {
    let listing = registry.list_keys()?;
    for id in ids {
        if let Some(listed) = listing.keys.iter().find(|l| l.key.id.0 == *id && l.state != "revoked") {
            say(&format!(
                "Key {id} ({}, {}): {}",
                listed.key.purpose.name(),
                listed.state,
                consequence(listed.key.purpose)
            ));
        }
    }
    if !yes {
        confirm(out)?;
    }
    let ids: Vec<KeyId> = ids.iter().map(|id| KeyId(*id)).collect();
    Ok(registry.revoke_keys(&ids, Actor::Operator)?)
}

/// What people lose, and what they must do.
fn consequence(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Live => {
            "live codes signed with it are refused after each gate's next sync; phones show a good one as soon as they fetch the next."
        }
        Purpose::Certificate => {
            "codes that phones made with its certificates are refused after each gate's next sync; phones must be online once for a new certificate."
        }
        Purpose::Printed => {
            "every printed pass signed with it is refused after each gate's next sync and MUST BE REISSUED ON PAPER."
        }
        Purpose::Lists => {
            "lists signed with it are refused by gates that know the new keyset; a new head is published at once. No code becomes invalid."
        }
        Purpose::Notes => {
            "gates seal new notes to the next key after their next sync; whoever has this one can read what was sealed to it. It is kept, or nobody could."
        }
        Purpose::Receipt => {
            "receipts signed with it are refused; gates keep their events until they get new ones. Nothing is lost."
        }
        Purpose::Time => "time replies signed with it are refused; gates ask again. No code becomes invalid.",
        _ => "what it signed is refused after each gate's next sync.",
    }
}

fn confirm(out: &Output) -> Result<(), Failure> {
    if out.is_json() || !io::stdin().is_terminal() {
        return Err(Failure::misuse("nothing was changed; if this is meant, add --yes"));
    }
    say("Revoke? This cannot be undone. Type yes:");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failure::error)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::Refused("nothing was changed".to_owned())) }
}

/// Beside the result, for the person who sits here.
fn say(sentence: &str) {
    let _ = writeln!(io::stderr().lock(), "{sentence}");
}

fn show_change(change: &Change, out: &Output) -> Result<(), Failure> {
    match change {
        Change::Nothing => {
            out.show(&json!({ "status": "nothing_due" }), || "Nothing is due; nothing was changed.".to_owned())
        }
        Change::Waiting(waiting) => out.show(&waiting_json(waiting), || waiting_words(waiting)),
        Change::Published { made, gone, root, edition } => {
            let keys = |keys: &[RegistryKey]| keys.iter().map(key_json).collect::<Vec<_>>();
            let value = json!({
                "status": "published", "made": keys(made), "gone": keys(gone), "root": root,
                "keyset": edition.head.keyset.version, "version": edition.head.version,
            });
            out.show(&value, || {
                let mut lines: Vec<String> = made.iter().map(|k| format!("Made     {}", key_words(k))).collect();
                lines.extend(gone.iter().map(|k| format!("Removed  {}", key_words(k))));
                lines.push(format!(
                    "Published keyset {} under root {root} with head {}. Gates know it after their next sync; bring a stick to those without a network.",
                    edition.head.keyset.version, edition.head.version
                ));
                lines.join("\n")
            })
        }
    }
}

fn root_new(after: &Path, keys: u8, threshold: u8, folder: &Path, out: &Output) -> Result<(), Failure> {
    let made = ceremony::root_new(after, keys, threshold, folder)?;
    let value = json!({ "keys": made.keys, "draft": made.draft, "version": made.version });
    out.show(&value, || {
        let keys: Vec<String> = made.keys.iter().map(|k| format!("  {}", k.display())).collect();
        format!(
            "Made root {}: {threshold} of these {} keys must sign. Give each to its holder, on two media, and leave none here:\n{}\n\
             {} is signed by them. Now the holders of the root before must sign it (`keys sign`), then `keys import` it.",
            made.version, keys.len(), keys.join("\n"), made.draft.display()
        )
    })
}

fn sign(root: &Path, keys: &[PathBuf], files: &[PathBuf], out: &Output) -> Result<(), Failure> {
    for (path, draft) in ceremony::sign(root, keys, files)? {
        let signers: Vec<u16> = draft.signers().map(|id| id.0).collect();
        let (what, version) = match draft.content() {
            Content::Root(root) => ("root", root.version),
            Content::Keyset(keyset) => ("keyset", keyset.version),
        };
        let fingerprint = draft.fingerprint().to_string();
        let value =
            json!({ "file": path, "what": what, "version": version, "fingerprint": fingerprint, "signed_by": signers });
        out.show(&value, || {
            format!(
                "{}: {what} {version}, now signed by root keys {signers:?}\n  what was signed has the fingerprint {fingerprint}\n{}",
                path.display(), contents(&draft)
            )
        })?;
    }
    Ok(())
}

/// What somebody who signs should look at.
fn contents(draft: &Draft) -> String {
    match draft.content() {
        Content::Root(Root { threshold, keys, .. }) => {
            let keys: Vec<String> =
                keys.iter().map(|(id, key)| format!("  root key {} {}", id.0, short(key))).collect();
            format!("  {threshold} of {} keys must sign\n{}", keys.len(), keys.join("\n"))
        }
        Content::Keyset(keyset) => {
            keyset.keys().iter().map(|k| format!("  {}", key_words(k))).collect::<Vec<_>>().join("\n")
        }
    }
}

fn waiting_json(w: &Waiting) -> Value {
    json!({
        "status": "waiting", "draft": w.file, "keyset": w.keyset.version, "signatures": w.got, "needed": w.needed,
        "missing": w.needed.saturating_sub(w.got), "fingerprint": fingerprint(&w.keyset),
    })
}

fn waiting_words(w: &Waiting) -> String {
    format!(
        "Keyset {} waits in {} for {} of {} signatures by root keys; nothing is published before.\n\
         It has the fingerprint {}. Carry it and root.pub to the holders (`keys sign`), then `keys import` it.",
        w.keyset.version,
        w.file.display(),
        w.needed.saturating_sub(w.got),
        w.needed,
        fingerprint(&w.keyset)
    )
}

fn fingerprint(keyset: &Keyset) -> String {
    Draft::new(Content::Keyset(keyset.clone())).fingerprint().to_string()
}

fn key_json(k: &RegistryKey) -> Value {
    json!({
        "id": k.id.0, "purpose": k.purpose.name(), "not_before": rfc3339(k.not_before), "not_after": rfc3339(k.not_after),
        "fingerprint": Sha256Hash::of(k.key.as_bytes()).to_string(),
    })
}

fn key_words(k: &RegistryKey) -> String {
    let (from, until) = (rfc3339(k.not_before), rfc3339(k.not_after));
    format!("key {} {} {} good from {from} until {until}", k.id.0, k.purpose.name(), short(&k.key))
}

/// Enough to tell keys apart by eye.
fn short(key: &VerifyingKey) -> String {
    Sha256Hash::of(key.as_bytes()).to_string().chars().take(16).collect()
}
