//! Sessions, proofs of phones, profiles and the outbox.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{SqliteStore, audit, people, signed, unsigned};
use crate::domain::audit::Act;
use crate::domain::person::{Home, Name, NewPerson, PersonId, TokenHash};
use crate::domain::profile::Status;
use crate::domain::proof::{Answer, CODE_LIFE, PROVEN_LIFE, Purpose, Quota, TRIES};
use crate::domain::session::{ANONYMOUS, IDLE, Session};
use crate::domain::time::DAY;
use crate::domain::vault::SealedDocument;
use crate::store::{By, Delivery, DueMessage, HistoryEntry, KeptResident, NewProof, Residents, StoreError, Unsealed};

/// Ended sessions that are forgotten with each new one: more than one, so that they do not pile up.
const FORGET: u32 = 8;

impl Residents for SqliteStore {
    fn begin_session(&self, session: &TokenHash, person: Option<&PersonId>, by: &By) -> Result<(), StoreError> {
        self.write(|tx| begin(tx, session, person, by))
    }

    fn session(&self, session: &TokenHash, now: u32) -> Result<Option<Session>, StoreError> {
        self.read(|tx| Ok(find(tx, session)?.filter(|found| found.is_good(now))))
    }

    fn touch_session(&self, session: &TokenHash, now: u32) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute("UPDATE sessions SET used_at = max(used_at, ?2) WHERE hash = ?1", params![session.0, now])?;
            Ok(())
        })
    }

    fn keep_draft(&self, session: &TokenHash, draft: &[u8]) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute("UPDATE sessions SET draft = ?2 WHERE hash = ?1", params![session.0, draft])?;
            Ok(())
        })
    }

    fn end_session(&self, session: &TokenHash) -> Result<(), StoreError> {
        self.write(|tx| end(tx, session))
    }

    fn ask_proof(&self, proof: &NewProof<'_>, by: &By) -> Result<(), StoreError> {
        self.write(|tx| {
            if let Some(work) = &proof.work {
                spend(tx, work, by.at)?;
            }
            count(tx, proof.quotas, by.at)?;
            tx.prepare_cached(
                "INSERT OR REPLACE INTO proofs (session, purpose, phone, code, asked_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![proof.session.0, proof.purpose.name(), proof.phone, proof.code, by.at])?;
            post(tx, proof.message, by.at)
        })
    }

    fn answer_proof(
        &self,
        session: &TokenHash,
        purpose: Purpose,
        phone: &[u8; 32],
        code: &[u8; 32],
        now: u32,
    ) -> Result<Answer, StoreError> {
        self.write(|tx| answer(tx, session, purpose, (phone, code), now))
    }

    fn is_proven(&self, session: &TokenHash, phone: &[u8; 32], now: u32) -> Result<bool, StoreError> {
        self.read(|tx| proven(tx, session, phone, now))
    }

    fn register(&self, session: &TokenHash, person: &NewPerson, by: &By) -> Result<(), StoreError> {
        self.write(|tx| {
            let phone = person.phone.as_ref().ok_or(StoreError::NotProven)?;
            if !proven(tx, session, phone, by.at)? {
                return Err(StoreError::NotProven);
            }
            people::add(tx, person, by)?;
            end(tx, session)
        })
    }

    fn person_by_phone(&self, phone: &[u8; 32]) -> Result<Option<PersonId>, StoreError> {
        self.read(|tx| people::by_phone(tx, phone))
    }

    fn resident(&self, person: &PersonId) -> Result<KeptResident, StoreError> {
        self.read(|tx| resident(tx, person))
    }

    fn set_status(&self, person: &PersonId, status: Status, by: &By) -> Result<(), StoreError> {
        self.write(|tx| {
            let change = "UPDATE people SET status = ?2 WHERE id = ?1";
            if tx.prepare_cached(change)?.execute(params![person.as_str(), status.name()])? == 0 {
                return Err(StoreError::UnknownPerson);
            }
            audit(tx, by, Act::StatusSet, person.as_str())
        })
    }

    fn history_of(&self, person: &PersonId, limit: u32) -> Result<Vec<HistoryEntry>, StoreError> {
        self.read(|tx| {
            let mut rows =
                tx.prepare_cached("SELECT at, entry FROM history WHERE person = ?1 ORDER BY number DESC LIMIT ?2")?;
            let rows = rows
                .query_map(params![person.as_str(), limit], |r| Ok(HistoryEntry { at: r.get(0)?, entry: r.get(1)? }))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn unsealed(&self, limit: u32) -> Result<Vec<Unsealed>, StoreError> {
        self.read(|tx| {
            let mut rows = tx.prepare_cached("SELECT id, name, home FROM people WHERE profile IS NULL LIMIT ?1")?;
            let rows = rows.query_map([limit], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
            rows.map(|row| {
                let (id, name, home): (String, String, String) = row?;
                let read = (PersonId::parse(&id), Name::parse(&name).ok(), Home::parse(&home).ok());
                let (Some(id), Some(name), Some(home)) = read else {
                    return Err(StoreError::Damaged("it holds a person that is none".into()));
                };
                Ok(Unsealed { id, name, home })
            })
            .collect()
        })
    }

    fn seal(&self, sealed: &[(PersonId, Vec<u8>)]) -> Result<(), StoreError> {
        self.write(|tx| {
            // What was changed in the meantime is not overwritten.
            let mut update = tx.prepare_cached(
                "UPDATE people SET profile = ?2, name = '', home = '' WHERE id = ?1 AND profile IS NULL",
            )?;
            for (person, profile) in sealed {
                update.execute(params![person.as_str(), profile])?;
            }
            Ok(())
        })
    }

    fn due_messages(&self, now: u32, limit: u32) -> Result<Vec<DueMessage>, StoreError> {
        self.read(|tx| {
            let mut rows = tx.prepare_cached(
                "SELECT number, message, attempts, at FROM outbox WHERE due_at <= ?1 ORDER BY due_at, number LIMIT ?2",
            )?;
            let rows = rows.query_map([now, limit], |r| {
                Ok(DueMessage {
                    number: unsigned(r.get(0)?),
                    message: r.get(1)?,
                    attempts: r.get(2)?,
                    since: r.get(3)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn deliver(&self, number: u64, delivery: Delivery, now: u32) -> Result<(), StoreError> {
        self.write(|tx| {
            let (message, due, outcome) = match delivery {
                Delivery::Sent => (None, None, Some("sent")),
                Delivery::GivenUp => (None, None, Some("given_up")),
                Delivery::Again(due) => (Some(()), Some(due), None),
            };
            tx.prepare_cached(
                "UPDATE outbox SET attempts = attempts + 1, due_at = ?2, outcome = ?3,
                     message = CASE WHEN ?4 THEN message END WHERE number = ?1 AND due_at IS NOT NULL",
            )?
            .execute(params![signed(number), due, outcome, message.is_some()])?;
            tx.prepare_cached("DELETE FROM outbox WHERE outcome IS NOT NULL AND at < ?1")?
                .execute([now.saturating_sub(DAY)])?;
            Ok(())
        })
    }
}

fn begin(tx: &Transaction<'_>, session: &TokenHash, person: Option<&PersonId>, by: &By) -> Result<(), StoreError> {
    tx.prepare_cached(
        "DELETE FROM sessions WHERE hash IN (
             SELECT hash FROM sessions
             WHERE used_at < ?1 OR (person IS NULL AND used_at < ?2) ORDER BY used_at LIMIT ?3)",
    )?
    .execute([by.at.saturating_sub(IDLE), by.at.saturating_sub(ANONYMOUS), FORGET])?;
    tx.prepare_cached("INSERT INTO sessions (hash, person, created_at, used_at) VALUES (?1, ?2, ?3, ?3)")?
        .execute(params![session.0, person.map(PersonId::as_str), by.at])?;
    Ok(())
}

fn find(tx: &Transaction<'_>, session: &TokenHash) -> Result<Option<Session>, StoreError> {
    let mut row = tx.prepare_cached("SELECT hash, person, draft, created_at, used_at FROM sessions WHERE hash = ?1")?;
    let found = row.query_row([session.0], |r| {
        let person: Option<String> = r.get(1)?;
        Ok(Session {
            hash: TokenHash(r.get(0)?),
            person: person.and_then(|id| PersonId::parse(&id)),
            draft: r.get(2)?,
            created_at: r.get(3)?,
            used_at: r.get(4)?,
        })
    });
    Ok(found.optional()?)
}

fn end(tx: &Transaction<'_>, session: &TokenHash) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM sessions WHERE hash = ?1")?.execute([session.0])?;
    Ok(())
}

/// Counts one more of each, or none of them if a quota is used up.
fn count(tx: &Transaction<'_>, quotas: &[Quota], now: u32) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM asked WHERE at < ?1")?.execute([now.saturating_sub(DAY)])?;
    // The oldest of the last `count` frees a place when it leaves the window.
    let mut oldest =
        tx.prepare_cached("SELECT at FROM asked WHERE subject = ?1 AND at > ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3")?;
    let mut again = None;
    for Quota { subject, count, within } in quotas {
        let nth = count.saturating_sub(1);
        let full: Option<u32> =
            oldest.query_row(params![subject, i64::from(now) - i64::from(*within), nth], |r| r.get(0)).optional()?;
        again = again.max(full.map(|at| at.saturating_add(*within)));
    }
    if let Some(again) = again {
        return Err(StoreError::TooOften { again });
    }
    let mut subjects: Vec<_> = quotas.iter().map(|quota| quota.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut insert = tx.prepare_cached("INSERT INTO asked (subject, at) VALUES (?1, ?2)")?;
    for subject in subjects {
        insert.execute(params![subject, now])?;
    }
    Ok(())
}

fn spend(tx: &Transaction<'_>, (work, until): &([u8; 32], u32), now: u32) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM spent WHERE until < ?1")?.execute([now])?;
    let insert = "INSERT INTO spent (work, until) VALUES (?1, ?2) ON CONFLICT (work) DO NOTHING";
    let new = tx.prepare_cached(insert)?.execute(params![work, until])?;
    if new == 1 { Ok(()) } else { Err(StoreError::WorkSpent) }
}

fn post(tx: &Transaction<'_>, message: &[u8], now: u32) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT INTO outbox (message, at, due_at) VALUES (?1, ?2, ?2)")?
        .execute(params![message, now])?;
    Ok(())
}

fn answer(
    tx: &Transaction<'_>,
    session: &TokenHash,
    purpose: Purpose,
    (phone, code): (&[u8; 32], &[u8; 32]),
    now: u32,
) -> Result<Answer, StoreError> {
    struct Kept {
        phone: [u8; 32],
        code: [u8; 32],
        asked_at: u32,
        wrong: u32,
        proven_at: Option<u32>,
    }
    let kept = tx
        .prepare_cached(
            "SELECT phone, code, asked_at, wrong, proven_at FROM proofs WHERE session = ?1 AND purpose = ?2",
        )?
        .query_row(params![session.0, purpose.name()], |r| {
            let (phone, code, asked_at) = (r.get(0)?, r.get(1)?, r.get(2)?);
            Ok(Kept { phone, code, asked_at, wrong: r.get(3)?, proven_at: r.get(4)? })
        })
        .optional()?;
    let Some(kept) = kept else { return Ok(Answer::None) };
    if kept.phone != *phone || now.saturating_sub(kept.asked_at) >= CODE_LIFE || kept.wrong >= TRIES {
        return Ok(Answer::None);
    }
    // Both are keyed hashes: how long the comparison takes tells nothing of a code.
    let right = kept.code == *code;
    let (wrong, proven_at) = match right {
        true => (kept.wrong, Some(kept.proven_at.unwrap_or(now))),
        false => (kept.wrong + 1, kept.proven_at),
    };
    tx.prepare_cached("UPDATE proofs SET wrong = ?3, proven_at = ?4 WHERE session = ?1 AND purpose = ?2")?
        .execute(params![session.0, purpose.name(), wrong, proven_at])?;
    Ok(if right { Answer::Proven } else { Answer::Wrong })
}

fn proven(tx: &Transaction<'_>, session: &TokenHash, phone: &[u8; 32], now: u32) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM proofs WHERE session = ?1 AND phone = ?2 AND proven_at > ?3)")?
        .query_row(params![session.0, phone, i64::from(now) - i64::from(PROVEN_LIFE)], |r| r.get(0))?)
}

fn resident(tx: &Transaction<'_>, person: &PersonId) -> Result<KeptResident, StoreError> {
    let mut row = tx.prepare_cached(
        "SELECT profile, community, communities.name, lookup, sealed, status, people.created_at, revision
         FROM people JOIN communities ON communities.id = community
         LEFT JOIN documents ON documents.person = people.id WHERE people.id = ?1",
    )?;
    let found = row.query_row([person.as_str()], |r| {
        let lookup: Option<[u8; 32]> = r.get(3)?;
        let status: String = r.get(5)?;
        Ok(KeptResident {
            profile: r.get::<_, Option<Vec<u8>>>(0)?.unwrap_or_default(),
            community: r.get(1)?,
            community_name: r.get(2)?,
            document: match lookup {
                Some(lookup) => Some(SealedDocument { lookup, sealed: r.get(4)? }),
                None => None,
            },
            status: if status == Status::Normal.name() { Status::Normal } else { Status::Frozen },
            since: r.get(6)?,
            revision: r.get(7)?,
        })
    });
    found.optional()?.ok_or(StoreError::UnknownPerson)
}
