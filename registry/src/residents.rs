//! What residents do themselves: prove that a phone is theirs, register, look at their data, change them.

use tongguan_pass::Document;
use zeroize::Zeroizing;

use crate::domain::audit::Actor;
use crate::domain::person::{NewPerson, PersonChange, PersonId, Token, TokenHash};
use crate::domain::phone::Phone;
use crate::domain::profile::{Profile, Status};
use crate::domain::proof::{Answer, CodeLimits, Purpose, Quota, SmsCode};
use crate::domain::registration::{NOTICE, Registration};
use crate::domain::session::{Session, TOUCH};
use crate::domain::vault::Field;
use crate::lang::Lang;
use crate::message::{Content, Message};
use crate::registry::{Error, Registry};
use crate::roster::RosterError;
use crate::sms::{SendError, SmsSender, next_try};
use crate::store::{Delivery, NewProof, StoreError};

/// The category of everybody who registers: residents (docs/OPERATIONS.md, Categories).
pub const RESIDENT: u8 = 1;
/// People of earlier versions whose data are sealed at a time.
const AT_ONCE: u32 = 500;
/// Messages handed on at a time.
const MESSAGES: u32 = 20;
/// Entries of a history that are shown.
const HISTORY: u32 = 100;

/// A person with what is known of them, in clear.
#[derive(Debug, Clone)]
pub struct Resident {
    /// See [`Profile`].
    pub profile: Profile,
    /// Their document.
    pub document: Option<Document>,
    /// Where they live.
    pub community: u32,
    /// Its name.
    pub community_name: String,
    /// See [`Status`].
    pub status: Status,
    /// When they were registered, Unix seconds.
    pub since: u32,
    /// See [`crate::store::KeptResident::revision`].
    pub revision: u32,
}

/// A change that somebody made of their data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastChange {
    /// Unix seconds.
    pub at: u32,
    /// What was written of it.
    pub said: Zeroizing<Vec<u8>>,
}

/// Who asks for a code, and whether their browser did the work that is asked of a bot.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Their session.
    pub session: TokenHash,
    /// Their browser, which outlives a session.
    pub device: [u8; 16],
    /// The network address they come from.
    pub address: std::net::IpAddr,
    /// What names that work, and until when it could be handed in.
    pub work: Option<([u8; 32], u32)>,
}

impl Registry {
    /// Begins a session of somebody, or of nobody yet.
    ///
    /// # Errors
    /// [`Error`]; so too below.
    pub fn begin_session(&self, person: Option<&PersonId>) -> Result<Token, Error> {
        let token = Token::from_random(self.draw()?);
        let actor = person.map_or(Actor::Registry, |person| Actor::Person(person.clone()));
        self.store.begin_session(&token.hash(), person, &self.by(actor))?;
        Ok(token)
    }

    /// The session of that token, if it is good.
    ///
    /// # Errors
    /// [`Error`].
    pub fn session(&self, token: &Token) -> Result<Option<Session>, Error> {
        let now = self.now();
        let session = self.store.session(&token.hash(), now)?;
        if let Some(session) = &session
            && now.saturating_sub(session.used_at) >= TOUCH
        {
            self.store.touch_session(&session.hash, now)?;
        }
        Ok(session)
    }

    /// What was typed in a session so far. One that does not open is none.
    ///
    /// # Errors
    /// [`Error`].
    pub fn typed_so_far(&self, session: &Session) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let Some(sealed) = &session.draft else { return Ok(None) };
        Ok(self.data_key()?.open(Field::Draft, &session.hash.0, sealed))
    }

    /// Keeps what was typed in a session so far.
    ///
    /// # Errors
    /// [`Error`].
    pub fn keep_typed(&self, session: &TokenHash, draft: &[u8]) -> Result<(), Error> {
        let sealed = self.data_key()?.seal(Field::Draft, &session.0, self.draw()?, draft);
        Ok(self.store.keep_draft(session, &sealed.ok_or(RosterError::Unsealed)?)?)
    }

    /// Sends a code to a phone.
    ///
    /// # Errors
    /// [`StoreError::TooOften`] among others.
    pub fn ask_code(
        &self,
        asker: &Asker,
        purpose: Purpose,
        phone: &Phone,
        limits: &CodeLimits,
        lang: Lang,
    ) -> Result<(), Error> {
        let key = self.data_key()?;
        let code = SmsCode::from_random(self.draw()?);
        let hash = code.hash(key, &asker.session.0, purpose, phone);
        let message = Message { phone: phone.clone(), lang, content: Content::Code(code.reveal().to_owned()) };
        let message = key.seal(Field::Message, b"", self.draw()?, &message.to_bytes()).ok_or(RosterError::Unsealed)?;
        let proof = NewProof {
            session: asker.session,
            purpose,
            phone: self.phone_hash(phone)?,
            code: hash,
            message: &message,
            work: asker.work,
            quotas: &self.quotas(asker, phone, limits)?,
        };
        Ok(self.store.ask_proof(&proof, &self.by(Actor::Registry))?)
    }

    /// Hands on the messages that are due; how many there were.
    ///
    /// # Errors
    /// [`Error`]; what was not handed on stays due.
    pub fn send_due(&self, sender: &dyn SmsSender) -> Result<usize, Error> {
        let due = self.store.due_messages(self.now(), MESSAGES)?;
        for message in &due {
            let opened = self.data_key()?.open(Field::Message, b"", &message.message);
            let Some(message_of) = opened.and_then(|bytes| Message::from_bytes(&bytes)) else {
                tracing::error!(number = message.number, "a message does not open, and is given up");
                self.store.deliver(message.number, Delivery::GivenUp, self.now())?;
                continue;
            };
            let delivery = match sender.send(message.number, &message_of) {
                Ok(()) => Delivery::Sent,
                Err(error) => {
                    let life = message_of.content.life();
                    let next = next_try(message.attempts.saturating_add(1), self.now(), message.since, life);
                    // So that all that failed together do not come together again.
                    let [jitter] = self.draw()?;
                    match (&error, next) {
                        (SendError::Later(why), Some(next)) => {
                            tracing::warn!(
                                number = message.number,
                                why,
                                "a message could not be sent; it is tried again"
                            );
                            Delivery::Again(next.saturating_add(u32::from(jitter % 3)))
                        }
                        _ => {
                            tracing::error!(number = message.number, %error, "a message is given up");
                            Delivery::GivenUp
                        }
                    }
                }
            };
            self.store.deliver(message.number, delivery, self.now())?;
        }
        Ok(due.len())
    }

    fn quotas(&self, asker: &Asker, phone: &Phone, limits: &CodeLimits) -> Result<Vec<Quota>, Error> {
        let key = self.data_key()?;
        let subject = |content: &[u8]| key.keyed_hash(b"tongguan/1/data/quota\0", content);
        // Whoever has a range of IPv6 addresses has 2^64 of them.
        let address = match asker.address {
            std::net::IpAddr::V4(address) => address.octets().to_vec(),
            std::net::IpAddr::V6(address) => address.octets()[..8].to_vec(),
        };
        let mut counted = vec![
            (subject(&[b"phone".as_slice(), phone.as_str().as_bytes()].concat()), &limits.phone),
            (subject(&[b"address".as_slice(), &address].concat()), &limits.address),
            (subject(&[b"device".as_slice(), &asker.device].concat()), &limits.device),
        ];
        if asker.work.is_none() {
            counted.push((subject(b"without work"), &limits.without_work));
        }
        let quota = |(subject, limits): ([u8; 32], &Vec<(u32, u32)>)| {
            limits
                .iter()
                .map(move |(count, within)| Quota { subject, count: *count, within: *within })
                .collect::<Vec<_>>()
        };
        Ok(counted.into_iter().flat_map(quota).collect())
    }

    /// Holds a typed code against the one that was sent.
    ///
    /// # Errors
    /// [`Error`].
    pub fn answer_code(
        &self,
        session: &TokenHash,
        purpose: Purpose,
        phone: &Phone,
        typed: &str,
    ) -> Result<Answer, Error> {
        let Some(code) = SmsCode::parse(typed) else { return Ok(Answer::Wrong) };
        let hash = code.hash(self.data_key()?, &session.0, purpose, phone);
        Ok(self.store.answer_proof(session, purpose, &self.phone_hash(phone)?, &hash, self.now())?)
    }

    /// Whether a phone was proven in this session.
    ///
    /// # Errors
    /// [`Error`].
    pub fn is_proven(&self, session: &TokenHash, phone: &Phone) -> Result<bool, Error> {
        Ok(self.store.is_proven(session, &self.phone_hash(phone)?, self.now())?)
    }

    /// Registers a person whose phone was proven in this session, which then is over; their new session.
    ///
    /// # Errors
    /// [`StoreError::NotProven`], [`StoreError::DocumentTaken`], [`StoreError::PhoneTaken`] among others.
    pub fn register(&self, session: &TokenHash, registration: &Registration) -> Result<Token, Error> {
        let Registration { profile, phone, document, community } = registration;
        let id = PersonId::from_random(self.draw()?);
        let person = NewPerson {
            community: *community,
            category: RESIDENT,
            profile: self.sealed_profile(&id, profile)?,
            phone: Some(self.phone_hash(phone)?),
            document: Some(self.sealed(&id, document)?),
            // Nobody is told this one: they come in by their phone.
            token: Token::from_random(self.draw()?).hash(),
            notice: NOTICE,
            id: id.clone(),
        };
        self.store.register(session, &person, &self.by(Actor::Person(id.clone())))?;
        self.begin_session(Some(&id))
    }

    /// Logs in whose phone was proven in this session, which then is over. `None` if nobody is registered with it.
    ///
    /// # Errors
    /// [`StoreError::NotProven`] among others.
    pub fn enter(&self, session: &TokenHash, phone: &Phone) -> Result<Option<Token>, Error> {
        if !self.is_proven(session, phone)? {
            return Err(StoreError::NotProven.into());
        }
        let Some(person) = self.store.person_by_phone(&self.phone_hash(phone)?)? else { return Ok(None) };
        self.store.end_session(session)?;
        self.begin_session(Some(&person)).map(Some)
    }

    /// A person with what is known of them.
    ///
    /// # Errors
    /// [`StoreError::UnknownPerson`] among others.
    pub fn resident(&self, person: &PersonId) -> Result<Resident, Error> {
        let kept = self.store.resident(person)?;
        let open = |stored| self.data_key()?.open_document(person.as_str(), stored).ok_or(self.other_data_key().into());
        let document = kept.document.as_ref().map(open).transpose().map_err(|e: Error| e)?;
        Ok(Resident {
            profile: self.opened_profile(person, &kept.profile)?,
            document,
            community: kept.community,
            community_name: kept.community_name,
            status: kept.status,
            since: kept.since,
            revision: kept.revision,
        })
    }

    /// A person changes their own data. `entry` is what their history says of it.
    ///
    /// # Errors
    /// [`StoreError::Frozen`], [`StoreError::Outdated`], [`StoreError::DocumentTaken`] among others.
    pub fn change_own(
        &self,
        person: &PersonId,
        before: &Resident,
        registration: &Registration,
        entry: &[u8],
    ) -> Result<(), Error> {
        let document = (before.document.as_ref() != Some(&registration.document))
            .then(|| self.sealed(person, &registration.document))
            .transpose()?;
        let entry = self.data_key()?.seal(Field::History, person.as_str().as_bytes(), self.draw()?, entry);
        let change = PersonChange {
            revision: Some(before.revision),
            profile: Some(self.sealed_profile(person, &registration.profile)?),
            community: Some(registration.community),
            category: None,
            document: document.map(Some),
            entry: Some(entry.ok_or(RosterError::Unsealed)?),
        };
        Ok(self.store.change_person(person, &change, &self.by(Actor::Person(person.clone())))?)
    }

    /// The history of a person's data, newest first.
    ///
    /// # Errors
    /// [`Error`].
    pub fn history_of(&self, person: &PersonId) -> Result<Vec<PastChange>, Error> {
        let key = self.data_key()?;
        let kept = self.store.history_of(person, HISTORY)?.into_iter();
        let open = |entry: Vec<u8>| key.open(Field::History, person.as_str().as_bytes(), &entry);
        kept.map(|kept| {
            let said = open(kept.entry).ok_or_else(|| self.other_data_key())?;
            Ok(PastChange { at: kept.at, said })
        })
        .collect()
    }

    pub(crate) fn sealed_profile(&self, person: &PersonId, profile: &Profile) -> Result<Vec<u8>, Error> {
        let whose = person.as_str().as_bytes();
        let sealed = self.data_key()?.seal(Field::Profile, whose, self.draw()?, &profile.to_bytes());
        Ok(sealed.ok_or(RosterError::Unsealed)?)
    }

    pub(crate) fn opened_profile(&self, person: &PersonId, sealed: &[u8]) -> Result<Profile, Error> {
        let opened = self.data_key()?.open(Field::Profile, person.as_str().as_bytes(), sealed);
        Ok(opened.and_then(|bytes| Profile::from_bytes(&bytes)).ok_or_else(|| self.other_data_key())?)
    }

    fn phone_hash(&self, phone: &Phone) -> Result<[u8; 32], Error> {
        Ok(self.data_key()?.keyed_hash(b"tongguan/1/data/phone\0", phone.as_str().as_bytes()))
    }

    /// Earlier versions kept names and buildings in clear.
    pub(crate) fn seal_what_is_clear(&self) -> Result<(), Error> {
        loop {
            let clear = self.store.unsealed(AT_ONCE)?;
            if clear.is_empty() {
                return Ok(());
            }
            let seal = |person: crate::store::Unsealed| {
                let profile = Profile::new(person.name, person.home);
                Ok((person.id.clone(), self.sealed_profile(&person.id, &profile)?))
            };
            self.store.seal(&clear.into_iter().map(seal).collect::<Result<Vec<_>, Error>>()?)?;
        }
    }
}
